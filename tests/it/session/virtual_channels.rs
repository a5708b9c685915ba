//! Virtual channels: opening, moving and closing them, and who may.

use client::room_definition;
use domain::crypto::{Definition, SigningKey, VirtualState};
use domain::primitives::{Address, ChannelId, Version};
use domain::protocol::method::create_app_session::AppDefinition;
use domain::protocol::method::submit_app_state::{self, AppIntent};
use domain::protocol::{MemberAmount, Uint53};
use serde_json::{Value, json};

use super::ask::{Ask, Direct, approvals, of_nobody};
use super::socket::Socket;
use super::world::World;
use crate::harness::database::{Database, on_every_database};

on_every_database!(virtual_channels_are_opened_moved_and_closed_by_their_members_alone);

async fn virtual_channels_are_opened_moved_and_closed_by_their_members_alone(database: Database) {
    let world = World::start(database, 3_600).await;
    let mut alices = world.open("alice", 1_000, None).await;
    let bobs = world.open("bob", 500, None).await;
    world.settle_down().await;
    let mut alice = world.session("alice").await;
    let update = world.ask("update_state", &json!({})).moving(&alices, 700);
    world.done(&mut alice, "to the wallet", &update.frame()).await;
    alices.moved(700);
    openings(&world, &mut alice, &alices, &bobs).await;
    race(&world, &mut alice).await;
    let room = Room::open(&world, &mut alice).await;
    updates(&world, &mut alice, &room).await;
    strangers(&world, &room).await;
    let room = room.close(&world, &mut alice).await;
    closed(&world, &mut alice, &room).await;
    expiring(&world, &mut alice).await;
    world.finish().await;
}

pub(crate) fn room_of(world: &World) -> AppDefinition {
    room_definition(world.address("alice"), world.address("bob"), "session", 3_600).unwrap()
}

pub(crate) fn opening(world: &World, definition: &Value, allocations: Value) -> Ask {
    world.ask("create_app_session", &json!({"definition": definition, "allocations": allocations}))
}

async fn openings(world: &World, alice: &mut Socket, alices: &Direct, bobs: &Direct) {
    let (a, b) = (world.key("alice"), world.key("bob"));
    let (carol, broker) = (world.key("carol"), &world.broker);
    let (us, zero) = (a.address(), Address::from_bytes([0; 20]));
    let with = |field: &str, value: Value| {
        let mut definition = json!(room_of(world));
        definition[field] = value;
        opening(world, &definition, json!([]))
    };
    let members = |members: &[Address]| with("participants", json!(members));
    let paying = |allocations: Value| opening(world, &json!(room_of(world)), allocations);
    let both = |ask: Ask| ask.by(&a).by(&b);
    let unknown_token = {
        let mut line = world.share(us, 5);
        line["token"] = json!(b.address());
        line
    };
    let unknown_chain = {
        let mut line = world.share(us, 5);
        line["chain_id"] = json!(999);
        line
    };
    let too_much = world.share(us, 301);
    let cases = [
        ("with oneself", members(&[us, us]).by(&a), "invalid_definition"),
        ("with the broker", members(&[us, broker.address()]).by(&a).by(broker), "invalid_definition"),
        ("with nobody", members(&[us, zero]).by(&a), "invalid_definition"),
        ("alone", members(&[us]).by(&a), "invalid_definition"),
        ("other rules", both(with("protocol", json!("Other/1"))), "unsupported_protocol"),
        ("a quorum of 0", both(with("quorum", json!(0))), "invalid_definition"),
        ("a quorum above the weights", both(with("quorum", json!(101))), "invalid_definition"),
        ("a weight too few", both(with("weights", json!([50]))), "invalid_definition"),
        ("a nonce of 0", both(with("nonce", json!(0))), "invalid_definition"),
        ("no lifetime", both(with("challenge", json!(0))), "invalid_definition"),
        ("a fraction of a weight", both(with("weights", json!([50.5, 49.5]))), "invalid_params"),
        (
            "a member without a direct channel",
            members(&[us, carol.address()]).by(&a).by(&carol),
            "no_direct_channel",
        ),
        ("money of a stranger", both(paying(json!([world.share(carol.address(), 5)]))), "not_a_member"),
        ("zero", both(paying(json!([world.share(us, 0)]))), "invalid_amount"),
        ("a line twice", both(paying(json!([world.share(us, 5), world.share(us, 5)]))), "invalid_amount"),
        ("an unknown token", both(paying(json!([unknown_token]))), "unknown_token"),
        ("an unknown chain", both(paying(json!([unknown_chain]))), "unknown_token"),
        ("more than is free", both(paying(json!([too_much]))), "insufficient_balance"),
        (
            "more than the other has",
            both(paying(json!([world.share(b.address(), 1)]))),
            "insufficient_balance",
        ),
        ("without the other", paying(json!([])).by(&a), "missing_signature"),
        ("without oneself", paying(json!([])).by(&b), "missing_signature"),
        ("signed by nobody", paying(json!([])), "missing_signature"),
        ("signed by a stranger too", both(paying(json!([]))).by(&carol), "unknown_signer"),
        ("signed twice", both(paying(json!([]))).by(&b), "duplicate_signer"),
        (
            "a stale state",
            {
                let ask = paying(json!([world.share(us, 5)]));
                let state = alices.next(ask.hash(), alices.version, 695);
                ask.by(&b).carrying(alices.signed(&state))
            },
            "stale_version",
        ),
        (
            "a part that is not covered",
            paying(json!([world.share(b.address(), 5)])).by(&a).moving(bobs, 496),
            "insufficient_balance",
        ),
    ];
    for (what, ask, code) in cases {
        world.refused(alice, what, &ask.frame(), code).await;
    }
    let mut mallory = world.session("mallory").await;
    let ask = both(paying(json!([]))).by(&world.key("mallory"));
    world.refused(&mut mallory, "somebody else's opening", &ask.frame(), "unknown_signer").await;
}

