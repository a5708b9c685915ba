//! Session keys: delegated to, used within their bounds, and ended.

use std::time::Duration;

use clearnet::clock;
use domain::crypto::{
    Definition, Signable as _, SigningKey, VirtualAllocations, VirtualIntent, VirtualState,
};
use domain::primitives::{ChannelId, Version};
use domain::protocol::{KEY_LIFETIME_SECS_MAX, SESSION_KEYS_MAX};
use serde_json::{Value, json};

use super::ask::{Ask, Direct, approvals};
use super::socket::Socket;
use super::virtual_channels::{opening, room_of};
use super::world::World;
use crate::harness::database::{Database, on_every_database};

on_every_database!(session_keys_do_what_they_were_delegated_to_do_and_nothing_else);

async fn session_keys_do_what_they_were_delegated_to_do_and_nothing_else(database: Database) {
    let world = World::start(database, 3_600).await;
    let mut alices = world.open("alice", 1_000, None).await;
    world.open("bob", 500, None).await;
    world.settle_down().await;
    let mut alice = world.session("alice").await;
    let update = world.ask("update_state", &json!({})).moving(&alices, 500);
    world.done(&mut alice, "to the wallet", &update.frame()).await;
    alices.moved(500);
    delegating(&world, &mut alice).await;
    let mut session = logging_in(&world).await;
    paying(&world, &mut session, &alices).await;
    forbidden(&world, &mut session, &alices).await;
    playing(&world, &mut session, &mut alice).await;
    scopes(&world, &mut alice).await;
    talking(&world, &mut alice).await;
    crowding(&world, &mut alice).await;
    listed(&world, &mut alice).await;
    ended(&world, &mut alice, session).await;
    world.finish().await;
}

fn key(world: &World) -> SigningKey {
    world.key("alice's session key")
}

/// A delegation of everything, with a cap of 100.
fn delegation(participant: &SigningKey, key: &SigningKey) -> Value {
    let expires_at = clock::now().plus_millis(3_600_000);
    json!({"participant": participant.address(), "session_key": key.address(), "scope": ["transfer", "rooms"], "application": "session",
        "caps": [{"asset": "SHIB", "amount": "100"}], "expires_at": expires_at})
}

fn delegate(world: &World, params: &Value) -> Ask {
    world.ask("delegate_session_key", params)
}

async fn delegating(world: &World, alice: &mut Socket) {
    let (a, b, key) = (world.key("alice"), world.key("bob"), key(world));
    let right = delegation(&world.key("alice"), &key);
    let with = |field: &str, value: Value| {
        let mut params = right.clone();
        params[field] = value;
        delegate(world, &params).by(&a).by(&key)
    };
    let caps = |caps: Value| with("caps", caps);
    let line = |asset: &str| json!({"asset": asset, "amount": "1"});
    let far = clock::now().plus_millis((KEY_LIFETIME_SECS_MAX + 60) * 1_000);
    let cases = [
        ("without the key", delegate(world, &right).by(&a), "missing_signature"),
        ("without the participant", delegate(world, &right).by(&key), "missing_signature"),
        ("by somebody else", delegate(world, &right).by(&b).by(&key), "unknown_signer"),
        ("for somebody else", with("participant", json!(b.address())), "invalid_params"),
        ("for nothing", with("scope", json!([])), "invalid_params"),
        ("for one thing twice", with("scope", json!(["rooms", "rooms"])), "invalid_params"),
        ("for what there is not", with("scope", json!(["steal"])), "invalid_params"),
        ("until now", with("expires_at", json!(clock::now())), "invalid_params"),
        ("for too long", with("expires_at", json!(far)), "invalid_params"),
        ("with an unknown asset", caps(json!([line("EUR")])), "unknown_token"),
        ("with an asset twice", caps(json!([line("SHIB"), line("SHIB")])), "invalid_params"),
        ("with no amount", caps(json!([{"asset": "SHIB", "amount": "-1"}])), "invalid_params"),
    ];
    for (what, ask, code) in cases {
        world.refused(alice, what, &ask.frame(), code).await;
    }
    let mut itself = right.clone();
    itself["session_key"] = json!(a.address());
    world
        .refused(alice, "to oneself", &delegate(world, &itself).by(&a).frame(), "session_key_forbidden")
        .await;
    let frame = delegate(world, &right).by(&a).by(&key).frame();
    let answer = world.done(alice, "a delegation", &frame).await;
    world.check(answer["data"]["res"][2]["session_key"] == json!(key.address()), &answer);
    world.check(world.done(alice, "once more", &frame).await == answer, "a repeat gets the same");
    let again = delegate(world, &right).by(&a).by(&key).frame();
    world.refused(alice, "the same key again", &again, "session_key_exists").await;
}

