//! The real journal, supervisor and owners over a store; no sockets, and chains that are told about.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use actix::prelude::*;
use clearnet::actors::answer::Answer;
use clearnet::actors::direct_channel::FinalizeChannel;
use clearnet::actors::directory::Directory;
use clearnet::actors::journal::{
    Author, Commit, FirstAnswer, FromJournal, JournalActor, NewEvent, NoPermit, Ticket, first_answer,
};
use clearnet::actors::participant::{ChangeKeys, FundWallet, MoveMoney, SettleWallet};
use clearnet::actors::proposals::Proposals;
use clearnet::actors::request::Refused;
use clearnet::actors::services::{CheckedChains, ReadChains, Services};
use clearnet::actors::stop::Stop;
use clearnet::actors::supervisor::{IDLE_MILLIS, LetLeave, OpenVirtualChannel, SupervisorActor, Wake};
use clearnet::actors::virtual_channel::AskVirtualChannel;
use clearnet::chain::{ChainClient, SignedState};
use clearnet::clock;
use clearnet::store::{CursorRow, PAGE_ROWS_MAX, Store};
use domain::chain::{CustodyEvent, RecordedState};
use domain::channel::direct::Terms;
use domain::crypto::{CustodyDomain, DirectState, Intent, keccak256};
use domain::ledger::{EventKey, OwnerId};
use domain::primitives::{Address, Amount, ChainId, ChannelId, Timestamp, Token};
use futures::StreamExt as _;
use tokio::task::yield_now;
use tokio::time::timeout;

use super::cast::{
    ADJUDICATOR, Ask, CHALLENGE_SECS, TOKENS, assets, broker, broker_key, direct_state, key, person, token,
};
use super::chain::{HEAD, PretendChain};
use super::model::{Channel, Part};

/// How long anything may take: longer than a hold that nobody released.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// Where owners live; they end with it.
pub(super) struct Threads(Vec<Arbiter>);

impl Threads {
    pub(super) fn start() -> Self {
        Self((0..2).map(|_| Arbiter::new()).collect())
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        for arbiter in &self.0 {
            arbiter.stop();
        }
    }
}

/// Something that was written to a chain's log.
#[derive(Debug, Clone)]
pub(super) struct Happening {
    number: u64,
    owner: OwnerId,
    chain_id: ChainId,
    event: CustodyEvent,
}

pub(super) struct World {
    pub(super) store: Arc<dyn Store>,
    pub(super) services: Arc<Services>,
}

/// The chains of a life: they outlive its brokers.
pub(super) type Chains = BTreeMap<ChainId, Arc<PretendChain>>;

impl World {
    /// Becomes the broker of this store: whoever was before can write no more.
    pub(super) async fn open(store: Arc<dyn Store>, threads: &Threads, chains: &Chains) -> Self {
        let journal = JournalActor::open(Arc::clone(&store), broker(), clock::now()).await.unwrap();
        let tokens: BTreeSet<_> = (0..TOKENS).map(token).collect();
        let terms = |chain_id: ChainId| Terms {
            chain_id,
            broker: broker(),
            custody: CustodyDomain::new(chain_id, Address::from_bytes([0xCC; 20])),
            adjudicator: ADJUDICATOR,
            tokens: tokens.iter().filter(|of| of.chain_id == chain_id).map(|of| of.address).collect(),
            challenge_secs_max: CHALLENGE_SECS,
            debit_challenge_secs_min: CHALLENGE_SECS,
        };
        let services = Arc::new(Services {
            broker: broker(),
            key: Arc::new(broker_key()),
            chains: chains
                .iter()
                .map(|(chain_id, chain)| (*chain_id, Arc::clone(chain) as Arc<dyn ChainClient>))
                .collect(),
            confirmations: chains.keys().map(|chain_id| (*chain_id, 0)).collect(),
            terms: chains.keys().map(|chain_id| (*chain_id, Arc::new(terms(*chain_id)))).collect(),
            tokens: tokens.clone(),
            assets: assets(),
            journal,
            store: Arc::clone(&store),
            directory: Directory::default(),
            arbiters: threads.0.iter().map(Arbiter::handle).collect(),
            is_serving: AtomicBool::new(false),
            proposals: Proposals::default(),
            checked_chains: CheckedChains::default(),
            read_chains: ReadChains::default(),
            stop: Stop::default(),
        });
        SupervisorActor::open(Arc::clone(&services)).await.unwrap();
        for chain_id in chains.keys() {
            services.checked_chains.insert(*chain_id);
            services.read_chains.insert(*chain_id, clock::now());
            services.owner(OwnerId::Network(*chain_id)).await.unwrap();
        }
        Self { store, services }
    }

