//! A stranger who knows the ids of everything private learns nothing by them: every method and every frame is
//! answered as for an id of the same form that there is not, byte for byte.

use clearnet::clock;
use domain::crypto::{DirectState, Intent, RoomText, Signable as _};
use domain::primitives::{Address, ChannelId};
use domain::protocol::method::Method;
use serde_json::{Value, json};

use super::ask::{Ask, Direct, fresh, signed_by};
use super::faults::places;
use super::socket::Socket;
use super::stage::{KEY, Stage};
use super::world::World;
use crate::harness::database::{Database, on_every_database};

on_every_database!(a_stranger_learns_nothing_from_any_private_id);

async fn a_stranger_learns_nothing_from_any_private_id(database: Database) {
    let stage = Stage::set(database).await;
    let mut compared = 0;
    for method in Method::ALL.iter().copied().filter(|method| !method.is_for_tests()) {
        compared += requests(&stage, method).await;
    }
    compared += states(&stage).await;
    compared += definitions(&stage).await;
    compared += frames(&stage).await;
    compared += logins(&stage).await;
    eprintln!("{compared} pairs of answers to a stranger");
    // Each of the eighteen ids and addresses in each method that names one, in four ways.
    assert!(compared > 1_000, "{compared}");
    stage.world.finish().await;
}

/// Every id that is somebody's, as it is written.
fn ids(stage: &Stage) -> Vec<String> {
    let directs = [&stage.open, &stage.to_end, &stage.frozen, &stage.closed, &stage.settled];
    let wallets = ["alice", "bob"].map(|label| ChannelId::of_wallet(stage.world.address(label)));
    let rooms = stage.rooms.iter().map(|(fate, _)| stage.room(fate));
    let ids = directs.into_iter().map(Direct::id).chain(wallets).chain(rooms);
    ids.map(|id| id.to_string()).collect()
}

/// Every address of somebody.
fn addresses(stage: &Stage) -> Vec<String> {
    ["alice", "bob", KEY].map(|label| stage.world.address(label).to_string()).to_vec()
}

/// An id and an address that there are not.
fn none_like(private: &str) -> String {
    match private.len() {
        66 => ChannelId::from_bytes([0x5a; 32]).to_string(),
        _ => Address::from_bytes([0x5a; 20]).to_string(),
    }
}

/// What an answer says besides its time, its signature, and the digests of what was asked.
fn told(answer: &Value, id: &str) -> String {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for name in ["id", "sig", "now", "timestamp"] {
                    fields.remove(name);
                }
                if let Some(Value::Array(res)) = fields.get_mut("res") {
                    (res[0], res[3]) = (json!(0), json!(0));
                }
                fields.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut answer = answer.clone();
    // Who would have signed something else depends on what that is.
    let is_of_asker = answer["data"]["code"] == "unknown_signer";
    if is_of_asker {
        let details = answer["data"]["details"].as_object_mut().unwrap();
        details.remove("recovered");
        answer["data"].as_object_mut().unwrap().remove("message");
    }
    strip(&mut answer);
    if let Some(Value::Object(details)) = answer["data"].get_mut("details") {
        details.remove("expected_digest");
    }
    let text = answer.to_string();
    text.replace(id, "it").replace(&id.to_lowercase(), "it")
}

/// Asks both ways and compares.
async fn compare(
    world: &World,
    mallory: &mut Socket,
    what: &str,
    frames: [String; 2],
    ids: [&str; 2],
) -> usize {
    let mut answers = Vec::new();
    for (frame, id) in frames.iter().zip(ids) {
        answers.push(told(&mallory.ask(frame).await, id));
    }
    let is_alike = answers[0] == answers[1];
    world.check(is_alike, format!("{what}: {} but {}", answers[0], answers[1]));
    1
}

/// How a stranger may sign: not at all, itself, twice, and with what somebody else has signed.
fn ways(world: &World, ask: &Ask) -> Vec<(&'static str, String)> {
    let mallory = world.key("mallory");
    let old = world.key("alice").sign(domain::primitives::Digest::from_bytes([3; 32])).to_string();
    vec![
        ("unsigned", ask.clone().frame()),
        ("signed", ask.clone().by(&mallory).frame()),
        ("signed twice", ask.clone().by(&mallory).by(&mallory).frame()),
        ("signed by another", ask.clone().with(old).frame()),
    ]
}

/// Every place of an id or an address in the parameters, with every one that there is.
async fn requests(stage: &Stage, method: Method) -> usize {
    let world = &stage.world;
    let right = stage.right(method.name());
    let (ids, addresses) = (ids(stage), addresses(stage));
    let mut compared = 0;
    for pointer in places::all(&right.params) {
        let found = right.params.pointer(&pointer).and_then(Value::as_str).unwrap_or_default();
        let privates = match (found.starts_with("0x"), found.len()) {
            (true, 66) => &ids,
            // Elsewhere an address makes another request of it, whoever it is.
            (true, 42) if ["/destination", "/session_key"].contains(&pointer.as_str()) => &addresses,
            _ => continue,
        };
        let mut mallory = world.session("mallory").await;
        for private in privates {
            let none = none_like(private);
            let asks = [private, &none].map(|id| {
                let mut params = right.params.clone();
                *params.pointer_mut(&pointer).unwrap() = json!(id);
                world.ask(method.name(), &params)
            });
            let [first, second] = asks.map(|ask| ways(world, &ask));
            for ((way, one), (_, other)) in first.into_iter().zip(second) {
                let what = format!("{} with {private} at {pointer}, {way}", method.name());
                compared += compare(world, &mut mallory, &what, [one, other], [private, &none]).await;
            }
        }
    }
    compared
}

