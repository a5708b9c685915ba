//! Channels that somebody has created on chain without asking, and what the broker counts of them.

use std::sync::Arc;

use domain::crypto::{DirectParams, Intent};
use domain::primitives::Address;
use evm::custody::{CustodyCall, SignedState};
use serde_json::{Value, json};

use super::ask::{Direct, fresh};
use super::socket::Socket;
use super::world::World;
use crate::harness::database::{Database, on_every_database};

/// What the contract takes at least, and what the broker asks for before a part shrinks.
const CONTRACT_MIN_SECS: u64 = 3_600;
const BROKER_MIN_SECS: u64 = 7_200;

on_every_database!(
    only_channels_that_the_broker_can_trust_count,
    a_channel_that_the_broker_pays_into_never_counts,
);

async fn only_channels_that_the_broker_can_trust_count(database: Database) {
    let world = World::start(database, BROKER_MIN_SECS).await;
    creations(&world).await;
    let mut alice = world.session("alice").await;
    let one = created(&world, "alice", Case::OneSignature).await;
    let foreign = created(&world, "alice", Case::ForeignAdjudicator).await;
    let paid = created(&world, "alice", Case::BrokerPays).await;
    // Opened after the others: when this one counts, they have been read.
    let short = world.open("alice", 1_000, Some(CONTRACT_MIN_SECS)).await;
    let long = world.open("alice", 500, None).await;
    world.settle_down().await;

    let balances = world.ask("get_ledger_balances", &json!({})).frame();
    let answer = world.done(&mut alice, "balances", &balances).await;
    let mut accounts: Vec<(Value, Value)> = answer["data"]["res"][2]["ledger_balances"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (line["account_id"].clone(), line["amount"].clone()))
        .collect();
    let mut counted = [(json!(short.id()), json!("1000")), (json!(long.id()), json!("500"))];
    accounts.sort_by_key(|(id, _)| id.to_string());
    counted.sort_by_key(|(id, _)| id.to_string());
    world.check(accounts == counted, format!("{accounts:?}"));
    uncounted(&world, &mut alice, [one, foreign, paid]).await;
    too_short(&world, &mut alice, short, long).await;
    world.finish().await;
}

