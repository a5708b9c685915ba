//! What can happen to a virtual channel.

use crate::channel::PartMove;
use crate::crypto::{Signed, VirtualState};
use crate::ledger::RequestKey;

/// What can happen to a virtual channel.
#[derive(Debug, Clone)]
pub enum VirtualChannelEvent {
    /// A member hands in a state that was agreed on.
    Update(Update),
    /// A member hands in the state by which the channel ends.
    Close(Close),
    /// Time has passed; harmless at any time and any number of times.
    Tick,
}

/// A state with which the members go on.
#[derive(Debug, Clone)]
pub struct Update {
    /// The request that hands it in.
    pub request: RequestKey,
    /// The state with its approvals; intent operate.
    pub state: Signed<VirtualState>,
    /// The members' own data, whose hash the state holds.
    pub data: Option<String>,
}

/// A state by which the channel ends, and where its money goes.
#[derive(Debug, Clone)]
pub struct Close {
    /// The request that hands it in.
    pub request: RequestKey,
    /// The state with its approvals; intent close.
    pub state: Signed<VirtualState>,
    /// The members' own data, whose hash the state holds.
    pub data: Option<String>,
    /// The parts that members move along with it. What a member receives and no part takes goes to its wallet.
    pub parts: Vec<PartMove>,
}