    /// Asks until it is known whether it was done: the first answer, or why it is not done.
    pub(super) async fn ask(&self, ask: &Ask) -> Result<Answer, Refused> {
        let asked = async {
            loop {
                match self.put(ask).await {
                    Err(Refused::Unavailable | Refused::Overloaded | Refused::ChainUnavailable { .. }) => {
                        yield_now().await;
                    }
                    Err(Refused::NoPermit(NoPermit::InFlight(first))) => {
                        if let Ok(first) = first.await {
                            return Ok(Answer::decode(&first).unwrap());
                        }
                    }
                    Err(Refused::NoPermit(NoPermit::Posted)) => return Ok(self.kept(ask).await),
                    known => return known,
                }
            }
        };
        timeout(PATIENCE, asked).await.unwrap_or_else(|_| panic!("never answered: {ask:?}"))
    }

    /// Puts it to whom it concerns, as a session does.
    pub(super) async fn put(&self, ask: &Ask) -> Result<Answer, Refused> {
        let services = &self.services;
        let answered = match ask {
            Ask::Move(asked) => {
                let addr = services.participant(asked.by).await?;
                addr.send(MoveMoney { asked: Box::new(asked.clone()) }).await
            }
            Ask::Keys(asked) => {
                let addr = services.participant(asked.by).await?;
                addr.send(ChangeKeys { asked: Box::new(asked.clone()) }).await
            }
            Ask::Fund(asked) => {
                let addr = services.participant(asked.by).await?;
                addr.send(FundWallet { asked: Box::new(asked.clone()) }).await
            }
            Ask::Open(asked) => {
                let addr = services.supervisor().unwrap();
                addr.send(OpenVirtualChannel { asked: Box::new(asked.clone()) }).await
            }
            Ask::Room(channel, asked) => {
                let addr = services.virtual_channel(*channel).await?;
                addr.send(AskVirtualChannel { asked: Box::new(asked.clone()) }).await
            }
            Ask::Finalize(asked) => {
                let addr = services.direct_channel(asked.params.state.body().channel_id).await?;
                addr.send(FinalizeChannel { asked: Box::new(asked.clone()) }).await
            }
            Ask::Settle(asked) => {
                let addr = services.participant(asked.by).await?;
                addr.send(SettleWallet { asked: Box::new(asked.clone()) }).await
            }
        };
        answered.unwrap_or(Err(Refused::Unavailable))
    }

    /// The answer that the store keeps.
    pub(super) async fn kept(&self, ask: &Ask) -> Answer {
        let kept = first_answer(self.store.as_ref(), ask.key(), ask.hash(), clock::now()).await.unwrap();
        let FirstAnswer::Answered(bytes) = kept else { panic!("{kept:?} is kept for {ask:?}") };
        Answer::decode(&bytes).unwrap()
    }

    /// Tells what happened on a chain, in one commit, and waits until its owner has taken it in. Says whether
    /// it was news.
    pub(super) async fn happened(&self, seen: &[Happening]) -> bool {
        let (chain_id, owner) = (seen[0].chain_id, seen[0].owner);
        let author = Author::Watcher(chain_id);
        let (registered, mut told) = self.services.journal.register(author).await.unwrap();
        let mut commit = Commit::new(author, registered.incarnation, Ticket(1));
        commit.events = seen.iter().map(Happening::to_new).collect();
        commit.cursors.push(CursorRow { chain_id, height: HEAD.height, hash: HEAD.hash });
        self.services.journal.hand_over(commit).unwrap();
        let is_news = matches!(told.next().await, Some(FromJournal::Durable { .. }));
        let supervisor = self.services.supervisor().unwrap();
        supervisor.send(Wake { owners: vec![owner] }).await.unwrap();
        let taken_in = async {
            while !self.store.load(owner).await.unwrap().inbox.is_empty() {
                yield_now().await;
            }
        };
        timeout(PATIENCE, taken_in).await.expect("an event is taken in");
        is_news
    }

    /// Waits until the sender has nothing more to do for this channel.
    pub(super) async fn sender_is_done(&self, chain_id: ChainId, channel: ChannelId) {
        let done = async {
            loop {
                let open = self.store.open_outbox(chain_id, None, PAGE_ROWS_MAX).await.unwrap();
                if open.iter().all(|row| row.owner != OwnerId::Channel(channel)) {
                    return;
                }
                yield_now().await;
            }
        };
        timeout(PATIENCE, done).await.expect("the sender comes to an end");
    }