/// Logs in with a key for somebody; the answer.
async fn log_in(socket: &mut Socket, key: &SigningKey, participant: &Value) -> Value {
    let text = socket.challenge().await;
    let signature = key.sign(text.digests().first()).to_string();
    let pub_key = key.public_key().to_string();
    let frame = json!({"type": "auth", "pub_key": pub_key, "message": text.to_string(),
        "signature": signature, "participant": participant});
    socket.ask(&frame.to_string()).await
}

async fn logging_in(world: &World) -> Socket {
    let (key, alice) = (key(world), world.address("alice"));
    let mallory = world.key("mallory");
    for (whose, participant) in [(&key, world.address("bob")), (&mallory, alice)] {
        let mut socket = Socket::connect(&world.url).await;
        let answer = log_in(&mut socket, whose, &json!(participant)).await;
        world.check(answer["data"]["code"] == "unknown_session_key", &answer);
    }
    let mut socket = Socket::connect(&world.url).await;
    let answer = log_in(&mut socket, &key, &json!("alice")).await;
    world.check(answer["data"]["code"] == "invalid_frame", &answer);
    let answer = log_in(&mut socket, &key, &json!(alice)).await;
    let data = &answer["data"];
    world.check(data["address"] == json!(alice) && data["session_key"] == json!(key.address()), &answer);
    // Who says that it is itself is.
    let mut itself = Socket::connect(&world.url).await;
    let answer = log_in(&mut itself, &world.key("bob"), &json!(world.address("bob"))).await;
    world.check(answer["data"]["session_key"].is_null() && answer["type"] == "auth_success", &answer);
    // A key for which nobody is named is a participant like any other.
    let mut alone = Socket::connect(&world.url).await;
    alone.log_in(&key).await;
    let pay = world.pay(world.address("bob"), "1").by(&key);
    world.refused(&mut alone, "money of its own", &pay.frame(), "insufficient_balance").await;
    socket
}

async fn paying(world: &World, session: &mut Socket, alices: &Direct) {
    let (key, bob) = (key(world), world.address("bob"));
    let pay = |amount: &str| world.pay(bob, amount);
    world.refused(session, "above the cap", &pay("101").by(&key).frame(), "session_key_cap").await;
    world
        .refused(
            session,
            "signed by a stranger",
            &pay("1").by(&world.key("mallory")).frame(),
            "unknown_signer",
        )
        .await;
    let twice = pay("1").by(&key).by(&world.key("alice"));
    world.refused(session, "signed twice", &twice.frame(), "duplicate_signer").await;
    let frame = pay("30").by(&key).frame();
    let answer = world.done(session, "a payment", &frame).await;
    world.check(world.done(session, "once more", &frame).await == answer, "a repeat gets the same");
    let details =
        world.refused(session, "above what is left", &pay("71").by(&key).frame(), "session_key_cap").await;
    world.check(details["available"] == "70" && details["asset"] == "SHIB", &details);
    // The participant itself has no cap, also on a session of its key; and so has a state that it signed.
    world.done(session, "a payment by Alice", &pay("101").by(&world.key("alice")).frame()).await;
    let by_state = pay("1").by(&key).moving(alices, 500);
    world.done(session, "a payment by Alice's state", &by_state.frame()).await;
}

