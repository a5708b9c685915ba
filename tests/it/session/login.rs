//! Logins: who may, and who may not.

use domain::crypto::{Signable as _, SigningKey, eip191_digest};
use domain::primitives::{Address, encode_hex};
use domain::protocol::AUTH_ATTEMPTS_MAX;

use super::ask::{high_s, of_nobody, with_v};
use super::socket::Socket;
use super::world::World;
use crate::harness::database::{Database, on_every_database};

const CHANNEL: &str = "0x7d1309069e73f9b397df2ac3d70850b8ccf8fbb9e4cc3e816fc98a44443c7cac";

on_every_database!(only_who_signs_the_challenge_of_its_connection_gets_in);

async fn only_who_signs_the_challenge_of_its_connection_gets_in(database: Database) {
    let world = World::start(database, 3_600).await;
    before_the_login(&world).await;
    accepted(&world).await;
    refused_keys(&world).await;
    refused_signatures(&world).await;
    challenges(&world).await;
    attempts(&world).await;
    world.finish().await;
}

async fn before_the_login(world: &World) {
    let mut guest = Socket::connect(&world.url).await;
    let call = r#"{"req":[1,"move",{},1],"sig":[]}"#;
    let frames = [
        r#"{"type":"ping"}"#.to_owned(),
        format!(r#"{{"type":"subscribe","channel":"{CHANNEL}"}}"#),
        format!(r#"{{"type":"unsubscribe","channel":"{CHANNEL}"}}"#),
        format!(r#"{{"type":"publish","channel":"{CHANNEL}","data":1}}"#),
        format!(r#"{{"type":"rpc","channel":"{CHANNEL}","data":{call}}}"#),
        world.ask("get_config", &serde_json::json!({})).frame(),
        world.pay(world.address("bob"), "1").by(&world.key("alice")).frame(),
    ];
    for frame in frames {
        world.refused(&mut guest, &frame, &frame, "auth_required").await;
    }
    // The form comes first.
    world.refused(&mut guest, "an unknown type", r#"{"type":"dance"}"#, "unknown_type").await;
    guest.log_in(&world.key("alice")).await;
    let frame = r#"{"type":"auth"}"#;
    world.refused(&mut guest, "a second login", frame, "already_authenticated").await;
}

fn uncompressed(key: &SigningKey) -> String {
    key.public_key().to_string().trim_start_matches("0x").to_owned()
}

fn compressed(key: &SigningKey) -> String {
    let whole = uncompressed(key);
    let is_odd = u8::from_str_radix(&whole[128..], 16).unwrap() % 2 == 1;
    format!("{}{}", if is_odd { "03" } else { "02" }, &whole[2..66])
}

/// Every way to write a key and a signature that the document allows.
async fn accepted(world: &World) {
    let key = world.key("alice");
    let (long, short) = (uncompressed(&key), compressed(&key));
    for pub_key in [long.clone(), short.clone(), format!("0x{long}"), format!("0x{short}")] {
        for form in 0..3 {
            let mut guest = Socket::connect(&world.url).await;
            let text = guest.challenge().await;
            let plain = key.sign(text.digests().first());
            let signature = match form {
                0 => plain.to_string(),
                1 => with_v(plain, plain.as_bytes()[64] - 27),
                _ => key.sign(eip191_digest(text.to_string().as_bytes())).to_string(),
            };
            let answer = guest.answer(&pub_key, &text.to_string(), &signature).await;
            world.check(answer["type"] == "auth_success", format!("{pub_key}, form {form}: {answer}"));
            world.check(answer["data"]["address"] == key.address().to_string(), &answer);
            world.check(answer["data"]["broker_address"] == world.broker.address().to_string(), &answer);
        }
    }
}

/// A refusal that leaves the challenge open: the right answer to it still logs in.
async fn refused_once(world: &World, what: &str, pub_key: &str, signature: Option<&str>, code: &str) {
    let key = world.key("alice");
    let mut guest = Socket::connect(&world.url).await;
    let text = guest.challenge().await;
    let right = key.sign(text.digests().first());
    let signature = match signature {
        Some("high s") => high_s(right),
        Some("v 2") => with_v(right, 2),
        Some("v 26") => with_v(right, 26),
        Some("v 29") => with_v(right, 29),
        Some("bob's") => world.key("bob").sign(text.digests().first()).to_string(),
        Some("short") => encode_hex(&right.as_bytes()[..64]),
        Some("long") => format!("{right}00"),
        Some("other text") => key.sign(eip191_digest(b"something else")).to_string(),
        Some(other) => other.to_owned(),
        None => right.to_string(),
    };
    let answer = guest.answer(pub_key, &text.to_string(), &signature).await;
    world.check(answer["data"]["code"] == code, format!("{what}: {code} expected, {answer} came"));
    if code == "bad_signature" {
        let digest = text.digests().first().to_string();
        world.check(answer["data"]["details"]["expected_digest"] == digest, &answer);
    }
    if what == "signed by bob" {
        let recovered = world.address("bob").to_string();
        world.check(answer["data"]["details"]["recovered"] == recovered, &answer);
    }
    let answer = guest.answer(&uncompressed(&key), &text.to_string(), &right.to_string()).await;
    world.check(answer["type"] == "auth_success", format!("after {what}: {answer}"));
}

async fn refused_keys(world: &World) {
    let key = uncompressed(&world.key("alice"));
    let bare = &key[2..];
    let mut off_curve = key.clone();
    off_curve.replace_range(128.., if key.ends_with("00") { "01" } else { "00" });
    let keys = [
        ("a bare key", bare.to_owned()),
        ("a key that is too long", format!("{key}00")),
        ("half a key", key[..64].to_owned()),
        ("a point off the curve", off_curve),
        // No point of the curve has this x.
        ("a compressed point off the curve", format!("02{:064x}", 5)),
        ("an uncompressed key that says it is compressed", format!("02{bare}")),
        ("hybrid form", format!("06{bare}")),
        ("malformed hex", key.replace(&key[4..5], "g")),
        ("nothing", String::new()),
        ("an address", world.address("alice").to_string()),
    ];
    for (what, pub_key) in keys {
        refused_once(world, what, &pub_key, None, "invalid_public_key").await;
    }
}

async fn refused_signatures(world: &World) {
    let key = uncompressed(&world.key("alice"));
    let (of_nobody, zeros) = (of_nobody(), encode_hex(&[0; 65]));
    let signatures = [
        ("signed by bob", "bob's"),
        ("another text signed", "other text"),
        ("s in the upper half", "high s"),
        ("v of 2", "v 2"),
        ("v of 26", "v 26"),
        ("v of 29", "v 29"),
        ("64 bytes", "short"),
        ("66 bytes", "long"),
        ("malformed hex", "0xzz"),
        ("no signature", ""),
        ("zeros", &zeros),
        ("r of no point", &of_nobody),
    ];
    for (what, signature) in signatures {
        refused_once(world, what, &key, Some(signature), "bad_signature").await;
    }
}

async fn challenges(world: &World) {
    let key = world.key("alice");
    let sign = |text: &domain::crypto::LoginText| key.sign(text.digests().first()).to_string();
    let pub_key = uncompressed(&key);
    let mut first = Socket::connect(&world.url).await;
    let mut second = Socket::connect(&world.url).await;
    let (of_first, of_second) = (first.challenge().await, second.challenge().await);

    let answer = second.answer(&pub_key, &of_first.to_string(), &sign(&of_first)).await;
    world.check(answer["data"]["code"] == "challenge_unknown", format!("of another connection: {answer}"));
    let mut foreign = of_first;
    foreign.broker = Address::from_bytes([7; 20]);
    let answer = first.answer(&pub_key, &foreign.to_string(), &sign(&foreign)).await;
    world.check(answer["data"]["code"] == "challenge_unknown", format!("of another broker: {answer}"));
    let replacing = second.challenge().await;
    let answer = second.answer(&pub_key, &of_second.to_string(), &sign(&of_second)).await;
    world.check(answer["data"]["code"] == "challenge_unknown", format!("a replaced one: {answer}"));
    let answer = second.answer(&pub_key, &replacing.to_string(), &sign(&replacing)).await;
    world.check(answer["type"] == "auth_success", format!("the newest one: {answer}"));

    // One that was used logs nobody in again: here the session is somebody's, elsewhere nobody knows it.
    let answer = second.answer(&pub_key, &replacing.to_string(), &sign(&replacing)).await;
    world.check(answer["data"]["code"] == "already_authenticated", format!("a used one: {answer}"));
    let answer = first.answer(&pub_key, &replacing.to_string(), &sign(&replacing)).await;
    world.check(answer["data"]["code"] == "challenge_unknown", format!("used elsewhere: {answer}"));

    let mut third = Socket::connect(&world.url).await;
    let answer = third.answer(&pub_key, &replacing.to_string(), &sign(&replacing)).await;
    world.check(answer["type"] == "auth_challenge", format!("a client without a challenge: {answer}"));
}

async fn attempts(world: &World) {
    let mut guest = Socket::connect(&world.url).await;
    for _ in 0..AUTH_ATTEMPTS_MAX {
        guest.challenge().await;
    }
    let answer = guest.ask(r#"{"type":"auth"}"#).await;
    world.check(answer["data"]["code"] == "too_many_attempts", &answer);
    let reason = guest.closed().await;
    world.check(reason == "too_many_attempts", format!("closed with {reason}"));
}
