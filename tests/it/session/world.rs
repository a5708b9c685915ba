//! A broker in this process, on a chain of its own and either database.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clearnet::app::App;
use clearnet::audit::{Contracts, Report, audit};
use clearnet::chain::EvmChain;
use clearnet::config::{Flags, load};
use clearnet::devnet::{
    Anvil, AnvilOptions, ChainPlan, LocalBroker, LocalChain, Participant, TOOLS_DIR, TokenPlan, anvil_binary,
    config_sections, dev_key,
};
use clearnet::signer::create_key_file;
use clearnet::store::{MemoryStore, Store};
use domain::crypto::SigningKey;
use domain::primitives::{Address, Amount, ChainId, Digest, Token};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::ask::{Ask, Direct};
use super::document;
use super::place::{Place, hands};
use super::socket::Socket;
use crate::harness::database::Database;
use crate::harness::digest::digest;

/// Longer than the broker takes to read what is there.
const LIMIT: Duration = Duration::from_secs(20);

/// The program says of every request where it is.
const VERBOSE: [(&str, &str); 1] = [("RUST_LOG", "info,clearnet=debug")];

const COIN: u128 = 1_000_000_000_000_000_000;

pub(crate) struct World {
    pub(crate) chain: LocalChain,
    pub(crate) token: Token,
    pub(crate) broker: SigningKey,
    pub(crate) url: String,
    store: Arc<dyn Store>,
    /// What was not as documented.
    faults: RefCell<Vec<String>>,
    cases: RefCell<usize>,
    anvil: Anvil,
    directory: TempDir,
    pub(crate) database: Database,
}

impl World {
    /// A broker that takes parts that shrink from channels with at least this challenge.
    pub(crate) async fn start(database: Database, min_challenge_secs: u64) -> Self {
        let (mut world, path) = Self::prepare(database, min_challenge_secs).await;
        let config = load(&path, [], &Flags::default()).unwrap();
        let app = App::build(&config, dev_copy(&world.directory)).await.unwrap();
        let (url, store) = (format!("ws://{}/ws", app.addr()), Arc::clone(&app.services().store));
        tokio::task::spawn_local(async move { app.run_until_stopped().await.unwrap() });
        (world.url, world.store) = (url, store);
        world.settle_down().await;
        world
    }

    /// The same with the program itself as a child.
    pub(crate) async fn start_program(database: Database) -> (Self, LocalBroker) {
        let (mut world, _) = Self::prepare(database, 3_600).await;
        let broker = world.run_program().await;
        world.store = world.database.open().await;
        world.settle_down().await;
        (world, broker)
    }

    /// Runs the program on what there is.
    pub(crate) async fn run_program(&mut self) -> LocalBroker {
        let file = |name| self.directory.path().join(name);
        let program = Path::new(env!("CARGO_BIN_EXE_clearnet"));
        let broker = LocalBroker::start_with(program, &file("config.toml"), &file("broker.log"), &VERBOSE)
            .await
            .unwrap();
        broker.ws_url().clone_into(&mut self.url);
        broker
    }

    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Everything but the broker itself: it is not reached at any URL, and there is no book.
    async fn prepare(database: Database, min_challenge_secs: u64) -> (Self, PathBuf) {
        let binary =
            tokio::task::spawn_blocking(|| anvil_binary(Path::new(TOOLS_DIR))).await.unwrap().unwrap();
        let options = AnvilOptions { chain_id: ChainId::new(137), block_time_secs: None };
        let anvil = Anvil::start(&binary, options).await.unwrap();
        let token = TokenPlan { symbol: "SHIB".to_owned(), decimals: 6 };
        let plan = ChainPlan { name: "polygon".to_owned(), tokens: vec![token] };
        let chain =
            LocalChain::build(anvil.client().clone(), plan, dev_key("session treasury")).await.unwrap();
        let directory = TempDir::new().unwrap();
        let broker = create_key_file(&directory.path().join("broker.key")).unwrap();
        let networks = config_sections(&[(&chain, anvil.url())])
            .replace("min_challenge_secs = 3600", &format!("min_challenge_secs = {min_challenge_secs}"));
        let config = format!(
            "[broker]\nkey_file = \"broker.key\"\n[database]\nurl = \"{}\"\n\
             [server]\nlisten = \"127.0.0.1:0\"\n{networks}",
            database.config_url()
        );
        let path = directory.path().join("config.toml");
        std::fs::write(&path, config).unwrap();
        let world = Self {
            token: chain.token("SHIB").unwrap(),
            chain,
            broker,
            url: String::new(),
            store: Arc::new(MemoryStore::new()),
            faults: RefCell::default(),
            cases: RefCell::default(),
            anvil,
            directory,
            database,
        };
        (world, path)
    }

