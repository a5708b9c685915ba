//! The first answer to a request, as it is kept for repeats.
//!
//! Holds no signature of the broker: those are made when the answer is sent, which is never before it is
//! durable, and the same bytes come out each time. Deliberately absent: how answers look on the wire.

use domain::crypto::DirectState;
use domain::primitives::{Address, ChannelId, Timestamp, Version};
use domain::protocol::State;
use domain::protocol::method::get_ledger_balances::Balance;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// Money was paid, or moved between wallet and channels.
    Moved {
        /// The accounts of the requester that were moved, afterwards.
        balances: Vec<Balance>,
    },
    /// A virtual channel was opened.
    Opened {
        /// Its id.
        channel_id: ChannelId,
        /// When its lifetime is over.
        expires_at: Timestamp,
    },
    /// A virtual channel was proposed.
    Proposed {
        /// Its id.
        channel_id: ChannelId,
        /// Until when it can be accepted.
        expires_at: Timestamp,
    },
    /// A proposal was rejected or cancelled.
    Declined {
        /// Its id.
        channel_id: ChannelId,
    },
    /// A state of a virtual channel was agreed on.
    Updated {
        /// The channel.
        channel_id: ChannelId,
        /// The version of the state.
        version: Version,
        /// Whether the lifetime was over already.
        is_expiring: bool,
        /// When the lifetime is over.
        expires_at: Timestamp,
    },
    /// A virtual channel was closed.
    Closed {
        /// The channel.
        channel_id: ChannelId,
        /// The version of its last state.
        version: Version,
    },
    /// The end of a direct channel was agreed on.
    Finalized {
        /// The channel.
        channel_id: ChannelId,
    },
    /// A key may sign for the requester.
    Delegated {
        /// The key.
        key: Address,
        /// When it ends.
        expires_at: Timestamp,
    },
    /// A key may sign no more.
    Revoked {
        /// The key.
        key: Address,
    },
    /// The book was begun anew.
    BegunAnew,
    /// A settlement was begun.
    Settling {
        /// The channel that it creates.
        channel_id: ChannelId,
    },
}

/// A state that the broker agreed to along with a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnsweredState {
    /// Its channel.
    pub channel_id: ChannelId,
    /// The state.
    pub state: State,
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// When it was decided.
    pub at: Timestamp,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The states that the broker owes its signature under.
    pub states: Vec<AnsweredState>,
}

/// A kept answer that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a kept answer cannot be read")]
pub struct DamagedAnswer;

impl Answer {
    /// An answer that owes signatures under `states`.
    #[must_use]
    pub fn new<'a>(
        at: Timestamp,
        outcome: Outcome,
        states: impl IntoIterator<Item = &'a DirectState>,
    ) -> Self {
        let answered = |state: &DirectState| {
            Some(AnsweredState { channel_id: state.channel_id, state: State::of(state)? })
        };
        Self { at, outcome, states: states.into_iter().filter_map(answered).collect() }
    }

    /// As it is kept.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings and numbers always make JSON")
    }

    /// From what was kept.
    ///
    /// # Errors
    /// [`DamagedAnswer`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DamagedAnswer> {
        serde_json::from_slice(bytes).map_err(|_| DamagedAnswer)
    }
}
