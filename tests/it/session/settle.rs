//! Settlement: wallet money brought on chain, and everything that is no settlement.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use clearnet::audit::Verdict;
use domain::crypto::{CustodyDomain, DirectParams, DirectState, Intent, Signature};
use domain::primitives::Address;
use domain::protocol::{CarriedState, ChannelTerms, SETTLEMENTS_MAX, State};
use serde_json::{Value, json};

use super::ask::{Ask, Direct, fresh, signed_by};
use super::socket::Socket;
use super::world::World;
use crate::harness::database::{Database, on_every_database};

/// What every channel here has for a challenge.
const CHALLENGE_SECS: u64 = 3_600;

on_every_database!(
    settlements_are_paid_once_in_full_or_refused_without_a_trace,
    what_is_withdrawn_above_the_brokers_own_is_missed_by_the_audit_alone,
);

async fn settlements_are_paid_once_in_full_or_refused_without_a_trace(database: Database) {
    let world = World::start(database, CHALLENGE_SECS).await;
    world.fuel_broker().await;
    let mut alice = world.session("alice").await;
    let mut first = world.open("alice", 1_000, None).await;
    // 300 on the wallet; the broker has nothing on chain until the channel they came from is closed.
    let ask = world.ask("update_state", &json!({})).moving(&first, 700);
    world.done(&mut alice, "to the wallet", &ask.frame()).await;
    first.moved(700);
    let frame = settle(&world, &offer(&world, 10), 10).frame();
    let details = world.refused(&mut alice, "no liquidity", &frame, "liquidity_short").await;
    world.check(details["available"] == "0" && details["requested"] == "10", format!("{details}"));
    end(&world, &mut alice, &first).await;

    parameters(&world, &mut alice).await;
    terms(&world, &mut alice).await;
    states(&world, &mut alice).await;
    signatures(&world, &mut alice).await;
    channels(&world, &mut alice, &first).await;
    money(&world, &mut alice).await;
    paid(&world, &mut alice).await;
    limit(&world, &mut alice).await;
    typed(&world, &mut alice).await;
    world.finish().await;
}

/// An operator withdraws what is owed to participants: the audit says what is missing, and what is left is still paid.
async fn what_is_withdrawn_above_the_brokers_own_is_missed_by_the_audit_alone(database: Database) {
    let world = World::start(database, CHALLENGE_SECS).await;
    world.give_to_broker(50).await;
    let mut alice = world.session("alice").await;
    let mut first = world.open("alice", 1_000, None).await;
    let ask = world.ask("update_state", &json!({})).moving(&first, 700);
    world.done(&mut alice, "to the wallet", &ask.frame()).await;
    first.moved(700);
    end(&world, &mut alice, &first).await;
    world.check(world.report().await.is_clean(), "before, the book is right");
    // 50 of its own, and 100 of the 300 that are Alice's.
    world.withdraw_for_broker(150).await;
    let report = world.report().await;
    let broken: Vec<&str> = report
        .laws
        .iter()
        .filter(|(_, verdict)| matches!(verdict, Verdict::Broken(_)))
        .map(|(law, _)| law.name())
        .collect();
    world.check(broken == ["L1_chain"], format!("{broken:?}"));
    let frame = settle(&world, &offer(&world, 201), 201).frame();
    world.refused(&mut alice, "more than is there", &frame, "liquidity_short").await;
    let offered = offer(&world, 200);
    world.done(&mut alice, "what is left", &settle(&world, &offered, 200).frame()).await;
    told(&mut alice, &offered, "open").await;
    world.finish_cases();
}

/// A channel for the broker to create for Alice, with so much in it.
pub(crate) fn offer(world: &World, amount: u128) -> Direct {
    let key = Arc::new(world.key("alice"));
    let params = DirectParams {
        participants: [key.address(), world.broker.address()],
        adjudicator: world.chain.deployed().adjudicator,
        challenge_secs: CHALLENGE_SECS,
        nonce: fresh(),
        chain_id: world.token.chain_id,
    };
    Direct { key, params, token: world.token.address, locked: amount, version: 0, part: amount }
}

fn initialize(offer: &Direct) -> DirectState {
    offer.state(Intent::Initialize, 0, Vec::new(), [offer.locked, 0])
}

