//! The bytes on the socket: cut anywhere, too long, too deep, no text. The same frame has the same answer however it
//! comes, and nothing that comes is kept beyond its bounds.

mod raw;

use domain::protocol::FRAME_BYTES_MAX;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use raw::{Raw, masked};

use super::socket::Socket;
use super::world::World;
use crate::harness::database::{Database, on_every_database};

/// How long one frame says that it is, in the cases that are too long.
const TOO_LONG: [u64; 4] = [FRAME_BYTES_MAX as u64 + 1, 64 << 20, 1 << 40, i64::MAX as u64];

on_every_database!(a_frame_is_answered_alike_however_it_comes_and_refused_before_it_is_kept);

async fn a_frame_is_answered_alike_however_it_comes_and_refused_before_it_is_kept(database: Database) {
    let world = World::start(database, 3_600).await;
    let mut channel = world.open("alice", 1_000, None).await;
    world.settle_down().await;
    let mut alice = world.session("alice").await;
    let update = world.ask("update_state", &json!({})).moving(&channel, 900);
    world.done(&mut alice, "to the wallet", &update.frame()).await;
    channel.moved(900);
    // A request that has been carried out has the same answer each time, byte for byte.
    let frame = world.pay(world.address("bob"), "1").moving(&channel, 899).frame();
    world.done(&mut alice, "a payment", &frame).await;
    let answer = alice.newest.clone();
    let before = world.digest().await;
    truncated(&world, &frame).await;
    in_parts(&world, &frame, &answer).await;
    cut(&world, &frame, &answer).await;
    deep(&world).await;
    no_text(&world).await;
    too_long(&world).await;
    no_websocket(&world).await;
    world.check(world.digest().await == before, "what is on the wire has an effect");
    world.finish().await;
}

/// Frames that end too early, at every byte, are refused and harm nothing.
async fn truncated(world: &World, frame: &str) {
    let mut alice = world.session("alice").await;
    let subscribe = r#"{"type":"subscribe","id":1,"channel":"0x12","data":{"epoch":1,"seq":2}}"#;
    for frame in [frame, subscribe, r#"{"type":"ping","id":"beat"}"#] {
        for end in 0..frame.len() {
            let answer = alice.ask(&frame[..end]).await;
            let code = &answer["data"]["code"];
            world.check(code == "malformed_frame", format!("cut off at {end}: {answer}"));
        }
        world.check(alice.check_alive().await.is_ok(), "a session after frames that were cut off");
    }
}

fn part(bytes: &[u8], kind: Data, is_last: bool) -> Message {
    Message::Frame(Frame::message(bytes.to_vec(), OpCode::Data(kind), is_last))
}

/// Two fragments, cut at every byte; one byte a fragment; empty ones.
async fn in_parts(world: &World, frame: &str, answer: &str) {
    let bytes = frame.as_bytes();
    let mut raw = Raw::log_in(world, "alice").await;
    for place in 0..=bytes.len() {
        if place % 400 == 399 {
            raw = Raw::log_in(world, "alice").await;
        }
        // A ping of the socket may come in between.
        let parts = [masked(0x01, &bytes[..place]), masked(0x89, b"?"), masked(0x80, &bytes[place..])];
        raw.send(&parts.concat()).await;
        let came = raw.text().await;
        world.check(came == answer, format!("in parts at {place}: {came}"));
    }
    let each = bytes.iter().map(|byte| masked(0x00, &[*byte]));
    let parts = [vec![masked(0x01, b"")], each.collect(), vec![masked(0x80, b"")]];
    raw.send(&parts.concat().concat()).await;
    let came = raw.text().await;
    world.check(came == answer, format!("a byte a part: {came}"));
}

