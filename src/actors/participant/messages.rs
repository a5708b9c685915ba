//! What a participant's actor understands besides preparing.

use std::collections::BTreeMap;

use actix::prelude::*;
use domain::crypto::{DirectParams, DirectState, Signed};
use domain::participant::SessionKey;
use domain::primitives::{Address, Amount, Token};

use crate::actors::answer::Answer;
use crate::actors::push::Tell;
use crate::actors::request::{Asked, Refused};
use crate::actors::session::SessionId;

/// Asks to pay somebody, or to move money between the wallet and direct channels.
///
/// # Errors
/// [`Refused`]; nothing has changed.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<Answer, Refused>")]
pub struct MoveMoney {
    /// The request, with the next states of the channels whose parts move.
    pub asked: Box<Asked<Movements>>,
}

/// Where money goes.
#[derive(Debug, Clone)]
pub struct Movements {
    /// Who is paid; `None` when money only moves between the participant's own accounts.
    pub to: Option<Address>,
    /// How much of each token is paid.
    pub payments: BTreeMap<Token, Amount>,
}

/// Asks to make wallet money real on chain, in a channel that the broker creates.
///
/// # Errors
/// [`Refused`]; nothing has changed.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<Answer, Refused>")]
pub struct SettleWallet {
    /// The request.
    pub asked: Box<Asked<Settle>>,
}

/// What a settlement asks for.
#[derive(Debug, Clone)]
pub struct Settle {
    /// Which token.
    pub token: Token,
    /// How much.
    pub amount: Amount,
    /// The terms of the channel that carries it out.
    pub params: DirectParams,
    /// Its INITIALIZE, signed by the participant.
    pub initial: Signed<DirectState>,
}

/// Asks to give somebody wallet money from nothing. Only in test mode.
///
/// # Errors
/// [`Refused`]; nothing has changed.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<Answer, Refused>")]
pub struct FundWallet {
    /// The request.
    pub asked: Box<Asked<Funding>>,
}

/// Who gets money from nothing.
#[derive(Debug, Clone)]
pub struct Funding {
    /// Who.
    pub to: Address,
    /// How much of each token.
    pub amounts: BTreeMap<Token, Amount>,
}

/// Asks for a nonce for a direct channel that the participant wants to create: none is given twice.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "u64")]
pub struct NextNonce;

/// Asks whether somebody is connected as this participant.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "bool")]
pub struct HasSessions;

/// Asks to let a key sign for the participant, or to end one.
///
/// # Errors
/// [`Refused`]; nothing has changed.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<Answer, Refused>")]
pub struct ChangeKeys {
    /// The request, which no session key has signed for the participant.
    pub asked: Box<Asked<KeyChange>>,
}

/// What becomes of a session key.
#[derive(Debug, Clone)]
pub enum KeyChange {
    /// It may sign; it has signed the request too.
    Delegate {
        /// The key.
        key: Address,
        /// What it may do.
        session_key: SessionKey,
    },
    /// It may sign no more.
    Revoke {
        /// The key.
        key: Address,
    },
}

/// A session of the participant wants to be told what happens.
///
/// # Errors
/// [`NotAttached`].
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<(), NotAttached>")]
pub struct Attach {
    /// The session.
    pub session: SessionId,
    /// Where it is told.
    pub tell: Tell,
    /// The session key that logged in; `None` when the participant did itself.
    pub key: Option<Address>,
}

/// Why a session is not told what happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAttached {
    /// The participant has as many sessions as it may.
    #[error("a participant has at most {max} sessions")]
    TooManySessions {
        /// The most.
        max: usize,
    },
    /// The session key has ended.
    #[error("session key {key} has ended")]
    KeyEnded {
        /// The key.
        key: Address,
    },
}

/// A session is gone. Without effect when it was not attached.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Detach {
    /// The session.
    pub session: SessionId,
}