    /// Nobody has read this chain since the beginning of time.
    pub(super) fn forget_reading(&self, chain_id: ChainId) {
        self.services.read_chains.insert(chain_id, Timestamp::from_millis(0));
    }

    /// Ends the supervisor, which would go on to look after owners.
    pub(super) async fn end(&self) {
        let supervisor = self.services.supervisor().unwrap();
        let author = Author::Supervisor;
        let (_registered, _told) = self.services.journal.register(author).await.unwrap();
        let ended = async {
            while supervisor.connected() {
                yield_now().await;
            }
        };
        timeout(PATIENCE, ended).await.expect("the supervisor ends");
    }

    /// Asks everybody to leave whom nobody needs, as if all had been idle for long; says how many have.
    pub(super) async fn let_leave(&self) -> usize {
        let now = clock::now().plus_millis(2 * IDLE_MILLIS);
        self.services.supervisor().unwrap().send(LetLeave { now }).await.unwrap()
    }

    /// Begins an incarnation of its own: whoever acts for the owner at the moment must end.
    pub(super) async fn usurp(&self, owner: OwnerId) {
        self.services.journal.register(Author::Owner(owner)).await.unwrap();
    }
}

impl Happening {
    /// A channel was created by its owner, and both sides are in.
    pub(super) fn opened(number: u64, channel: &Channel) -> [Self; 2] {
        Self::opened_by(person(channel.owner), number, channel)
    }

    /// A channel was created with this wallet's money, and both sides are in.
    pub(super) fn opened_by(wallet: Address, number: u64, channel: &Channel) -> [Self; 2] {
        let part = Part { channel: 0, version: 0, after: channel.locked, flaw: None };
        let initial = direct_state(channel, &part, Intent::Initialize, Vec::new());
        let created = CustodyEvent::Created {
            channel_id: channel.params.channel_id(),
            wallet,
            params: channel.params.clone(),
            initial: recorded(channel.owner, initial),
        };
        let opened = CustodyEvent::Opened { channel_id: channel.params.channel_id() };
        [Self::of(number, channel, created), Self::of(number + 1, channel, opened)]
    }

    /// A channel ended with this state.
    pub(super) fn closed(number: u64, channel: &Channel, part: &Part) -> Self {
        let state = direct_state(channel, part, Intent::Finalize, Vec::new());
        let channel_id = channel.params.channel_id();
        let state = recorded(channel.owner, state);
        Self::of(number, channel, CustodyEvent::Closed { channel_id, state })
    }

    /// The broker put money into the contract.
    pub(super) fn endowed(number: u64, of: u8, amount: u64) -> Self {
        let Token { chain_id, address } = token(of);
        let (wallet, amount) = (broker(), Amount::from(amount));
        let event = CustodyEvent::Deposited { wallet, token: address, amount };
        Self { number, owner: OwnerId::Network(chain_id), chain_id, event }
    }

    fn of(number: u64, channel: &Channel, event: CustodyEvent) -> Self {
        let owner = OwnerId::Channel(channel.params.channel_id());
        Self { number, owner, chain_id: channel.params.chain_id, event }
    }

    fn to_new(&self) -> NewEvent {
        let hash = keccak256(&[&self.number.to_be_bytes()]);
        let Self { number, chain_id, .. } = *self;
        NewEvent {
            key: EventKey { chain_id, block_hash: hash, tx_hash: hash, log_index: number },
            height: number,
            owner: self.owner,
            body: self.event.to_stored(),
        }
    }
}

fn recorded(owner: u8, state: DirectState) -> RecordedState {
    let signatures = [key(owner), broker_key()].map(|key| key.sign(state.hash()).as_bytes().to_vec());
    let DirectState { intent, version, data, allocations, .. } = state;
    RecordedState { intent, version: Some(version), data, allocations, signatures: signatures.to_vec() }
}

/// A first state as the contract keeps it.
pub(super) fn recorded_as(initial: &SignedState) -> RecordedState {
    let SignedState { state, signatures } = initial;
    let DirectState { intent, version, data, allocations, .. } = state.clone();
    let signatures = signatures.iter().map(|signature| signature.as_bytes().to_vec()).collect();
    RecordedState { intent, version: Some(version), data, allocations, signatures }
}