/// Two openings for the same money at the same time: one is opened, the other refused.
async fn race(world: &World, alice: &mut Socket) {
    let (a, b) = (world.key("alice"), world.key("bob"));
    let mut bob = world.session("bob").await;
    let open = || {
        let ask = opening(world, &json!(room_of(world)), json!([world.share(a.address(), 200)]));
        ask.by(&a).by(&b).frame()
    };
    let (first, second) = (open(), open());
    let answers = tokio::join!(alice.ask(&first), bob.ask(&second));
    let kinds = [&answers.0, &answers.1].map(|answer| answer["type"].as_str().unwrap().to_owned());
    let refused = if kinds[0] == "error" { &answers.0 } else { &answers.1 };
    let is_one = kinds.iter().filter(|kind| *kind == "rpc").count() == 1;
    world.check(is_one && refused["data"]["code"] == "insufficient_balance", format!("{answers:?}"));
}

/// An open room of Alice and Bob with 20 of Alice's in it.
pub(crate) struct Room {
    definition: AppDefinition,
    id: ChannelId,
    pub(crate) keys: [SigningKey; 2],
    version: u64,
}

impl Room {
    pub(crate) async fn open(world: &World, alice: &mut Socket) -> Self {
        Self::open_for(world, alice, 3_600).await
    }

    /// With a lifetime of so many seconds.
    async fn open_for(world: &World, alice: &mut Socket, secs: u64) -> Self {
        let definition = AppDefinition { challenge: Uint53::new(secs).unwrap(), ..room_of(world) };
        let keys = [world.key("alice"), world.key("bob")];
        let id = Definition::from(&definition).channel_id();
        let ask = || opening(world, &json!(definition), json!([world.share(keys[0].address(), 20)]));
        world.done(alice, "a room", &ask().by(&keys[0]).by(&keys[1]).frame()).await;
        let again = ask().by(&keys[0]).by(&keys[1]);
        world.refused(alice, "the same room again", &again.frame(), "channel_exists").await;
        Self { definition, id, keys, version: 1 }
    }

    /// The parameters of a next state, without approvals.
    fn bare(&self, world: &World, version: u64, shares: [u64; 2]) -> submit_app_state::Params {
        let members = &self.definition.participants;
        let line = |participant: Address, amount: u64| MemberAmount {
            participant,
            chain_id: world.token.chain_id,
            token: world.token.address,
            amount: u128::from(amount).into(),
        };
        submit_app_state::Params {
            app_session_id: self.id,
            intent: AppIntent::Operate,
            version: Version::new(version).unwrap(),
            allocations: members.iter().zip(shares).map(|(member, share)| line(*member, share)).collect(),
            session_data: None,
            approvals: Vec::new(),
        }
    }

