//! Golden frames: `tests/it/wire/*.json` hold one frame a line, with who sends it.
//!
//! The files are what the story writes, byte for byte, and what is read of them is written the same. To renew
//! them after the wire has changed, run the tests with `WRITE_GOLDEN_FRAMES=1` and look at the difference.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::samples::{
    ANSWERED, ASKED, bob, broker, cosigned, parsed, paying_state, request, response, room_id, sign,
    signed_by_broker, small_address, user,
};
use crate::crypto::{LoginChallenge, LoginText};
use crate::primitives::{Amount, Digest, Timestamp, Version};
use crate::protocol::method::{Method, get_app_sessions, get_assets};
use crate::protocol::notification::Notification;
use crate::protocol::{
    AssetsFrame, Auth, ClientBody, ClientFrame, Code, Details, FrameId, Position, Refusal, RequestId,
    Response, RoomCall, ServerBody, ServerFrame, Stamp,
};

/// The files, by name.
pub(super) type Files = BTreeMap<String, Vec<Line>>;

/// One frame, and who sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    Client(String),
    Server(String),
}

/// All golden frames, as the story writes them.
pub(super) fn files() -> &'static Files {
    static FILES: LazyLock<Files> = LazyLock::new(story);
    &FILES
}

fn story() -> Files {
    let mut files = Files::new();
    files.insert("connection".to_owned(), connection());
    files.insert("room".to_owned(), room());
    files.insert("errors".to_owned(), Code::ALL.iter().map(|code| error(*code)).collect());
    for method in Method::ALL.iter().copied() {
        let frames = vec![
            client(None, ClientBody::Rpc(request(method))),
            server(Some(request(method).id().into()), ServerBody::Rpc(response(method))),
        ];
        files.insert(method.name().to_owned(), frames);
    }
    for (name, example) in Notification::EXAMPLES {
        let notification = Notification::decode(name, example).unwrap().unwrap();
        let told = signed_by_broker(Response::notify(&notification, ANSWERED));
        files.insert(format!("{name}_notification"), vec![server(None, ServerBody::Rpc(told))]);
    }
    files
}

fn client(id: Option<&str>, body: ClientBody) -> Line {
    let id = id.map(|json| FrameId::from_json(json).unwrap());
    Line::Client(ClientFrame { id, body }.encode())
}

fn server(id: Option<FrameId>, body: ServerBody) -> Line {
    Line::Server(ServerFrame { id, body }.encode())
}

fn id(json: &str) -> Option<FrameId> {
    Some(FrameId::from_json(json).unwrap())
}

pub(super) fn login() -> LoginText {
    LoginText {
        broker: broker().address(),
        challenge: LoginChallenge::from_bytes([0x5f; 32]),
        expires_at: Timestamp::from_millis(1_700_000_060_000),
    }
}

fn connection() -> Vec<Line> {
    let assets: get_assets::Reply = parsed(Method::GetAssets.reply_example());
    let assets = AssetsFrame::new(&assets, Timestamp::from_millis(1_700_000_000_000));
    let signature = sign(&broker(), &assets.text());
    let (address, broker_address) = (user().address(), broker().address());
    vec![
        Line::Server(assets.encode(signature)),
        client(Some("1"), ClientBody::Auth(Auth::default())),
        server(
            id("1"),
            ServerBody::AuthChallenge { message: login().to_string(), expires_at: login().expires_at },
        ),
        client(Some("2"), ClientBody::Auth(Auth::answer(&login(), &user()))),
        server(id("2"), ServerBody::AuthSuccess { address, broker_address, session_key: None }),
        client(Some("\"beat-1\""), ClientBody::Ping),
        server(id("\"beat-1\""), ServerBody::Pong { timestamp: ASKED }),
        client(None, ClientBody::Ping),
        server(None, ServerBody::Pong { timestamp: ANSWERED }),
    ]
}

