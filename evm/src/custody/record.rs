//! Channels and states as the contract keeps them.
//!
//! The contract takes channels of strangers too, with states that the broker would never sign; what is
//! read here is as wide as what the contract stores.

use domain::crypto::{Allocation, DirectParams, DirectState, Intent, Signature};
use domain::primitives::{Address, ChannelId, Version};

/// A state with the signatures of who agreed to it, to be given to the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedState {
    /// The state.
    pub state: DirectState,
    /// The participant's signature and the broker's, in this order; one alone is the participant's.
    pub signatures: Vec<Signature>,
}

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
    /// The signatures as they were handed in, which may be other than [`Signature`]: contract wallets
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

/// Where in its life a channel is, as the contract says. What is not there or has ended has no status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChannelStatus {
    /// Opened by one side; worth nothing to the other, since who opened it can take it back.
    Initial,
    /// Both sides have signed.
    Active,
    /// Challenged, and not answered yet; after its expiry anybody can end it.
    Dispute,
}

/// A channel as the contract keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnChainChannel {
    /// Its immutable terms.
    pub params: DirectParams,
    /// Where in its life it is.
    pub status: ChannelStatus,
    /// Who sent `create`; pays and is paid for side 0 in the contract's ledger.
    pub creator: Address,
    /// When the challenge ends, seconds since the Unix epoch by the chain's clock (`u64::MAX` for
    /// never); `None` unless the status is [`ChannelStatus::Dispute`].
    pub challenge_expires_at_secs: Option<u64>,
    /// The newest state that the contract knows.
    pub last_valid_state: RecordedState,
}
