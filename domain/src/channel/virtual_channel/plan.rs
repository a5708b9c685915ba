//! What a request moves outside the virtual channel's own accounts, and whom that concerns.
//!
//! Deliberately absent: whether wallets and direct channels can bear it (their owners say so when they are
//! asked to hold), and the entries on the virtual channel's own accounts.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use crate::channel::{Movement, MovementError, PartMove};
use crate::ledger::{Entry, OwnerId};
use crate::primitives::{Address, Amount, ChannelId, Delta, Token};

/// The most parts one request may move: each is an owner that has to be asked before anything can happen.
pub const PARTS_MAX: usize = 64;

/// What a request moves in the wallets and direct channels of the members.
///
/// The asker has every one of [`Plan::owners`] hold its share before it commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    movements: Vec<Movement>,
    wallet_debits: BTreeMap<(Address, Token), Amount>,
    entries: Vec<Entry>,
}

/// Why the parts that a request carries cannot be moved along with it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlanError {
    /// More parts than [`PARTS_MAX`].
    #[error("a request moves at most {PARTS_MAX} direct channels, got {count}")]
    TooManyParts {
        /// How many were carried.
        count: usize,
    },
    /// A part of somebody who is no member.
    #[error("the part in direct channel {channel} is that of {participant}, which is no member")]
    PartOfStranger {
        /// Whose it is.
        participant: Address,
        /// The direct channel.
        channel: ChannelId,
    },
    /// A direct channel is carried twice, so that it is unclear which state comes first.
    #[error("direct channel {channel} is carried more than once")]
    RepeatedPart {
        /// The direct channel.
        channel: ChannelId,
    },
    /// The amounts of one member and token do not add up.
    #[error(transparent)]
    Movement(#[from] MovementError),
}

/// What each member gets from the virtual channel and gives to it, per token.
pub(super) type Flows = BTreeMap<(Address, Token), Flow>;

/// What one member gets from the virtual channel and gives to it, in one token.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flow {
    pub(super) received: Amount,
    pub(super) paid: Amount,
}

impl Plan {
    /// Lays the flows of the members over their parts: one movement for each member and token that either
    /// of them names.
    ///
    /// # Errors
    /// First that applies: [`PlanError::TooManyParts`]; per part in order [`PlanError::PartOfStranger`],
    /// [`PlanError::RepeatedPart`]; [`PlanError::Movement`].
    pub(super) fn new(members: &[Address], flows: Flows, parts: &[PartMove]) -> Result<Self, PlanError> {
        check_parts(members, parts)?;
        let mut laid: BTreeMap<(Address, Token), (Flow, Vec<PartMove>)> =
            flows.into_iter().map(|(whose, flow)| (whose, (flow, Vec::new()))).collect();
        for part in parts {
            laid.entry((part.participant, part.token)).or_default().1.push(*part);
        }
        let mut plan = Self { movements: Vec::new(), wallet_debits: BTreeMap::new(), entries: Vec::new() };
        for ((participant, token), (Flow { received, paid }, parts)) in laid {
            let movement = Movement { participant, token, received, paid, parts };
            if let Delta::Less(amount) = movement.wallet_delta()? {
                plan.wallet_debits.insert((participant, token), amount);
            }
            plan.entries.extend(movement.entries()?);
            plan.movements.push(movement);
        }
        Ok(plan)
    }

    /// One movement per member and token, in this order.
    #[must_use]
    pub fn movements(&self) -> &[Movement] {
        &self.movements
    }

    /// The parts that move, in the order of their movements.
    pub fn parts(&self) -> impl Iterator<Item = &PartMove> {
        self.movements.iter().flat_map(|movement| &movement.parts)
    }

    /// What has to be taken from wallets: these participants have to hold it.
    #[must_use]
    pub fn wallet_debits(&self) -> &BTreeMap<(Address, Token), Amount> {
        &self.wallet_debits
    }

    /// Everybody who has to be asked first, in the order in which they are asked: the direct channels whose
    /// part moves, and the participants whose wallet pays.
    #[must_use]
    pub fn owners(&self) -> BTreeSet<OwnerId> {
        let channels = self.parts().map(|part| OwnerId::Channel(part.channel));
        let wallets = self.wallet_debits.keys().map(|(participant, _)| OwnerId::Participant(*participant));
        channels.chain(wallets).collect()
    }

    /// The entries on wallets and direct channels. They sum to what the members receive less what they pay.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

fn check_parts(members: &[Address], parts: &[PartMove]) -> Result<(), PlanError> {
    if parts.len() > PARTS_MAX {
        return Err(PlanError::TooManyParts { count: parts.len() });
    }
    for (place, PartMove { channel, participant, .. }) in parts.iter().enumerate() {
        if !members.contains(participant) {
            return Err(PlanError::PartOfStranger { participant: *participant, channel: *channel });
        }
        if parts[..place].iter().any(|earlier| earlier.channel == *channel) {
            return Err(PlanError::RepeatedPart { channel: *channel });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