    /// A next state.
    pub(crate) fn state(&self, world: &World, version: u64, shares: [u64; 2]) -> VirtualState {
        let members = &self.definition.participants;
        self.bare(world, version, shares).state(world.broker.address(), members).unwrap()
    }

    /// The parameters of a next state, approved by these members.
    pub(crate) fn next(&self, world: &World, version: u64, shares: [u64; 2], by: &[&SigningKey]) -> Value {
        let mut params = json!(self.bare(world, version, shares));
        params["approvals"] = approvals(&self.state(world, version, shares), by);
        params
    }

    fn submit(&self, world: &World, params: &Value) -> String {
        world.ask("submit_app_state", params).by(&self.keys[0]).frame()
    }

    /// The request that closes the room.
    pub(crate) fn end(&self, world: &World, version: u64, shares: [u64; 2]) -> Ask {
        use domain::protocol::method::close_app_session::Params;
        let mut params = self.next(world, version, shares, &[]);
        params.as_object_mut().unwrap().remove("intent");
        let read: Params = serde_json::from_value(params.clone()).unwrap();
        let state = read.state(world.broker.address(), &self.definition.participants).unwrap();
        params["approvals"] = approvals(&state, &[&self.keys[0], &self.keys[1]]);
        world.ask("close_app_session", &params).by(&self.keys[0])
    }

    async fn close(mut self, world: &World, alice: &mut Socket) -> Self {
        let gap = self.end(world, self.version + 2, [12, 8]);
        world.refused(alice, "a close of a version too high", &gap.frame(), "stale_version").await;
        let more = self.end(world, self.version + 1, [12, 9]);
        world.refused(alice, "a close with more", &more.frame(), "total_differs").await;
        let end = self.end(world, self.version + 1, [12, 8]);
        world.done(alice, "the close", &end.frame()).await;
        self.version += 1;
        self
    }
}

async fn updates(world: &World, alice: &mut Socket, room: &Room) {
    let [a, b] = &room.keys;
    let (mallory, both) = (world.key("mallory"), [a, b]);
    let next = |version, shares| room.next(world, version, shares, &both);
    let by = |keys: &[&SigningKey]| room.next(world, 2, [12, 8], keys);
    let with = |field: &str, value: Value| {
        let mut params = next(2, [12, 8]);
        params[field] = value;
        params
    };
    let cases = [
        ("version 0", next(0, [12, 8]), "stale_version"),
        ("the newest version", next(1, [12, 8]), "stale_version"),
        ("a version left out", next(3, [12, 8]), "stale_version"),
        ("more than there is", next(2, [13, 8]), "total_differs"),
        ("less than there is", next(2, [11, 8]), "total_differs"),
        ("everything gone", next(2, [0, 0]), "total_differs"),
        ("approved by one", by(&[a]), "quorum_not_reached"),
        ("approved by nobody", by(&[]), "quorum_not_reached"),
        ("approved by a stranger", by(&[a, &mallory]), "unknown_signer"),
        ("approved by a stranger too", by(&[a, b, &mallory]), "unknown_signer"),
        ("approved twice", by(&[a, a]), "duplicate_signer"),
        ("approved as another state", with("version", json!(3)), "stale_version"),
        ("approved without the data", with("session_data", json!("more")), "unknown_signer"),
        ("an approval by nobody", with("approvals", json!([of_nobody()])), "bad_signature"),
        ("an approval that is none", with("approvals", json!(["0x12"])), "invalid_params"),
        ("a deposit that takes", with("intent", json!("deposit")), "invalid_amount"),
        ("a withdrawal that gives", with("intent", json!("withdraw")), "invalid_amount"),
        ("an intent nobody knows", with("intent", json!("steal")), "invalid_params"),
        ("a fraction of a version", with("version", json!(2.5)), "invalid_params"),
        (
            "money of a stranger",
            with("allocations", json!([world.share(mallory.address(), 20)])),
            "not_a_member",
        ),
        (
            "a line twice",
            with("allocations", json!([world.share(a.address(), 10), world.share(a.address(), 10)])),
            "invalid_amount",
        ),
        ("an unknown room", with("app_session_id", json!(ChannelId::from_bytes([9; 32]))), "unknown_channel"),
    ];
    for (what, params, code) in cases {
        let details = world.refused(alice, what, &room.submit(world, &params), code).await;
        if code == "stale_version" {
            world.check(details["current_version"] == 1, format!("{what}: {details}"));
        }
        if code == "quorum_not_reached" {
            let reached = if what == "approved by one" { 50 } else { 0 };
            let is_told = details["reached"] == reached && details["required"] == 100;
            world.check(is_told, format!("{what}: {details}"));
        }
    }
    let unsigned = world.ask("submit_app_state", &next(2, [12, 8]));
    world.refused(alice, "a request unsigned", &unsigned.frame(), "missing_signature").await;
}

