//! What a direct channel wants to be done outside.

use crate::channel::PartMove;
use crate::primitives::{Amount, Digest};

use super::counting::IgnoreReason;
use super::state::AgreedState;
use super::stored::EncodedState;

/// What is to be done, once the commit that goes with it is durable. Each may be done twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DirectEffect {
    /// The answer to who asked for a hold, given at once: a hold is memory and needs no commit of its own.
    Held(Held),
    /// Sign the hash of this state as it is, and send it with both signatures to the owner's sessions.
    CoSign(AgreedState),
    /// Tell the owner's sessions that the channel's phase has changed.
    ChannelChanged,
    /// Tell the owner's sessions how the settlement into this channel has ended.
    SettlementEnded(SettlementEnd),
    /// Write to the log that the channel does not count, and why.
    NotCounted(IgnoreReason),
    /// Alarm the operator.
    Alarm(DirectAlarm),
}

/// What a channel holds for a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The hold's name: the hash of the request.
    pub request_hash: Digest,
    /// What happens to the participant's part; `None` for an announcement.
    pub part: Option<PartMove>,
    /// The channel's next state, for the commit of who asked.
    pub next: EncodedState,
}

/// How a settlement ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettlementEnd {
    /// What was set aside is the participant's part in the channel.
    Executed,
    /// What was set aside is in the participant's wallet account again.
    Refunded,
}

/// What an operator has to know of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DirectAlarm {
    /// The channel is challenged on chain.
    Challenged,
    /// The chain shows what the broker never agreed to.
    Halted,
    /// The channel's end paid the participant more than its part: the broker bears this much.
    Shortfall(Amount),
}
