//! Frames: their size, form and type, before anybody asks what they want.

use domain::protocol::{FRAME_BYTES_MAX, FRAMES_AT_ONCE_MAX, MESSAGE_BYTES_MAX};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::socket::Socket;
use super::world::World;
use crate::harness::database::{Database, on_every_database};

const CHANNEL: &str = "0x7d1309069e73f9b397df2ac3d70850b8ccf8fbb9e4cc3e816fc98a44443c7cac";

/// Frames of a session that is logged in, and what they are refused with.
const REFUSED: [(&str, &str); 36] = [
    ("", "malformed_frame"),
    ("hello", "malformed_frame"),
    ("[1]", "malformed_frame"),
    (r#""ping""#, "malformed_frame"),
    (r#"{"type":"ping""#, "malformed_frame"),
    (r#"{"type":"ping"} {}"#, "malformed_frame"),
    (r#"{"type":"ping","type":"ping"}"#, "malformed_frame"),
    ("{}", "invalid_frame"),
    (r#"{"type":null}"#, "invalid_frame"),
    (r#"{"type":7}"#, "invalid_frame"),
    (r#"{"type":"dance"}"#, "unknown_type"),
    (r#"{"type":"PING"}"#, "unknown_type"),
    (r#"{"type":"auth_success"}"#, "unknown_type"),
    (r#"{"type":"ping","id":1.5}"#, "invalid_frame"),
    (r#"{"type":"ping","id":{}}"#, "invalid_frame"),
    (
        r#"{"type":"ping","id":"0123456789012345678901234567890123456789012345678901234567890123456789"}"#,
        "invalid_frame",
    ),
    (r#"{"type":"subscribe"}"#, "invalid_frame"),
    (r#"{"type":"subscribe","channel":"0x12"}"#, "invalid_frame"),
    (r#"{"type":"unsubscribe","channel":"seven"}"#, "invalid_frame"),
    (r#"{"type":"publish","data":1}"#, "invalid_frame"),
    (r#"{"type":"rpc","data":[]}"#, "invalid_envelope"),
    (r#"{"type":"rpc","data":{"sig":[]}}"#, "invalid_envelope"),
    (r#"{"type":"rpc","data":{"req":{}}}"#, "invalid_envelope"),
    (r#"{"type":"rpc","data":{"req":[1,"ping",{}]}}"#, "invalid_envelope"),
    (r#"{"type":"rpc","data":{"req":[0,"ping",{},1]}}"#, "invalid_envelope"),
    (r#"{"type":"rpc","data":{"req":[9007199254740992,"ping",{},1]}}"#, "invalid_envelope"),
    (r#"{"type":"rpc","data":{"req":["1","ping",{},1]}}"#, "invalid_envelope"),
    (r#"{"type":"rpc","data":{"req":[1.0,"ping",{},1]}}"#, "invalid_envelope"),
    (r#"{"type":"rpc","data":{"req":[1,"ping",{},1e3]}}"#, "invalid_envelope"),
    (r#"{"type":"rpc","data":{"req":[1,"ping",{},-1]}}"#, "invalid_envelope"),
    (r#"{"type":"rpc","data":{"req":[1,"ping",[],1]}}"#, "invalid_envelope"),
    (r#"{"type":"rpc","data":{"req":[1,"steal",{},1]}}"#, "unknown_method"),
    // Not in test mode: not even their parameters are looked at.
    (r#"{"type":"rpc","data":{"req":[1,"test_fund",{},1]}}"#, "unknown_method"),
    (r#"{"type":"rpc","data":{"req":[1,"test_reset",{},1]}}"#, "unknown_method"),
    (r#"{"type":"rpc","data":{"req":[1,"test_reset",{"loud":true},1]}}"#, "unknown_method"),
    (r#"{"type":"rpc","data":{"req":[1,"ping",{"loud":true},1]}}"#, "invalid_params"),
];

on_every_database!(frames_are_refused_by_their_form_without_effect);

async fn frames_are_refused_by_their_form_without_effect(database: Database) {
    let world = World::start(database, 3_600).await;
    let mut alice = world.session("alice").await;
    for (frame, code) in REFUSED {
        world.refused(&mut alice, frame, frame, code).await;
    }
    for depth in [33, 40_000] {
        let bomb = format!(r#"{{"type":"ping","data":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
        world.refused(&mut alice, "a depth bomb", &bomb, "frame_too_deep").await;
        let bomb = format!(r#"{{"type":"ping","data":{}"#, r#"{"a":"#.repeat(depth));
        world.refused(&mut alice, "an unfinished depth bomb", &bomb, "frame_too_deep").await;
    }
    let long = "x".repeat(MESSAGE_BYTES_MAX - 1);
    let publish = format!(r#"{{"type":"publish","channel":"{CHANNEL}","data":"{long}"}}"#);
    world.refused(&mut alice, "a long message", &publish, "message_too_large").await;
    kinds_of_frames(&world).await;
    sizes(&world).await;
    other_dialect(&world).await;
    flood(&world).await;
    world.finish().await;
}

fn part(text: &str, kind: Data, is_last: bool) -> Message {
    Message::Frame(Frame::message(text.as_bytes().to_vec(), OpCode::Data(kind), is_last))
}

/// Binary frames, and frames in parts.
async fn kinds_of_frames(world: &World) {
    let mut alice = world.session("alice").await;
    alice.send(Message::Binary(br#"{"type":"ping"}"#.to_vec())).await;
    let answer = alice.reply().await;
    world.check(answer["data"]["code"] == "binary_frame", &answer);
    world.check(alice.check_alive().await.is_ok(), "a session after a binary frame");

    alice.send(part(r#"{"type":"pi"#, Data::Text, false)).await;
    alice.send(part(r#"ng","i"#, Data::Continue, false)).await;
    // Control frames may come in between.
    alice.send(Message::Ping(vec![1])).await;
    alice.send(part(r#"d":"in parts"}"#, Data::Continue, true)).await;
    let answer = alice.reply().await;
    world.check(answer["type"] == "pong" && answer["id"] == "in parts", &answer);

    alice.send(part(r#"{"type":"pi"#, Data::Binary, false)).await;
    alice.send(part(r#"ng"}"#, Data::Continue, true)).await;
    let answer = alice.reply().await;
    world.check(answer["data"]["code"] == "binary_frame", &answer);
    let alive = alice.check_alive().await;
    world.check(alive.is_ok(), format!("one answer to a binary frame in parts, then {alive:?}"));

    alice.send(Message::Frame(Frame::message(vec![b'"', 0xff, b'"'], OpCode::Data(Data::Text), false))).await;
    alice.send(part("", Data::Continue, true)).await;
    let answer = alice.reply().await;
    world.check(answer["data"]["code"] == "malformed_frame", &answer);
    world.check(alice.check_alive().await.is_ok(), "a session after a frame that is not UTF-8");
}

/// What is as large as a frame may be is answered; one byte more ends the connection.
async fn sizes(world: &World) {
    let mut alice = world.session("alice").await;
    let of_size = |size: usize| {
        let (before, after) = (r#"{"type":"ping","data":""#, r#""}"#);
        format!("{before}{}{after}", "x".repeat(size - before.len() - after.len()))
    };
    let answer = alice.ask(&of_size(FRAME_BYTES_MAX)).await;
    world.check(answer["type"] == "pong", &answer);
    let answer = alice.ask(&of_size(FRAME_BYTES_MAX + 1)).await;
    world.check(answer["data"]["code"] == "frame_too_large", &answer);
    world.check(answer["data"]["details"]["max"] == FRAME_BYTES_MAX, &answer);
    let reason = alice.closed().await;
    world.check(reason == "frame_too_large", format!("closed with {reason}"));

    let mut alice = world.session("alice").await;
    let half = "x".repeat(FRAME_BYTES_MAX / 2 + 1);
    alice.send(part(&half, Data::Text, false)).await;
    alice.send(part(&half, Data::Continue, true)).await;
    let answer = alice.reply().await;
    world.check(answer["data"]["code"] == "frame_too_large", &answer);
    let reason = alice.closed().await;
    world.check(reason == "frame_too_large", format!("closed with {reason}"));
}

async fn other_dialect(world: &World) {
    for frame in [r#"{"req":[1,"ping",{},1],"sig":[]}"#, r#"{"req":[1,"get_config",[],1]}"#] {
        let mut guest = Socket::connect(&world.url).await;
        let answer = guest.ask(frame).await;
        world.check(answer["data"]["code"] == "unsupported_dialect", &answer);
        let reason = guest.closed().await;
        world.check(reason == "unsupported_dialect", format!("closed with {reason}"));
    }
}

/// Who sends too fast is told to wait, and loses nothing but what was refused; others do not notice.
async fn flood(world: &World) {
    let (mut alice, mut bob) = (world.session("alice").await, world.session("bob").await);
    let frames = 3 * FRAMES_AT_ONCE_MAX;
    for _ in 0..frames {
        alice.send(Message::Text(r#"{"type":"ping"}"#.to_owned())).await;
    }
    world.check(bob.check_alive().await.is_ok(), "somebody else is served");
    let (mut pongs, mut refused) = (0, 0);
    for _ in 0..frames {
        let answer = alice.reply().await;
        if answer["type"] == "pong" {
            pongs += 1;
        } else {
            let is_told = answer["data"]["code"] == "rate_limited"
                && answer["data"]["retryable"] == true
                && answer["data"]["retry_after_ms"].as_u64().is_some_and(|pause| pause > 0);
            world.check(is_told, &answer);
            refused += 1;
        }
    }
    world.check(pongs >= FRAMES_AT_ONCE_MAX && refused > 0, format!("{pongs} answered, {refused} refused"));
    let again = async { while alice.check_alive().await.is_err() {} };
    let limit = std::time::Duration::from_secs(20);
    world.check(tokio::time::timeout(limit, again).await.is_ok(), "who has waited is served again");
}
