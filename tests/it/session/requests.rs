//! Payments: what is in them, who signed them, and when.

use clearnet::clock;
use domain::crypto::{Signature, eip191_digest};
use domain::primitives::{Address, Amount};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::ask::{Ask, fresh, high_s, of_nobody, with_v};
use super::socket::Socket;
use super::world::World;
use crate::harness::database::{Database, on_every_database};

/// Makes something of a signature that is none.
type Spoil = fn(Signature) -> String;

on_every_database!(payments_are_judged_by_their_content_signatures_and_time);

async fn payments_are_judged_by_their_content_signatures_and_time(database: Database) {
    let world = World::start(database, 3_600).await;
    let mut channel = world.open("alice", 1_000, None).await;
    world.settle_down().await;
    let mut alice = world.session("alice").await;
    // 300 to pay with, out of the channel.
    let ask = world.ask("update_state", &json!({}));
    world.done(&mut alice, "to the wallet", &ask.moving(&channel, 700).frame()).await;
    channel.moved(700);
    contents(&world, &mut alice).await;
    signatures(&world, &mut alice).await;
    repeats(&world, &mut alice).await;
    times(&world, &mut alice).await;
    two_devices(&world, &mut alice).await;
    world.finish().await;
}

async fn contents(world: &World, alice: &mut Socket) {
    let (key, bob) = (world.key("alice"), world.address("bob"));
    let most = Amount::MAX.to_string();
    let above = "115792089237316195423570985008687907853269984665640564039457584007913129639936";
    let amounts = [
        ("-1", "invalid_params"),
        ("+1", "invalid_params"),
        ("1.5", "invalid_params"),
        ("1.0", "invalid_params"),
        ("1e2", "invalid_params"),
        ("01", "invalid_params"),
        ("0x10", "invalid_params"),
        ("", "invalid_params"),
        (" 1", "invalid_params"),
        ("1_000", "invalid_params"),
        ("١", "invalid_params"),
        ("NaN", "invalid_params"),
        (above, "invalid_params"),
        ("0", "invalid_amount"),
        ("301", "insufficient_balance"),
        (&most, "insufficient_balance"),
    ];
    for (amount, code) in amounts {
        let details = world.refused(alice, amount, &world.pay(bob, amount).by(&key).frame(), code).await;
        if code == "invalid_params" {
            world.check(details["field"] == "allocations[0].amount", format!("{amount}: {details}"));
        }
        if code == "insufficient_balance" {
            let is_told = details["available"] == "300" && details["requested"] == amount;
            world.check(is_told, format!("{amount}: {details}"));
        }
    }
    let line = world.line("1");
    let with = |field: &str, value: Value| {
        let mut line = line.clone();
        line[field] = value;
        json!({"destination": bob, "allocations": [line]})
    };
    let to = |destination: Value| json!({"destination": destination, "allocations": [line]});
    let (lower, zero) = (bob.to_string().to_lowercase(), Address::from_bytes([0; 20]));
    let cases = [
        ("a number for an amount", with("amount", json!(1)), "invalid_params"),
        ("null for an amount", with("amount", json!(null)), "invalid_params"),
        ("a field nobody knows", with("tip", json!("1")), "invalid_params"),
        ("a chain as text", with("chain_id", json!("137")), "invalid_params"),
        ("a fraction of a chain", with("chain_id", json!(137.0)), "invalid_params"),
        ("a negative chain", with("chain_id", json!(-137)), "invalid_params"),
        ("an unknown chain", with("chain_id", json!(999)), "unknown_token"),
        ("an unknown token", with("token", json!(bob)), "unknown_token"),
        ("the coin, which is not taken", with("token", json!(zero)), "unknown_token"),
        ("a token with a digit too few", with("token", json!(&lower[..41])), "invalid_params"),
        ("nothing paid", json!({"destination": bob, "allocations": []}), "invalid_amount"),
        ("a token twice", json!({"destination": bob, "allocations": [line, line]}), "invalid_amount"),
        ("nobody named", json!({"allocations": [line]}), "invalid_params"),
        ("malformed hex", to(json!(lower.replace(&lower[5..6], "g"))), "invalid_params"),
        ("without 0x", to(json!(&lower[2..])), "invalid_params"),
        ("a digit too many", to(json!(format!("{lower}0"))), "invalid_params"),
        ("a wrong checksum", to(json!(wrong_checksum(bob))), "invalid_params"),
        ("to oneself", to(json!(key.address())), "invalid_destination"),
        ("to the broker", to(json!(world.broker.address())), "invalid_destination"),
        ("to nobody", to(json!(zero)), "invalid_destination"),
    ];
    for (what, params, code) in cases {
        world.refused(alice, what, &world.ask("transfer", &params).by(&key).frame(), code).await;
    }
    let twice = format!(r#"{{"destination":"{bob}","destination":"{bob}","allocations":[{line}]}}"#);
    let req = format!(r#"[{},"transfer",{twice},{}]"#, fresh(), clock::now().as_millis());
    let frame = Ask::raw(world.broker.address(), req).by(&key).frame();
    world.refused(alice, "a field twice", &frame, "invalid_params").await;
}

/// One letter in the other case.
fn wrong_checksum(address: Address) -> String {
    let text = address.to_string();
    let place = text[2..].find(|c: char| c.is_ascii_alphabetic()).unwrap() + 2;
    let letter = text[place..].chars().next().unwrap();
    let other =
        if letter.is_ascii_uppercase() { letter.to_ascii_lowercase() } else { letter.to_ascii_uppercase() };
    format!("{}{other}{}", &text[..place], &text[place + 1..])
}

async fn signatures(world: &World, alice: &mut Socket) {
    let (key, other, bob) = (world.key("alice"), world.key("mallory"), world.address("bob"));
    let pay = || world.pay(bob, "1");
    let ours = |ask: &Ask| key.sign(ask.hash());
    let refused = [
        ("nobody signed", pay(), "missing_signature"),
        ("a stranger signed", pay().by(&other), "unknown_signer"),
        ("the broker signed", pay().by(&world.broker), "unknown_signer"),
        ("a stranger signed too", pay().by(&key).by(&other), "unknown_signer"),
        ("signed twice", pay().by(&key).by(&key), "duplicate_signer"),
        ("r of no point", pay().with(of_nobody()), "bad_signature"),
        ("no hex", pay().with("0xzz"), "invalid_envelope"),
        ("an empty signature", pay().with(""), "invalid_envelope"),
    ];
    for (what, ask, code) in refused {
        world.refused(alice, what, &ask.frame(), code).await;
    }
    let malformed: [(&str, Spoil); 6] = [
        ("s in the upper half", high_s),
        ("v of 2", |signature| with_v(signature, 2)),
        ("v of 26", |signature| with_v(signature, 26)),
        ("v of 29", |signature| with_v(signature, 29)),
        ("64 bytes", |signature| signature.to_string()[..130].to_owned()),
        ("66 bytes", |signature| format!("{signature}1b")),
    ];
    for (what, spoil) in malformed {
        let ask = pay();
        let signature = spoil(ours(&ask));
        world.refused(alice, what, &ask.with(signature).frame(), "invalid_envelope").await;
    }
    // For another broker, whose text differs.
    let ask = Ask::new(
        Address::from_bytes([7; 20]),
        "transfer",
        &json!({
        "destination": bob, "allocations": [world.line("1")]}),
    );
    world.refused(alice, "signed for another broker", &ask.by(&key).frame(), "unknown_signer").await;
    let ask = pay();
    let signature = world.key("alice").sign(pay().hash()).to_string();
    world.refused(alice, "another request signed", &ask.with(signature).frame(), "unknown_signer").await;
    // Signatures come before what the method itself looks at.
    let ask = world.pay(key.address(), "1");
    world.refused(alice, "unsigned, to oneself", &ask.frame(), "missing_signature").await;
    let ask = world.pay(bob, "0").by(&other);
    world.refused(alice, "nothing, signed by a stranger", &ask.frame(), "unknown_signer").await;

    let ask = pay();
    let signature = ours(&ask);
    let v = signature.as_bytes()[64] - 27;
    world.done(alice, "v of 0 or 1", &ask.with(with_v(signature, v)).frame()).await;
    let ask = pay();
    let text = ask.text();
    let signature = key.sign(eip191_digest(text.to_string().as_bytes())).to_string();
    world.done(alice, "signed as a message", &ask.with(signature).frame()).await;
}

async fn repeats(world: &World, alice: &mut Socket) {
    let (key, bob, broker) = (world.key("alice"), world.address("bob"), world.broker.address());
    let ask = world.pay(bob, "2").by(&key);
    let frame = ask.frame();
    world.done(alice, "a payment", &frame).await;
    let first = alice.newest.clone();
    let before = world.digest().await;
    world.done(alice, "the same bytes again", &frame).await;
    world.check(alice.newest == first, format!("{first} then {}", alice.newest));
    let mut tablet = world.session("alice").await;
    world.done(&mut tablet, "the same bytes on another device", &frame).await;
    world.check(tablet.newest == first, format!("{first} then {}", tablet.newest));
    world.check(world.digest().await == before, "a repeat has no effect");

    let (id, at) = (fresh(), clock::now().as_millis());
    let with = |amount: &str| {
        let params = json!({"destination": bob, "allocations": [world.line(amount)]});
        Ask::at(broker, id, "transfer", &params, at).by(&key)
    };
    world.done(alice, "an id", &with("1").frame()).await;
    world.refused(alice, "the id again with more", &with("2").frame(), "conflict").await;
    world.refused(&mut tablet, "the id on another device", &with("3").frame(), "conflict").await;
    let other = Ask::at(broker, id, "update_state", &json!({}), at).by(&key);
    world.refused(alice, "the id with another method", &other.frame(), "conflict").await;
    // What is refused may be sent again, and done once it can be.
    let (id, at) = (fresh(), clock::now().as_millis());
    let params = json!({"destination": bob, "allocations": [world.line("301")]});
    let ask = Ask::at(broker, id, "transfer", &params, at).by(&key);
    world.refused(alice, "too much", &ask.frame(), "insufficient_balance").await;
    world.refused(alice, "too much again", &ask.frame(), "insufficient_balance").await;
    let params = json!({"destination": bob, "allocations": [world.line("1")]});
    let ask = Ask::at(broker, id, "transfer", &params, at).by(&key);
    world.done(alice, "less under the id of what was refused", &ask.frame()).await;

    // The same bytes twice without waiting: both get the one answer.
    let frame = world.pay(bob, "1").by(&key).frame();
    alice.send(Message::Text(frame.clone())).await;
    tablet.send(Message::Text(frame)).await;
    let (first, second) = (alice.reply().await, tablet.reply().await);
    world.check(first["type"] == "rpc" && first == second, format!("{first} and {second}"));
}

async fn times(world: &World, alice: &mut Socket) {
    const MINUTE: u64 = 60_000;
    let (key, now) = (world.key("alice"), clock::now().as_millis());
    let params = json!({"destination": world.address("bob"), "allocations": [world.line("1")]});
    let at = |at| Ask::at(world.broker.address(), fresh(), "transfer", &params, at).by(&key).frame();
    let cases = [
        (now + 2 * MINUTE, "early"),
        (now + 1_000_000 * MINUTE, "early"),
        (now - 2 * MINUTE, "expired"),
        (now - 23 * 60 * MINUTE, "expired"),
        (now - 25 * 60 * MINUTE, "too_old"),
        (0, "too_old"),
    ];
    for (time, code) in cases {
        let details = world.refused(alice, code, &at(time), code).await;
        world.check(details["now"].as_u64().is_some_and(|told| told >= now), format!("{code}: {details}"));
    }
    // The time comes before signatures.
    let unsigned = Ask::at(world.broker.address(), fresh(), "transfer", &params, now - 2 * MINUTE);
    world.refused(alice, "expired and unsigned", &unsigned.frame(), "expired").await;
    world.done(alice, "half a minute old", &at(now - MINUTE / 2)).await;
    world.done(alice, "half a minute ahead", &at(now + MINUTE / 2)).await;
}

/// Who is paid hears of it on every device, and so does who pays.
async fn two_devices(world: &World, alice: &mut Socket) {
    let mut tablet = world.session("alice").await;
    let (mut phone, mut laptop) = (world.session("bob").await, world.session("bob").await);
    world
        .done(alice, "a payment", &world.pay(world.address("bob"), "7").by(&world.key("alice")).frame())
        .await;
    let of = |frame: &Value| {
        let response = &frame["data"]["res"];
        let balances = (response[1] == "balances").then(|| response[2]["balances"][0].clone());
        balances.filter(|balance| balance["kind"] == "wallet")
    };
    let is_news = |frame: &Value| of(frame).is_some();
    let (first, second) = (phone.news(is_news).await, laptop.news(is_news).await);
    world.check(of(&first) == of(&second), format!("{first} and {second}"));
    let own = tablet.news(is_news).await;
    world.check(of(&own).is_some_and(|balance| balance["amount"] != "0"), &own);
}