    pub(crate) fn key(&self, label: &str) -> SigningKey {
        dev_key(&format!("session {label}"))
    }

    pub(crate) fn address(&self, label: &str) -> Address {
        self.key(label).address()
    }

    pub(crate) fn ask(&self, method: &str, params: &Value) -> Ask {
        Ask::new(self.broker.address(), method, params)
    }

    /// Pays `amount` to somebody.
    pub(crate) fn pay(&self, to: Address, amount: &str) -> Ask {
        self.ask("transfer", &json!({"destination": to, "allocations": [self.line(amount)]}))
    }

    /// So much of our token, as payments have it.
    pub(crate) fn line(&self, amount: &str) -> Value {
        json!({"chain_id": self.token.chain_id, "token": self.token.address, "amount": amount})
    }

    /// So much of our token for a member of a virtual channel.
    pub(crate) fn share(&self, participant: Address, amount: u64) -> Value {
        let mut line = self.line(&amount.to_string());
        line["participant"] = json!(participant);
        line
    }

    /// A session of this participant.
    pub(crate) async fn session(&self, label: &str) -> Socket {
        let mut socket = Socket::connect(&self.url).await;
        socket.log_in(&self.key(label)).await;
        socket
    }

    /// What a participant does on chain, with tokens to do it.
    pub(crate) async fn hands(&self, label: &str, tokens: u128) -> Participant {
        hands(&self.chain, self.token, self.key(label), tokens).await
    }

    /// Whether the chain puts every transaction into a block at once, or none.
    pub(crate) async fn set_automine(&self, on: bool) {
        self.anvil.cheats().set_automine(on).await.unwrap();
    }

    /// Coin for the broker's transactions.
    pub(crate) async fn fuel_broker(&self) {
        self.chain.give_coin(self.broker.address(), Amount::from(COIN)).await.unwrap();
    }

    /// So many tokens of the broker's own in the contract, which the book knows of.
    pub(crate) async fn give_to_broker(&self, tokens: u128) {
        let broker = self.chain.participant(dev_copy(&self.directory));
        self.chain
            .give_tokens(self.token.address, self.broker.address(), Amount::from(tokens))
            .await
            .unwrap();
        self.fuel_broker().await;
        broker.approve(self.token.address, Amount::from(tokens)).await.unwrap();
        broker.deposit(self.token.address, Amount::from(tokens)).await.unwrap();
        self.settle_down().await;
    }

    /// The broker takes so many tokens out of the contract.
    pub(crate) async fn withdraw_for_broker(&self, tokens: u128) {
        let broker = self.chain.participant(dev_copy(&self.directory));
        broker.withdraw(self.token.address, Amount::from(tokens)).await.unwrap();
        self.settle_down().await;
    }

    /// Opens a direct channel and waits until it counts.
    pub(crate) async fn open(&self, label: &str, locked: u128, challenge_secs: Option<u64>) -> Direct {
        let place =
            Place { chain: &self.chain, token: self.token, broker: self.broker.address(), url: &self.url };
        place.open(|| self.key(label), locked, challenge_secs).await
    }

