//! What a virtual channel understands.

use std::sync::Arc;

use actix::prelude::*;
use domain::channel::virtual_channel::{Position, Resumed, RoomRpc, TopicError};
use domain::crypto::{Signed, VirtualAllocation, VirtualState};
use domain::participant::SessionKey;
use domain::primitives::{Address, Timestamp};

use crate::actors::answer::Answer;
use crate::actors::push::Tell;
use crate::actors::request::{Asked, Refused};
use crate::actors::session::SessionId;

/// A member asks for something about money. The request may carry next states of direct channels, but to an update
/// that only deals and to what declines.
///
/// # Errors
/// [`Refused`]; nothing has changed. For a stranger the channel does not exist.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<Answer, Refused>")]
pub struct AskVirtualChannel {
    /// The request.
    pub asked: Box<Asked<Wish>>,
}

/// What a member asks for.
#[derive(Debug, Clone)]
pub enum Wish {
    /// Takes what was proposed.
    Accept(Accepted),
    /// Rejects what was proposed, or takes it back.
    Decline,
    /// Hands in a state that was agreed on.
    Update(NextState),
    /// Hands in the state by which the channel ends.
    Close(NextState),
}

/// What the Guest of a proposal agrees to.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// What both put in.
    pub allocations: Vec<VirtualAllocation>,
    /// The members' own data.
    pub data: Option<String>,
}

/// A state of a virtual channel with its approvals, and what it holds the hash of.
#[derive(Debug, Clone)]
pub struct NextState {
    /// The state.
    pub state: Signed<VirtualState>,
    /// The members' own data.
    pub data: Option<String>,
}

/// A session of a member wants to hear what is said; with what it has missed, if it says where it was.
///
/// # Errors
/// [`RoomRefused`].
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<Subscribed, RoomRefused>")]
pub struct Subscribe {
    /// The session.
    pub session: SessionId,
    /// Where it is told.
    pub tell: Tell,
    /// Whose session it is.
    pub member: Address,
    /// The session key that logged in; `None` when the member did itself.
    pub key: Option<Arc<SessionKey>>,
    /// Up to where it has heard everything; `None` for who begins here.
    pub position: Option<Position>,
}

/// Where a subscription begins.
#[derive(Debug, Clone)]
pub struct Subscribed {
    /// Up to here everything has been said before.
    pub position: Position,
    /// What was missed; `None` when no position was given.
    pub resumed: Option<Resumed>,
}

/// A session wants to hear no more. Without effect when it was not subscribed.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Unsubscribe {
    /// The session.
    pub session: SessionId,
}

/// A member says something to all.
///
/// # Errors
/// [`RoomRefused`].
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<Published, RoomRefused>")]
pub struct Publish {
    /// The session it comes from, which does not get it back.
    pub session: SessionId,
    /// Who says it.
    pub member: Address,
    /// The session key that logged in; `None` when the member did itself.
    pub key: Option<Arc<SessionKey>>,
    /// What, as it came.
    pub payload: String,
}

/// Asks whether a member may make half of a call.
///
/// # Errors
/// [`RoomRefused`], as [`CallInRoom`] would be.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Result<(), RoomRefused>")]
pub struct MayCall {
    /// Who would make it.
    pub member: Address,
    /// Which half it would be.
    pub half: RoomRpc,
}

/// A member makes half of a call; its signature was verified by the session.
///
/// # Errors
/// [`RoomRefused`].
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<Published, RoomRefused>")]
pub struct CallInRoom {
    /// Who makes it.
    pub member: Address,
    /// Which half it is.
    pub half: RoomRpc,
    /// The call, as it came.
    pub payload: String,
}

/// The stamp that a message got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// Its number in the topic.
    pub seq: u64,
    /// When it was said.
    pub at: Timestamp,
}

/// Why a room does not take a message or a subscription.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoomRefused {
    /// The channel has ended, and its topic with it.
    #[error("the virtual channel has ended")]
    Ended,
    /// The session key may not sign in this room.
    #[error("the session key may not sign in this room")]
    OutOfScope,
    /// The topic refuses.
    #[error(transparent)]
    Topic(#[from] TopicError),
}
