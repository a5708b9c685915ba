//! What the broker demands of direct channels on one chain.

use std::collections::BTreeSet;

use crate::crypto::CustodyDomain;
use crate::primitives::{Address, ChainId};

/// The shortest challenge that the custody contract lets a channel have, in seconds.
pub const CONTRACT_CHALLENGE_SECS_MIN: u64 = 3600;

/// What all direct channels of one chain have in common. It is the operator's choice, not part of any state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The chain.
    pub chain_id: ChainId,
    /// The broker's address, the second participant of every channel.
    pub broker: Address,
    /// The custody contract, for signatures over its typed data.
    pub custody: CustodyDomain,
    /// The one adjudicator that the broker accepts.
    pub adjudicator: Address,
    /// The tokens that channels may be of, on this chain; the zero address is its coin.
    pub tokens: BTreeSet<Address>,
    /// The longest challenge that a channel may have, in seconds: the broker's own part is locked as long.
    pub challenge_secs_max: u64,
    /// The shortest challenge, in seconds, with which a participant's part may shrink by a co-signed state:
    /// within it the broker must be able to answer an older state.
    pub debit_challenge_secs_min: u64,
}
