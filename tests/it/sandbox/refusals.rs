//! What test mode refuses: bad requests, and to be where money may be worth something.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use super::world::{Sandbox, holds, line};
use crate::session::ask::{Ask, fresh};
use crate::session::document;
use crate::session::socket::Socket;

const SAMPLE: &str = include_str!("../../../config.toml");

#[tokio::test]
async fn bad_requests_are_refused_as_documented_and_have_no_effect() {
    let sandbox = Sandbox::start().await;
    let (key, stranger, broker) = (sandbox.key(0), sandbox.key(1), sandbox.address("broker"));
    let mut socket = Socket::connect(sandbox.text("ws_url")).await;
    socket.log_in(&key).await;
    let usdc = json!(line(sandbox.token(0), 1));
    let with = |field: &str, value: Value| {
        let mut line = usdc.clone();
        line[field] = value;
        line
    };
    let funding = |to: Value, lines: Value| json!({"participant": to, "allocations": lines});
    let zero = json!("0x0000000000000000000000000000000000000000");
    let me = json!(key.address());
    let too_much = json!("340282366920938463463374607431768211456");
    let many: Vec<Value> = (0..257).map(|_| usdc.clone()).collect();
    let bad = [
        ("nobody", funding(zero, json!([usdc])), "invalid_destination"),
        ("the broker", funding(json!(broker), json!([])), "invalid_destination"),
        ("nothing", funding(me.clone(), json!([])), "invalid_amount"),
        ("zero", funding(me.clone(), json!([with("amount", json!("0"))])), "invalid_amount"),
        ("2^128", funding(me.clone(), json!([with("amount", too_much)])), "invalid_amount"),
        ("a token twice", funding(me.clone(), json!([usdc, usdc])), "invalid_amount"),
        ("a strange token", funding(me.clone(), json!([with("token", json!(broker))])), "unknown_token"),
        ("a strange chain", funding(me.clone(), json!([with("chain_id", json!(7))])), "unknown_token"),
        ("a number", funding(me.clone(), json!([with("amount", json!(1))])), "invalid_params"),
        ("another field", funding(me.clone(), json!([with("loud", json!(true))])), "invalid_params"),
        ("too many lines", funding(me.clone(), json!(many)), "invalid_params"),
        ("no lines", json!({"participant": me}), "invalid_params"),
        ("no participant", json!({"allocations": [usdc]}), "invalid_params"),
        ("the other name", json!({"destination": me, "allocations": [usdc]}), "invalid_params"),
    ];
    for (what, params, code) in bad {
        let frame = Ask::new(broker, "test_fund", &params).by(&key).frame();
        let answer = socket.ask(&frame).await;
        assert_eq!(answer["data"]["code"], code, "{what}: {answer}");
        assert!(document::lists(&frame, code), "{what}: the document does not list {code}");
    }
    let right = funding(me, json!([usdc]));
    for (method, params) in [("test_fund", &right), ("test_reset", &json!({}))] {
        let ask = Ask::new(broker, method, params);
        let now = clearnet::clock::now().as_millis();
        let old = Ask::at(broker, fresh(), method, params, now - 120_000);
        let early = Ask::at(broker, fresh(), method, params, now + 120_000);
        let cases = [
            ("unsigned", ask.clone().frame(), "missing_signature"),
            ("by a stranger", ask.clone().by(&stranger).frame(), "unknown_signer"),
            ("by a stranger too", ask.clone().by(&key).by(&stranger).frame(), "unknown_signer"),
            ("twice", ask.by(&key).by(&key).frame(), "duplicate_signer"),
            ("too old", old.by(&key).frame(), "expired"),
            ("too early", early.by(&key).frame(), "early"),
            ("more", Ask::new(broker, method, &json!({"x": 1})).by(&key).frame(), "invalid_params"),
        ];
        for (what, frame, code) in cases {
            let answer = socket.ask(&frame).await;
            assert_eq!(answer["data"]["code"], code, "{method} {what}: {answer}");
        }
    }
    assert_eq!(holds(&mut sandbox.client(0).await).await, [], "nothing was made");

    // The same key with other bytes is another request.
    let at = clearnet::clock::now().as_millis();
    let first = Ask::at(broker, 7, "test_fund", &right, at).by(&key);
    assert_eq!(socket.ask(&first.frame()).await["type"], "rpc");
    let other = Ask::at(broker, 7, "test_reset", &json!({}), at).by(&key);
    assert_eq!(socket.ask(&other.frame()).await["data"]["code"], "conflict");
    assert_eq!(holds(&mut sandbox.client(0).await).await.len(), 1, "nothing was taken");
}

fn clearnet(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clearnet"));
    command.current_dir(directory).env_clear().args(arguments).output().unwrap()
}

#[test]
fn test_mode_is_refused_with_file_line_and_key_where_money_may_be_worth_something() {
    let directory = tempfile::tempdir().unwrap();
    let config = SAMPLE.replace("mode = \"live\"", "mode = \"test\"");
    let line = 1 + config.lines().position(|line| line == "mode = \"test\"").unwrap();
    std::fs::write(directory.path().join("config.toml"), config).unwrap();
    for command in [&["config", "check"][..], &["serve"]] {
        let output = clearnet(directory.path(), command);
        assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        let expected =
            format!("config.toml:{line}: broker.mode: \"test\" needs dev = true on every network, polygon");
        assert!(said.contains(&expected), "{said}");
    }
}
