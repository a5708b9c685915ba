//! Services over a store in memory, for tests of single actors: no chains, no sockets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix::prelude::*;
use domain::channel::direct::Terms;
use domain::crypto::CustodyDomain;
use domain::crypto::SigningKey;
use domain::participant::AssetTable;
use domain::primitives::{Address, ChainId, Timestamp};

use super::direct_channel::DirectChannelActor;
use super::directory::Directory;
use super::journal::JournalActor;
use super::participant::ParticipantActor;
use super::proposals::Proposals;
use super::push::{Push, Tell};
use super::services::{CheckedChains, ReadChains, Services};
use super::stop::Stop;
use super::supervisor::SupervisorActor;
use super::virtual_channel::VirtualChannelActor;
use crate::store::MemoryStore;

/// The chain that there are terms for, though nobody can ask it.
pub(super) const CHAIN: ChainId = ChainId::new(1);

fn terms(broker: Address) -> Terms {
    Terms {
        chain_id: CHAIN,
        broker,
        custody: CustodyDomain::new(CHAIN, Address::from_bytes([0xCC; 20])),
        adjudicator: Address::from_bytes([0xAD; 20]),
        tokens: BTreeSet::new(),
        challenge_secs_max: 3_600,
        debit_challenge_secs_min: 3_600,
    }
}

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
        terms: [(CHAIN, Arc::new(terms(broker)))].into(),
        tokens: BTreeSet::new(),
        assets: AssetTable::default(),
        journal,
        store: Arc::new(store.clone()),
        directory: Directory::default(),
        arbiters: vec![Arbiter::current()],
        is_serving: AtomicBool::new(true),
        proposals: Proposals::default(),
        checked_chains: CheckedChains::default(),
        read_chains: ReadChains::default(),
        stop: Stop::default(),
    });
    (services, store)
}

/// Longer than anything takes that is not broken.
pub(super) const LIMIT: Duration = Duration::from_secs(20);

/// Waits until something is so.
pub(super) async fn until(is_so: impl Fn() -> bool) {
    let over = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, over).await.expect("it never comes");
}

/// Where to tell somebody something, and what was told.
pub(super) fn listener() -> (Tell, Arc<Mutex<Vec<Push>>>) {
    let told = Arc::default();
    (Tell::new(Listener(Arc::clone(&told)).start().recipient(), Arc::default()), told)
}

struct Listener(Arc<Mutex<Vec<Push>>>);

impl Actor for Listener {
    type Context = Context<Self>;
}

impl Handler<Push> for Listener {
    type Result = ();

    fn handle(&mut self, push: Push, _: &mut Context<Self>) {
        self.0.lock().unwrap().push(push);
    }
}

/// Makes an actor panic.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub(super) struct Panic;

macro_rules! panics {
    ($($actor:ty),*) => {
        $(impl Handler<Panic> for $actor {
            type Result = ();

            fn handle(&mut self, _: Panic, _: &mut Context<Self>) {
                panic!("as the test wants it");
            }
        })*
    };
}

panics!(SupervisorActor, ParticipantActor, VirtualChannelActor, DirectChannelActor);
