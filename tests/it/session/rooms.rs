//! Rooms: who may talk in them, and who asks whom.

use clearnet::clock;
use client::room_definition;
use domain::crypto::{Definition, RoomText, SigningKey};
use domain::primitives::{Address, ChannelId};
use domain::protocol::method::create_app_session::AppDefinition;
use serde_json::json;

use super::ask::fresh;
use super::socket::Socket;
use super::world::World;
use crate::harness::database::{Database, on_every_database};

on_every_database!(rooms_are_heard_by_members_and_asked_by_guests);

async fn rooms_are_heard_by_members_and_asked_by_guests(database: Database) {
    let world = World::start(database, 3_600).await;
    for label in ["host", "guest", "third"] {
        world.open(label, 100, None).await;
    }
    world.settle_down().await;
    let mut host = world.session("host").await;
    let [room, crowd] = [&["host", "guest"][..], &["host", "guest", "third"]];
    let (room, crowd) = (open(&world, &mut host, room).await, open(&world, &mut host, crowd).await);
    roles(&world, room).await;
    signatures(&world, room).await;
    wrong_roles_come_first(&world, room, crowd).await;
    strangers(&world, room).await;
    messages(&world, crowd).await;
    slow(&world, crowd).await;
    world.finish().await;
}

/// Opens a topic of these members.
async fn open(world: &World, session: &mut Socket, labels: &[&str]) -> ChannelId {
    let keys: Vec<SigningKey> = labels.iter().map(|label| world.key(label)).collect();
    let two = room_definition(keys[0].address(), keys[1].address(), "talk", 3_600).unwrap();
    let mut definition = json!(two);
    let members: Vec<Address> = keys.iter().map(SigningKey::address).collect();
    definition["participants"] = json!(members);
    definition["weights"] = json!(vec![50; members.len()]);
    let params = json!({"definition": definition, "allocations": []});
    let ask = keys.iter().fold(world.ask("create_app_session", &params), |ask, key| ask.by(key));
    world.done(session, "a topic", &ask.frame()).await;
    let definition: AppDefinition = serde_json::from_value(definition).unwrap();
    Definition::from(&definition).channel_id()
}