fn params(world: &World, offer: &Direct, amount: &str) -> Value {
    let mut params = world.line(amount);
    params["channel"] = serde_json::to_value(ChannelTerms::of(&offer.params).unwrap()).unwrap();
    params
}

/// The settlement of so much by a channel, as it should be signed.
pub(crate) fn settle(world: &World, offer: &Direct, amount: u128) -> Ask {
    let ask = world.ask("settle", &params(world, offer, &amount.to_string()));
    ask.by(&offer.key).carrying(offer.signed(&initialize(offer)))
}

/// Ends a channel by agreement and on chain: the broker's part is then its own in the contract.
async fn end(world: &World, session: &mut Socket, channel: &Direct) {
    let last = channel.last();
    let ask = world.ask("close_channel", &json!({"channel_id": channel.id()})).by(&channel.key);
    let answer = world.done(session, "the end", &ask.carrying(channel.signed(&last)).frame()).await;
    let signature: Signature = serde_json::from_value(answer["data"]["states"][0]["sig"].clone()).unwrap();
    let signatures = [channel.key.sign(last.hash()), signature];
    let hands = world.chain.participant(world.key("alice"));
    hands.close_and_withdraw(last, signatures).await.unwrap();
    told(session, channel, "closed").await;
    world.settle_down().await;
}

/// Waits until the owner is told that the channel has this status.
pub(crate) async fn told(session: &mut Socket, channel: &Direct, status: &str) {
    let id = channel.id().to_string();
    let is_it = |news: &Value| {
        let told = &news["data"]["res"][2]["channel"];
        told["channel_id"] == id.as_str() && told["status"] == status
    };
    session.news(is_it).await;
}

async fn parameters(world: &World, alice: &mut Socket) {
    let offered = offer(world, 10);
    let with = |field: &str, value: Value| {
        let mut params = params(world, &offered, "10");
        params[field] = value;
        let ask = world.ask("settle", &params).by(&offered.key);
        ask.carrying(offered.signed(&initialize(&offered))).frame()
    };
    let cases = [
        ("amount", json!("0"), "invalid_amount"),
        ("amount", json!("-1"), "invalid_params"),
        ("amount", json!("1.5"), "invalid_params"),
        ("amount", json!("1e1"), "invalid_params"),
        ("amount", json!(10), "invalid_params"),
        ("amount", json!(null), "invalid_params"),
        ("chain_id", json!(999), "unknown_chain"),
        ("chain_id", json!("137"), "invalid_params"),
        ("token", json!(world.address("bob")), "unknown_token"),
        ("token", json!(Address::from_bytes([0; 20])), "unknown_token"),
        ("token", json!("0x12"), "invalid_params"),
        ("channel", json!(null), "invalid_params"),
        ("channel", json!({}), "invalid_params"),
        ("more", json!(1), "invalid_params"),
    ];
    for (field, value, code) in cases {
        world.refused(alice, &format!("{field} of {value}"), &with(field, value), code).await;
    }
}

/// Terms of a channel that would not count, whoever created it.
async fn terms(world: &World, alice: &mut Socket) {
    let other = Address::from_bytes([7; 20]);
    let with = |spoil: &dyn Fn(&mut DirectParams)| {
        let mut offered = offer(world, 10);
        spoil(&mut offered.params);
        settle(world, &offered, 10).frame()
    };
    let cases = [
        ("another adjudicator", with(&|params| params.adjudicator = other), "invalid_state"),
        ("another broker", with(&|params| params.participants[1] = other), "invalid_state"),
        ("sides swapped", with(&|params| params.participants.swap(0, 1)), "invalid_state"),
        ("another participant", with(&|params| params.participants[0] = other), "invalid_state"),
        ("a challenge of nothing", with(&|params| params.challenge_secs = 0), "challenge_too_short"),
        ("a second too short", with(&|params| params.challenge_secs -= 1), "challenge_too_short"),
        ("a challenge of years", with(&|params| params.challenge_secs = 100_000_000), "challenge_too_short"),
    ];
    for (what, frame, code) in cases {
        world.refused(alice, what, &frame, code).await;
    }
}

