//! Money that comes into open virtual channels and goes out of them, of three members.

use domain::crypto::{Definition, SigningKey};
use domain::protocol::Uint53;
use domain::protocol::method::create_app_session::AppDefinition;
use domain::protocol::method::submit_app_state::Params;
use serde_json::{Value, json};

use super::ask::{Ask, Direct, approvals};
use super::socket::Socket;
use super::virtual_channels::{opening, room_of};
use super::world::World;
use crate::harness::database::{Database, on_every_database};

const NAMES: [&str; 3] = ["alice", "bob", "carol"];

on_every_database!(members_put_money_in_and_take_it_out_while_the_channel_is_open);

async fn members_put_money_in_and_take_it_out_while_the_channel_is_open(database: Database) {
    let world = World::start(database, 3_600).await;
    let mut directs = Vec::new();
    for name in NAMES {
        directs.push(world.open(name, 100, None).await);
    }
    world.settle_down().await;
    let mut alice = world.session("alice").await;
    for (name, direct) in NAMES.iter().zip(&mut directs) {
        let mut session = world.session(name).await;
        let update = world.ask("update_state", &json!({})).moving(direct, 60);
        world.done(&mut session, "to the wallet", &update.frame()).await;
        direct.moved(60);
    }
    let mut table = Table::open(&world, &mut alice).await;
    refusals(&world, &mut alice, &table).await;
    deposits(&world, &mut alice, &mut table, &mut directs).await;
    withdrawals(&world, &mut alice, &mut table, &mut directs).await;
    outsiders(&world, &table).await;
    world.finish().await;
}

/// A channel of three, of whom Alice and one other decide, and what each has in it.
struct Table {
    definition: AppDefinition,
    keys: [SigningKey; 3],
    version: u64,
    shares: [u64; 3],
}

impl Table {
    async fn open(world: &World, alice: &mut Socket) -> Self {
        let keys = NAMES.map(|name| world.key(name));
        let weight = |weight| Uint53::new(weight).unwrap();
        let definition = AppDefinition {
            participants: keys.iter().map(SigningKey::address).collect(),
            weights: vec![weight(2), weight(1), weight(1)],
            quorum: weight(3),
            ..room_of(world)
        };
        let ask = opening(world, &json!(definition), json!([world.share(keys[0].address(), 20)]));
        let ask = keys.iter().fold(ask, |ask, key| ask.by(key));
        world.done(alice, "a table", &ask.frame()).await;
        Self { definition, keys, version: 1, shares: [20, 0, 0] }
    }

    /// A next state, approved by these members; nobody has signed the request.
    fn next(&self, world: &World, intent: &str, shares: [u64; 3], by: &[usize]) -> Ask {
        let lines = self.keys.iter().zip(shares).filter(|(_, share)| *share > 0);
        let lines: Vec<Value> = lines.map(|(key, share)| world.share(key.address(), share)).collect();
        let id = Definition::from(&self.definition).channel_id();
        let mut params = json!({"app_session_id": id, "intent": intent, "version": self.version + 1,
            "allocations": lines, "approvals": []});
        let read: Params = serde_json::from_value(params.clone()).unwrap();
        let state = read.state(world.broker.address(), &self.definition.participants).unwrap();
        let keys: Vec<_> = by.iter().map(|place| &self.keys[*place]).collect();
        params["approvals"] = approvals(&state, &keys);
        world.ask("submit_app_state", &params)
    }

    fn moved(&mut self, shares: [u64; 3]) {
        self.version += 1;
        self.shares = shares;
    }

    /// What the book says that the members have in it.
    async fn check(&self, world: &World, alice: &mut Socket) {
        let id = Definition::from(&self.definition).channel_id();
        let ask = world.ask("get_app_sessions", &json!({"app_session_id": id}));
        let answer = world.done(alice, "the table", &ask.frame()).await;
        let shown = &answer["data"]["res"][2]["app_sessions"][0];
        let lines = self.keys.iter().zip(self.shares).filter(|(_, share)| *share > 0);
        let expected: Vec<Value> = lines.map(|(key, share)| world.share(key.address(), share)).collect();
        world.check(shown["allocations"] == json!(expected), shown);
        world.check(shown["version"] == self.version, shown);
    }
}

