use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use domain::crypto::SigningKey;
use domain::primitives::ChannelId;
use futures::StreamExt as _;

use super::*;
use crate::actors::directory::Directory;
use crate::actors::journal::JournalActor;
use crate::store::MemoryStore;

async fn services() -> Arc<Services> {
    let key = SigningKey::from_bytes([1; 32]).unwrap();
    let store = Arc::new(MemoryStore::new());
    let broker = key.address();
    let journal = JournalActor::open(store.clone(), broker, clock::now()).await.unwrap();
    Arc::new(Services {
        broker,
        key: Arc::new(key),
        chains: BTreeMap::new(),
        confirmations: BTreeMap::new(),
        terms: BTreeMap::new(),
        tokens: BTreeSet::new(),
        journal,
        store,
        directory: Directory::default(),
        arbiters: vec![Arbiter::current()],
        supervisor: OnceLock::new(),
    })
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
