use std::collections::BTreeMap;
use std::sync::Arc;

use domain::channel::virtual_channel::{Phase, Position, VirtualChannel};
use domain::ledger::{AccountKey, Cause, Entry, EventKey, Side, Transfer, TransferKind};
use domain::primitives::{Address, ChannelId, Digest};
use futures::StreamExt as _;
use futures::future::{join, join3};

use super::*;
use crate::actors::journal::{Author, Commit, FromJournal, NewState, Ticket};
use crate::actors::participant::{Attach, Detach, NextNonce, ParticipantActor};
use crate::actors::prepare::{HoldId, PrepareDebit, Release};
use crate::actors::request::Refused;
use crate::actors::samples::{self, CHAIN, Panic};
use crate::actors::services::Services;
use crate::actors::session::SessionId;
use crate::actors::supervisor::{IDLE_MILLIS, LetLeave, SupervisorActor};
use crate::actors::virtual_channel::tests::{expiring, members, seconds, store, token, with_proposal};
use crate::actors::virtual_channel::{Publish, Subscribe, Subscribed, Unsubscribe};
use crate::clock;
use crate::store::{MemoryStore, StateKind, Store as _};

/// Longer than a room remembers what was said.
const HOUR_MILLIS: u64 = 60 * 60 * 1_000;

async fn supervised() -> (Arc<Services>, MemoryStore) {
    let (services, memory) = samples::services(clock::now()).await;
    SupervisorActor::open(Arc::clone(&services)).await.unwrap();
    (services, memory)
}

/// How many leave when nobody has looked for anybody for so long.
async fn leave_after(services: &Services, millis: u64) -> usize {
    let now = clock::now().plus_millis(millis);
    services.supervisor().unwrap().send(LetLeave { now }).await.unwrap()
}

async fn leave_soon(services: &Services) -> usize {
    leave_after(services, 2 * IDLE_MILLIS).await
}

fn somebody() -> Address {
    Address::from_bytes([7; 20])
}

async fn nonce(services: &Services) -> u64 {
    services.participant(somebody()).await.unwrap().send(NextNonce).await.unwrap()
}

/// Brings an account of somebody's to life, or posts to it once more.
async fn credit(services: &Services, amount: u64) {
    let author = Author::Watcher(CHAIN);
    let (registered, mut told) = services.journal.register(author).await.unwrap();
    let entry = |account, side| Entry::new(account, side, amount.into()).unwrap();
    let wallet = AccountKey::wallet(somebody(), token());
    let came = vec![entry(AccountKey::custody(token()), Side::Debit), entry(wallet, Side::Credit)];
    let hash = Digest::from_bytes([1; 32]);
    let cause = Cause::Chain(EventKey { chain_id: CHAIN, block_hash: hash, tx_hash: hash, log_index: 0 });
    let mut commit = Commit::new(author, registered.incarnation, Ticket(1));
    commit.transfers.push(Transfer::new(TransferKind::ChannelOpened, cause, clock::now(), came).unwrap());
    services.journal.hand_over(commit).unwrap();
    assert!(matches!(told.next().await, Some(FromJournal::Durable { .. })));
}

fn debit(amount: u64) -> PrepareDebit {
    let request_hash = Digest::from_bytes([3; 32]);
    PrepareDebit {
        hold: HoldId::next(),
        request_hash,
        amounts: BTreeMap::from([(token(), amount.into())]),
        by_key: None,
    }
}

#[actix::test]
async fn whom_nobody_needs_leaves_and_is_loaded_again() {
    let (services, _) = supervised().await;
    let nonces = [nonce(&services).await, nonce(&services).await];
    assert_eq!(leave_after(&services, 0).await, 0, "somebody has just looked for it");
    assert_eq!(leave_soon(&services).await, 1);
    let memory = services.journal.memory().await.unwrap();
    assert_eq!((memory.authors, memory.states), (1, 0), "the supervisor is left");
    assert!(nonce(&services).await > nonces[1], "a nonce is given once");
    assert_eq!(leave_soon(&services).await, 1);
}

#[actix::test]
async fn who_has_given_nonces_of_the_future_stays_until_it_has_come() {
    let (services, _) = supervised().await;
    let now = clock::now();
    while nonce(&services).await <= now.plus_millis(IDLE_MILLIS + 20_000).as_millis() {}
    assert_eq!(leave_after(&services, IDLE_MILLIS + 1).await, 0);
    assert_eq!(leave_after(&services, IDLE_MILLIS + 40_000).await, 1);
}

#[actix::test]
async fn who_holds_the_address_of_an_owner_keeps_it() {
    let (services, _) = supervised().await;
    let addr = services.participant(somebody()).await.unwrap();
    assert_eq!(leave_soon(&services).await, 0);
    assert!(addr.connected());
    assert_eq!(services.participant(somebody()).await.unwrap(), addr, "it is found where it was");
    drop(addr);
    assert_eq!(leave_soon(&services).await, 1);
}

