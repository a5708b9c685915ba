//! How a sandbox starts and ends: the same world each time, and nothing left of it.

use std::net::TcpListener;
use std::process::{Command, Output};
use std::time::Duration;

use domain::primitives::Amount;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::interval;

use super::world::{LIMIT, Sandbox};

const DOCUMENT: &str = include_str!("../../../docs/sandbox.md");

/// What stays the same: everything but where it is reached.
fn world_of(said: &Value) -> Value {
    let mut world = said.clone();
    for url in ["ws_url", "rpc_url"] {
        let shown = world[url].take();
        assert!(shown.as_str().unwrap().starts_with("ws://127.0.0.1:"), "{shown}");
    }
    world
}

async fn is_gone(url: &str) {
    let address = url.trim_start_matches("ws://").trim_end_matches("/ws").to_owned();
    let mut ticks = interval(Duration::from_millis(10));
    let gone = async {
        while TcpStream::connect(&address).await.is_ok() {
            ticks.tick().await;
        }
    };
    tokio::time::timeout(LIMIT, gone).await.expect("it lives on");
}

#[tokio::test]
async fn two_starts_give_the_same_world_which_is_that_of_the_document() {
    let (one, other) = (Sandbox::start().await, Sandbox::start().await);
    assert_eq!(world_of(&one.said), world_of(&other.said));
    assert_ne!(one.text("ws_url"), other.text("ws_url"));
    let block = DOCUMENT.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let shown: Value = serde_json::from_str(block).unwrap();
    assert_eq!(world_of(&shown), world_of(&one.said), "should be {}", one.said);
    let fields = ["ws_url", "rpc_url", "chain_id", "custody", "adjudicator", "broker", "tokens", "accounts"];
    assert_eq!(one.said.as_object().unwrap().len(), fields.len());
    assert!(fields.iter().all(|field| !one.said[field].is_null()), "{}", one.said);
    assert_eq!(one.said["tokens"].as_array().unwrap().len(), 2);
    assert_eq!(one.said["tokens"][0]["decimals"], 6);

    // Everybody has coin and both tokens, the broker in the contract too, and the keys are those of the addresses.
    let (chain, coin) = (one.chain(), domain::primitives::Address::ZERO);
    let head = chain.head().await.unwrap();
    for place in 0..10 {
        let address = one.key(place).address();
        assert_eq!(one.said["accounts"][place]["address"], json!(address));
        for token in [coin, one.token(0).address, one.token(1).address] {
            assert!(chain.balance(address, token, head).await.unwrap() > Amount::ZERO, "{place} {token}");
        }
    }
    assert!(one.said["accounts"][10].is_null());
    one.check_audit().await;

    for (sandbox, signal) in [(one, "-TERM"), (other, "-INT")] {
        let urls = [sandbox.text("rpc_url").to_owned(), sandbox.text("ws_url").to_owned()];
        assert_eq!(sandbox.end(signal), (Some(0), String::new()), "{signal}");
        for url in urls {
            is_gone(&url).await;
        }
    }
}

#[tokio::test]
async fn a_sandbox_that_is_killed_takes_its_chain_along() {
    let sandbox = Sandbox::start().await;
    let url = sandbox.text("rpc_url").to_owned();
    assert_eq!(sandbox.end("-KILL").0, None);
    is_gone(&url).await;
}

fn sandbox(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clearnet"));
    command.arg("sandbox").args(arguments).output().unwrap()
}

#[test]
fn a_port_that_is_taken_is_refused_and_so_is_a_directory_that_was_used() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for flag in ["--port", "--chain-port"] {
        let output = sandbox(&["--json", flag, &port]);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{flag}: {output:?}");
        let said = String::from_utf8_lossy(&output.stderr).to_lowercase();
        assert!(said.contains("address already in use"), "{flag}: {said}");
    }
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("broker.key"), "somebody's").unwrap();
    let output = sandbox(&["--data-dir", directory.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("broker.key exists already"), "{output:?}");
    assert_eq!(std::fs::read(directory.path().join("broker.key")).unwrap(), b"somebody's");
}