/// Half of a call, signed by these keys.
fn call(room: ChannelId, half: &str, keys: &[&SigningKey]) -> String {
    let body = json!([fresh(), "move", {"cell": 4}, clock::now().as_millis()]).to_string();
    let hash = RoomText::new(room, &body).hash();
    let signatures: Vec<String> = keys.iter().map(|key| key.sign(hash).to_string()).collect();
    let signatures = json!(signatures);
    format!(r#"{{"type":"rpc","id":"c","channel":"{room}","data":{{"{half}":{body},"sig":{signatures}}}}}"#)
}

async fn roles(world: &World, room: ChannelId) {
    let (host_key, guest_key) = (world.key("host"), world.key("guest"));
    let (mut host, mut guest) = (world.session("host").await, world.session("guest").await);
    for session in [&mut host, &mut guest] {
        let answer = session.ask(&format!(r#"{{"type":"subscribe","channel":"{room}"}}"#)).await;
        world.check(answer["type"] == "subscribed", &answer);
    }
    let asked = guest.ask(&call(room, "req", &[&guest_key])).await;
    world.check(asked["type"] == "published" && asked["data"]["seq"] == 1, &asked);
    let heard = host.news(|news| news["type"] == "rpc").await;
    world.check(heard["sender"] == guest_key.address().to_string() && heard["seq"] == 1, &heard);
    let answered = host.ask(&call(room, "res", &[&host_key])).await;
    world.check(answered["type"] == "published" && answered["data"]["seq"] == 2, &answered);
    let heard = guest.news(|news| news["type"] == "rpc").await;
    world.check(heard["sender"] == host_key.address().to_string() && heard["seq"] == 2, &heard);

    let frame = call(room, "req", &[&host_key]);
    world.refused(&mut host, "a request of the host", &frame, "wrong_role").await;
    let frame = call(room, "res", &[&guest_key]);
    world.refused(&mut guest, "a response of the guest", &frame, "wrong_role").await;
    let both = r#""req":[1,"move",{},1],"res":[1,"move",{},1],"sig":[]"#;
    for data in [both, r#""sig":[]"#] {
        let frame = format!(r#"{{"type":"rpc","channel":"{room}","data":{{{data}}}}}"#);
        world.refused(&mut guest, &frame, &frame, "invalid_envelope").await;
    }
    // Nothing of what was refused was heard, or took a number.
    let frame = format!(r#"{{"type":"publish","channel":"{room}","data":"end"}}"#);
    let answer = guest.ask(&frame).await;
    world.check(answer["data"]["seq"] == 3, &answer);
    let heard = host.news(|news| news["channel"] == room.to_string()).await;
    world.check(heard["data"] == "end", &heard);
}

async fn signatures(world: &World, room: ChannelId) {
    let mut guest = world.session("guest").await;
    let (own, other) = (world.key("guest"), world.key("host"));
    let cases = [
        ("unsigned", call(room, "req", &[]), "missing_signature"),
        ("signed by the host", call(room, "req", &[&other]), "unknown_signer"),
        ("signed by the host too", call(room, "req", &[&own, &other]), "unknown_signer"),
        ("signed twice", call(room, "req", &[&own, &own]), "duplicate_signer"),
        (
            "signed for another room",
            {
                let elsewhere = ChannelId::from_bytes([9; 32]);
                call(elsewhere, "req", &[&own]).replace(&elsewhere.to_string(), &room.to_string())
            },
            "unknown_signer",
        ),
        (
            "r of no point",
            call(room, "req", &[]).replace("[]}", &format!(r#"["{}"]}}"#, super::ask::of_nobody())),
            "bad_signature",
        ),
    ];
    for (what, frame, code) in cases {
        world.refused(&mut guest, what, &frame, code).await;
    }
}

async fn wrong_roles_come_first(world: &World, room: ChannelId, crowd: ChannelId) {
    let (mut host, key) = (world.session("host").await, world.key("host"));
    let cases = [
        ("a call among three", call(crowd, "res", &[&key])),
        ("an unsigned call among three", call(crowd, "req", &[])),
        ("an unsigned request of the host", call(room, "req", &[])),
        ("a request of the host, signed by another", call(room, "req", &[&world.key("guest")])),
    ];
    for (what, frame) in cases {
        world.refused(&mut host, what, &frame, "wrong_role").await;
    }
}

/// Whether there is a room is nobody else's business.
async fn strangers(world: &World, room: ChannelId) {
    let (mut mallory, key) = (world.session("mallory").await, world.key("mallory"));
    let unknown = ChannelId::from_bytes([9; 32]);
    let frames = |id: ChannelId| {
        [
            format!(r#"{{"type":"subscribe","channel":"{id}"}}"#),
            format!(r#"{{"type":"subscribe","channel":"{id}","data":{{"epoch":1,"seq":0}}}}"#),
            format!(r#"{{"type":"publish","channel":"{id}","data":1}}"#),
            call(id, "req", &[&key]),
            call(id, "res", &[&key]),
            call(id, "req", &[]),
            call(id, "req", &[&world.key("guest")]),
            call(id, "req", &[&key, &key]),
        ]
    };
    for (private, none) in frames(room).iter().zip(&frames(unknown)) {
        let first = world.refused(&mut mallory, private, private, "unknown_channel").await;
        let second = world.refused(&mut mallory, none, none, "unknown_channel").await;
        let first = first.to_string();
        let second = second.to_string().replace(&unknown.to_string(), &room.to_string());
        world.check(first == second, format!("{private}: {first} and {second}"));
    }
}

/// What is published comes to all other sessions that listen, those of the same participant too.
async fn messages(world: &World, crowd: ChannelId) {
    let mut sessions = Vec::new();
    for label in ["host", "host", "guest", "third"] {
        let mut session = world.session(label).await;
        let answer = session.ask(&format!(r#"{{"type":"subscribe","channel":"{crowd}"}}"#)).await;
        world.check(answer["type"] == "subscribed" && answer["data"]["seq"] == 0, &answer);
        sessions.push(session);
    }
    let frame = format!(r#"{{"type":"publish","channel":"{crowd}","data":{{"say":"hello"}}}}"#);
    let answer = sessions[0].ask(&frame).await;
    world.check(answer["type"] == "published" && answer["data"]["seq"] == 1, &answer);
    for session in &mut sessions[1..] {
        let heard = session.news(|news| news["type"] == "message").await;
        let is_it = heard["data"] == json!({"say": "hello"}) && heard["seq"] == 1;
        world.check(is_it && heard["sender"] == world.address("host").to_string(), &heard);
    }
}

/// Who does not read is let go with the reason, and keeps nobody else from hearing.
async fn slow(world: &World, crowd: ChannelId) {
    // More than may wait for one client.
    const SAID: usize = 100;
    let text = "x".repeat(60_000);
    let (mut slow, mut quick) = (world.session("third").await, world.session("guest").await);
    for session in [&mut slow, &mut quick] {
        let answer = session.ask(&format!(r#"{{"type":"subscribe","channel":"{crowd}"}}"#)).await;
        world.check(answer["type"] == "subscribed", &answer);
    }
    let mut host = world.session("host").await;
    let frame = format!(r#"{{"type":"publish","channel":"{crowd}","data":"{text}"}}"#);
    for _ in 0..SAID {
        let answer = host.ask(&frame).await;
        world.check(answer["type"] == "published", &answer);
        let heard = quick.news(|news| news["type"] == "message").await;
        world.check(heard["seq"] == answer["data"]["seq"], &heard["seq"]);
    }
    let (heard, reason) = slow.until_closed().await;
    world.check(reason == "slow_consumer", format!("closed with {reason} after {heard} frames"));
    world.check(heard < SAID, format!("{heard} frames waited"));
}
