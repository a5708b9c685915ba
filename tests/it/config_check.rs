//! `clearnet config check` as an operator runs it: against real nodes, contracts, tokens and databases.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use clearnet::devnet::{
    Anvil, AnvilOptions, ChainPlan, LocalChain, TOOLS_DIR, TokenPlan, anvil_binary, config_sections, dev_key,
};
use clearnet::signer::create_key_file;
use domain::crypto::keccak256;
use domain::primitives::{ChainId, Digest};
use sea_orm::ConnectionTrait as _;
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::database::Database;

/// A chain with our contracts and a token, and a directory with a configuration that is right.
struct World {
    anvil: Anvil,
    chain: LocalChain,
    directory: TempDir,
    config: String,
}

impl World {
    async fn start() -> Self {
        let binary =
            tokio::task::spawn_blocking(|| anvil_binary(Path::new(TOOLS_DIR))).await.unwrap().unwrap();
        let options = AnvilOptions { chain_id: ChainId::new(137), block_time_secs: None };
        let anvil = Anvil::start(&binary, options).await.unwrap();
        let token = TokenPlan { symbol: "SHIB".to_owned(), decimals: 6 };
        let plan = ChainPlan { name: "polygon".to_owned(), tokens: vec![token] };
        let chain = LocalChain::build(anvil.client().clone(), plan, dev_key("check treasury")).await.unwrap();
        let directory = TempDir::new().unwrap();
        create_key_file(&directory.path().join("broker.key")).unwrap();
        let coin = "[[assets]]\nsymbol = \"coin\"\ndecimals = 18\n[[assets.tokens]]\nnetwork = \"polygon\"\n\
                    address = \"0x0000000000000000000000000000000000000000\"\ndecimals = 18\n";
        let config = config_sections(&[(&chain, anvil.url())]) + coin;
        Self { anvil, chain, directory, config }
    }

    /// Runs the check with this configuration and this database.
    async fn check(&self, config: &str, database: &str, arguments: &[&str]) -> Output {
        let path = self.directory.path().join("config.toml");
        std::fs::write(&path, config).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_clearnet"));
        command.current_dir(self.directory.path()).env_clear().env("CLEARNET__DATABASE__URL", database);
        command.args(["config", "check"]).args(arguments);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// What each check has found; `Err` for those that failed. The exit code must say the same.
    async fn results(&self, config: &str, database: &str) -> BTreeMap<String, Result<String, String>> {
        let output = self.check(config, database, &["--json"]).await;
        let outcome: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
        assert_eq!(outcome["checks"], "online");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let results: BTreeMap<_, _> = outcome["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|check| {
                let found = if check["ok"] == true {
                    Ok(text(&check["reason"]))
                } else {
                    Err(text(&check["reason"]))
                };
                (text(&check["check"]), found)
            })
            .collect();
        let is_ok = results.values().all(Result::is_ok);
        assert_eq!(outcome["ok"], is_ok, "{outcome}");
        assert_eq!(output.status.code(), Some(i32::from(!is_ok)), "{output:?}");
        results
    }
}

#[actix::test]
async fn everything_that_is_right_is_told_and_nothing_is_changed() {
    let world = World::start().await;
    let output = world.check(&world.config, "sqlite:book.db", &[]).await;
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let shib = world.chain.token("SHIB").unwrap().address;
    let lines: Vec<&str> = text.lines().collect();
    for (check, reason) in [
        ("key", "signs as 0x"),
        ("database", "there is no book yet: `clearnet serve` makes it"),
        ("polygon: node", "chain 137, block "),
        ("polygon: contracts", "custody and adjudicator are this program's"),
        (&format!("polygon: SHIB {shib}"), "6 decimals"),
        ("polygon: coin 0x0000000000000000000000000000000000000000", "18 decimals"),
    ] {
        let is_it = |line: &&&str| {
            line.strip_prefix(check)
                .is_some_and(|rest| rest.trim_start().starts_with("ok") && rest.contains(reason))
        };
        assert_eq!(lines.iter().filter(is_it).count(), 1, "{check}\n{text}");
    }
    assert_eq!(lines.last(), Some(&"All 6 checks passed."));
    let mut files: Vec<_> =
        std::fs::read_dir(world.directory.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["broker.key", "config.toml"]);
}