/// For who is no member there is no room.
async fn strangers(world: &World, room: &Room) {
    let mut mallory = world.session("mallory").await;
    let key = world.key("mallory");
    let right = room.next(world, 2, [12, 8], &[&room.keys[0], &room.keys[1]]);
    let mut unknown = right.clone();
    unknown["app_session_id"] = json!(ChannelId::from_bytes([9; 32]));
    for approvals in [right["approvals"].clone(), json!([])] {
        for method in ["submit_app_state", "close_app_session"] {
            let mut answers = Vec::new();
            for params in [&right, &unknown] {
                let mut params = params.clone();
                params["approvals"] = approvals.clone();
                if method == "close_app_session" {
                    params.as_object_mut().unwrap().remove("intent");
                }
                let frame = world.ask(method, &params).by(&key).frame();
                let details = world.refused(&mut mallory, method, &frame, "unknown_channel").await;
                let id = params["app_session_id"].as_str().unwrap().to_owned();
                answers.push(details.to_string().replace(&id, "it"));
            }
            world.check(answers[0] == answers[1], format!("{method}: {answers:?}"));
        }
    }
    let frame = world.ask("get_app_sessions", &json!({"app_session_id": room.id})).frame();
    let answer = world.done(&mut mallory, "another's room", &frame).await;
    world.check(answer["data"]["res"][2]["app_sessions"] == json!([]), &answer);
}

async fn closed(world: &World, alice: &mut Socket, room: &Room) {
    let [a, b] = &room.keys;
    let update = room.next(world, room.version + 1, [12, 8], &[a, b]);
    world.refused(alice, "an update of what is closed", &room.submit(world, &update), "channel_closed").await;
    let end = room.end(world, room.version + 1, [12, 8]);
    world.refused(alice, "a close of what is closed", &end.frame(), "channel_closed").await;
    let again = opening(world, &json!(room.definition), json!([])).by(a).by(b);
    world.refused(alice, "opening what is closed", &again.frame(), "channel_exists").await;
    let id = room.id;
    for frame in [
        format!(r#"{{"type":"subscribe","channel":"{id}"}}"#),
        format!(r#"{{"type":"publish","channel":"{id}","data":1}}"#),
    ] {
        world.refused(alice, &frame, &frame, "channel_closed").await;
    }
}

/// A room whose lifetime is over says so, and for a while still takes a higher version, and its close.
async fn expiring(world: &World, alice: &mut Socket) {
    let mut room = Room::open_for(world, alice, 1).await;
    let id = room.id.to_string();
    let news = alice.news(|news| {
        let session = &news["data"]["res"][2]["app_session"];
        session["app_session_id"] == id.as_str() && session["status"] == "expiring"
    });
    news.await;
    let [a, b] = &room.keys;
    let stale = room.next(world, 1, [12, 8], &[a, b]);
    world.refused(alice, "the newest version", &room.submit(world, &stale), "stale_version").await;
    // Versions that were agreed on and never handed in may lie between.
    let higher = room.next(world, 5, [12, 8], &[a, b]);
    let answer = world.done(alice, "a higher version", &room.submit(world, &higher)).await;
    world.check(answer["data"]["res"][2]["status"] == "expiring", &answer);
    room.version = 5;
    room.close(world, alice).await;
}
