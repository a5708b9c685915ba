use std::collections::BTreeSet;

use domain::channel::virtual_channel::{
    ACCEPT_SECS_MAX, OpeningRequest, OpeningTerms, VirtualChannel, open, propose,
};
use domain::crypto::{
    Definition, RequestText, Signed, SigningKey, VirtualAllocation, VirtualAllocations, VirtualIntent,
    VirtualState,
};
use domain::ledger::{AccountKey, Cause, Entry, EventKey, RequestKey, Side, Transfer, TransferKind};
use domain::primitives::{Address, ChainId, ChannelId, Digest, Timestamp, Token, Version};
use domain::protocol::PROPOSALS_MAX;
use futures::StreamExt as _;
use futures::channel::mpsc::UnboundedReceiver;

use super::*;
use crate::actors::journal::{Author, Commit, Ticket};
use crate::actors::participant::{Attach, Detach};
use crate::actors::request::Request;
use crate::actors::samples;
use crate::actors::supervisor::SupervisorActor;
use crate::store::{CursorRow, MemoryStore, Store};

/// How long the window is still open when a test begins: time enough to take the store away.
const REST_MILLIS: u64 = 300;

fn keys() -> [SigningKey; 2] {
    [2, 3].map(|byte| SigningKey::from_bytes([byte; 32]).unwrap())
}

pub(in crate::actors) fn members() -> Vec<Address> {
    keys().iter().map(SigningKey::address).collect()
}

/// A room without money whose lifetime of a second is over and whose window ends at that time.
pub(in crate::actors) fn expiring(broker: Address, window_ends_at: Timestamp) -> VirtualChannel {
    let opened_at = window_ends_at.minus_millis(2_000);
    let text = RequestText::new(broker, "[1,\"any\",{},1]");
    let signatures = keys().map(|key| key.sign(text.hash()));
    let request = OpeningRequest {
        request: RequestKey { at: opened_at, signer: members()[0], id: 1 },
        definition: Definition {
            application: "grace".to_owned(),
            protocol: "Clearnet/1".to_owned(),
            participants: members(),
            weights: vec![50, 50],
            quorum: 100,
            challenge: 1,
            nonce: 1,
        },
        allocations: Vec::new(),
        data: None,
        signers: Signed::verify(text, &signatures, &members()).unwrap().into_parts().1,
        parts: Vec::new(),
    };
    let with_direct_channel = members().into_iter().collect();
    let terms = OpeningTerms {
        broker,
        tokens: &BTreeSet::new(),
        with_direct_channel: &with_direct_channel,
        expiry_window_secs: 1,
    };
    let mut channel = open(request, &terms, opened_at).unwrap().channel;
    channel.apply(VirtualChannelEvent::Tick, opened_at.plus_millis(1_000)).unwrap();
    assert_eq!(channel.deadline(), Some(window_ends_at));
    channel
}

/// Version 2, asked for by the first and approved by both.
fn update(broker: Address, channel: &VirtualChannel) -> Asked<Wish> {
    let text = RequestText::new(broker, "[2,\"any\",{},1]");
    let signature = keys()[0].sign(text.hash());
    let request = Request { text, id: 2, at: clock::now() };
    let state = VirtualState {
        broker,
        channel_id: channel.id(),
        version: Version::new(2).unwrap(),
        intent: VirtualIntent::Operate,
        data_hash: VirtualState::hash_of_data(None),
        allocations: VirtualAllocations::new(&members(), []).unwrap(),
    };
    let approvals = keys().map(|key| key.sign(state.digest()));
    let state = Signed::verify(state, &approvals, &members()).unwrap();
    Asked {
        by: members()[0],
        request: Signed::verify_carrying(request, &[signature], &[], &members()).unwrap(),
        states: Vec::new(),
        params: Wish::Update(NextState { state, data: None }),
    }
}

/// Brings a channel into the store, as the supervisor would.
pub(in crate::actors) async fn store(services: &Services, channel: &VirtualChannel) {
    let (registered, mut told) = services.journal.register(Author::Supervisor).await.unwrap();
    let mut commit = Commit::new(Author::Supervisor, registered.incarnation, Ticket(1));
    commit.states.push(NewState {
        owner: OwnerId::Channel(channel.id()),
        replaces: None,
        kind: StateKind::Virtual,
        phase: channel.phase().code(),
        due_at: channel.deadline(),
        body: channel.to_stored(),
    });
    services.journal.hand_over(commit).unwrap();
    assert!(matches!(told.next().await, Some(FromJournal::Durable { .. })));
}

/// Writes something that has nothing to do with channels; its fate comes by the stream.
async fn write_something(services: &Services) -> UnboundedReceiver<FromJournal> {
    let chain_id = ChainId::new(1);
    let author = Author::Watcher(chain_id);
    let (registered, told) = services.journal.register(author).await.unwrap();
    let mut commit = Commit::new(author, registered.incarnation, Ticket(1));
    commit.cursors.push(CursorRow { chain_id, height: 1, hash: Digest::from_bytes([1; 32]) });
    services.journal.hand_over(commit).unwrap();
    told
}

