//! What a virtual channel is made of, and reading it.

use std::collections::BTreeMap;

use crate::crypto::{
    Definition, SignedBy, Signers, VirtualAllocation, VirtualAllocations, VirtualIntent, VirtualState,
};
use crate::ledger::AccountKey;
use crate::primitives::{Address, Amount, ChannelId, Timestamp, Token, Version};

use super::effect::{Change, Notification, Snapshot, VirtualChannelEffect};
use super::phase::Phase;

/// The longest data that members keep with a state, in bytes of UTF-8: it is stored and sent with every update.
pub const DATA_BYTES_MAX: usize = 64 * 1024;

/// Who owns what: amounts above zero only.
pub(super) type Allocations = BTreeMap<(Address, Token), Amount>;

/// A virtual channel: terms, the last agreed state, and its deadlines.
///
/// Made by [`super::open`], [`super::propose`] or read back by [`VirtualChannel::from_stored`]; changed only through
/// [`crate::channel::Machine::apply`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VirtualChannel {
    pub(super) id: ChannelId,
    pub(super) broker: Address,
    pub(super) definition: Definition,
    pub(super) phase: Phase,
    pub(super) version: Version,
    pub(super) intent: VirtualIntent,
    pub(super) allocations: Allocations,
    pub(super) data: Option<String>,
    pub(super) approvals: BTreeMap<Address, SignedBy>,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) window_ends_at: Timestamp,
}

impl VirtualChannel {
    /// Its id: the hash of its definition.
    #[must_use]
    pub fn id(&self) -> ChannelId {
        self.id
    }

    /// Its terms.
    #[must_use]
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// Its members, in the order of the definition.
    #[must_use]
    pub fn members(&self) -> &[Address] {
        &self.definition.participants
    }

    /// Whether this participant is a member; nobody else sees anything of it (L12).
    #[must_use]
    pub fn is_member(&self, participant: Address) -> bool {
        self.members().contains(&participant)
    }

    /// Where in its life it is.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The version of the last agreed state; the opening is version 1, a proposal 0.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// The members' data of the last agreed state; `None` when there is none.
    #[must_use]
    pub fn data(&self) -> Option<&str> {
        self.data.as_deref()
    }

    /// Who owns what by the last agreed state, each above zero; while it is proposed: who is to put in what. Once it
    /// has ended: who got what.
    #[must_use]
    pub fn allocations(&self) -> &BTreeMap<(Address, Token), Amount> {
        &self.allocations
    }

    /// What stands on its accounts, each above zero; nothing once it has ended.
    pub fn balances(&self) -> impl Iterator<Item = (AccountKey, Amount)> {
        let held = (!self.phase.is_end()).then_some(&self.allocations);
        let is_in = |member: Address| self.phase != Phase::Proposed || member == self.host();
        held.into_iter()
            .flatten()
            .filter(move |((member, _), _)| is_in(*member))
            .map(|((member, token), amount)| (self.account(*member, *token), *amount))
    }

    /// Who has created it: the first of its members.
    #[must_use]
    pub fn host(&self) -> Address {
        self.members()[0]
    }

    /// Who is asked by a proposal: the second of its members.
    #[must_use]
    pub fn guest(&self) -> Address {
        self.members()[1]
    }

    /// What this member has in this token by the last agreed state.
    #[must_use]
    pub fn allocation_of(&self, member: Address, token: Token) -> Amount {
        self.allocations.get(&(member, token)).copied().unwrap_or_default()
    }

    /// The last agreed state as it was signed.
    ///
    /// Version 1 was never signed in this form: the opening was agreed on by signatures under its request, of a
    /// proposal by one side under that which proposed and by the other under that which accepted.
    #[must_use]
    pub fn agreed_state(&self) -> VirtualState {
        VirtualState {
            broker: self.broker,
            channel_id: self.id,
            version: self.version,
            intent: self.intent,
            data_hash: VirtualState::hash_of_data(self.data()),
            allocations: self.ordered_allocations(),
        }
    }

    /// The signatures by which the last agreed state was approved: under [`VirtualChannel::agreed_state`], for
    /// version 1 under the opening's request or the states carried with it.
    #[must_use]
    pub fn approvals(&self) -> &BTreeMap<Address, SignedBy> {
        &self.approvals
    }

    /// When it was proposed, or opened without a proposal.
    #[must_use]
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// When it last changed.
    #[must_use]
    pub fn updated_at(&self) -> Timestamp {
        self.updated_at
    }

    /// When its lifetime is over; while it is proposed: until when the Guest can accept.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// When it is paid by itself, at the earliest: the window is moved on by as much as it opens late.
    #[must_use]
    pub fn window_ends_at(&self) -> Timestamp {
        self.window_ends_at
    }

    /// All that it shows to its members.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            channel_id: self.id,
            definition: self.definition.clone(),
            phase: self.phase,
            version: self.version,
            allocations: self.ordered_allocations().as_slice().to_vec(),
            data: self.data.clone(),
            created_at: self.created_at,
            updated_at: self.updated_at,
            expires_at: self.expires_at,
            window_ends_at: self.window_ends_at,
        }
    }

    pub(super) fn account(&self, member: Address, token: Token) -> AccountKey {
        AccountKey::member(self.id, member, token)
    }

    /// Tells every member of what has just happened.
    pub(super) fn notice(&self, change: Change) -> VirtualChannelEffect {
        let mut channel = self.snapshot();
        // Nobody is sent what a stranger wants it to read, as long as it may be: it can look.
        if self.version == Version::ZERO {
            channel.data = None;
        }
        let notification = Box::new(Notification { change, channel });
        VirtualChannelEffect::Notify { to: self.members().to_vec(), notification }
    }

    fn ordered_allocations(&self) -> VirtualAllocations {
        let line = |((participant, token), amount): (&(Address, Token), &Amount)| VirtualAllocation {
            participant: *participant,
            token: *token,
            amount: *amount,
        };
        VirtualAllocations::new(self.members(), self.allocations.iter().map(line))
            .expect("only members are in it, and the keys of a map do not repeat")
    }
}

/// The signatures, ready to be kept.
pub(super) fn approvals_of(signers: &Signers) -> BTreeMap<Address, SignedBy> {
    signers.each().collect()
}