#[actix::test]
async fn who_looks_for_an_owner_that_leaves_gets_the_next_one() {
    let (services, _) = supervised().await;
    for _ in 0..200 {
        let before = nonce(&services).await;
        let (left, after, again) = join3(leave_soon(&services), nonce(&services), nonce(&services)).await;
        assert!(left <= 1);
        assert!(before < after && before < again && after != again);
    }
}

#[actix::test]
async fn who_sends_to_an_owner_that_leaves_is_answered_by_it() {
    let (services, _) = supervised().await;
    let mut left = 0;
    for _ in 0..200 {
        // Found before it is asked to leave, and told something at any time while it does.
        let addr: Addr<ParticipantActor> = services.participant(somebody()).await.unwrap();
        let asked = async {
            for _ in 0..rand::random_range(0..20) {
                tokio::task::yield_now().await;
            }
            let asked = addr.send(NextNonce);
            drop(addr);
            asked.await
        };
        let (gone, answered) = join(leave_soon(&services), asked).await;
        answered.expect("it is answered before it ends");
        left += gone;
    }
    assert!(left > 0);
}

#[actix::test]
async fn sessions_keep_their_participant() {
    let (services, _) = supervised().await;
    let session = SessionId::random();
    let (tell, _told) = samples::listener();
    let addr = services.participant(somebody()).await.unwrap();
    addr.send(Attach { session, tell, key: None }).await.unwrap().unwrap();
    drop(addr);
    assert_eq!(leave_soon(&services).await, 0);
    services.participant(somebody()).await.unwrap().send(Detach { session }).await.unwrap();
    assert_eq!(leave_soon(&services).await, 1);
}

#[actix::test]
async fn a_hold_keeps_its_owner() {
    let (services, _) = supervised().await;
    credit(&services, 5).await;
    let ask = debit(5);
    let hold = ask.hold;
    services.participant(somebody()).await.unwrap().send(ask).await.unwrap().unwrap();
    assert_eq!(leave_soon(&services).await, 0);
    services.participant(somebody()).await.unwrap().send(Release { hold }).await.unwrap();
    assert_eq!(leave_soon(&services).await, 1);
}

#[actix::test]
async fn what_is_posted_while_an_owner_leaves_is_there_afterwards() {
    let (services, _) = supervised().await;
    let mut left = 0;
    for round in 1..=100 {
        let ((), gone) = join(credit(&services, 1), leave_soon(&services)).await;
        left += gone;
        let refused = services.participant(somebody()).await.unwrap().send(debit(round + 1)).await.unwrap();
        assert!(matches!(refused, Err(Refused::Participant(_))), "{refused:?}");
        let ask = debit(round);
        let hold = ask.hold;
        // It comes by the stream of who is alive.
        while services.participant(somebody()).await.unwrap().send(ask.clone()).await.unwrap().is_err() {
            tokio::task::yield_now().await;
        }
        services.participant(somebody()).await.unwrap().send(Release { hold }).await.unwrap();
    }
    assert!(left > 50, "{left} have left");
}

#[actix::test]
async fn what_is_in_flight_keeps_its_owner() {
    // Served without a break since long ago: what is due is paid at once.
    let (services, memory) = samples::services(clock::now().minus_millis(HOUR_MILLIS)).await;
    let channel = expiring(services.broker, clock::now().minus_millis(60_000));
    store(&services, &channel).await;
    SupervisorActor::open(Arc::clone(&services)).await.unwrap();
    let held = memory.hold_writes().await;
    services.virtual_channel(channel.id()).await.unwrap();
    assert_eq!(leave_after(&services, HOUR_MILLIS).await, 0);
    drop(held);
    let gone = async { while leave_after(&services, HOUR_MILLIS).await == 0 {} };
    tokio::time::timeout(samples::LIMIT, gone).await.expect("it leaves when that is durable");
    let row = memory.load(OwnerId::Channel(channel.id())).await.unwrap().state.unwrap();
    assert!(Phase::from_code(row.phase).unwrap().is_end());
}

async fn subscribe(
    services: &Services,
    channel: &VirtualChannel,
    position: Option<Position>,
) -> (SessionId, Subscribed) {
    let session = SessionId::random();
    let (tell, _told) = samples::listener();
    let ask = Subscribe { session, tell, member: members()[0], key: None, position };
    (session, services.virtual_channel(channel.id()).await.unwrap().send(ask).await.unwrap().unwrap())
}

async fn with_room() -> (Arc<Services>, VirtualChannel) {
    let (services, _) = samples::services(clock::now()).await;
    let channel = expiring(services.broker, clock::now().plus_millis(24 * HOUR_MILLIS));
    store(&services, &channel).await;
    SupervisorActor::open(Arc::clone(&services)).await.unwrap();
    (services, channel)
}