/// Served without a break since long ago.
fn long_ago() -> Timestamp {
    clock::now().minus_millis(2 * GRACE_MILLIS)
}

#[actix::test]
async fn who_listens_to_a_room_that_is_rebuilt_hears_of_it() {
    let (services, _) = samples::services(clock::now()).await;
    let channel = expiring(services.broker, clock::now().plus_millis(60_000));
    store(&services, &channel).await;
    SupervisorActor::open(Arc::clone(&services)).await.unwrap();
    let room = services.virtual_channel(channel.id()).await.unwrap();
    let (tell, told) = samples::listener();
    let ask =
        Subscribe { session: SessionId::random(), tell, member: members()[0], key: None, position: None };
    room.send(ask).await.unwrap().unwrap();
    // Another incarnation ends this one.
    let author = Author::Owner(OwnerId::Channel(channel.id()));
    let (_registered, _told) = services.journal.register(author).await.unwrap();
    samples::until(|| !told.lock().unwrap().is_empty()).await;
    let id = channel.id();
    assert!(matches!(told.lock().unwrap()[..], [Push::TopicEnded { channel }] if channel == id));
}

#[actix::test]
async fn a_window_ends_when_it_was_meant_to() {
    let (services, _) = samples::services(long_ago()).await;
    let ends_at = clock::now().plus_millis(REST_MILLIS);
    let channel = expiring(services.broker, ends_at);
    store(&services, &channel).await;
    SupervisorActor::open(Arc::clone(&services)).await.unwrap();
    let room = services.virtual_channel(channel.id()).await.unwrap();
    samples::until(|| clock::now() > ends_at).await;
    let asked = Box::new(update(services.broker, &channel));
    let refused = room.send(AskVirtualChannel { asked }).await.unwrap().unwrap_err();
    assert!(matches!(refused, Refused::Virtual(_)), "{refused:?}");
}

#[actix::test]
async fn a_window_stays_open_when_the_store_was_away_at_its_end() {
    let (services, memory) = samples::services(long_ago()).await;
    let ends_at = clock::now().plus_millis(REST_MILLIS);
    let channel = expiring(services.broker, ends_at);
    store(&services, &channel).await;
    SupervisorActor::open(Arc::clone(&services)).await.unwrap();
    let room = services.virtual_channel(channel.id()).await.unwrap();
    memory.set_away(true);
    let mut told = write_something(&services).await;
    let mut health = services.journal.health();
    health.wait_for(|health| *health == JournalHealth::Away).await.unwrap();
    samples::until(|| clock::now() > ends_at).await;
    memory.set_away(false);
    assert!(matches!(told.next().await, Some(FromJournal::Durable { .. })));
    health.wait_for(|health| matches!(health, JournalHealth::Writing { .. })).await.unwrap();
    let asked = Box::new(update(services.broker, &channel));
    room.send(AskVirtualChannel { asked }).await.unwrap().unwrap();
}

#[actix::test]
async fn a_window_stays_open_when_the_broker_was_away_at_its_end() {
    let (services, _) = samples::services(clock::now()).await;
    let channel = expiring(services.broker, clock::now().minus_millis(60_000));
    store(&services, &channel).await;
    SupervisorActor::open(Arc::clone(&services)).await.unwrap();
    let room = services.virtual_channel(channel.id()).await.unwrap();
    let asked = Box::new(update(services.broker, &channel));
    room.send(AskVirtualChannel { asked }).await.unwrap().unwrap();
}

/// A token that nobody has to know.
pub(in crate::actors) fn token() -> Token {
    Token { chain_id: ChainId::new(1), address: Address::from_bytes([7; 20]) }
}

/// A room that the first has proposed, with 5 of its money in it; and the transfer that put it there.
fn proposed(broker: Address) -> (VirtualChannel, Vec<Transfer>) {
    let text = RequestText::new(broker, "[3,\"any\",{},1]");
    let now = clock::now();
    let share = VirtualAllocation { participant: members()[0], token: token(), amount: 5_u64.into() };
    let request = OpeningRequest {
        request: RequestKey { at: now, signer: members()[0], id: 3 },
        definition: Definition {
            application: "gone".to_owned(),
            protocol: "Clearnet/1".to_owned(),
            participants: members(),
            weights: vec![50, 50],
            quorum: 100,
            challenge: 60,
            nonce: 2,
        },
        allocations: vec![share],
        data: None,
        signers: Signed::verify(text.clone(), &[keys()[0].sign(text.hash())], &members())
            .unwrap()
            .into_parts()
            .1,
        parts: Vec::new(),
    };
    let (tokens, with_direct_channel) = (BTreeSet::from([token()]), members().into_iter().collect());
    let terms = OpeningTerms {
        broker,
        tokens: &tokens,
        with_direct_channel: &with_direct_channel,
        expiry_window_secs: 1,
    };
    let opened = propose(request, ACCEPT_SECS_MAX, &terms, now).unwrap();
    (opened.channel, opened.transition.transfers)
}