/// Carried states that are not INITIALIZE of the amount.
async fn states(world: &World, alice: &mut Socket) {
    let other = Address::from_bytes([7; 20]);
    let with = |spoil: &dyn Fn(&mut DirectState)| {
        let offered = offer(world, 10);
        let mut state = initialize(&offered);
        spoil(&mut state);
        let ask = world.ask("settle", &params(world, &offered, "10")).by(&offered.key);
        ask.carrying(offered.signed(&state)).frame()
    };
    let elsewhere = offer(world, 10).id();
    let cases = [
        ("more than is settled", with(&|state| state.allocations[0].amount = 11_u128.into())),
        ("all that the broker has", with(&|state| state.allocations[0].amount = 300_u128.into())),
        ("less than is settled", with(&|state| state.allocations[0].amount = 9_u128.into())),
        ("a part for the broker", with(&|state| state.allocations[1].amount = 1_u128.into())),
        ("money for somebody else", with(&|state| state.allocations[0].destination = other)),
        ("sides swapped", with(&|state| state.allocations.swap(0, 1))),
        ("another token", with(&|state| state.allocations[0].token = other)),
        ("OPERATE", with(&|state| state.intent = Intent::Operate)),
        ("FINALIZE", with(&|state| state.intent = Intent::Finalize)),
        ("version 1", with(&|state| state.version = state.version.next().unwrap())),
        ("data", with(&|state| state.data = vec![1])),
        ("another channel's", with(&|state| state.channel_id = elsewhere)),
    ];
    for (what, frame) in cases {
        world.refused(alice, what, &frame, "invalid_state").await;
    }
    let offered = offer(world, 10);
    let bare = || world.ask("settle", &params(world, &offered, "10")).by(&offered.key);
    let carried = || offered.signed(&initialize(&offered));
    world.refused(alice, "no state", &bare().frame(), "missing_state").await;
    let twice = bare().carrying(carried()).carrying(carried());
    world.refused(alice, "two states", &twice.frame(), "missing_state").await;
}

async fn signatures(world: &World, alice: &mut Socket) {
    let offered = offer(world, 10);
    let bob = world.key("bob");
    let carried = || offered.signed(&initialize(&offered));
    let ask = || world.ask("settle", &params(world, &offered, "10"));
    // The state has no room for the hash: it does not sign the request, whatever it says.
    let mut hashed = initialize(&offered);
    let with_hash = ask();
    hashed.data = with_hash.hash().as_bytes().to_vec();
    let cases = [
        ("unsigned", ask().carrying(carried()), "missing_signature"),
        ("unsigned, with its hash", with_hash.carrying(offered.signed(&hashed)), "missing_signature"),
        ("by a stranger", ask().by(&bob).carrying(carried()), "unknown_signer"),
        (
            "a state by a stranger",
            ask().by(&offered.key).carrying(signed_by(&bob, &initialize(&offered))),
            "unknown_signer",
        ),
        (
            "a state by the broker",
            ask().by(&offered.key).carrying(signed_by(&world.broker, &initialize(&offered))),
            "unknown_signer",
        ),
    ];
    for (what, ask, code) in cases {
        world.refused(alice, what, &ask.frame(), code).await;
    }
    // Signatures come before everything that is wrong with the content.
    for (what, field, value) in [
        ("unsigned, of nothing", "amount", json!("0")),
        ("unsigned, of an unknown token", "token", json!(world.address("bob"))),
        ("unsigned, on an unknown chain", "chain_id", json!(999)),
    ] {
        let mut params = params(world, &offered, "10");
        params[field] = value;
        let frame = world.ask("settle", &params).carrying(carried()).frame();
        world.refused(alice, what, &frame, "missing_signature").await;
    }
    let bare = ask();
    world.refused(alice, "unsigned, without a state", &bare.frame(), "missing_signature").await;
}

/// Channels that there are already.
async fn channels(world: &World, alice: &mut Socket, closed: &Direct) {
    let again = Direct { locked: 10, ..closed.clone() };
    world.refused(alice, "a closed channel", &settle(world, &again, 10).frame(), "channel_exists").await;
}

async fn money(world: &World, alice: &mut Socket) {
    for amount in [301, u128::MAX] {
        let frame = settle(world, &offer(world, amount), amount).frame();
        let details = world.refused(alice, "more than the wallet has", &frame, "insufficient_balance").await;
        world.check(details["available"] == "300", format!("{details}"));
    }
    // What the wallet cannot pay is refused before it is looked at whether there is such a channel.
    let mut offered = offer(world, 301);
    offered.params.adjudicator = Address::from_bytes([7; 20]);
    let frame = settle(world, &offered, 301).frame();
    world.refused(alice, "too much, into a channel of no use", &frame, "insufficient_balance").await;
}

