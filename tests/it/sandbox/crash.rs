//! A broker in test mode is killed in the middle of a reset, again and again: it comes back with the old book or with
//! the new one, and the same signed request leads to the new one.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clearnet::devnet::{
    Anvil, AnvilOptions, ChainPlan, LocalBroker, LocalChain, TOOLS_DIR, TokenPlan, anvil_binary,
    config_sections, dev_key,
};
use clearnet::signer::create_key_file;
use client::Client;
use domain::primitives::{Address, Amount, ChainId};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::Message;

use super::world::{LIMIT, fund, holds};
use crate::harness::database::Database;
use crate::session::ask::Ask;
use crate::session::socket::Socket;

/// How often the broker is killed; each time a little later.
const KILLS: u64 = 10;

struct Stage {
    chain: LocalChain,
    broker: Address,
    directory: TempDir,
    _anvil: Anvil,
}

impl Stage {
    async fn set(database: &Database) -> Self {
        let binary =
            tokio::task::spawn_blocking(|| anvil_binary(Path::new(TOOLS_DIR))).await.unwrap().unwrap();
        let options = AnvilOptions { chain_id: ChainId::new(31_337), block_time_secs: None };
        let anvil = Anvil::start(&binary, options).await.unwrap();
        let token = TokenPlan { symbol: "usdc".to_owned(), decimals: 6 };
        let plan = ChainPlan { name: "local".to_owned(), tokens: vec![token] };
        let chain = LocalChain::build(anvil.client().clone(), plan, dev_key("reset")).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let broker = create_key_file(&directory.path().join("broker.key")).unwrap().address();
        let url = database.url();
        let url = url.strip_prefix("sqlite://").map_or(url.clone(), |file| format!("sqlite:{file}"));
        let config = format!(
            "[broker]\nmode = \"test\"\nkey_file = \"broker.key\"\n[database]\nurl = \"{url}\"\n\
             [server]\nlisten = \"127.0.0.1:0\"\n{}",
            config_sections(&[(&chain, anvil.url())])
        );
        std::fs::write(directory.path().join("config.toml"), config).unwrap();
        Self { chain, broker, directory, _anvil: anvil }
    }

    fn config(&self) -> PathBuf {
        self.directory.path().join("config.toml")
    }

    async fn start(&self) -> anyhow::Result<LocalBroker> {
        let program = Path::new(env!("CARGO_BIN_EXE_clearnet"));
        LocalBroker::start(program, &self.config(), &self.directory.path().join("broker.log")).await
    }

    async fn client(&self, broker: &LocalBroker) -> Client {
        Client::connect(broker.ws_url(), dev_key("alice"), Some(self.broker)).await.unwrap()
    }

    /// Every law of the book alone holds, whether or not the chain has been read.
    async fn check_book(&self) {
        let config = self.config();
        let audit = tokio::task::spawn_blocking(move || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_clearnet"));
            command.args(["audit", "--json", "--config"]).arg(config).output().unwrap()
        });
        let report: Value = serde_json::from_slice(&audit.await.unwrap().stdout).unwrap();
        let laws = report["laws"].as_object().unwrap();
        assert!(laws.values().all(|law| law["ok"] != false), "{report}");
    }
}

async fn a_reset_that_is_cut_short_leaves_one_book(database: Database) {
    let stage = Stage::set(&database).await;
    let (key, token) = (dev_key("alice"), stage.chain.token("usdc").unwrap());
    for kill in 0..KILLS {
        let broker = stage.start().await.unwrap();
        let mut alice = stage.client(&broker).await;
        fund(&mut alice, key.address(), token, 5).await;
        let mut socket = Socket::connect(broker.ws_url()).await;
        socket.log_in(&key).await;
        let reset = Ask::new(stage.broker, "test_reset", &json!({})).by(&key);
        socket.send(Message::Text(reset.frame())).await;
        // Where it is by then is chance: that is the point. The last one comes to its end.
        let patience = if kill + 1 < KILLS { Duration::from_millis(2 * kill) } else { LIMIT };
        let answered = tokio::time::timeout(patience, socket.reply()).await.is_ok();
        // SIGKILL.
        drop(broker);
        stage.check_book().await;

        let broker = stage.start().await.unwrap();
        let mut alice = stage.client(&broker).await;
        let held = holds(&mut alice).await;
        let amounts: Vec<Amount> = held.iter().map(|(_, _, amount)| *amount).collect();
        let is_old = amounts == [Amount::from(5_u64)];
        assert!((is_old && !answered) || amounts.is_empty(), "{held:?}, answered: {answered}");
        let mut socket = Socket::connect(broker.ws_url()).await;
        socket.log_in(&key).await;
        let answer = socket.ask(&reset.frame()).await;
        assert_eq!(answer["data"]["res"][1], "test_reset", "{answer}");
        assert_eq!(holds(&mut alice).await, []);
        fund(&mut alice, key.address(), token, 1).await;
        let again = socket.ask(&reset.frame()).await;
        assert_eq!(again["data"], answer["data"]);
        assert_eq!(holds(&mut alice).await.len(), 1, "a repeat takes nothing");
        // The next round begins with an empty book.
        let reset = Ask::new(stage.broker, "test_reset", &json!({})).by(&key);
        assert_eq!(socket.ask(&reset.frame()).await["type"], "rpc");
        drop(broker);
        stage.check_book().await;
    }
}

#[tokio::test]
async fn a_reset_that_is_cut_short_leaves_one_book_in_sqlite() {
    a_reset_that_is_cut_short_leaves_one_book(Database::empty_sqlite()).await;
}

#[tokio::test]
async fn a_reset_that_is_cut_short_leaves_one_book_in_postgres() {
    a_reset_that_is_cut_short_leaves_one_book(Database::empty_postgres().await).await;
}

#[tokio::test]
async fn a_book_with_money_from_nothing_is_not_continued_for_people() {
    let stage = Stage::set(&Database::empty_sqlite()).await;
    let (database, key, token) =
        (Database::empty_sqlite(), dev_key("alice"), stage.chain.token("usdc").unwrap());
    let url = database.url().replace("sqlite://", "sqlite:");
    let write = |mode: &str| {
        let text = std::fs::read_to_string(stage.config()).unwrap();
        let lines = text.lines().map(|line| match line {
            _ if line.starts_with("mode = ") => format!("mode = \"{mode}\"\n"),
            _ if line.starts_with("url = ") => format!("url = \"{url}\"\n"),
            _ => format!("{line}\n"),
        });
        let text: String = lines.collect();
        std::fs::write(stage.config(), text).unwrap();
    };
    write("test");
    let broker = stage.start().await.unwrap();
    let mut alice = stage.client(&broker).await;
    drop(broker);
    // A book in which nobody was given anything is as good as any.
    write("live");
    drop(stage.start().await.unwrap());
    write("test");
    let broker = stage.start().await.unwrap();
    alice = {
        drop(alice);
        stage.client(&broker).await
    };
    fund(&mut alice, key.address(), token, 5).await;
    drop(broker);
    write("live");
    let refused = format!("{:#}", stage.start().await.unwrap_err());
    assert!(refused.contains("5 of ") && refused.contains("made from nothing in test mode"), "{refused}");
}