/// What is for the participant alone.
async fn forbidden(world: &World, session: &mut Socket, alices: &Direct) {
    let key = key(world);
    let mut alices = alices.clone();
    alices.moved(500);
    let close = world.ask("close_channel", &json!({"channel_id": alices.id()})).by(&key);
    let close = close.carrying(alices.signed(&alices.last()));
    let other = world.key("another session key");
    let more = delegate(world, &delegation(&world.key("alice"), &other)).by(&key).by(&other);
    let revoke = world.ask("revoke_session_key", &json!({"session_key": key.address()})).by(&key);
    let settle = json!({"chain_id": world.token.chain_id, "token": world.token.address, "amount": "5",
        "channel": {"participants": [world.address("alice"), world.broker.address()],
            "adjudicator": world.address("bob"), "challenge": 3600, "nonce": 7}});
    let settle = world.ask("settle", &settle).by(&key);
    let update = world.ask("update_state", &json!({})).by(&key);
    for (what, ask) in
        [("close", close), ("delegate", more), ("revoke", revoke), ("settle", settle), ("move", update)]
    {
        world.refused(session, what, &ask.frame(), "session_key_forbidden").await;
    }
}

/// Alice's key plays with Bob: opens, updates, puts money in, closes.
async fn playing(world: &World, session: &mut Socket, alice: &mut Socket) {
    let (key, a, b) = (key(world), world.key("alice"), world.key("bob"));
    let definition = room_of(world);
    let open = |amount: u64| {
        let allocations = json!([world.share(a.address(), amount)]);
        opening(world, &json!(definition), allocations).by(&key).by(&b)
    };
    world.refused(session, "a room above the cap", &open(71).frame(), "session_key_cap").await;
    world.done(session, "a room", &open(40).frame()).await;
    let id = Definition::from(&definition).channel_id();
    let next = |version, intent, shares: [u64; 2], keys: &[&SigningKey]| {
        let lines = [(a.address(), shares[0]), (b.address(), shares[1])];
        let lines: Vec<Value> = lines
            .iter()
            .filter(|(_, share)| *share > 0)
            .map(|(who, share)| world.share(*who, *share))
            .collect();
        let state = state_of(world, id, version, intent, shares);
        json!({"app_session_id": id, "version": version, "allocations": lines, "approvals": approvals(&state, keys)})
    };
    let submit = |intent: &str, mut params: Value| {
        params["intent"] = json!(intent);
        world.ask("submit_app_state", &params).by(&key)
    };
    let update = next(2, VirtualIntent::Operate, [30, 10], &[&key, &b]);
    world.done(session, "an update approved by the key", &submit("operate", update).frame()).await;
    let stranger = next(3, VirtualIntent::Operate, [30, 10], &[&world.key("mallory"), &b]);
    world
        .refused(session, "approved by a stranger", &submit("operate", stranger).frame(), "unknown_signer")
        .await;
    let deposit = |amount| submit("deposit", next(3, VirtualIntent::Deposit, [amount, 10], &[&key, &b]));
    world.refused(session, "a deposit above the cap", &deposit(61).frame(), "session_key_cap").await;
    world.done(session, "a deposit of the rest", &deposit(60).frame()).await;
    let pay = world.pay(b.address(), "1").by(&key);
    world.refused(session, "when nothing is left", &pay.frame(), "session_key_cap").await;
    let end = next(4, VirtualIntent::Close, [60, 10], &[&key, &b]);
    world.done(session, "the close", &world.ask("close_app_session", &end).by(&key).frame()).await;
    // Its participant hears of everything on its own sessions.
    let told = alice.news(|news| news["data"]["res"][2]["app_session"]["status"] == "closed").await;
    world.check(told["data"]["res"][2]["app_session"]["app_session_id"] == json!(id), &told);
}