    /// Waits until the book has read the chain to its end and nothing is to be sent: then nothing changes by itself.
    pub(crate) async fn settle_down(&self) {
        tokio::time::timeout(LIMIT, self.all_read()).await.expect("the chain is not read to its end");
    }

    async fn all_read(&self) {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        loop {
            ticks.tick().await;
            let height = self.head().await;
            let cursor = self.store.cursor(self.token.chain_id).await.unwrap();
            let unhandled = self.store.unhandled(self.token.chain_id, None, 1).await.unwrap();
            let to_send = self.store.open_outbox(self.token.chain_id, None, 1).await.unwrap();
            let is_read = cursor.last().is_some_and(|row| row.height >= height) && unhandled.is_empty();
            if is_read && to_send.is_empty() {
                return;
            }
        }
    }

    async fn head(&self) -> u64 {
        self.anvil.client().head().await.unwrap().height
    }

    pub(crate) async fn digest(&self) -> Digest {
        digest(self.store.as_ref()).await
    }

    /// Plays a frame that must be refused with this code and without effect, after which the session goes on;
    /// returns the details.
    pub(crate) async fn refused(&self, socket: &mut Socket, what: &str, frame: &str, code: &str) -> Value {
        let before = self.digest().await;
        let answer = socket.ask(frame).await;
        if answer["type"] != "error" || answer["data"]["code"] != code {
            self.fault(format!("{what}: {code} expected, {answer} came"));
        }
        if !document::lists(frame, code) {
            self.fault(format!("{what}: the document does not list {code}"));
        }
        if self.digest().await != before {
            self.fault(format!("{what}: had an effect"));
        }
        if let Err(other) = socket.check_alive().await {
            self.fault(format!("{what}: afterwards came {other}"));
        }
        *self.cases.borrow_mut() += 1;
        answer["data"]["details"].clone()
    }

    /// Plays a request that must be carried out; returns its answer.
    pub(crate) async fn done(&self, socket: &mut Socket, what: &str, frame: &str) -> Value {
        let answer = socket.ask(frame).await;
        if answer["type"] != "rpc" {
            self.fault(format!("{what}: refused with {answer}"));
        }
        *self.cases.borrow_mut() += 1;
        answer
    }

    /// Notes what is not as it should be.
    pub(crate) fn check(&self, is_right: bool, what: impl std::fmt::Display) {
        *self.cases.borrow_mut() += 1;
        if !is_right {
            self.fault(what.to_string());
        }
    }

    fn fault(&self, fault: String) {
        self.faults.borrow_mut().push(fault);
    }

    /// What the audit says once the book has read the chain to its end.
    pub(crate) async fn report(&self) -> Report {
        self.settle_down().await;
        let custody = self.chain.deployed().custody;
        let chain = EvmChain::new(self.anvil.client().clone(), custody, self.broker.address());
        let contracts = Contracts { broker: self.broker.address(), chains: vec![Arc::new(chain)] };
        audit(self.store.as_ref(), Some(&contracts)).await.unwrap()
    }

    /// The audit finds every law kept, and every case was as documented.
    pub(crate) async fn finish(self) {
        let report = self.report().await;
        assert!(report.is_clean() && report.is_complete(), "{report:?}");
        self.finish_cases();
    }

    /// Every case was as documented.
    pub(crate) fn finish_cases(self) {
        let faults = self.faults.take();
        assert!(
            faults.is_empty(),
            "{} of {} cases:\n{}",
            faults.len(),
            self.cases.borrow(),
            faults.join("\n")
        );
    }
}

/// What was not as documented is said even when a case ends the test.
impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.faults.borrow().join("\n"));
        }
    }
}

/// The broker's key once more, as its program would read it.
fn dev_copy(directory: &TempDir) -> SigningKey {
    let text = std::fs::read_to_string(directory.path().join("broker.key")).unwrap();
    text.trim().parse().unwrap()
}
