use domain::channel::virtual_channel;
use domain::primitives::{ChannelId, Timestamp};
use futures::StreamExt as _;

use super::*;
use crate::actors::journal::JournalActor;
use crate::actors::samples::{self, Panic};
use crate::actors::virtual_channel::tests::{expiring, seconds, store};
use crate::clock;
use crate::store::{Batch, Head, Revision, StateKind, StateRow, Store as _};

async fn services() -> Arc<Services> {
    samples::services(clock::now()).await.0
}

#[actix::test]
async fn who_does_not_exist_is_looked_for_once() {
    let services = services().await;
    SupervisorActor::open(Arc::clone(&services)).await.unwrap();
    let owner = OwnerId::Channel(ChannelId::from_bytes([7; 32]));
    assert!(matches!(services.owner(owner).await, Err(Refused::NotFound { .. })));
    // Whoever looked again would end this incarnation, and close its stream.
    let (_, mut told) = services.journal.register(Author::Owner(owner)).await.unwrap();
    let looked_again = tokio::time::timeout(3 * REBIRTH_DELAY, told.next()).await;
    assert!(looked_again.is_err(), "loaded again and again: {looked_again:?}");
}

#[actix::test]
async fn who_has_ended_is_loaded_again() {
    let services = services().await;
    SupervisorActor::open(Arc::clone(&services)).await.unwrap();
    let address = domain::primitives::Address::from_bytes([7; 20]);
    let first = services.participant(address).await.unwrap();
    // A new incarnation ends the actor's; the supervisor brings it back and ends this one.
    let author = Author::Owner(OwnerId::Participant(address));
    let (_, mut told) = services.journal.register(author).await.unwrap();
    assert_eq!(told.next().await, None);
    assert!(!first.connected());
}

#[actix::test]
async fn a_supervisor_that_panics_is_followed_by_another() {
    let services = services().await;
    let first = SupervisorActor::open(Arc::clone(&services)).await.unwrap();
    let address = domain::primitives::Address::from_bytes([7; 20]);
    let participant = services.participant(address).await.unwrap();
    first.send(Panic).await.unwrap_err();
    let other = domain::primitives::Address::from_bytes([8; 20]);
    let loaded = async {
        while services.participant(other).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(20 * REBIRTH_DELAY, loaded).await.expect("owners are loaded again");
    assert!(participant.connected(), "who lived lives on");
    assert!(services.directory.supervisor().is_some_and(|addr| addr != first));
}

/// What cannot be read by anybody.
fn damaged(number: u32) -> StateRow {
    let mut id = [0; 32];
    id[..4].copy_from_slice(&number.to_be_bytes());
    StateRow {
        owner: OwnerId::Channel(ChannelId::from_bytes(id)),
        revision: Revision(1),
        kind: StateKind::Virtual,
        phase: virtual_channel::Phase::Open.code(),
        due_at: Some(Timestamp::from_millis(1)),
        body: b"damaged".to_vec(),
    }
}

#[actix::test]
async fn who_is_due_gets_its_turn_however_many_cannot_be_read() {
    tokio::time::pause();
    let (services, memory) = samples::services(clock::now().minus_millis(60 * 60 * 1_000)).await;
    let room = expiring(services.broker, clock::now().minus_millis(1_000));
    store(&services, &room).await;
    let head = memory.open_writer(services.broker).await.unwrap();
    let states = (0..3 * due::DUE_MAX).map(damaged).collect();
    let batch = Batch { head: Head { seq: head.seq.next(), ..head }, states, ..Batch::default() };
    memory.write(&batch).await.unwrap();
    let journal = JournalActor::open(
        Arc::new(memory.clone()),
        services.broker,
        clock::now().minus_millis(60 * 60 * 1_000),
    );
    let services =
        Arc::new(Services { journal: journal.await.unwrap(), ..Arc::into_inner(services).unwrap() });
    SupervisorActor::open(Arc::clone(&services)).await.unwrap();
    seconds(5).await;
    let row = memory.load(OwnerId::Channel(room.id())).await.unwrap().state.unwrap();
    assert!(virtual_channel::Phase::from_code(row.phase).unwrap().is_end(), "nobody looked after it");
    let memory = services.journal.memory().await.unwrap();
    assert!(memory.authors <= 2, "who cannot be read is not alive: {memory:?}");
}