fn state_of(
    world: &World,
    channel_id: ChannelId,
    version: u64,
    intent: VirtualIntent,
    shares: [u64; 2],
) -> VirtualState {
    let members = [world.address("alice"), world.address("bob")];
    let line = |(participant, share): (_, u64)| domain::crypto::VirtualAllocation {
        participant,
        token: world.token,
        amount: share.into(),
    };
    let lines: Vec<_> = members.into_iter().zip(shares).map(line).collect();
    VirtualState {
        broker: world.broker.address(),
        channel_id,
        version: Version::new(version).unwrap(),
        intent,
        data_hash: VirtualState::hash_of_data(None),
        allocations: VirtualAllocations::new(&members, lines).unwrap(),
    }
}

/// Keys of which each may sign one thing only.
async fn scopes(world: &World, alice: &mut Socket) {
    let (a, b) = (world.key("alice"), world.key("bob"));
    let (pays, plays) = (world.key("a key that pays"), world.key("a key that plays"));
    for (key, scope) in [(&pays, "transfer"), (&plays, "rooms")] {
        let mut params = delegation(&world.key("alice"), key);
        params["scope"] = json!([scope]);
        params["application"] = if scope == "rooms" { json!("chess") } else { Value::Null };
        world.done(alice, scope, &delegate(world, &params).by(&a).by(key).frame()).await;
    }
    let room = |application: &str, key: &SigningKey| {
        let mut definition = json!(room_of(world));
        definition["application"] = json!(application);
        opening(world, &definition, json!([])).by(key).by(&b).frame()
    };
    let pay = world.pay(b.address(), "1").by(&plays).frame();
    world.refused(alice, "a payment out of scope", &pay, "session_key_forbidden").await;
    world.refused(alice, "a room out of scope", &room("chess", &pays), "session_key_forbidden").await;
    world.refused(alice, "another application", &room("go", &plays), "session_key_forbidden").await;
    world.done(alice, "a payment in scope", &world.pay(b.address(), "1").by(&pays).frame()).await;
    world.done(alice, "a room in scope", &room("chess", &plays)).await;
    // In a request of Bob it signs for Alice too.
    let mut bob = world.session("bob").await;
    world.done(&mut bob, "a room that Bob asks for", &room("chess", &plays)).await;
}

