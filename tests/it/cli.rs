//! The program itself, run as an operator runs it.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

const SAMPLE: &str = include_str!("../../config.toml");
/// The first account of the mnemonic that every development chain knows.
const KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const ADDRESS: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

/// A directory with the sample as `config.toml`.
fn directory() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("config.toml"), SAMPLE).unwrap();
    directory
}

/// Runs the program with these variables and no others.
fn clearnet(directory: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clearnet"));
    command.current_dir(directory).env_clear().envs(variables.iter().copied());
    command.args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> &str {
    assert!(output.status.success(), "{output:?}");
    std::str::from_utf8(&output.stdout).unwrap()
}

/// What a failed run says; it leaves stdout empty.
fn stderr(output: &Output) -> &str {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    std::str::from_utf8(&output.stderr).unwrap()
}

#[test]
fn a_made_key_is_the_brokers() {
    let directory = directory();
    let made = clearnet(directory.path(), &[], &["keygen", "--json"]);
    let made: Value = serde_json::from_str(stdout(&made)).unwrap();
    assert_eq!(made["key_file"], "broker.key");
    assert_eq!(made.as_object().unwrap().len(), 2);
    let mode = std::fs::metadata(directory.path().join("broker.key")).unwrap().mode();
    assert_eq!(mode & 0o7777, 0o600);
    let checked = clearnet(directory.path(), &[], &["config", "check", "--offline", "--json"]);
    let checked: Value = serde_json::from_str(stdout(&checked)).unwrap();
    assert_eq!(checked["broker"]["address"], made["address"]);
    assert_eq!(checked["broker"]["key_file"], "broker.key");
}

#[test]
fn keygen_shows_the_address_and_never_the_key() {
    let directory = directory();
    let output = clearnet(directory.path(), &[("RUST_LOG", "trace")], &["keygen", "--out", "mine"]);
    let text = stdout(&output);
    assert!(text.starts_with("address   0x") && text.ends_with("\nkey file  mine\n"), "{text}");
    let key = std::fs::read_to_string(directory.path().join("mine")).unwrap();
    assert_eq!(key.len(), 67, "0x, 64 digits and the end of the line");
    let shown = format!("{output:?}");
    assert!(!shown.contains(key.trim().trim_start_matches("0x")), "{shown}");
}

#[test]
fn keygen_does_not_overwrite() {
    let directory = directory();
    std::fs::write(directory.path().join("broker.key"), "precious").unwrap();
    let output = clearnet(directory.path(), &[], &["keygen"]);
    assert_eq!(stderr(&output), "error: broker.key exists already, a key is never overwritten\n");
    assert_eq!(std::fs::read_to_string(directory.path().join("broker.key")).unwrap(), "precious");
}

#[test]
fn config_check_shows_what_it_comes_to_and_that_it_asked_nobody() {
    let directory = directory();
    let variables = [("CLEARNET__BROKER__PRIVATE_KEY", KEY)];
    let output = clearnet(directory.path(), &variables, &["config", "check", "--offline"]);
    let expected = format!(
        "config.toml is valid\n\
         \n\
         broker    {ADDRESS}\n\
         key       CLEARNET__BROKER__PRIVATE_KEY\n\
         mode      live\n\
         database  sqlite:data/clearnet.db\n\
         listen    127.0.0.1:8000\n\
         \n\
         network polygon, chain 137\n  \
           node           wss://polygon.rpc.example\n  \
           custody        0x1000000000000000000000000000000000000001\n  \
           adjudicator    0x1000000000000000000000000000000000000002\n  \
           confirmations  128\n  \
           challenge      86400 to 2592000 seconds\n  \
           logs from      block 0\n\
         \n\
         network base, chain 8453\n  \
           node           wss://base.rpc.example\n  \
           custody        0x2000000000000000000000000000000000000001\n  \
           adjudicator    0x2000000000000000000000000000000000000002\n  \
           confirmations  60\n  \
           challenge      86400 to 2592000 seconds\n  \
           logs from      block 0\n\
         \n\
         asset usdc, 6 decimals\n  \
           chain 137  0x1000000000000000000000000000000000000003  6 decimals\n  \
           chain 8453  0x2000000000000000000000000000000000000003  6 decimals\n\
         \n\
         Only the offline checks ran: no node was asked, no contract seen, no database opened.\n"
    );
    assert_eq!(stdout(&output), expected);
    assert!(!directory.path().join("data").exists());
}

#[test]
fn config_check_speaks_json() {
    let directory = directory();
    let variables = [("CLEARNET__BROKER__PRIVATE_KEY", KEY)];
    let output = clearnet(
        directory.path(),
        &variables,
        &["config", "check", "--offline", "--json", "--listen", "[::1]:0"],
    );
    let summary: Value = serde_json::from_str(stdout(&output)).unwrap();
    assert_eq!(summary["checks"], "offline");
    assert_eq!(summary["broker"]["address"], ADDRESS);
    assert_eq!(summary["broker"]["key_file"], Value::Null);
    assert_eq!(summary["listen"], "[::1]:0");
    assert_eq!(summary["networks"][1]["name"], "base");
    assert_eq!(summary["networks"][1]["chain_id"], 8453);
    assert_eq!(summary["assets"][0]["tokens"][0]["chain_id"], 137);
}

#[test]
fn config_check_tells_every_problem_on_a_line_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let text = SAMPLE.replace("chain_id = 8453", "chain_id = 137").replace("confirmations", "confirmation");
    std::fs::write(directory.path().join("other.toml"), text).unwrap();
    let variables = [("CLEARNET__SERVER__PORT", "1")];
    let output = clearnet(directory.path(), &variables, &["config", "check", "--config", "other.toml"]);
    let text = stderr(&output);
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("error: invalid configuration, 6 problems found:"), "{text}");
    let line_of = |needle: &str| 1 + SAMPLE.lines().position(|line| line == needle).unwrap();
    let duplicate = line_of("chain_id = 8453");
    let duplicate =
        format!("other.toml:{duplicate}: networks[1].chain_id: already used by networks[0].chain_id");
    assert!(text.lines().any(|line| line == duplicate), "{text}");
    let unknown = line_of("confirmations = 128");
    let unknown =
        format!("other.toml:{unknown}: networks[0].confirmation: unknown key, did you mean confirmations?");
    assert!(text.lines().any(|line| line == unknown), "{text}");
    assert_eq!(lines.next_back(), Some("CLEARNET__SERVER__PORT: unknown variable"));
    assert_eq!(lines.count(), 5);
}

