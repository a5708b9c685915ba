//! What happens in the custody contract, as its log tells it.
//!
//! Deliberately absent: how a log is encoded, and where it stands.

use crate::crypto::DirectParams;
use crate::primitives::{Address, Amount, ChannelId, Delta};

use super::recorded_state::RecordedState;

/// Something that happened in the custody contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CustodyEvent {
    /// An available balance grew.
    Deposited {
        /// Whose.
        wallet: Address,
        /// In which token.
        token: Address,
        /// By how much.
        amount: Amount,
    },
    /// An available balance was paid out.
    Withdrawn {
        /// To whom.
        wallet: Address,
        /// In which token.
        token: Address,
        /// How much.
        amount: Amount,
    },
    /// A channel began, with one signature or two: only [`CustodyEvent::Opened`] makes it count.
    Created {
        /// The channel.
        channel_id: ChannelId,
        /// Who sent it: pays and is paid for side 0.
        wallet: Address,
        /// Its terms; the channel's id is theirs.
        params: DirectParams,
        /// Its first state.
        initial: RecordedState,
    },
    /// A side came in.
    Joined {
        /// The channel.
        channel_id: ChannelId,
        /// The side.
        side: u64,
    },
    /// Both sides are in.
    Opened {
        /// The channel.
        channel_id: ChannelId,
    },
    /// A dispute began, with this state.
    Challenged {
        /// The channel.
        channel_id: ChannelId,
        /// The state.
        state: RecordedState,
        /// Until when it can be answered, seconds since the Unix epoch by the chain's clock.
        expires_at_secs: u64,
    },
    /// A newer state was handed in; a dispute is over with it.
    Checkpointed {
        /// The channel.
        channel_id: ChannelId,
        /// The state.
        state: RecordedState,
    },
    /// Money came into the channel or went out of it, side by side.
    Resized {
        /// The channel.
        channel_id: ChannelId,
        /// By how much side 0 and side 1 changed the channel's money.
        deltas: [Delta; 2],
    },
    /// The channel ended, and this state was paid.
    Closed {
        /// The channel.
        channel_id: ChannelId,
        /// The state.
        state: RecordedState,
    },
}