fn room() -> Vec<Line> {
    let channel = room_id();
    let stamp = |seq, key: &crate::crypto::SigningKey| Stamp { seq, timestamp: ASKED, sender: key.address() };
    let data = || parsed::<Box<RawValue>>(r#"{"say":"hello"}"#);
    let number = RequestId::new(1).unwrap();
    let call = RoomCall::request(channel, number, "move", &serde_json::json!({ "cell": 4 }), ASKED);
    let call = {
        let text = call.text();
        call.signed(sign(&bob(), &text))
    };
    let answer = RoomCall::response(channel, number, "move", &serde_json::json!({ "ok": true }), ANSWERED);
    let answer = {
        let text = answer.text();
        answer.signed(sign(&user(), &text))
    };
    let at = |seq| Position { epoch: 7, seq };
    vec![
        client(Some("3"), ClientBody::Subscribe { channel, after: None }),
        server(id("3"), ServerBody::Subscribed { channel, newest: at(41), recovered: false }),
        client(Some("4"), ClientBody::Publish { channel, data: data() }),
        server(id("4"), ServerBody::Published { channel, seq: 42, timestamp: ASKED }),
        server(None, ServerBody::Message { channel, stamp: stamp(42, &user()), data: data() }),
        client(Some("5"), ClientBody::Unsubscribe { channel }),
        server(id("5"), ServerBody::Unsubscribed { channel }),
        client(Some("6"), ClientBody::Subscribe { channel, after: Some(at(41)) }),
        server(id("6"), ServerBody::Subscribed { channel, newest: at(42), recovered: true }),
        client(Some("7"), ClientBody::RoomRpc(call.clone())),
        server(id("7"), ServerBody::Published { channel, seq: 43, timestamp: ASKED }),
        server(None, ServerBody::RoomRpc { stamp: stamp(43, &bob()), call }),
        client(Some("8"), ClientBody::RoomRpc(answer.clone())),
        server(id("8"), ServerBody::Published { channel, seq: 44, timestamp: ASKED }),
        server(None, ServerBody::RoomRpc { stamp: stamp(44, &user()), call: answer }),
    ]
}

/// The room of the story.
fn shown_room() -> get_app_sessions::AppSession {
    let mut reply: get_app_sessions::Reply = parsed(Method::GetAppSessions.reply_example());
    reply.app_sessions.remove(0)
}

/// An error with every figure that its code may have.
fn error(code: Code) -> Line {
    let mut details = Details::default();
    for field in code.details() {
        match *field {
            "field" => details.field = Some("allocations[0].amount".to_owned()),
            "expected_digest" => details.expected_digest = Some(Digest::from_bytes([0xd1; 32])),
            "recovered" => details.recovered = Some(bob().address()),
            "position" => details.position = Some(0),
            "participant" => details.participant = Some(user().address()),
            "channel_id" => details.channel_id = Some(room_id()),
            "chain_id" => details.chain_id = Some(super::samples::CHAIN),
            "token" => details.token = Some(small_address(0xbb)),
            "asset" => details.asset = Some("usdc".parse().unwrap()),
            "available" => details.available = Some(Amount::from(5_000_000_u64)),
            "requested" => details.requested = Some(Amount::from(6_000_000_u64)),
            "current" => details.current = Some(cosigned(&paying_state())),
            "app_session" => details.app_session = Some(shown_room()),
            "current_version" => details.current_version = Version::new(3),
            "reached" => details.reached = Some(50),
            "required" => details.required = Some(100),
            "min" => details.min = Some(3_600),
            "max" => details.max = Some(2_592_000),
            "now" => details.now = Some(ANSWERED),
            other => panic!("{code} has {other} in its details, which nothing has"),
        }
    }
    let refusal = Refusal::new(code);
    let refusal = if code.details().is_empty() { refusal } else { refusal.with(details) };
    let refusal = if code == Code::RateLimited { refusal.retry_after_ms(250) } else { refusal };
    server(id("9"), ServerBody::Error(refusal))
}

fn directory() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "tests", "it", "wire"].iter().collect()
}

