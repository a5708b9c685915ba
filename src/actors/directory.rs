//! Who lives where: all read it, only the supervisor enters somebody (L8).

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use actix::prelude::*;
use domain::ledger::OwnerId;
use domain::primitives::{Address, ChainId, ChannelId, Timestamp};

use super::chain_sender::ChainSenderActor;
use super::direct_channel::DirectChannelActor;
use super::leaving::Leave;
use super::participant::ParticipantActor;
use super::supervisor::SupervisorActor;
use super::virtual_channel::VirtualChannelActor;
use crate::clock;

/// Where an owner lives.
#[derive(Debug, Clone)]
pub enum OwnerHandle {
    /// A direct channel.
    Direct(Addr<DirectChannelActor>),
    /// A virtual channel.
    Virtual(Addr<VirtualChannelActor>),
    /// A participant.
    Participant(Addr<ParticipantActor>),
    /// The sender of a network.
    Sender(Addr<ChainSenderActor>),
}

impl OwnerHandle {
    /// Whether its actor is still there.
    pub(super) fn is_alive(&self) -> bool {
        match self {
            Self::Direct(addr) => addr.connected(),
            Self::Virtual(addr) => addr.connected(),
            Self::Participant(addr) => addr.connected(),
            Self::Sender(addr) => addr.connected(),
        }
    }

    /// Where to ask it to leave; `None` for those who never do: a sender looks after its network by itself.
    fn leaver(&self) -> Option<Recipient<Leave>> {
        match self {
            Self::Direct(addr) => Some(addr.clone().recipient()),
            Self::Virtual(addr) => Some(addr.clone().recipient()),
            Self::Participant(addr) => Some(addr.clone().recipient()),
            Self::Sender(_) => None,
        }
    }
}

/// Where an owner lives, and when somebody looked for it last.
#[derive(Debug)]
struct Place {
    handle: OwnerHandle,
    used_at_millis: AtomicU64,
}

impl Place {
    fn touch(&self) {
        self.used_at_millis.store(clock::now().as_millis(), Ordering::Relaxed);
    }

    fn is_unused_since(&self, since: Timestamp) -> bool {
        self.used_at_millis.load(Ordering::Relaxed) <= since.as_millis()
    }
}

/// Some of those whom nobody has looked for in a while.
#[derive(Debug)]
pub(super) struct Unused {
    /// Where to ask each of them to leave.
    pub(super) owners: Vec<(OwnerId, Recipient<Leave>)>,
    /// Where to go on; `None` when everybody was looked at.
    pub(super) looked_up_to: Option<OwnerId>,
}

/// The owners that are alive, and who brings them to life.
#[derive(Debug, Default)]
pub struct Directory {
    owners: RwLock<BTreeMap<OwnerId, Place>>,
    supervisor: RwLock<Option<Addr<SupervisorActor>>>,
}

impl Directory {
    /// Where the owner lives; `None` when it has to be loaded.
    #[must_use]
    pub fn find(&self, owner: OwnerId) -> Option<OwnerHandle> {
        let owners = self.owners.read().unwrap_or_else(PoisonError::into_inner);
        let place = owners.get(&owner).filter(|place| place.handle.is_alive())?;
        place.touch();
        Some(place.handle.clone())
    }

    /// The participant, if somebody needs it now.
    #[must_use]
    pub fn participant(&self, address: Address) -> Option<Addr<ParticipantActor>> {
        match self.find(OwnerId::Participant(address))? {
            OwnerHandle::Participant(addr) => Some(addr),
            OwnerHandle::Direct(_) | OwnerHandle::Virtual(_) | OwnerHandle::Sender(_) => None,
        }
    }

    /// The virtual channel, if it is alive.
    #[must_use]
    pub fn virtual_channel(&self, id: ChannelId) -> Option<Addr<VirtualChannelActor>> {
        match self.find(OwnerId::Channel(id))? {
            OwnerHandle::Virtual(addr) => Some(addr),
            OwnerHandle::Direct(_) | OwnerHandle::Participant(_) | OwnerHandle::Sender(_) => None,
        }
    }