/// The stream cut at every byte: between the two halves lies a whole exchange on another connection.
async fn cut(world: &World, frame: &str, answer: &str) {
    let mut witness = world.session("bob").await;
    let mut raw = Raw::log_in(world, "alice").await;
    let bytes = masked(0x81, frame.as_bytes());
    for place in 1..bytes.len() {
        if place % 400 == 0 {
            (witness, raw) = (world.session("bob").await, Raw::log_in(world, "alice").await);
        }
        raw.send(&bytes[..place]).await;
        let alive = witness.check_alive().await;
        world.check(alive.is_ok(), "somebody else is served meanwhile");
        raw.send(&bytes[place..]).await;
        let came = raw.text().await;
        world.check(came == answer, format!("the stream cut at {place}: {came}"));
    }
    for byte in &bytes {
        raw.send(&[*byte]).await;
    }
    let came = raw.text().await;
    world.check(came == answer, format!("the stream byte by byte: {came}"));
    // Several frames that come at once are answered in order.
    let ping = |id: usize| masked(0x81, format!(r#"{{"type":"ping","id":{id}}}"#).as_bytes());
    raw.send(&(0..100).flat_map(ping).collect::<Vec<u8>>()).await;
    for id in 0..100 {
        let pong: Value = serde_json::from_str(&raw.text().await).unwrap();
        world.check(pong["id"] == id, format!("{id}: {pong}"));
    }
}

async fn deep(world: &World) {
    let mut alice = world.session("alice").await;
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        for is_whole in [true, false] {
            let ends = if is_whole { close.repeat(10_000) } else { String::new() };
            let inner = if open == "[" { "" } else { "1" };
            let bomb = format!(r#"{{"type":"ping","data":{}{inner}{ends}"#, open.repeat(10_000));
            world.refused(&mut alice, "10,000 deep", &bomb, "frame_too_deep").await;
            let request = format!(
                r#"{{"type":"rpc","data":{{"req":[1,"ping",{{"a":{}{inner}{ends}}},1]}}}}"#,
                open.repeat(10_000)
            );
            world.refused(&mut alice, "a request 10,000 deep", &request, "frame_too_deep").await;
        }
    }
}

/// Bytes that are no UTF-8, in one piece and in parts.
async fn no_text(world: &World) {
    let bad: [&[u8]; 5] = [
        b"\xff",
        b"{\"type\":\"ping\",\"id\":\"\xc3\x28\"}",
        b"\xef\xbf",
        b"{\"type\":\"p\xed\xa0\x80\"}",
        b"\x80ping",
    ];
    let mut alice = world.session("alice").await;
    for bytes in bad {
        for is_in_parts in [false, true] {
            if is_in_parts {
                alice.send(part(&bytes[..1], Data::Text, false)).await;
                alice.send(part(&bytes[1..], Data::Continue, true)).await;
            } else {
                alice.send(part(bytes, Data::Text, true)).await;
            }
            let answer = alice.reply().await;
            let is_told = answer["data"]["code"] == "malformed_frame";
            world.check(is_told, format!("{bytes:?}, in parts {is_in_parts}: {answer}"));
            world.check(alice.check_alive().await.is_ok(), "a session after what is no text");
        }
    }
    // A letter may be cut in two by a fragment.
    let ping = r#"{"type":"ping","id":"ü"}"#.as_bytes();
    let place = ping.iter().position(|byte| *byte > 0x7f).unwrap() + 1;
    alice.send(part(&ping[..place], Data::Text, false)).await;
    alice.send(part(&ping[place..], Data::Continue, true)).await;
    let answer = alice.reply().await;
    world.check(answer["id"] == "ü", &answer);
}

/// What says that it is too long is refused by what it says: before it comes, with or without a login.
async fn too_long(world: &World) {
    for length in TOO_LONG {
        for opcode in [0x81, 0x82, 0x01, 0x89] {
            let mut raw = Raw::log_in(world, "alice").await;
            let mut header = vec![opcode, 0xff];
            header.extend_from_slice(&length.to_be_bytes());
            header.extend_from_slice(&[0; 4]);
            raw.send(&header).await;
            refused_as_too_long(world, raw, &format!("{length} bytes of {opcode:x}")).await;
        }
    }
    // 64 MiB that come indeed, whole and in parts.
    let chunk = vec![b'x'; 60_000];
    for is_in_parts in [false, true] {
        let mut raw = Raw::log_in(world, "alice").await;
        if !is_in_parts {
            raw.send(&[&[0x81, 0xff, 0, 0, 0, 0, 4, 0, 0, 0], &[0; 4][..]].concat()).await;
        }
        for piece in 0..(64 << 20) / chunk.len() {
            let first = if piece == 0 { 0x01 } else { 0x00 };
            let bytes = if is_in_parts { masked(first, &chunk) } else { chunk.clone() };
            // The broker has left when it has had enough.
            if raw.stream.write_all(&bytes).await.is_err() {
                break;
            }
        }
        let mut alive = world.session("bob").await;
        world.check(alive.check_alive().await.is_ok(), "somebody else is served");
    }
    let mut guest = Raw::connect(world).await;
    guest.text().await;
    guest.send(&[0x81, 0xff, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0]).await;
    refused_as_too_long(world, guest, "64 MiB of a guest").await;
}

async fn refused_as_too_long(world: &World, mut raw: Raw, what: &str) {
    let answer: Value = serde_json::from_str(&raw.text().await).unwrap();
    let is_told =
        answer["data"]["code"] == "frame_too_large" && answer["data"]["details"]["max"] == FRAME_BYTES_MAX;
    world.check(is_told, format!("{what}: {answer}"));
    let reason = raw.closed().await;
    world.check(reason == "frame_too_large", format!("{what}: closed with {reason}"));
}

/// What is no WebSocket ends its connection and no other.
async fn no_websocket(world: &World) {
    let cases: [(&str, &[u8]); 6] = [
        ("no mask", &[0x81, 0x01, b'x']),
        ("reserved bits", &[0xf1, 0x80, 0, 0, 0, 0]),
        ("an unknown kind", &[0x83, 0x80, 0, 0, 0, 0]),
        ("a part of nothing", &[0x80, 0x80, 0, 0, 0, 0]),
        ("a long ping", &[&[0x89, 0xfe, 0, 200, 0, 0, 0, 0][..], &[7; 200]].concat()),
        ("a ping in parts", &[0x09, 0x80, 0, 0, 0, 0]),
    ];
    for (what, bytes) in cases {
        let mut raw = Raw::log_in(world, "alice").await;
        raw.send(bytes).await;
        let reason = raw.closed().await;
        world.check(reason.is_empty(), format!("{what}: closed with {reason}"));
    }
    // Nothing at all, and half a frame, are given up with the connection.
    for bytes in [&b""[..], &[0x81], &[0x81, 0xfe, 1]] {
        let mut raw = Raw::log_in(world, "alice").await;
        raw.send(bytes).await;
        drop(raw);
    }
    let mut alice: Socket = world.session("alice").await;
    world.check(alice.check_alive().await.is_ok(), "the participant is served on another connection");
}
