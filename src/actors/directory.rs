//! Who lives where: all read it, only the supervisor writes it (L8).

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use actix::prelude::*;
use domain::ledger::OwnerId;
use domain::primitives::{Address, ChainId, ChannelId};

use super::chain_sender::ChainSenderActor;
use super::direct_channel::DirectChannelActor;
use super::participant::ParticipantActor;
use super::supervisor::SupervisorActor;
use super::virtual_channel::VirtualChannelActor;

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
}

/// The owners that are alive, and who brings them to life.
#[derive(Debug, Default)]
pub struct Directory {
    owners: RwLock<BTreeMap<OwnerId, OwnerHandle>>,
    supervisor: RwLock<Option<Addr<SupervisorActor>>>,
}

impl Directory {
    /// Where the owner lives; `None` when it has to be loaded.
    #[must_use]
    pub fn find(&self, owner: OwnerId) -> Option<OwnerHandle> {
        let owners = self.owners.read().unwrap_or_else(PoisonError::into_inner);
        owners.get(&owner).filter(|handle| handle.is_alive()).cloned()
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
        for handle in owners.values().filter(|handle| handle.is_alive()) {
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
        self.owners.write().unwrap_or_else(PoisonError::into_inner).insert(owner, handle);
    }

    /// Forgets all owners, alive or not, and says who they were. Only when the book begins anew.
    pub(super) fn forget_owners(&self) -> Vec<OwnerHandle> {
        let mut owners = self.owners.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *owners).into_values().collect()
    }

    /// Forgets an owner that has ended; not one that was loaded again meanwhile. Tells whether there was one.
    /// Only for the supervisor.
    pub(super) fn remove_ended(&self, owner: OwnerId) -> bool {
        let mut owners = self.owners.write().unwrap_or_else(PoisonError::into_inner);
        let has_ended = owners.get(&owner).is_some_and(|handle| !handle.is_alive());
        has_ended && owners.remove(&owner).is_some()
    }
}