    /// The sender of a network, if it is alive.
    #[must_use]
    pub fn sender(&self, chain_id: ChainId) -> Option<Addr<ChainSenderActor>> {
        match self.find(OwnerId::Network(chain_id))? {
            OwnerHandle::Sender(addr) => Some(addr),
            OwnerHandle::Direct(_) | OwnerHandle::Virtual(_) | OwnerHandle::Participant(_) => None,
        }
    }

    /// How many owners of each kind are alive.
    #[must_use]
    pub fn alive(&self) -> [(&'static str, usize); 4] {
        let owners = self.owners.read().unwrap_or_else(PoisonError::into_inner);
        let mut counted = [("direct_channel", 0), ("virtual_channel", 0), ("participant", 0), ("sender", 0)];
        let handles = owners.values().map(|place| &place.handle);
        for handle in handles.filter(|handle| handle.is_alive()) {
            let place = match handle {
                OwnerHandle::Direct(_) => 0,
                OwnerHandle::Virtual(_) => 1,
                OwnerHandle::Participant(_) => 2,
                OwnerHandle::Sender(_) => 3,
            };
            counted[place].1 += 1;
        }
        counted
    }

    /// The supervisor; `None` before it has started, and until the next one follows one that panicked.
    #[must_use]
    pub fn supervisor(&self) -> Option<Addr<SupervisorActor>> {
        let supervisor = self.supervisor.read().unwrap_or_else(PoisonError::into_inner);
        supervisor.as_ref().filter(|addr| addr.connected()).cloned()
    }

    /// Notes who the supervisor is. Only for the supervisor.
    pub(super) fn set_supervisor(&self, addr: Addr<SupervisorActor>) {
        *self.supervisor.write().unwrap_or_else(PoisonError::into_inner) = Some(addr);
    }

    /// Notes where an owner lives. Only for the supervisor.
    pub(super) fn insert(&self, owner: OwnerId, handle: OwnerHandle) {
        let place = Place { handle, used_at_millis: AtomicU64::default() };
        place.touch();
        self.owners.write().unwrap_or_else(PoisonError::into_inner).insert(owner, place);
    }

    /// Looks at `count` owners after `after`, for those whom nobody has looked for since. Only for the supervisor.
    pub(super) fn unused(&self, since: Timestamp, after: Option<OwnerId>, count: usize) -> Unused {
        let owners = self.owners.read().unwrap_or_else(PoisonError::into_inner);
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let (mut unused, mut looked_up_to, mut looked) = (Vec::new(), None, 0);
        for (owner, place) in owners.range((from, Bound::Unbounded)).take(count) {
            looked += 1;
            looked_up_to = Some(*owner);
            if place.is_unused_since(since) {
                unused.extend(place.handle.leaver().map(|leaver| (*owner, leaver)));
            }
        }
        Unused { owners: unused, looked_up_to: looked_up_to.filter(|_| looked == count) }
    }

    /// Takes an owner out that nobody has looked for since; tells whether it did. Only for the owner itself, which goes
    /// on until nobody holds its address.
    pub(super) fn take_out(&self, owner: OwnerId, unused_since: Timestamp) -> bool {
        let mut owners = self.owners.write().unwrap_or_else(PoisonError::into_inner);
        let is_unused = owners.get(&owner).is_some_and(|place| place.is_unused_since(unused_since));
        is_unused && owners.remove(&owner).is_some()
    }

    /// Forgets all owners, alive or not, and says who they were. Only when the book begins anew.
    pub(super) fn forget_owners(&self) -> Vec<OwnerHandle> {
        let mut owners = self.owners.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *owners).into_values().map(|place| place.handle).collect()
    }

    /// Forgets an owner that has ended; not one that was loaded again meanwhile. Tells whether there was one.
    /// Only for the supervisor.
    pub(super) fn remove_ended(&self, owner: OwnerId) -> bool {
        let mut owners = self.owners.write().unwrap_or_else(PoisonError::into_inner);
        let has_ended = owners.get(&owner).is_some_and(|place| !place.handle.is_alive());
        has_ended && owners.remove(&owner).is_some()
    }
}
