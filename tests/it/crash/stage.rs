//! Where the story is played: chains, a broker that can be killed, and the figures at the end.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use clearnet::devnet::{
    Anvil, AnvilOptions, ChainPlan, LocalBroker, LocalChain, TOOLS_DIR, TokenPlan, anvil_binary,
    config_sections, dev_key,
};
use domain::crypto::SigningKey;
use domain::primitives::{Address, Amount, ChainId, Token};
use serde_json::Value;
use tokio::sync::Mutex;

use super::proxy::{self, Counter};
use super::{Kill, Passed, Turn};
use crate::harness::database::Database;
use crate::harness::home::Home;

/// How long the broker gets to take in what the audit needs.
const AUDIT_PATIENCE: Duration = Duration::from_secs(60);

const WHOLE: u128 = 1_000_000_000_000_000_000;

/// A million whole tokens of 18 decimals, so many times.
pub(crate) fn millions(count: u128) -> Amount {
    Amount::from(count * 1_000_000 * WHOLE)
}

/// Two chains for all runs; each run has contracts and players of its own.
pub(crate) struct Chains {
    anvils: [Anvil; 2],
}

impl Chains {
    pub(crate) async fn start() -> Self {
        let binary =
            tokio::task::spawn_blocking(|| anvil_binary(Path::new(TOOLS_DIR))).await.unwrap().unwrap();
        let options = |chain_id| AnvilOptions { chain_id: ChainId::new(chain_id), block_time_secs: None };
        let first = Anvil::start(&binary, options(137)).await.unwrap();
        let second = Anvil::start(&binary, options(42_220)).await.unwrap();
        Self { anvils: [first, second] }
    }
}

pub(crate) struct Stage {
    pub(crate) chains: [LocalChain; 2],
    pub(crate) shib: Token,
    pub(crate) pepe: Token,
    pub(crate) url: String,
    pub(crate) broker_address: Address,
    run: usize,
    kill: Kill,
    counter: Arc<Counter>,
    broker: Mutex<Option<LocalBroker>>,
    kills: AtomicUsize,
    home: Home,
}

impl Stage {
    pub(crate) async fn set(chains: &Chains, run: usize, kill: Kill, database: &Database) -> Self {
        let build = |place: usize, name: &str, symbol: &str| {
            let token = TokenPlan { symbol: symbol.to_owned(), decimals: 18 };
            let plan = ChainPlan { name: name.to_owned(), tokens: vec![token] };
            let treasury = dev_key(&format!("treasury {run} {name}"));
            LocalChain::build(chains.anvils[place].client().clone(), plan, treasury)
        };
        let (first, second) =
            (build(0, "polygon", "SHIB").await.unwrap(), build(1, "celo", "PEPE").await.unwrap());
        let (shib, pepe) = (first.token("SHIB").unwrap(), second.token("PEPE").unwrap());
        let (alice, charlie) = (key(run, "alice").address(), key(run, "charlie").address());
        let urls = [(&first, chains.anvils[0].url()), (&second, chains.anvils[1].url())];
        let home = Home::new(database, &config_sections(&urls));
        for chain in [&first, &second] {
            for who in [home.broker, alice, charlie] {
                chain.give_coin(who, Amount::from(WHOLE)).await.unwrap();
            }
        }
        first.give_tokens(shib.address, alice, millions(20)).await.unwrap();
        second.give_tokens(pepe.address, charlie, millions(100)).await.unwrap();
        let counter = Counter::new(kill);
        let url = proxy::listen(Arc::clone(&counter)).await;
        let (broker, kills) = (Mutex::new(None), AtomicUsize::new(0));
        let chains = [first, second];
        let stage = Self {
            chains,
            shib,
            pepe,
            url,
            broker_address: home.broker,
            run,
            kill,
            counter,
            broker,
            kills,
            home,
        };
        stage.revive().await;
        stage
    }

    pub(crate) fn key(&self, label: &str) -> SigningKey {
        key(self.run, label)
    }