fn written(lines: &[Line]) -> String {
    let line = |line: &Line| match line {
        Line::Client(frame) => format!("{{\"from\":\"client\",\"frame\":{frame}}}"),
        Line::Server(frame) => format!("{{\"from\":\"server\",\"frame\":{frame}}}"),
    };
    format!("[\n{}\n]\n", lines.iter().map(line).collect::<Vec<_>>().join(",\n"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    from: String,
    frame: Box<RawValue>,
}

/// All golden frames, as the files have them.
pub(super) fn read() -> Files {
    let mut files = Files::new();
    for file in std::fs::read_dir(directory()).unwrap() {
        let path = file.unwrap().path();
        let entries: Vec<Entry> = parsed(&std::fs::read_to_string(&path).unwrap());
        let line = |Entry { from, frame }: Entry| match from.as_str() {
            "client" => Line::Client(frame.get().to_owned()),
            "server" => Line::Server(frame.get().to_owned()),
            other => panic!("nobody is called {other}"),
        };
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        files.insert(name, entries.into_iter().map(line).collect());
    }
    files
}

#[test]
fn golden_frames_are_what_the_story_writes() {
    let expected = files();
    if std::env::var_os("WRITE_GOLDEN_FRAMES").is_some() {
        std::fs::create_dir_all(directory()).unwrap();
        for (name, lines) in expected {
            std::fs::write(directory().join(format!("{name}.json")), written(lines)).unwrap();
        }
    }
    for (name, lines) in expected {
        let text = std::fs::read_to_string(directory().join(format!("{name}.json"))).unwrap();
        assert_eq!(text, written(lines), "{name}.json");
    }
    assert_eq!(read().keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
}

#[test]
fn golden_frames_are_read_and_written_byte_for_byte() {
    for (name, lines) in read() {
        for line in lines {
            match line {
                Line::Client(text) => {
                    let mut frame = ClientFrame::decode_bytes(text.as_bytes()).unwrap();
                    if let (ClientBody::Rpc(request), Some(id)) = (&frame.body, &frame.id) {
                        assert_eq!(
                            *id,
                            request.id().into(),
                            "an rpc frame without id has that of its request"
                        );
                        frame.id = None;
                    }
                    assert_eq!(frame.encode(), text, "{name}");
                }
                Line::Server(text) => match ServerFrame::decode(&text).unwrap() {
                    Some(frame) => assert_eq!(frame.encode(), text, "{name}"),
                    None => assert_eq!(AssetsFrame::decode(&text).unwrap().assets.len(), 1),
                },
            }
        }
    }
}

/// What the session needs from a golden request is what went into it.
#[test]
fn golden_requests_and_responses_carry_their_calls_and_replies() {
    for method in Method::ALL.iter().copied() {
        let lines = &read()[method.name()];
        let [Line::Client(asked), Line::Server(answered)] = lines.as_slice() else { panic!("{lines:?}") };
        let frame = ClientFrame::decode(asked).unwrap();
        let ClientBody::Rpc(request) = frame.body else { panic!("{asked}") };
        let call = request.call().unwrap();
        assert_eq!(serde_json::to_string(&call).unwrap(), method.params_example());
        assert_eq!((request.method(), request.at()), (method.name(), ASKED));
        let frame = ServerFrame::decode(answered).unwrap().unwrap();
        let ServerBody::Rpc(response) = &frame.body else { panic!("{answered}") };
        assert_eq!(response.id(), Some(request.id()));
        assert_eq!(frame.id, Some(request.id().into()));
        assert!(response.res().contains(method.reply_example()));
        assert!(response.notification().unwrap().is_none());
    }
    for (name, example) in Notification::EXAMPLES {
        let lines = &read()[&format!("{name}_notification")];
        let [Line::Server(told)] = lines.as_slice() else { panic!("{lines:?}") };
        let ServerBody::Rpc(response) = ServerFrame::decode(told).unwrap().unwrap().body else {
            panic!("{told}")
        };
        assert_eq!(response.id(), None);
        let notification = response.notification().unwrap().unwrap();
        assert_eq!(serde_json::to_string(&notification).unwrap(), *example);
    }
}
