//! Services over a store in memory, for tests of single actors: no chains, no sockets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use actix::prelude::*;
use domain::crypto::SigningKey;
use domain::primitives::Timestamp;

use super::directory::Directory;
use super::journal::JournalActor;
use super::services::{CheckedChains, Services};
use crate::store::MemoryStore;

/// Services whose journal has written since `since`, with a copy of their store.
pub(super) async fn services(since: Timestamp) -> (Arc<Services>, MemoryStore) {
    let key = SigningKey::from_bytes([1; 32]).unwrap();
    let (store, broker) = (MemoryStore::new(), key.address());
    let journal = JournalActor::open(Arc::new(store.clone()), broker, since).await.unwrap();
    let services = Arc::new(Services {
        broker,
        key: Arc::new(key),
        chains: BTreeMap::new(),
        confirmations: BTreeMap::new(),
        terms: BTreeMap::new(),
        tokens: BTreeSet::new(),
        journal,
        store: Arc::new(store.clone()),
        directory: Directory::default(),
        arbiters: vec![Arbiter::current()],
        checked_chains: CheckedChains::default(),
    });
    (services, store)
}