#[test]
fn config_check_needs_the_key_and_does_not_show_what_it_found_instead() {
    let directory = directory();
    let missing = clearnet(directory.path(), &[], &["config", "check", "--offline"]);
    let text = stderr(&missing);
    assert!(text.starts_with("error: cannot read key file broker.key: No such file"), "{text}");
    let variables = [("CLEARNET__BROKER__PRIVATE_KEY", "0xcorrecthorse"), ("RUST_LOG", "trace")];
    let wrong = clearnet(directory.path(), &variables, &["config", "check", "--offline"]);
    let expected = "error: no private key in CLEARNET__BROKER__PRIVATE_KEY: malformed hex digits\n";
    assert_eq!(stderr(&wrong), expected);
}

#[test]
fn a_missing_configuration_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let output = clearnet(directory.path(), &[], &["config", "check", "--offline"]);
    let text = stderr(&output);
    assert!(text.starts_with("error: cannot read config.toml: No such file"), "{text}");
}

/// What an operator can get wrong, and what `serve` says: the file, the line and the key. Nothing is started.
#[test]
fn serve_starts_nothing_with_a_wrong_configuration() {
    const TOKEN: &str = "address = \"0x1000000000000000000000000000000000000003\"";
    let cases = [
        ("listen = ", "listn = ", "server.listn: unknown key, did you mean listen?"),
        ("listen = ", "zzz = ", "server.zzz: unknown key, known are listen"),
        ("name = \"base\"", "name = \"polygon\"", "networks[1].name: already used by networks[0].name"),
        ("chain_id = 8453", "chain_id = 137", "networks[1].chain_id: already used by networks[0].chain_id"),
        (
            "custody = \"0x2000000000000000000000000000000000000001\"",
            "custody = \"0xFB6916095ca1df60bB79Ce92cE3Ea74c37c5d359\"",
            "networks[1].custody: address checksum does not match, \
             expected 0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        ),
        ("symbol = \"usdc\"\n# How", "# How", "assets[0].symbol: missing"),
        (
            "[[assets.tokens]]\nnetwork = \"base\"\naddress = \"0x2000000000000000000000000000000000000003\"",
            &format!("[[assets.tokens]]\nnetwork = \"polygon\"\n{TOKEN}"),
            "assets[0].tokens[1].address: already used by assets[0].tokens[0].address",
        ),
    ];
    for (right, wrong, said) in cases {
        let directory = directory();
        assert_eq!(SAMPLE.matches(right).count(), 1, "{right}");
        let text = SAMPLE.replace(right, wrong);
        std::fs::write(directory.path().join("config.toml"), &text).unwrap();
        let variables = [("CLEARNET__BROKER__PRIVATE_KEY", KEY)];
        let output = clearnet(directory.path(), &variables, &["serve"]);
        let shown = stderr(&output);
        let line =
            shown.lines().find(|line| line.ends_with(said)).unwrap_or_else(|| panic!("{said}\n{shown}"));
        let number: usize =
            line.strip_prefix("config.toml:").unwrap().split(':').next().unwrap().parse().unwrap();
        let key = said.split(':').next().unwrap().rsplit('.').next().unwrap();
        let there = text.lines().nth(number - 1).unwrap();
        assert!(there.starts_with(key) || there.starts_with("[["), "{line}\n{there}");
        assert!(!directory.path().join("data").exists(), "{said}");
    }
}