/// A dead node, a node of another chain, contracts that are not ours, and tokens that are none or count otherwise:
/// each is told, none hides another.
#[actix::test]
async fn each_thing_that_is_wrong_is_told_and_hides_no_other() {
    let world = World::start().await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let network = |name: &str, chain_id: u64, url: &str| {
        format!(
            "[[networks]]\nname = \"{name}\"\nchain_id = {chain_id}\nrpc_url = \"{url}\"\n\
             custody = \"0x1000000000000000000000000000000000000001\"\n\
             adjudicator = \"0x1000000000000000000000000000000000000002\"\nconfirmations = 1\n"
        )
    };
    let dead = network("dead", 1, &format!("ws://me:hunter2@{closed}/provider-key?k=secret-query"));
    let other = network("other", 2, &world.anvil.url());
    let mut config = format!("{dead}{other}{}", world.config);
    let shib = world.chain.token("SHIB").unwrap().address;
    let adjudicator = world.chain.deployed().adjudicator;
    for (symbol, network, address, decimals) in [
        ("none", "polygon", "0x1000000000000000000000000000000000000003", 6),
        ("odd", "polygon", &*adjudicator.to_string(), 6),
        ("lost", "dead", "0x1000000000000000000000000000000000000003", 6),
    ] {
        config += &format!(
            "[[assets]]\nsymbol = \"{symbol}\"\ndecimals = 6\n[[assets.tokens]]\nnetwork = \"{network}\"\n\
             address = \"{address}\"\ndecimals = {decimals}\n"
        );
    }
    let config = config.replace(
        "address = \"0x0000000000000000000000000000000000000000\"\ndecimals = 18",
        "address = \"0x0000000000000000000000000000000000000000\"\ndecimals = 6",
    );
    let config = config.replace(
        &format!("address = \"{shib}\"\ndecimals = 6"),
        &format!("address = \"{shib}\"\ndecimals = 8"),
    );
    let found = world.results(&config, "postgres://me:hunter2@127.0.0.1:1/book").await;
    let failed = |check: &str, reason: &str| {
        let said = found.get(check).unwrap_or_else(|| panic!("no {check}: {found:?}"));
        assert!(said.as_ref().is_err_and(|said| said.contains(reason)), "{check}: {said:?}");
    };
    assert!(found["key"].is_ok());
    failed("database", "refused");
    failed("dead: node", "node cannot be reached");
    failed("dead: contracts", "not looked at, since the node failed");
    failed("dead: lost 0x1000000000000000000000000000000000000003", "not looked at, since the node failed");
    failed("other: node", "node serves chain 137, expected 2");
    failed("other: contracts", "not looked at, since the node failed");
    assert_eq!(found["polygon: contracts"], Ok("custody and adjudicator are this program's".to_owned()));
    failed(&format!("polygon: SHIB {shib}"), "counts with 6 decimals, configured are 8");
    failed(
        "polygon: coin 0x0000000000000000000000000000000000000000",
        "counts with 18 decimals, configured are 6",
    );
    failed("polygon: none 0x1000000000000000000000000000000000000003", "does not answer decimals");
    assert!(found[&format!("polygon: odd {adjudicator}")].is_err());
    let shown = format!("{:?}", world.check(&config, "postgres://me:hunter2@127.0.0.1:1/book", &[]).await);
    for secret in ["hunter2", "provider-key", "secret-query"] {
        assert!(!shown.contains(secret) && !format!("{found:?}").contains(secret), "{secret}: {shown}");
    }
    // The key is one check among others.
    std::fs::remove_file(world.directory.path().join("broker.key")).unwrap();
    let custody = format!("custody = \"{}\"", world.chain.deployed().custody);
    let config = world.config.replace(&custody, "custody = \"0x1000000000000000000000000000000000000001\"");
    let found = world.results(&config, "sqlite:book.db").await;
    assert!(found["key"].as_ref().is_err_and(|said| said.contains("broker.key")), "{found:?}");
    let contracts = found["polygon: contracts"].as_ref();
    assert!(contracts.is_err_and(|said| said.starts_with("no contract at custody address")), "{found:?}");
    assert!(found["polygon: node"].is_ok());
}

/// The schema of a database is told and left as it is, on both kinds.
#[actix::test]
async fn the_schema_is_told_and_left_as_it_is() {
    let world = World::start().await;
    for is_empty in [true, false] {
        for database in [
            if is_empty { Database::empty_sqlite() } else { Database::sqlite().await },
            if is_empty { Database::empty_postgres().await } else { Database::postgres().await },
        ] {
            let url = database.url();
            let url = url.strip_prefix("sqlite://").map_or(url.clone(), |file| format!("sqlite:{file}"));
            let said = world.results(&world.config, &url).await.remove("database").unwrap();
            if is_empty {
                assert_eq!(said, Ok("there is no book yet: `clearnet serve` makes it".to_owned()));
                continue;
            }
            assert!(said.as_ref().is_ok_and(|said| said.ends_with("this program's")), "{said:?}");
            let connection = database.connect().await;
            let set = "UPDATE seaql_migrations SET version = 'm0000_before'";
            connection.execute_unprepared(set).await.unwrap();
            let said = world.results(&world.config, &url).await.remove("database").unwrap();
            assert!(said.as_ref().is_err_and(|said| said.contains("of a newer program")), "{said:?}");
            connection.execute_unprepared("DELETE FROM seaql_migrations").await.unwrap();
            connection.close().await.unwrap();
            let before = bytes(&url);
            let said = world.results(&world.config, &url).await.remove("database").unwrap();
            assert_eq!(said, Ok("there is no book yet: `clearnet serve` makes it".to_owned()));
            assert_eq!(bytes(&url), before);
        }
    }
}

/// The files of an embedded database, and a hash of what is in each.
fn bytes(url: &str) -> BTreeMap<String, Digest> {
    let Some(path) = url.strip_prefix("sqlite:") else { return BTreeMap::new() };
    let directory = Path::new(path).parent().unwrap();
    let file = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        (path.display().to_string(), keccak256(&[&std::fs::read(path).unwrap()]))
    };
    std::fs::read_dir(directory).unwrap().map(file).collect()
}
