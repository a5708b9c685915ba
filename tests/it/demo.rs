//! The demo and the deployment, run as a guest runs them: every figure of the story is checked.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use clearnet::devnet::{Anvil, AnvilOptions, TOOLS_DIR, anvil_binary};
use domain::primitives::ChainId;
use serde_json::Value;
use tokio::task::spawn_blocking;

/// What each step of the story posts: on which account, credit or debit, in millions.
const STORY: [(&str, &str, i64); 24] = [
    ("custody", "SHIB", -20),
    ("alice direct", "SHIB", 20),
    ("custody", "PEPE", -100),
    ("charlie direct", "PEPE", 100),
    ("alice direct", "SHIB", -5),
    ("charlie direct", "PEPE", -10),
    ("alice room", "SHIB", 5),
    ("charlie room", "PEPE", 10),
    ("alice room", "SHIB", -5),
    ("charlie room", "SHIB", 5),
    ("charlie room", "SHIB", -5),
    ("charlie room", "PEPE", -10),
    ("charlie wallet", "SHIB", 5),
    ("charlie direct", "PEPE", 10),
    ("alice direct", "SHIB", -15),
    ("custody", "SHIB", 15),
    ("charlie wallet", "SHIB", -5),
    ("charlie settled", "SHIB", 5),
    ("charlie settled", "SHIB", -5),
    ("charlie settled", "SHIB", 5),
    ("charlie settled", "SHIB", -5),
    ("custody", "SHIB", 5),
    ("charlie direct", "PEPE", -100),
    ("custody", "PEPE", 100),
];

const MILLION: u128 = 1_000_000_000_000_000_000_000_000;

fn demo(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clearnet"));
    // The broker must not hear of variables that would change its configuration.
    command.env("CLEARNET__SERVER__LISTEN", "nonsense");
    command.args(["demo", "--json"]).args(arguments).output().unwrap()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} in {value}"))
}

/// What an entry is, in the words of [`STORY`].
fn posting(
    line: &Value,
    whose: &BTreeMap<&str, &str>,
    channels: &BTreeMap<&str, &str>,
) -> (String, String, i64) {
    let millions = |key: &str| i64::try_from(text(line, key).parse::<u128>().unwrap() / MILLION).unwrap();
    let symbol = if line["chain_id"] == 137 { "SHIB" } else { "PEPE" };
    let account = match (whose.get(text(line, "participant")), channels.get(text(line, "channel_id"))) {
        (None, None) => "custody".to_owned(),
        (Some(who), Some(channel)) => format!("{who} {channel}"),
        other => panic!("{other:?} in {line}"),
    };
    (account, symbol.to_owned(), millions("credit") - millions("debit"))
}