async fn refusals(world: &World, alice: &mut Socket, table: &Table) {
    let [a, b, c] = &table.keys;
    let all = [0, 1, 2];
    let deposit = |shares, by: &[usize]| table.next(world, "deposit", shares, by);
    let withdraw = |shares, by: &[usize]| table.next(world, "withdraw", shares, by);
    let mut foreign = deposit([21, 0, 0], &all).params();
    foreign["allocations"][0]["token"] = json!(b.address());
    let foreign = world.ask("submit_app_state", &foreign);
    let cases = [
        ("another pays and has not signed", deposit([20, 5, 0], &all).by(a), "missing_signature"),
        ("one of two has not signed", deposit([25, 5, 0], &all).by(a), "missing_signature"),
        ("too few approve of a deposit", deposit([25, 0, 0], &[0]).by(a), "quorum_not_reached"),
        ("a deposit of nothing", deposit([20, 0, 0], &all).by(a), "invalid_amount"),
        ("a deposit that deals", deposit([15, 10, 0], &all).by(a).by(b), "invalid_amount"),
        ("a deposit of more than there is", deposit([61, 0, 0], &all).by(a), "insufficient_balance"),
        ("of more than another has", deposit([20, 0, 41], &all).by(a).by(c), "insufficient_balance"),
        ("of a token that nobody knows", foreign.by(a), "unknown_token"),
        ("signed by a stranger", deposit([25, 0, 0], &all).by(a).by(&world.key("mallory")), "unknown_signer"),
        ("a withdrawal of nothing", withdraw([20, 0, 0], &all).by(a), "invalid_amount"),
        ("a withdrawal that gives", withdraw([10, 10, 0], &all).by(a), "invalid_amount"),
        ("too few approve of a withdrawal", withdraw([10, 0, 0], &[1, 2]).by(a), "quorum_not_reached"),
        ("dealing what comes in", table.next(world, "operate", [25, 0, 0], &all).by(a), "total_differs"),
    ];
    for (what, ask, code) in cases {
        world.refused(alice, what, &ask.frame(), code).await;
    }
}

/// Alice pays from her channel, Bob from his channel and wallet, Carol not at all.
async fn deposits(world: &World, alice: &mut Socket, table: &mut Table, directs: &mut [Direct]) {
    let shares = [30, 50, 0];
    let ask = table.next(world, "deposit", shares, &[0, 2]).moving(&directs[0], 50).moving(&directs[1], 20);
    let frame = ask.frame();
    let answer = world.done(alice, "a deposit of two", &frame).await;
    world.check(answer["data"]["res"][2]["version"] == 2, &answer);
    // Each gets its own state back, whoever asked.
    world.check(answer["data"]["states"].as_array().map(Vec::len) == Some(2), &answer);
    world.check(world.done(alice, "once more", &frame).await == answer, "a repeat gets the same");
    directs[0].moved(50);
    directs[1].moved(20);
    table.moved(shares);
    table.check(world, alice).await;
    table.version = 1;
    let ask = table.next(world, "deposit", [31, 50, 0], &[0, 1]).by(&table.keys[0]);
    table.version = 2;
    world.refused(alice, "a deposit on an old state", &ask.frame(), "stale_version").await;
}

/// Bob takes out into his channel, Alice to her wallet; the others decide.
async fn withdrawals(world: &World, alice: &mut Socket, table: &mut Table, directs: &mut [Direct]) {
    let shares = [25, 10, 0];
    let [a, ..] = &table.keys;
    let ask = table.next(world, "withdraw", shares, &[0, 2]).by(a).moving(&directs[1], 55);
    let answer = world.done(alice, "a withdrawal of two", &ask.frame()).await;
    world.check(answer["data"]["res"][2]["version"] == 3, &answer);
    directs[1].moved(55);
    table.moved(shares);
    table.check(world, alice).await;
    // A line that was empty can be dealt to after money came in.
    let dealt = table.next(world, "operate", [0, 0, 35], &[0, 1]).by(&table.keys[0]);
    world.done(alice, "dealt to Carol", &dealt.frame()).await;
    table.moved([0, 0, 35]);
    let out = table.next(world, "withdraw", [0, 0, 0], &[0, 2]).by(&table.keys[0]);
    world.done(alice, "everything goes out", &out.frame()).await;
    table.moved([0, 0, 0]);
    table.check(world, alice).await;
    let again = table.next(world, "deposit", [5, 0, 0], &[0, 1]).by(&table.keys[0]);
    world.done(alice, "and comes in again", &again.frame()).await;
    table.moved([5, 0, 0]);
    table.check(world, alice).await;
}

async fn outsiders(world: &World, table: &Table) {
    let mut mallory = world.session("mallory").await;
    for intent in ["deposit", "withdraw"] {
        let ask = table.next(world, intent, [6, 0, 0], &[0, 1]).by(&world.key("mallory"));
        world.refused(&mut mallory, intent, &ask.frame(), "unknown_channel").await;
    }
}
