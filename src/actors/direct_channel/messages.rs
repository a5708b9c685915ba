//! What a direct channel understands besides preparing.

use actix::prelude::*;
use domain::crypto::{DirectState, Signed};
use domain::ledger::Cause;

use crate::actors::answer::Answer;
use crate::actors::request::{Asked, Refused};

/// Asks the channel to agree to its end. Only for its own participant: for others it does not exist.
///
/// # Errors
/// [`Refused`]; nothing has changed.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<Answer, Refused>")]
pub struct FinalizeChannel {
    /// The request.
    pub asked: Box<Asked<Finalize>>,
}

/// What asks for the end.
#[derive(Debug, Clone)]
pub struct Finalize {
    /// The FINALIZE, signed by the participant.
    pub state: Signed<DirectState>,
}

/// The transaction that was to create the channel finally cannot happen: what was set aside comes back.
/// Answered when that is durable; a repeat changes nothing.
///
/// # Errors
/// [`Refused::Unavailable`]: ask again.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Result<(), Refused>")]
pub struct SettlementFailed {
    /// What the refund is posted under.
    pub cause: Cause,
}
