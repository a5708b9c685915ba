use std::collections::BTreeSet;

use domain::channel::virtual_channel::{OpeningRequest, OpeningTerms, VirtualChannel, open};
use domain::crypto::{
    Definition, RequestText, Signed, SigningKey, VirtualAllocations, VirtualIntent, VirtualState,
};
use domain::ledger::RequestKey;
use domain::primitives::{Address, ChainId, Digest, Timestamp, Version};
use futures::StreamExt as _;
use futures::channel::mpsc::UnboundedReceiver;

use super::*;
use crate::actors::journal::{Author, Commit, Ticket};
use crate::actors::request::Request;
use crate::actors::samples;
use crate::actors::supervisor::SupervisorActor;
use crate::store::CursorRow;

/// How long the window is still open when a test begins: time enough to take the store away.
const REST_MILLIS: u64 = 300;

fn keys() -> [SigningKey; 2] {
    [2, 3].map(|byte| SigningKey::from_bytes([byte; 32]).unwrap())
}

fn members() -> Vec<Address> {
    keys().iter().map(SigningKey::address).collect()
}

/// A room without money whose lifetime of a second is over and whose window ends at that time.
fn expiring(broker: Address, window_ends_at: Timestamp) -> VirtualChannel {
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
fn update(broker: Address, channel: &VirtualChannel) -> Asked<NextState> {
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
        params: NextState { state, data: None },
    }
}

/// Brings a channel into the store, as the supervisor would.
async fn store(services: &Services, channel: &VirtualChannel) {
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
    let ask = Subscribe { session: SessionId::random(), tell, member: members()[0], position: None };
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
    let refused = room.send(UpdateVirtualChannel { asked }).await.unwrap().unwrap_err();
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
    room.send(UpdateVirtualChannel { asked }).await.unwrap().unwrap();
}

#[actix::test]
async fn a_window_stays_open_when_the_broker_was_away_at_its_end() {
    let (services, _) = samples::services(clock::now()).await;
    let channel = expiring(services.broker, clock::now().minus_millis(60_000));
    store(&services, &channel).await;
    SupervisorActor::open(Arc::clone(&services)).await.unwrap();
    let room = services.virtual_channel(channel.id()).await.unwrap();
    let asked = Box::new(update(services.broker, &channel));
    room.send(UpdateVirtualChannel { asked }).await.unwrap().unwrap();
}
