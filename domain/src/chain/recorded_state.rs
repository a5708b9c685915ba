//! States as the custody contract keeps them.
//!
//! The contract takes channels of strangers too, with states that the broker would never sign: what
//! stands here is as wide as what the contract stores.

use crate::crypto::{Allocation, DirectState, Intent};
use crate::primitives::{ChannelId, Version};

/// A state that the contract stores or wrote to its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedState {
    /// What it is for.
    pub intent: Intent,
    /// Which of the channel's states it is; `None` above 2^53 − 1, which no state of the broker's channels is.
    pub version: Option<Version>,
    /// The hash of a request, the deltas of a RESIZE, or whatever the participants agreed to put there.
    pub data: Vec<u8>,
    /// The part of side 0, who opened the channel, and of side 1.
    pub allocations: [Allocation; 2],
    /// The signatures as they were handed in, which may be other than [`Signature`](crate::crypto::Signature): contract wallets
    /// have their own.
    pub signatures: Vec<Vec<u8>>,
}

impl RecordedState {
    /// The state as its participants signed it; `None` when its version is above 2^53 − 1.
    #[must_use]
    pub fn to_direct(&self, channel_id: ChannelId) -> Option<DirectState> {
        Some(DirectState {
            channel_id,
            intent: self.intent,
            version: self.version?,
            data: self.data.clone(),
            allocations: self.allocations,
        })
    }
}
