//! What a participant's machine wants to be done outside.

use std::collections::BTreeSet;

use crate::primitives::{Address, Token};

/// What is to be done, once the commit that goes with it is durable. It may be done twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParticipantEffect {
    /// Tell the participant's sessions what it has in these tokens.
    BalancesChanged {
        /// The tokens; at least one.
        tokens: BTreeSet<Token>,
    },
    /// The session keys changed: they belong into the same commit.
    KeysChanged,
    /// A session key has ended before its time: its sessions end too.
    KeyRevoked {
        /// The key.
        key: Address,
    },
}
