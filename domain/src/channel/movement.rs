//! What a request comes to for one participant in one token, and the entries that follow from it.
//!
//! The rule per participant and token: Δ wallet = received − paid − Δ parts, where a part is what the
//! participant has in the co-signed state of one of its direct channels. Deliberately absent: whether the
//! wallet can bear it, and the accounts that `received` comes from and `paid` goes to.

use thiserror::Error;

use crate::ledger::{AccountKey, Entry, Posting};
use crate::primitives::{Address, Amount, ChannelId, Delta, Token};

/// A part of a direct channel that a request moves: proposed by the participant, held by the channel's owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartMove {
    /// The direct channel.
    pub channel: ChannelId,
    /// Whose part it is.
    pub participant: Address,
    /// The channel's token.
    pub token: Token,
    /// The part in the newest co-signed state.
    pub before: Amount,
    /// The part in the state that the participant signed along with the request.
    pub after: Amount,
}

impl PartMove {
    /// By how much the part changes.
    #[must_use]
    pub fn delta(&self) -> Delta {
        Delta::between(self.before, self.after)
    }
}

/// What one request comes to for one participant in one token.
///
/// `received` comes from and `paid` goes to accounts of others, or accounts of the participant that are
/// neither its wallet nor its parts: the caller writes those entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// The participant.
    pub participant: Address,
    /// The token that all amounts are of.
    pub token: Token,
    /// What comes in.
    pub received: Amount,
    /// What goes out.
    pub paid: Amount,
    /// The parts that move, each channel at most once.
    pub parts: Vec<PartMove>,
}

/// Why a movement has no entries.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MovementError {
    /// A part of another participant, or in another token.
    #[error("the part in channel {channel} is not the participant's in this token")]
    ForeignPart {
        /// The channel.
        channel: ChannelId,
    },
    /// A channel stands in it twice: it is unclear which part comes first.
    #[error("the part in channel {channel} moves twice")]
    RepeatedPart {
        /// The channel.
        channel: ChannelId,
    },
    /// What comes in or what goes out is above 2^256 − 1.
    #[error("amounts of {token} sum to more than 2^256 - 1")]
    Overflow {
        /// The token.
        token: Token,
    },
}

impl Movement {
    /// By how much the wallet account changes: received − paid − Σ Δ part.
    ///
    /// # Errors
    /// First that applies, the first two per part in order: [`MovementError::ForeignPart`],
    /// [`MovementError::RepeatedPart`], [`MovementError::Overflow`].
    pub fn wallet_delta(&self) -> Result<Delta, MovementError> {
        self.check_parts()?;
        let into_parts = self.parts.iter().filter_map(|part| part.after.checked_sub(part.before));
        let out_of_parts = self.parts.iter().filter_map(|part| part.before.checked_sub(part.after));
        let gained = Amount::checked_sum(out_of_parts.chain([self.received]));
        let spent = Amount::checked_sum(into_parts.chain([self.paid]));
        let (gained, spent) = gained.zip(spent).ok_or(MovementError::Overflow { token: self.token })?;
        Ok(Delta::between(spent, gained))
    }

    /// The entries on the participant's wallet account and on those of its parts, one for each that changes.
    ///
    /// They sum to received − paid.
    ///
    /// # Errors
    /// Those of [`Movement::wallet_delta`].
    pub fn entries(&self) -> Result<Vec<Entry>, MovementError> {
        let wallet = (AccountKey::wallet(self.participant, self.token), self.wallet_delta()?);
        let parts = self
            .parts
            .iter()
            .map(|part| (AccountKey::direct(part.channel, part.participant, part.token), part.delta()));
        let changes = std::iter::once(wallet).chain(parts);
        let entry = |(account, delta)| Posting::of(delta).map(|posting| Entry { account, posting });
        Ok(changes.filter_map(entry).collect())
    }

    fn check_parts(&self) -> Result<(), MovementError> {
        for (place, part) in self.parts.iter().enumerate() {
            let channel = part.channel;
            if (part.participant, part.token) != (self.participant, self.token) {
                return Err(MovementError::ForeignPart { channel });
            }
            if self.parts[..place].iter().any(|earlier| earlier.channel == channel) {
                return Err(MovementError::RepeatedPart { channel });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
