//! Where it is played: a chain, a database, the program, and what everybody has asked for so far.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::time::Duration;

use clearnet::devnet::{
    Anvil, AnvilOptions, ChainPlan, LocalBroker, LocalChain, TOOLS_DIR, TokenPlan, anvil_binary,
    config_sections, dev_key,
};
use domain::primitives::{ChainId, Token};
use tokio::sync::watch;
use tokio::time::timeout;

use super::member::{Deed, Member, Room};
use crate::harness::database::Database;
use crate::harness::home::Home;
use crate::session::place::Place;

/// What every member locks.
pub(super) const LOCKED: u128 = 1_000_000;

/// Longer than it takes until somebody is answered.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct Field {
    pub(super) home: Home,
    pub(super) database: Database,
    pub(super) chain: LocalChain,
    pub(super) token: Token,
    pub(super) members: Vec<Member>,
    pub(super) rooms: RefCell<Vec<Room>>,
    pub(super) deeds: RefCell<Vec<Deed>>,
    /// Where the broker listens; none while it is dead.
    url: watch::Sender<Option<String>>,
    /// How many frames went out, how many were taken or refused, and how often the outcome was unknown.
    pub(super) sent: watch::Sender<usize>,
    pub(super) answered: watch::Sender<usize>,
    pub(super) unknown: watch::Sender<usize>,
    process: RefCell<Option<LocalBroker>>,
    is_over: Cell<bool>,
    /// Kept so that the chain lives.
    _anvil: Anvil,
}

impl Field {
    /// Every member has a direct channel; the broker runs.
    pub(super) async fn lay_out(database: Database, members: usize) -> Self {
        let binary =
            tokio::task::spawn_blocking(|| anvil_binary(Path::new(TOOLS_DIR))).await.unwrap().unwrap();
        let options = AnvilOptions { chain_id: ChainId::new(137), block_time_secs: None };
        let anvil = Anvil::start(&binary, options).await.unwrap();
        let token = TokenPlan { symbol: "SHIB".to_owned(), decimals: 6 };
        let plan = ChainPlan { name: "polygon".to_owned(), tokens: vec![token] };
        let chain = LocalChain::build(anvil.client().clone(), plan, dev_key("load treasury")).await.unwrap();
        let token = chain.token("SHIB").unwrap();
        let home = Home::new(&database, &config_sections(&[(&chain, anvil.url())]));
        let process = home.start().await;
        let place = Place { chain: &chain, token, broker: home.broker, url: process.ws_url() };
        let mut all = Vec::new();
        for number in 0..members {
            let key = || dev_key(&format!("load member {number}"));
            all.push(Member::new(place.open(key, LOCKED, None).await));
        }
        Self {
            database,
            token,
            members: all,
            rooms: RefCell::default(),
            deeds: RefCell::default(),
            url: watch::Sender::new(Some(process.ws_url().to_owned())),
            sent: watch::Sender::new(0),
            answered: watch::Sender::new(0),
            unknown: watch::Sender::new(0),
            process: RefCell::new(Some(process)),
            is_over: Cell::new(false),
            home,
            chain,
            _anvil: anvil,
        }
    }

    /// Kills the broker.
    pub(super) fn kill(&self) {
        self.url.send_replace(None);
        drop(self.process.borrow_mut().take());
    }

    /// Starts the broker again.
    pub(super) async fn start(&self) {
        self.hand_over(self.home.start().await);
    }

    /// Everybody turns to another broker; returns the one before.
    pub(super) fn hand_over(&self, to: LocalBroker) -> Option<LocalBroker> {
        self.url.send_replace(Some(to.ws_url().to_owned()));
        self.process.replace(Some(to))
    }

    /// Starts the broker, and kills it after this time or when it is ready.
    pub(super) async fn start_and_kill(&self, after: Duration) {
        drop(timeout(after, self.home.start()).await);
    }

    /// Where the broker listens, once it does.
    pub(super) async fn url(&self) -> String {
        let mut url = self.url.subscribe();
        let url = timeout(PATIENCE, url.wait_for(Option::is_some)).await.expect("the broker is dead");
        url.unwrap().clone().unwrap()
    }

    /// Waits until a count has grown by so much.
    pub(super) async fn until_more(&self, count: &watch::Sender<usize>, more: usize) {
        let target = *count.borrow() + more;
        let mut counted = count.subscribe();
        let grown = timeout(PATIENCE, counted.wait_for(|count| *count >= target)).await;
        drop(grown.unwrap_or_else(|_| panic!("nobody gets on:\n{}", self.home.log())));
    }

    pub(super) fn end_story(&self) {
        self.is_over.set(true);
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over.get()
    }
}
