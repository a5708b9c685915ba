//! Channels as the contract keeps them, and states as it is given them.

use domain::chain::RecordedState;
use domain::crypto::{DirectParams, DirectState, Signature};
use domain::primitives::Address;

/// A state with the signatures of who agreed to it, to be given to the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedState {
    /// The state.
    pub state: DirectState,
    /// The participant's signature and the broker's, in this order; one alone is the participant's.
    pub signatures: Vec<Signature>,
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