    /// Kills the broker if its time has come, and starts it if it is dead.
    pub(crate) async fn revive(&self) {
        let mut broker = self.broker.lock().await;
        if self.counter.killing.send_replace(false) {
            self.kill_now(&mut broker);
        }
        if broker.is_none() {
            *broker = Some(self.start().await);
            if self.kill == Kill::At(Turn::StartedAgain) && self.kills.load(Ordering::SeqCst) == 1 {
                self.kill_now(&mut broker);
                *broker = Some(self.start().await);
            }
        }
    }

    /// Kills the broker here, if here is where it is to be killed.
    pub(crate) async fn turn(&self, turn: Turn) {
        let is_here = self.kill == Kill::At(turn)
            || (self.kill == Kill::At(Turn::StartedAgain) && turn == Turn::ChannelOnChain);
        if is_here {
            let mut broker = self.broker.lock().await;
            self.kill_now(&mut broker);
        }
    }

    /// Waits until the broker has to be killed, and kills it: while everything else goes on.
    pub(crate) async fn watch(&self) {
        let mut killing = self.counter.killing.subscribe();
        loop {
            if killing.wait_for(|killing| *killing).await.is_err() {
                return;
            }
            let mut broker = self.broker.lock().await;
            if self.counter.killing.send_replace(false) {
                self.kill_now(&mut broker);
            }
        }
    }

    fn kill_now(&self, broker: &mut Option<LocalBroker>) {
        self.counter.broker.send_replace(None);
        // Dropping it is SIGKILL.
        if broker.take().is_some() {
            self.kills.fetch_add(1, Ordering::SeqCst);
        }
    }

    async fn start(&self) -> LocalBroker {
        let broker = self.home.start().await;
        let address = broker.ws_url().trim_start_matches("ws://").trim_end_matches("/ws").to_owned();
        self.counter.broker.send_replace(Some(address));
        broker
    }

    /// Everybody has on chain what the story gave them, and nothing is left in the contracts.
    pub(crate) async fn check_figures(&self) {
        let [polygon, celo] = &self.chains;
        let (shib, pepe) = (self.shib.address, self.pepe.address);
        let (alice, charlie) = (self.key("alice").address(), self.key("charlie").address());
        let figures = [
            polygon.balance(alice, shib).await.unwrap(),
            polygon.balance(charlie, shib).await.unwrap(),
            celo.balance(charlie, pepe).await.unwrap(),
            polygon.balance(polygon.deployed().custody, shib).await.unwrap(),
            celo.balance(celo.deployed().custody, pepe).await.unwrap(),
        ];
        let expected = [15, 5, 100, 0, 0].map(millions);
        assert_eq!(figures, expected, "{:?}", self.kill);
    }

    /// Every law was checked, and holds.
    pub(crate) async fn check_audit(&self) {
        let audits = self.audit_until_all_is_checked();
        tokio::time::timeout(AUDIT_PATIENCE, audits).await.expect("the broker takes everything in");
    }

    async fn audit_until_all_is_checked(&self) {
        loop {
            let audit = self.home.run(&["audit", "--json"]).await;
            let report: Value = serde_json::from_slice(&audit.stdout).unwrap();
            let laws = report["laws"].as_object().unwrap();
            // A broker that has just come back may not have taken everything in: that is no verdict yet.
            if laws.values().any(|law| law["ok"].is_null()) {
                continue;
            }
            assert!(audit.status.success() && !laws.is_empty(), "{:?}: {report}", self.kill);
            assert!(laws.values().all(|law| law["ok"] == true), "{:?}: {report}", self.kill);
            return;
        }
    }

    /// Ends the broker; says what passed and how often it was killed.
    pub(crate) async fn end(self) -> (Passed, usize) {
        drop(self.broker.lock().await.take());
        (self.counter.passed(), self.kills.load(Ordering::SeqCst))
    }
}

fn key(run: usize, label: &str) -> SigningKey {
    dev_key(&format!("{label} of run {run}"))
}