/// The broker signs no first state whose terms it does not take.
async fn creations(world: &World) {
    let mut alice = world.session("alice").await;
    let params = |field: &str, value: Value| {
        let mut params = world.line("100");
        params[field] = value;
        world.ask("create_channel", &params).frame()
    };
    let cases = [
        ("an unknown chain", "chain_id", json!(999), "unknown_chain"),
        ("an unknown token", "token", json!(world.address("bob")), "unknown_token"),
        ("a challenge below the contract's", "challenge", json!(3_599), "challenge_too_short"),
        ("a challenge of nothing", "challenge", json!(0), "challenge_too_short"),
        ("a challenge of ages", "challenge", json!(9_007_199_254_740_991_u64), "challenge_too_short"),
        ("a negative challenge", "challenge", json!(-1), "invalid_params"),
        ("a negative amount", "amount", json!("-1"), "invalid_params"),
        ("a fraction", "amount", json!("0.5"), "invalid_params"),
    ];
    for (what, field, value, code) in cases {
        world.refused(&mut alice, what, &params(field, value), code).await;
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    OneSignature,
    ForeignAdjudicator,
    BrokerPays,
}

/// Creates a channel with 100 in it past the broker.
async fn created(world: &World, label: &str, case: Case) -> Direct {
    let key = Arc::new(world.key(label));
    let adjudicator = match case {
        Case::ForeignAdjudicator => Address::from_bytes([7; 20]),
        Case::OneSignature | Case::BrokerPays => world.chain.deployed().adjudicator,
    };
    let params = DirectParams {
        participants: [key.address(), world.broker.address()],
        adjudicator,
        challenge_secs: BROKER_MIN_SECS,
        nonce: fresh(),
        chain_id: world.token.chain_id,
    };
    let direct = Direct { key, params, token: world.token.address, locked: 100, version: 0, part: 100 };
    let brokers = if case == Case::BrokerPays { 50 } else { 0 };
    let state = direct.state(Intent::Initialize, 0, Vec::new(), [100, brokers]);
    let hands = world.hands(label, 100).await;
    hands.approve(direct.token, 100_u128.into()).await.unwrap();
    hands.deposit(direct.token, 100_u128.into()).await.unwrap();
    let mut signatures = vec![direct.key.sign(state.hash())];
    if case == Case::ForeignAdjudicator {
        // Even a signature that the broker would never give does not make it count.
        signatures.push(world.broker.sign(state.hash()));
    }
    let initial = SignedState { signatures, state };
    hands.call(CustodyCall::Create { params: direct.params.clone(), initial }).await.unwrap();
    direct
}

/// Nothing can be done with what does not count.
async fn uncounted(world: &World, alice: &mut Socket, channels: [Direct; 3]) {
    for (place, channel) in channels.iter().enumerate() {
        let what = format!("channel {place} that does not count");
        let update = world.ask("update_state", &json!({})).moving(channel, 50);
        world.refused(alice, &what, &update.frame(), "unknown_channel").await;
        let pay = world.pay(world.address("bob"), "10").moving(channel, 90);
        world.refused(alice, &what, &pay.frame(), "unknown_channel").await;
        let close = world.ask("close_channel", &json!({"channel_id": channel.id()})).by(&channel.key);
        let close = close.carrying(channel.signed(&channel.last()));
        world.refused(alice, &what, &close.frame(), "unknown_channel").await;
        let state = world.ask("get_state", &json!({"channel_id": channel.id()}));
        world.refused(alice, &what, &state.frame(), "unknown_channel").await;
    }
    let frame = world.ask("get_channels", &json!({"status": "open"})).frame();
    let answer = world.done(alice, "channels", &frame).await;
    let listed = answer["data"]["res"][2]["channels"].as_array().unwrap().len();
    world.check(listed == 2, &answer);
}

/// A channel whose challenge is short counts, but no part of it shrinks: it can only be anchored into or end.
async fn too_short(world: &World, alice: &mut Socket, short: Direct, mut long: Direct) {
    let bob = world.address("bob");
    let asks = [
        world.ask("update_state", &json!({})).moving(&short, 900),
        world.pay(bob, "100").moving(&short, 900),
        world.pay(bob, "1").moving(&short, 0),
    ];
    for ask in asks {
        let details = world.refused(alice, "a part that shrinks", &ask.frame(), "challenge_too_short").await;
        let is_told = details["channel_id"] == short.id().to_string() && details["min"] == BROKER_MIN_SECS;
        world.check(is_told, format!("{details}"));
    }
    let update = world.ask("update_state", &json!({})).moving(&long, 400);
    world.done(alice, "out of the long one", &update.frame()).await;
    long.moved(400);
    let ask = world.pay(bob, "100").by(&long.key);
    world.done(alice, "a payment of the wallet", &ask.frame()).await;
    let close = world.ask("close_channel", &json!({"channel_id": short.id()})).by(&short.key);
    let close = close.carrying(short.signed(&short.last()));
    world.done(alice, "the end of the short one", &close.frame()).await;
}

/// Even with both signatures, and the broker's own balance paying for its side: the channel never counts, and the
/// audit says that the contract holds less for the broker than the book does.
async fn a_channel_that_the_broker_pays_into_never_counts(database: Database) {
    let world = World::start(database, CONTRACT_MIN_SECS).await;
    let mut alice = world.session("alice").await;
    let own = DirectParams {
        participants: [world.address("alice"), world.broker.address()],
        adjudicator: world.chain.deployed().adjudicator,
        challenge_secs: CONTRACT_MIN_SECS,
        nonce: fresh(),
        chain_id: world.token.chain_id,
    };
    let key = Arc::new(world.key("alice"));
    let channel = Direct { key, params: own, token: world.token.address, locked: 100, version: 0, part: 100 };
    world.give_to_broker(50).await;
    let hands = world.hands("alice", 100).await;
    hands.approve(channel.token, 100_u128.into()).await.unwrap();
    hands.deposit(channel.token, 100_u128.into()).await.unwrap();
    world.check(world.report().await.is_clean(), "before, the book is right");
    let state = channel.state(Intent::Initialize, 0, Vec::new(), [100, 50]);
    let signatures = vec![channel.key.sign(state.hash()), world.broker.sign(state.hash())];
    let initial = SignedState { signatures, state };
    hands.call(CustodyCall::Create { params: channel.params.clone(), initial }).await.unwrap();
    let report = world.report().await;
    let broken: Vec<String> = report
        .laws
        .iter()
        .filter(|(_, verdict)| matches!(verdict, clearnet::audit::Verdict::Broken(_)))
        .map(|(law, _)| law.name().to_owned())
        .collect();
    world.check(broken == ["L1_chain"], format!("{broken:?}"));
    let frame = world.ask("get_state", &json!({"channel_id": channel.id()})).frame();
    world.refused(&mut alice, "a channel that the broker pays into", &frame, "unknown_channel").await;
    let update = world.ask("update_state", &json!({})).moving(&channel, 50);
    world.refused(&mut alice, "a part of it", &update.frame(), "unknown_channel").await;
    world.finish_cases();
}