#[test]
fn the_demo_comes_to_the_right_figures_on_chain_and_in_the_book() {
    let directory = tempfile::tempdir().unwrap();
    let output = demo(&["--data-dir", directory.path().to_str().unwrap()]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let outcome: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(outcome["ok"], true, "{outcome}");
    let million = |count: u128| Value::from((count * MILLION).to_string());
    assert_eq!(outcome["on_chain"]["alice"]["SHIB"], million(15));
    assert_eq!(outcome["on_chain"]["charlie"]["SHIB"], million(5));
    assert_eq!(outcome["on_chain"]["charlie"]["PEPE"], million(100));
    assert_eq!(outcome["audit"]["ok"], true, "{outcome}");
    for law in ["L1", "L1_chain", "L2", "L3", "L7", "L11", "virtual"] {
        assert_eq!(outcome["audit"]["laws"][law]["ok"], true, "{law}: {outcome}");
    }

    let ledger = outcome["ledger"].as_array().unwrap();
    let whose = BTreeMap::from([
        (text(&outcome["participants"], "alice"), "alice"),
        (text(&outcome["participants"], "charlie"), "charlie"),
    ]);
    let wallet = format!("0x{:0>64}", text(&outcome["participants"], "charlie")[2..].to_lowercase());
    // Lines in which a channel is first credited.
    let channel = |line: usize| text(&ledger[line], "channel_id");
    let channels = BTreeMap::from([
        (channel(1), "direct"),
        (channel(3), "direct"),
        (channel(6), "room"),
        (wallet.as_str(), "wallet"),
        (channel(17), "settled"),
    ]);
    assert_eq!(channels.len(), 5, "they are different channels");
    let posted: Vec<_> = ledger.iter().map(|line| posting(line, &whose, &channels)).collect();
    // Alice and Charlie lock at the same time: which is booked first is nobody's business.
    let in_story: Vec<_> = STORY.iter().map(|(a, s, n)| ((*a).to_owned(), (*s).to_owned(), *n)).collect();
    let is_other_order = posted[..4] == [&in_story[2..4], &in_story[..2]].concat()[..];
    let expected =
        if is_other_order { [&in_story[2..4], &in_story[..2], &in_story[4..]].concat() } else { in_story };
    assert_eq!(posted, expected);
    let ids = ledger.iter().map(|line| line["id"].as_u64().unwrap());
    assert!(ids.eq(1..=24));
    let times: Vec<_> = ledger.iter().map(|line| line["created_at"].as_u64().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");

    assert_eq!(outcome["networks"].as_array().unwrap().len(), 2);
    assert!(text(&outcome, "ws_url").starts_with("ws://127.0.0.1:"));
    let database = text(&outcome, "database").strip_prefix("sqlite://").unwrap();
    assert!(Path::new(database).exists(), "{database}");
    assert!(outcome["seconds"].as_f64().unwrap() > 0.0);
    let steps = outcome["steps"].as_array().unwrap();
    assert_eq!(steps.len(), said.lines().filter(|line| line.trim_end().ends_with(" s)")).count(), "{said}");
}

#[test]
fn the_demo_plays_in_no_directory_that_has_a_broker() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("broker.key"), "precious").unwrap();
    let output = demo(&["--data-dir", directory.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("exists already"), "{said}");
    assert_eq!(std::fs::read_to_string(directory.path().join("broker.key")).unwrap(), "precious");
}

/// The first account of the mnemonic that every development chain knows; such a chain gives it coin.
const RICH_KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

#[tokio::test]
async fn deploy_shows_what_stands_on_the_chain_and_goes_into_the_configuration() {
    let chain_id = ChainId::new(31_339);
    let binary = spawn_blocking(|| anvil_binary(Path::new(TOOLS_DIR))).await.unwrap().unwrap();
    let anvil = Anvil::start(&binary, AnvilOptions { chain_id, block_time_secs: None }).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let key_file = directory.path().join("rich.key");
    std::fs::write(&key_file, RICH_KEY).unwrap();
    std::fs::set_permissions(&key_file, Permissions::from_mode(0o600)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_clearnet"));
    command.args(["deploy", "--json", "--rpc-url", &anvil.url(), "--key-file"]).arg(&key_file);
    let output = spawn_blocking(move || command.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let deployed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(deployed["chain_id"], 31_339);
    let address = |key: &str| text(&deployed, key).parse().unwrap();
    let (custody, adjudicator) = (address("custody"), address("adjudicator"));
    let client = anvil.client();
    client.check_contracts(custody, adjudicator, client.head().await.unwrap()).await.unwrap();
    let section: toml::Table = text(&deployed, "config").parse().unwrap();
    let network = &section["networks"][0];
    for key in ["custody", "adjudicator"] {
        assert_eq!(network[key].as_str().unwrap(), text(&deployed, key));
    }
    assert_eq!(network["start_block"].as_integer(), deployed["start_block"].as_i64());
    assert!(!String::from_utf8_lossy(&output.stderr).contains(&RICH_KEY[2..]), "the key is shown to nobody");
}
