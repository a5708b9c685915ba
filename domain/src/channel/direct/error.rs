//! Why a direct channel refuses an event. Nothing has changed then.

use thiserror::Error;

use crate::crypto::Intent;
use crate::ledger::LedgerError;
use crate::primitives::{Address, Amount, ChannelId, Digest, Version};

use super::counting::IgnoreReason;
use super::phase::Phase;

/// Why a direct channel refuses an event. Which of several is told, each event says.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DirectError {
    /// The state or event names another channel, or none.
    #[error("not a state or event of channel {expected}")]
    WrongChannel {
        /// The channel that was asked.
        expected: ChannelId,
    },
    /// The channel does not count, or its end has come.
    #[error("channel is {phase}, not active")]
    NotActive {
        /// Where it is.
        phase: Phase,
    },
    /// The channel counts, but nothing can move in it.
    #[error("channel is frozen: {phase}")]
    Frozen {
        /// Where it is.
        phase: Phase,
    },
    /// A part can shrink only in a channel whose challenge gives the broker time to answer an older state.
    #[error("challenge of {actual_secs} s is too short to spend from, at least {min_secs} s are needed")]
    ChallengeTooShort {
        /// The least, in seconds.
        min_secs: u64,
        /// The channel's, in seconds.
        actual_secs: u64,
    },
    /// The state is for something else.
    #[error("intent must be {expected:?}, got {proposed:?}")]
    WrongIntent {
        /// What it must be for.
        expected: Intent,
        /// What it is for.
        proposed: Intent,
    },
    /// The state does not carry the hash of the request, or carries something where nothing belongs.
    #[error("data of the state must be {}", .expected.map_or("empty".to_owned(), |hash| hash.to_string()))]
    WrongData {
        /// The hash of the request; `None` when the data must be empty.
        expected: Option<Digest>,
    },
    /// There is an agreed state of this version, or of a higher one.
    #[error("version {proposed} is not above the current {current}")]
    StaleVersion {
        /// The newest agreed version.
        current: Version,
        /// The version of the state.
        proposed: Version,
    },
    /// Versions would run out.
    #[error("version {proposed} is above {max}")]
    VersionTooHigh {
        /// The highest that is accepted at the moment.
        max: Version,
        /// The version of the state.
        proposed: Version,
    },
    /// The allocations are not the participant's and the broker's, in this order, in the channel's token.
    #[error("allocations must go to {} and {}, in token {token}", .destinations[0], .destinations[1])]
    WrongAllocations {
        /// To whom they must go.
        destinations: [Address; 2],
        /// The token they must be of.
        token: Address,
    },
    /// The allocations do not sum to what the contract holds.
    #[error("allocations {} and {} must sum to {locked}", .proposed[0], .proposed[1])]
    TotalDiffers {
        /// What the contract holds.
        locked: Amount,
        /// What was proposed for the participant and the broker.
        proposed: [Amount; 2],
    },
    /// A FINALIZE must leave the parts as they are.
    #[error("the participant's part is {part}, got {proposed}")]
    PartDiffers {
        /// The participant's part.
        part: Amount,
        /// What was proposed.
        proposed: Amount,
    },
    /// The owner's signature is missing.
    #[error("not signed by {owner}")]
    NotSignedByOwner {
        /// Who must sign.
        owner: Address,
    },
    /// Something is held.
    #[error("the channel holds a state for another request")]
    Busy,
    /// Nothing is held that could be adopted.
    #[error("nothing is held")]
    NothingHeld,
    /// Only a channel of which nothing is known can be announced.
    #[error("channel is known already: {phase}")]
    AlreadyKnown {
        /// Where it is.
        phase: Phase,
    },
    /// What is announced would not count.
    #[error("such a channel never counts: {0}")]
    NeverCounts(IgnoreReason),
    /// The INITIALIZE is not of the token and the amount that are settled, or nothing is.
    #[error("the first state must allocate what is settled, and that must be above zero")]
    NotTheSettlement,
    /// A law of the ledger would break.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}