#[actix::test]
async fn who_listens_keeps_a_room_alive() {
    let (services, channel) = with_room().await;
    let (session, first) = subscribe(&services, &channel, None).await;
    assert_eq!(leave_after(&services, HOUR_MILLIS).await, 0);
    let room = services.virtual_channel(channel.id()).await.unwrap();
    room.send(Unsubscribe { session }).await.unwrap();
    drop(room);
    assert_eq!(leave_soon(&services).await, 1, "nothing was said that anybody could have missed");
    let (_, next) = subscribe(&services, &channel, Some(first.position)).await;
    assert!(next.position.epoch > first.position.epoch);
}

#[actix::test]
async fn a_room_remembers_for_a_while_what_was_said_and_then_begins_anew() {
    let (services, channel) = with_room().await;
    let (session, first) = subscribe(&services, &channel, None).await;
    let room = services.virtual_channel(channel.id()).await.unwrap();
    let (member, payload) = (members()[1], "\"hello\"".to_owned());
    room.send(Publish { session: SessionId::random(), member, key: None, payload }).await.unwrap().unwrap();
    room.send(Unsubscribe { session }).await.unwrap();
    drop(room);
    assert_eq!(leave_soon(&services).await, 0, "somebody may come back");
    let (session, resumed) = subscribe(&services, &channel, Some(first.position)).await;
    assert!(resumed.resumed.is_some_and(|missed| missed.recovered && missed.messages.len() == 1));
    let room = services.virtual_channel(channel.id()).await.unwrap();
    room.send(Unsubscribe { session }).await.unwrap();
    drop(room);
    assert_eq!(leave_after(&services, HOUR_MILLIS).await, 1);
    let (_, anew) = subscribe(&services, &channel, Some(resumed.position)).await;
    assert!(anew.position.epoch > resumed.position.epoch);
    assert!(anew.resumed.is_some_and(|missed| !missed.recovered && missed.messages.is_empty()));
}

#[actix::test]
async fn a_proposal_stays_until_its_host_is_gone() {
    tokio::time::pause();
    let (services, _, channel) = with_proposal().await;
    SupervisorActor::open(Arc::clone(&services)).await.unwrap();
    services.virtual_channel(channel.id()).await.unwrap();
    assert_eq!(leave_after(&services, HOUR_MILLIS).await, 0);
    seconds(40).await;
    services.virtual_channel(channel.id()).await.unwrap();
    // The Host's actor lives too: money was posted to it.
    let left = leave_after(&services, HOUR_MILLIS).await;
    assert_eq!(left, 1, "it was given back");
}

/// A store with a direct channel of which nothing is known.
async fn with_direct_channel(services: &Services) -> ChannelId {
    let id = ChannelId::from_bytes([9; 32]);
    let terms = services.terms_of(CHAIN).unwrap();
    let encoded = domain::channel::direct::DirectChannel::new(id, terms).encode();
    let (registered, mut told) = services.journal.register(Author::Supervisor).await.unwrap();
    let mut commit = Commit::new(Author::Supervisor, registered.incarnation, Ticket(1));
    commit.states.push(NewState {
        owner: OwnerId::Channel(id),
        replaces: None,
        kind: StateKind::Direct,
        phase: encoded.phase,
        due_at: None,
        body: encoded.body,
    });
    services.journal.hand_over(commit).unwrap();
    assert!(matches!(told.next().await, Some(FromJournal::Durable { .. })));
    id
}

#[actix::test]
async fn a_direct_channel_leaves_and_is_loaded_again() {
    let (services, _) = samples::services(clock::now()).await;
    let id = with_direct_channel(&services).await;
    SupervisorActor::open(Arc::clone(&services)).await.unwrap();
    services.direct_channel(id).await.unwrap();
    assert_eq!(leave_soon(&services).await, 1);
    services.direct_channel(id).await.unwrap();
}

#[actix::test]
async fn whoever_panics_is_rebuilt_from_the_store() {
    let (services, _) = samples::services(clock::now()).await;
    let id = with_direct_channel(&services).await;
    let room = expiring(services.broker, clock::now().plus_millis(HOUR_MILLIS));
    store(&services, &room).await;
    credit(&services, 5).await;
    SupervisorActor::open(Arc::clone(&services)).await.unwrap();
    let is_back = async |owner| samples::until(|| services.directory.find(owner).is_some()).await;
    let direct = services.direct_channel(id).await.unwrap();
    direct.send(Panic).await.unwrap_err();
    is_back(OwnerId::Channel(id)).await;
    assert_ne!(services.direct_channel(id).await.unwrap(), direct);
    let virtual_channel = services.virtual_channel(room.id()).await.unwrap();
    virtual_channel.send(Panic).await.unwrap_err();
    is_back(OwnerId::Channel(room.id())).await;
    assert_ne!(services.virtual_channel(room.id()).await.unwrap(), virtual_channel);
    let participant = services.participant(somebody()).await.unwrap();
    participant.send(Panic).await.unwrap_err();
    is_back(OwnerId::Participant(somebody())).await;
    let next = services.participant(somebody()).await.unwrap();
    assert_ne!(next, participant);
    next.send(debit(5)).await.unwrap().expect("its money is there");
}