/// Next states of others' channels, signed by the stranger, by their owner, and as the contract's typed data.
async fn states(stage: &Stage) -> usize {
    let world = &stage.world;
    let mut compared = 0;
    let mut mallory = world.session("mallory").await;
    let stranger = world.key("mallory");
    let directs = [&stage.open, &stage.to_end, &stage.frozen, &stage.closed, &stage.settled];
    let custody = domain::crypto::CustodyDomain::new(world.token.chain_id, world.chain.deployed().custody);
    for direct in directs {
        let private = direct.id().to_string();
        let none = none_like(&private);
        for method in ["transfer", "update_state", "close_channel", "revoke_session_key"] {
            for intent in [Intent::Operate, Intent::Finalize] {
                for way in 0..4 {
                    let frames = [&private, &none].map(|id| {
                        let mut params = stage.right(method).params;
                        if method == "close_channel" {
                            params["channel_id"] = json!(id);
                        }
                        let ask = world.ask(method, &params).by(&stranger);
                        let data = if intent == Intent::Operate {
                            ask.hash().as_bytes().to_vec()
                        } else {
                            Vec::new()
                        };
                        let parts = [direct.part, direct.locked - direct.part];
                        let state = direct.state(intent, direct.version + 1, data, parts);
                        let state = DirectState { channel_id: id.parse().unwrap(), ..state };
                        ask.carrying(carried(&state, way, (&stranger, &direct.key), &custody)).frame()
                    });
                    let what = format!("{method} with a state of {private}, {intent:?}, signed in way {way}");
                    compared += compare(world, &mut mallory, &what, frames, [&private, &none]).await;
                }
            }
        }
    }
    compared
}

/// A state signed by the stranger or the owner, plainly or as typed data.
fn carried(
    state: &DirectState,
    way: usize,
    (stranger, owner): (&domain::crypto::SigningKey, &domain::crypto::SigningKey),
    custody: &domain::crypto::CustodyDomain,
) -> Value {
    let key = if way.is_multiple_of(2) { stranger } else { owner };
    let mut carried = signed_by(key, state);
    if way >= 2 {
        carried["sig"] = json!(key.sign(custody.state_digest(state)).to_string());
    }
    carried
}

/// The terms of rooms that there are, as an opening of the stranger's.
async fn definitions(stage: &Stage) -> usize {
    let world = &stage.world;
    let mut compared = 0;
    let mut mallory = world.session("mallory").await;
    for (fate, definition) in &stage.rooms {
        let private = stage.room(fate).to_string();
        let mut other = json!(definition);
        other["nonce"] = json!(fresh() + 1_000_000);
        let none = super::stage::id_of(&serde_json::from_value(other.clone()).unwrap()).to_string();
        for method in ["create_app_session", "propose_virtual_channel"] {
            let asks = [json!(definition), other.clone()]
                .map(|definition| world.ask(method, &json!({"definition": definition, "allocations": []})));
            let [first, second] = asks.map(|ask| ways(world, &ask));
            for ((way, one), (_, other)) in first.into_iter().zip(second) {
                let what = format!("{method} of the room that is {fate}, {way}");
                compared += compare(world, &mut mallory, &what, [one, other], [&private, &none]).await;
            }
        }
    }
    compared
}

/// Frames that name a channel.
async fn frames(stage: &Stage) -> usize {
    let world = &stage.world;
    let mut compared = 0;
    for private in ids(stage) {
        let none = none_like(&private);
        let mut mallory = world.session("mallory").await;
        let [first, second] = [&private, &none].map(|id| frames_to(world, id));
        for (one, other) in first.into_iter().zip(second) {
            let what = one.clone();
            compared += compare(world, &mut mallory, &what, [one, other], [&private, &none]).await;
        }
    }
    compared
}

fn frames_to(world: &World, id: &str) -> Vec<String> {
    let mut frames = vec![
        format!(r#"{{"type":"subscribe","id":1,"channel":"{id}"}}"#),
        format!(r#"{{"type":"subscribe","id":2,"channel":"{id}","data":{{"epoch":1,"seq":0}}}}"#),
        format!(r#"{{"type":"unsubscribe","id":3,"channel":"{id}"}}"#),
        format!(r#"{{"type":"publish","id":4,"channel":"{id}","data":1}}"#),
    ];
    for half in ["req", "res"] {
        for signers in [&[][..], &["mallory"], &["mallory", "mallory"], &["alice"], &["bob"]] {
            let body = json!([fresh(), "move", {"cell": 4}, clock::now().as_millis()]).to_string();
            let hash = RoomText::new(id.parse().unwrap(), &body).hash();
            let signatures: Vec<String> =
                signers.iter().map(|label| world.key(label).sign(hash).to_string()).collect();
            let signatures = json!(signatures);
            frames.push(format!(
                r#"{{"type":"rpc","channel":"{id}","data":{{"{half}":{body},"sig":{signatures}}}}}"#
            ));
        }
    }
    frames
}

/// Logins for somebody, by a key that is none of theirs.
async fn logins(stage: &Stage) -> usize {
    let world = &stage.world;
    let key = world.key("mallory");
    let mut compared = 0;
    for private in addresses(stage) {
        let none = none_like(&private);
        let mut answers = Vec::new();
        for participant in [&private, &none] {
            let mut socket = Socket::connect(&world.url).await;
            let text = socket.challenge().await;
            let frame = json!({"type": "auth", "pub_key": key.public_key().to_string(),
                "message": text.to_string(), "participant": participant,
                "signature": key.sign(text.digests().first()).to_string()});
            answers.push(told(&socket.ask(&frame.to_string()).await, participant));
        }
        world.check(answers[0] == answers[1], format!("a login for {private}: {answers:?}"));
        compared += 1;
    }
    compared
}
