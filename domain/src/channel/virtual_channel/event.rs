//! What can happen to a virtual channel.

use std::collections::BTreeSet;

use crate::channel::PartMove;
use crate::crypto::{Signed, Signers, VirtualAllocation, VirtualState};
use crate::ledger::RequestKey;
use crate::primitives::Address;

/// What can happen to a virtual channel.
#[derive(Debug, Clone)]
pub enum VirtualChannelEvent {
    /// The Guest takes what the Host has proposed.
    Accept(Acceptance),
    /// The Guest rejects what was proposed, or the Host takes it back: whose request it is says which.
    Decline(RequestKey),
    /// The Host of a proposal has been gone for too long; harmless in every other phase.
    HostGone,
    /// A member hands in a state that was agreed on.
    Update(Update),
    /// A member hands in the state by which the channel ends.
    Close(Close),
    /// Time has passed; harmless at any time and any number of times.
    Tick,
}

/// What the Guest agrees to, with the proof that it does.
#[derive(Debug, Clone)]
pub struct Acceptance {
    /// The request that accepts; the Guest's.
    pub request: RequestKey,
    /// What both put in: what was proposed, in any order.
    pub allocations: Vec<VirtualAllocation>,
    /// The members' own data: what was proposed.
    pub data: Option<String>,
    /// Who signed the request, or a carried state with its hash.
    pub signers: Signers,
    /// Those of the members that have an ACTIVE direct channel, of any token; others may be in it too.
    pub with_direct_channel: BTreeSet<Address>,
    /// How long states may still be handed in after the lifetime, in seconds.
    pub expiry_window_secs: u64,
    /// The parts that the Guest moves along with it. What it pays and no part gives comes from its wallet.
    pub parts: Vec<PartMove>,
}

/// A state with which the members go on.
#[derive(Debug, Clone)]
pub struct Update {
    /// The request that hands it in.
    pub request: RequestKey,
    /// The state with its approvals; intent operate, deposit or withdraw.
    pub state: Signed<VirtualState>,
    /// The members' own data, whose hash the state holds.
    pub data: Option<String>,
    /// Who signed the request, or a carried state with its hash: nobody else pays for a deposit.
    pub consents: Signers,
    /// The parts that members move along with it. What a member pays in and no part gives comes from its wallet;
    /// what it takes out and no part takes goes there.
    pub parts: Vec<PartMove>,
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
