//! Next states of direct channels that requests carry.

use domain::crypto::Intent;
use domain::primitives::{Address, ChannelId, Digest};
use serde_json::{Value, json};

use super::ask::{Ask, Direct, signed_by};
use super::socket::Socket;
use super::world::World;
use crate::harness::database::{Database, on_every_database};

on_every_database!(carried_states_follow_the_newest_one_or_are_refused_with_it);

async fn carried_states_follow_the_newest_one_or_are_refused_with_it(database: Database) {
    let world = World::start(database, 3_600).await;
    let mut channel = world.open("alice", 1_000, None).await;
    let mut bobs = world.open("bob", 500, None).await;
    world.settle_down().await;
    let (mut alice, mut bob) = (world.session("alice").await, world.session("bob").await);
    let mut tablet = world.session("alice").await;
    let to_wallet = |channel: &Direct, part| world.ask("update_state", &json!({})).moving(channel, part);
    world.done(&mut alice, "to the wallet", &to_wallet(&channel, 900).frame()).await;
    channel.moved(900);
    // The state comes to every device, whichever of them signed.
    for device in [&mut alice, &mut tablet] {
        let news = device.news(|news| news["data"]["res"][1] == "channel").await;
        let state = &news["data"]["res"][2]["state"];
        world.check(state["state"]["version"] == 1 && state["signatures"][1].is_string(), &news);
    }
    for part in [400, 300] {
        world.done(&mut bob, "to the wallet", &to_wallet(&bobs, part).frame()).await;
        bobs.moved(part);
    }
    refused_states(&world, &mut alice, &channel).await;
    refused_money(&world, &mut alice, &channel).await;
    strangers(&world, &mut alice, &channel, &bobs).await;
    form(&world, &mut alice, &channel).await;
    ending(&world, &mut alice, channel).await;
    world.finish().await;
}

fn update(world: &World) -> Ask {
    world.ask("update_state", &json!({}))
}

/// The newest co-signed state comes with the refusal.
async fn refused_with_current(
    world: &World,
    alice: &mut Socket,
    channel: &Direct,
    (what, ask, code): (&str, Ask, &str),
) {
    let details = world.refused(alice, what, &ask.frame(), code).await;
    let current = &details["current"];
    let is_current = details["channel_id"] == channel.id().to_string()
        && current["channel_id"] == channel.id().to_string()
        && current["state"]["version"] == channel.version
        && current["state"]["allocations"][0]["amount"] == channel.part.to_string()
        && current["signatures"].as_array().is_some_and(|both| both.len() == 2);
    world.check(is_current, format!("{what}: {details}"));
}

async fn refused_states(world: &World, alice: &mut Socket, channel: &Direct) {
    let version = |version| {
        let ask = update(world);
        let state = channel.next(ask.hash(), version, 800);
        ask.carrying(channel.signed(&state))
    };
    let spoilt = |spoil: &dyn Fn(&mut domain::crypto::DirectState)| {
        let ask = update(world).by(&channel.key);
        let mut state = channel.next(ask.hash(), channel.version + 1, 800);
        spoil(&mut state);
        ask.carrying(channel.signed(&state))
    };
    let other = Address::from_bytes([7; 20]);
    let cases = [
        ("version 0", version(0), "stale_version"),
        ("the newest version", version(channel.version), "stale_version"),
        ("1001 versions ahead", version(channel.version + 1_001), "invalid_state"),
        ("a larger total", spoilt(&|state| state.allocations[1].amount = 201_u128.into()), "invalid_state"),
        ("a smaller total", spoilt(&|state| state.allocations[1].amount = 199_u128.into()), "invalid_state"),
        ("another payee", spoilt(&|state| state.allocations[1].destination = other), "invalid_state"),
        ("sides swapped", spoilt(&|state| state.allocations.swap(0, 1)), "invalid_state"),
        ("another token", spoilt(&|state| state.allocations[0].token = other), "invalid_state"),
        ("FINALIZE", spoilt(&|state| state.intent = Intent::Finalize), "invalid_state"),
        ("INITIALIZE", spoilt(&|state| state.intent = Intent::Initialize), "invalid_state"),
        ("RESIZE", spoilt(&|state| state.intent = Intent::Resize), "invalid_state"),
        ("another hash", spoilt(&|state| state.data = vec![9; 32]), "invalid_state"),
        ("no data", spoilt(&|state| state.data.clear()), "invalid_state"),
    ];
    for case in cases {
        refused_with_current(world, alice, channel, case).await;
    }
    let ask = update(world);
    let mut state = channel.next(ask.hash(), channel.version + 1, 800);
    state.channel_id = ChannelId::from_bytes([9; 32]);
    let ask = ask.carrying(channel.signed(&state));
    world.refused(alice, "an unknown channel", &ask.frame(), "unknown_channel").await;
    let twice = update(world).moving(channel, 800).moving(channel, 700);
    world.refused(alice, "a channel twice", &twice.frame(), "invalid_state").await;
}

