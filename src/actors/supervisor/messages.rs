//! What the supervisor understands.

use actix::prelude::*;
use domain::crypto::{Definition, VirtualAllocation};
use domain::ledger::OwnerId;
use domain::primitives::{ChainId, Timestamp};

use super::{Asked, Refused};
use crate::actors::answer::Answer;
use crate::actors::directory::OwnerHandle;

/// Asks for an owner that is not alive. A repeat, or one that is alive meanwhile, gets the same.
///
/// # Errors
/// [`Refused::NotFound`] for a channel that does not exist (unless `new_on`), [`Refused::Unavailable`]
/// when it could not be loaded.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Result<OwnerHandle, Refused>")]
pub struct Load {
    /// Who.
    pub owner: OwnerId,
    /// The chain on which a direct channel is to be announced of which nothing is known; `None` when only
    /// what is known is wanted.
    pub new_on: Option<ChainId>,
}

/// These owners have something to do: brings to life who is not.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct Wake {
    /// Who.
    pub owners: Vec<OwnerId>,
}

/// Asks some of the owners that nobody has needed for [`super::IDLE_MILLIS`] to leave: a slice of the directory at a
/// time, as the supervisor does by itself every second. Answered when all of them have decided: how many have left.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "usize")]
pub struct LetLeave {
    /// The time by which it is judged who is needed.
    pub now: Timestamp,
}

/// An owner's actor has ended, by itself or by a panic.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Exited {
    /// Whose.
    pub owner: OwnerId,
}

/// Asks to open a virtual channel, which all members have signed, or to propose one, which its Host has.
///
/// # Errors
/// [`Refused`]; nothing has changed.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<Answer, Refused>")]
pub struct OpenVirtualChannel {
    /// The request.
    pub asked: Box<Asked<Opening>>,
}

/// What an opening asks for.
#[derive(Debug, Clone)]
pub struct Opening {
    /// The terms.
    pub definition: Definition,
    /// What each member puts in.
    pub allocations: Vec<VirtualAllocation>,
    /// The members' own data.
    pub data: Option<String>,
    /// How long the Guest can accept, in seconds; `None` when all members have signed.
    pub accept_within_secs: Option<u64>,
}