/// A session of a key is heard in rooms of its application only.
async fn talking(world: &World, alice: &mut Socket) {
    let (a, b, key) = (world.key("alice"), world.key("bob"), key(world));
    let mut session = Socket::connect(&world.url).await;
    log_in(&mut session, &key, &json!(a.address())).await;
    for (application, may) in [("session", true), ("go", false)] {
        let mut definition = json!(room_of(world));
        definition["application"] = json!(application);
        let ask = opening(world, &definition, json!([])).by(&a).by(&b);
        let answer = world.done(alice, application, &ask.frame()).await;
        let id = answer["data"]["res"][2]["app_session_id"].as_str().unwrap().to_owned();
        for frame in [
            format!(r#"{{"type":"subscribe","channel":"{id}"}}"#),
            format!(r#"{{"type":"publish","channel":"{id}","data":1}}"#),
        ] {
            if may {
                let answer = session.ask(&frame).await;
                world.check(answer["type"] != "error", &answer);
            } else {
                world.refused(&mut session, &frame, &frame, "session_key_forbidden").await;
            }
        }
    }
}

/// However many sessions a key has: its participant gets in and ends it.
async fn crowding(world: &World, alice: &mut Socket) {
    let (a, key) = (world.key("alice"), world.key("a key of a crowd"));
    let ask = delegate(world, &delegation(&a, &key)).by(&a).by(&key);
    world.done(alice, "a key of a crowd", &ask.frame()).await;
    let mut sessions = Vec::new();
    loop {
        let mut session = Socket::connect(&world.url).await;
        let answer = log_in(&mut session, &key, &json!(a.address())).await;
        if answer["type"] != "auth_success" {
            world.check(answer["data"]["code"] == "too_many_sessions", &answer);
            break;
        }
        sessions.push(session);
    }
    let mut itself = world.session("alice").await;
    let revoke = world.ask("revoke_session_key", &json!({"session_key": key.address()})).by(&a);
    world.done(&mut itself, "the end of the crowd", &revoke.frame()).await;
    for session in &mut sessions {
        let (_, reason) = session.until_closed().await;
        world.check(reason == "session_key_ended", &reason);
    }
}

async fn listed(world: &World, alice: &mut Socket) {
    let keys = |answer: Value| answer["data"]["res"][2]["session_keys"].as_array().unwrap().clone();
    let list = world.ask("get_session_keys", &json!({}));
    let found = keys(world.done(alice, "keys", &list.frame()).await);
    let ours = found.iter().find(|shown| shown["session_key"] == json!(key(world).address())).unwrap();
    let caps = json!([{"asset": "SHIB", "amount": "100", "used": "100"}]);
    world.check(found.len() == 3 && ours["caps"] == caps && ours["application"] == "session", json!(found));
    let mut mallory = world.session("mallory").await;
    let list = world.ask("get_session_keys", &json!({}));
    let others = keys(world.done(&mut mallory, "keys of nobody", &list.frame()).await);
    world.check(others.is_empty(), json!(others));
    let a = world.key("alice");
    for number in 3..SESSION_KEYS_MAX {
        let key = world.key(&format!("key {number}"));
        let ask = delegate(world, &delegation(&world.key("alice"), &key)).by(&a).by(&key);
        world.done(alice, "one more key", &ask.frame()).await;
    }
    let key = world.key("one key too many");
    let ask = delegate(world, &delegation(&world.key("alice"), &key)).by(&a).by(&key);
    world.refused(alice, "one key too many", &ask.frame(), "limit_reached").await;
}

/// A revoked key signs nothing, and its sessions end; one that expires does so by itself.
async fn ended(world: &World, alice: &mut Socket, mut session: Socket) {
    let (a, key, bob) = (world.key("alice"), key(world), world.address("bob"));
    let revoke = |key: &SigningKey| world.ask("revoke_session_key", &json!({"session_key": key.address()}));
    let unknown = revoke(&world.key("mallory")).by(&a);
    world.refused(alice, "a key that is none", &unknown.frame(), "unknown_session_key").await;
    world.done(alice, "the end of a key", &revoke(&key).by(&a).frame()).await;
    let (_, reason) = session.until_closed().await;
    world.check(reason == "session_key_ended", &reason);
    world
        .refused(alice, "a key that has ended", &world.pay(bob, "0").by(&key).frame(), "unknown_signer")
        .await;
    let mut socket = Socket::connect(&world.url).await;
    let answer = log_in(&mut socket, &key, &json!(a.address())).await;
    world.check(answer["data"]["code"] == "unknown_session_key", &answer);
    let brief = world.key("a key for a moment");
    let mut params = delegation(&world.key("alice"), &brief);
    params["expires_at"] = json!(clock::now().plus_millis(1_500));
    world.done(alice, "a key for a moment", &delegate(world, &params).by(&a).by(&brief).frame()).await;
    let mut session = Socket::connect(&world.url).await;
    let answer = log_in(&mut session, &brief, &json!(a.address())).await;
    world.check(answer["type"] == "auth_success", &answer);
    // It goes on until the key ends, and says so.
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    loop {
        ticks.tick().await;
        let answer = session.ask(r#"{"type":"ping"}"#).await;
        if answer["type"] != "pong" {
            world.check(answer["data"]["code"] == "session_key_ended", &answer);
            break;
        }
    }
    world
        .refused(alice, "a key that has expired", &world.pay(bob, "1").by(&brief).frame(), "unknown_signer")
        .await;
}