async fn refused_money(world: &World, alice: &mut Socket, channel: &Direct) {
    let nothing = update(world).by(&channel.key);
    world.refused(alice, "nothing moved", &nothing.frame(), "missing_state").await;
    let bob = world.address("bob");
    let cases = [
        ("anchored and paid", world.pay(bob, "1").moving(channel, 1_000)),
        ("more paid than given up", world.pay(bob, "301").moving(channel, 700)),
        ("more anchored than is left", world.pay(bob, "60").moving(channel, 950)),
    ];
    for (what, ask) in cases {
        world.refused(alice, what, &ask.frame(), "insufficient_balance").await;
    }
}

async fn strangers(world: &World, alice: &mut Socket, channel: &Direct, bobs: &Direct) {
    // Bob's channel, in Alice's name: as if there were none, whatever the state says.
    for (version, part) in [(0, 400), (bobs.version, 400), (bobs.version + 1, 400), (9_999, 1)] {
        let ask = update(world);
        let state = bobs.next(ask.hash(), version, part);
        let ask = ask.carrying(signed_by(&channel.key, &state));
        let details = world.refused(alice, "another's channel", &ask.frame(), "unknown_channel").await;
        let keys: Vec<_> = details.as_object().map(|it| it.keys().cloned().collect()).unwrap_or_default();
        world.check(keys == ["channel_id"], format!("a stranger is told {details}"));
    }
    let ask = update(world);
    let state = bobs.next(ask.hash(), bobs.version + 1, 200);
    let ask = ask.by(&channel.key).carrying(bobs.signed(&state));
    world.refused(alice, "another's state", &ask.frame(), "unknown_signer").await;

    let unknown = ChannelId::from_bytes([9; 32]);
    for (method, field) in [
        ("get_state", "channel_id"),
        ("get_settlement", "channel_id"),
        ("get_app_definition", "app_session_id"),
    ] {
        let mut answers = Vec::new();
        for id in [bobs.id(), unknown] {
            let frame = world.ask(method, &json!({field: id})).frame();
            let details = world.refused(alice, method, &frame, "unknown_channel").await;
            answers.push(details.to_string().replace(&id.to_string(), "it"));
        }
        world.check(answers[0] == answers[1], format!("{method}: {answers:?}"));
    }
    let last = bobs.last();
    let ask = world.ask("close_channel", &json!({"channel_id": bobs.id()})).by(&channel.key);
    let ask = ask.carrying(signed_by(&channel.key, &last));
    world.refused(alice, "another's end", &ask.frame(), "unknown_channel").await;
    let frame = world.ask("get_ledger_balances", &json!({"account_id": bobs.id()})).frame();
    let answer = world.done(alice, "another's balance", &frame).await;
    world.check(answer["data"]["res"][2]["ledger_balances"] == json!([]), &answer);
}