/// A store with a proposal in it, whose money came from the chain.
pub(in crate::actors) async fn with_proposal() -> (Arc<Services>, MemoryStore, VirtualChannel) {
    let (services, memory) = samples::services(clock::now()).await;
    let (channel, paid_in) = proposed(services.broker);
    let (registered, mut told) = services.journal.register(Author::Supervisor).await.unwrap();
    let host = OwnerId::Participant(members()[0]);
    let (of_host, _told) = services.journal.register(Author::Owner(host)).await.unwrap();
    let entry = |account, side| Entry::new(account, side, 5_u64.into()).unwrap();
    let wallet = AccountKey::wallet(members()[0], token());
    let came = [entry(AccountKey::custody(token()), Side::Debit), entry(wallet, Side::Credit)];
    let hash = Digest::from_bytes([1; 32]);
    let (chain_id, block_hash, tx_hash) = (token().chain_id, hash, hash);
    let cause = Cause::Chain(EventKey { chain_id, block_hash, tx_hash, log_index: 0 });
    let came = Transfer::new(TransferKind::ChannelOpened, cause, clock::now(), came.to_vec()).unwrap();
    let mut commit = Commit::new(Author::Supervisor, registered.incarnation, Ticket(1));
    commit.transfers = [vec![came], paid_in].concat();
    commit.prepared.push((host, of_host.incarnation));
    commit.states.push(NewState {
        owner: OwnerId::Channel(channel.id()),
        replaces: None,
        kind: StateKind::Virtual,
        phase: channel.phase().code(),
        due_at: channel.deadline(),
        body: channel.to_stored(),
    });
    services.journal.hand_over(commit).unwrap();
    let word = told.next().await;
    assert!(matches!(word, Some(FromJournal::Durable { .. })), "{word:?}");
    (services, memory, channel)
}

/// Where in its life the stored channel is, and what is on the Host's wallet.
async fn stored(store: &dyn Store, channel: ChannelId) -> (Phase, u128) {
    let row = store.load(OwnerId::Channel(channel)).await.unwrap().state.unwrap();
    let wallet = AccountKey::wallet(members()[0], token());
    let wallets = store.accounts(&[wallet]).await.unwrap();
    let balance = wallets.first().map_or(0, |row| row.balance.to_string().parse().unwrap());
    (Phase::from_code(row.phase).unwrap(), balance)
}

/// Lets virtual seconds pass, in which whoever has something to do does it.
pub(in crate::actors) async fn seconds(count: u64) {
    for _ in 0..10 * count {
        tokio::time::advance(Duration::from_millis(100)).await;
        tokio::task::yield_now().await;
    }
}

#[actix::test]
async fn a_proposal_whose_host_is_gone_is_given_back_after_a_restart_too() {
    tokio::time::pause();
    // Nobody has asked for the channel: the supervisor finds it in the store.
    let (services, memory, channel) = with_proposal().await;
    SupervisorActor::open(Arc::clone(&services)).await.unwrap();
    seconds(29).await;
    assert_eq!(stored(&memory, channel.id()).await, (Phase::Proposed, 0));
    seconds(8).await;
    assert_eq!(stored(&memory, channel.id()).await, (Phase::Cancelled, 5));
    seconds(60).await;
    assert_eq!(stored(&memory, channel.id()).await, (Phase::Cancelled, 5), "once");
}

#[actix::test]
async fn a_proposal_waits_as_long_as_its_host_is_there() {
    tokio::time::pause();
    let (services, memory, channel) = with_proposal().await;
    SupervisorActor::open(Arc::clone(&services)).await.unwrap();
    let host = services.participant(members()[0]).await.unwrap();
    let session = SessionId::random();
    let (tell, _told) = samples::listener();
    host.send(Attach { session, tell: tell.clone(), key: None }).await.unwrap().unwrap();
    seconds(120).await;
    assert_eq!(stored(&memory, channel.id()).await, (Phase::Proposed, 0));
    // It leaves, and comes back in time.
    host.send(Detach { session }).await.unwrap();
    seconds(25).await;
    host.send(Attach { session, tell, key: None }).await.unwrap().unwrap();
    seconds(60).await;
    assert_eq!(stored(&memory, channel.id()).await, (Phase::Proposed, 0));
    host.send(Detach { session }).await.unwrap();
    seconds(37).await;
    assert_eq!(stored(&memory, channel.id()).await, (Phase::Cancelled, 5));
}

#[actix::test]
async fn a_proposal_counts_against_its_host_until_it_ends() {
    tokio::time::pause();
    let (services, _, channel) = with_proposal().await;
    SupervisorActor::open(Arc::clone(&services)).await.unwrap();
    services.virtual_channel(channel.id()).await.unwrap();
    let host = members()[0];
    let slots: Vec<_> =
        (1..PROPOSALS_MAX).map(|_| services.proposals.take(host, clock::now()).unwrap()).collect();
    assert!(services.proposals.take(host, clock::now()).is_err());
    seconds(40).await;
    assert!(services.proposals.take(host, clock::now()).is_ok(), "it was given back");
    drop(slots);
}