/// The first state may be signed as the contract's typed data, as wallets do.
async fn typed(world: &World, alice: &mut Socket) {
    let custody = CustodyDomain::new(world.token.chain_id, world.chain.deployed().custody);
    let ask = |offered: &Direct| {
        let state = initialize(offered);
        let sig = offered.key.sign(custody.state_digest(&state));
        let carried = CarriedState { channel_id: state.channel_id, state: State::of(&state).unwrap(), sig };
        world.ask("settle", &params(world, offered, "1")).by(&offered.key).carrying(json!(carried))
    };
    let offered = taken(world, alice, 1, ask).await;
    told(alice, &offered, "open").await;
}

/// Asks until the sender has seen what became of the settlements before.
async fn taken(world: &World, alice: &mut Socket, amount: u128, ask: impl Fn(&Direct) -> Ask) -> Direct {
    let asks = async {
        loop {
            let offered = offer(world, amount);
            let answer = alice.ask(&ask(&offered).frame()).await;
            match answer["data"]["code"].as_str() {
                None => return offered,
                Some("liquidity_short" | "overloaded" | "limit_reached") => {}
                Some(_) => panic!("{answer}"),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), asks).await.expect("it is taken")
}

/// A settlement is paid once: repeats get the first answer, and its channel cannot be made again.
async fn paid(world: &World, alice: &mut Socket) {
    let offered = offer(world, 200);
    let frame = settle(world, &offered, 200).frame();
    let answer = world.done(alice, "a settlement", &frame).await;
    let id = offered.id().to_string();
    world.check(answer["data"]["res"][2]["channel_id"] == id.as_str(), &answer);
    let first = alice.newest.clone();
    world.done(alice, "the same settlement again", &frame).await;
    world.check(alice.newest == first, format!("{first} then {}", alice.newest));
    told(alice, &offered, "open").await;
    world.settle_down().await;
    world.refused(alice, "the same channel", &settle(world, &offered, 50).frame(), "channel_exists").await;
    world
        .refused(
            alice,
            "more than is left",
            &settle(world, &offer(world, 101), 101).frame(),
            "insufficient_balance",
        )
        .await;
    let frame = world.ask("get_settlement", &json!({"channel_id": id})).frame();
    let answer = world.done(alice, "how far it has come", &frame).await;
    world.check(answer["data"]["res"][2]["status"] == "confirmed", &answer);
    let frame = world.ask("get_ledger_balances", &json!({})).frame();
    let answer = world.done(alice, "balances", &frame).await;
    let mut amounts: Vec<(Value, Value)> = answer["data"]["res"][2]["ledger_balances"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (line["kind"].clone(), line["amount"].clone()))
        .collect();
    amounts.sort_by_key(|(kind, _)| kind.to_string());
    let expected = [(json!("direct"), json!("200")), (json!("wallet"), json!("100"))];
    world.check(amounts == expected, format!("{amounts:?}"));
}

/// While the chain takes no transactions, so many settlements are under way, and no more.
async fn limit(world: &World, alice: &mut Socket) {
    world.set_automine(false).await;
    let mut offers = vec![taken(world, alice, 10, |offered| settle(world, offered, 10)).await];
    while offers.len() < SETTLEMENTS_MAX {
        let offered = offer(world, 10);
        world.done(alice, "one of several", &settle(world, &offered, 10).frame()).await;
        offers.push(offered);
    }
    let answer = alice.ask(&settle(world, &offer(world, 10), 10).frame()).await;
    let is_told =
        answer["data"]["code"] == "limit_reached" && answer["data"]["details"]["max"] == SETTLEMENTS_MAX;
    world.check(is_told, &answer);
    world.set_automine(true).await;
    let mut waiting: BTreeSet<String> = offers.iter().map(|offered| offered.id().to_string()).collect();
    while !waiting.is_empty() {
        let news = alice.news(|news| news["data"]["res"][2]["channel"]["status"] == "open").await;
        let id = news["data"]["res"][2]["channel"]["channel_id"].as_str().unwrap().to_owned();
        waiting.remove(&id);
    }
}