/// States that cannot be read.
async fn form(world: &World, alice: &mut Socket, channel: &Direct) {
    let ask = update(world);
    let right = channel.signed(&channel.next(ask.hash(), channel.version + 1, 800));
    let with = |pointer: &str, value: Value| {
        let mut state = right.clone();
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        state.pointer_mut(parent).unwrap()[field] = value;
        ask.clone().carrying(state).frame()
    };
    let cases = [
        ("a fraction of a version", with("/state/version", json!(1.5))),
        ("a negative version", with("/state/version", json!(-1))),
        ("a version as text", with("/state/version", json!("2"))),
        ("an unknown intent", with("/state/intent", json!(4))),
        ("a field nobody knows", with("/state/more", json!(1))),
        ("another field nobody knows", with("/more", json!(1))),
        ("odd hex", with("/state/data", json!("0x1"))),
        ("too much data", with("/state/data", json!(format!("0x{}", "00".repeat(257))))),
        ("a short id", with("/channel_id", json!("0x12"))),
        ("a short signature", with("/sig", json!("0x12"))),
        ("three allocations", with("/state/allocations", json!([1, 2, 3]))),
        ("one allocation", with("/state/allocations", json!([right["state"]["allocations"][0]]))),
    ];
    for (what, frame) in cases {
        world.refused(alice, what, &frame, "invalid_envelope").await;
    }
}

/// FINALIZE, and what can be done afterwards: nothing.
async fn ending(world: &World, alice: &mut Socket, channel: Direct) {
    let id = channel.id();
    let close = |state: Option<Value>| {
        let ask = world.ask("close_channel", &json!({"channel_id": id}));
        state.into_iter().fold(ask, Ask::carrying)
    };
    let last = channel.last();
    let mut less = last.clone();
    less.allocations[0].amount = 800_u128.into();
    less.allocations[1].amount = 200_u128.into();
    let mut far = last.clone();
    far.version = far.version.next().unwrap();
    let with_hash = channel.next(Digest::from_bytes([1; 32]), channel.version + 1, channel.part);
    let carried = |state| Some(channel.signed(state));
    world.refused(alice, "no end", &close(None).by(&channel.key).frame(), "missing_state").await;
    world.refused(alice, "unsigned", &close(carried(&last)).frame(), "missing_signature").await;
    for (what, state) in [("another part", &less), ("two versions ahead", &far), ("OPERATE", &with_hash)] {
        let ask = close(carried(state)).by(&channel.key);
        refused_with_current(world, alice, &channel, (what, ask, "invalid_state")).await;
    }
    let answer = world.done(alice, "the end", &close(carried(&last)).by(&channel.key).frame()).await;
    let signature: domain::crypto::Signature =
        serde_json::from_value(answer["data"]["states"][0]["sig"].clone()).unwrap();
    let signatures = [channel.key.sign(last.hash()), signature];
    let again = world.done(alice, "the end again", &close(carried(&last)).by(&channel.key).frame()).await;
    world.check(again["data"]["states"] == answer["data"]["states"], &again);

    let bob = world.address("bob");
    let frozen = [
        ("an update", update(world).moving(&channel, 800)),
        ("a payment", world.pay(bob, "10").moving(&channel, 890)),
    ];
    for (what, ask) in frozen {
        world.refused(alice, what, &ask.frame(), "channel_frozen").await;
    }
    world
        .refused(alice, "another end", &close(carried(&less)).by(&channel.key).frame(), "channel_frozen")
        .await;

    world.chain.participant(world.key("alice")).close_and_withdraw(last.clone(), signatures).await.unwrap();
    alice
        .news(|news| {
            let told = &news["data"]["res"][2]["channel"];
            told["channel_id"] == id.to_string() && told["status"] == "closed"
        })
        .await;
    world.settle_down().await;
    let closed = [
        ("an update of what is closed", update(world).moving(&channel, 800)),
        ("a payment out of it", world.pay(bob, "10").moving(&channel, 890)),
        ("its end", close(carried(&less)).by(&channel.key)),
    ];
    for (what, ask) in closed {
        world.refused(alice, what, &ask.frame(), "channel_closed").await;
    }
    world.done(alice, "the wallet pays on", &world.pay(bob, "10").by(&channel.key).frame()).await;
}
