//! Why a participant's machine refuses an event. Nothing has changed then.

use thiserror::Error;

use super::session_key::KeyError;
use crate::channel::MovementError;
use crate::ledger::LedgerError;
use crate::primitives::{Amount, Token};

/// Why a participant's machine refuses an event. Which of several is told, each event says.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParticipantError {
    /// The payee is the zero address.
    #[error("the zero address cannot be paid")]
    PaysNobody,
    /// The payee is the broker.
    #[error("the broker cannot be paid")]
    PaysBroker,
    /// The payee is who pays.
    #[error("a participant cannot pay itself")]
    PaysItself,
    /// No payment was named.
    #[error("nothing is paid")]
    NothingPaid,
    /// A payment of nothing.
    #[error("a payment of {token} must be above zero")]
    ZeroPayment {
        /// The token.
        token: Token,
    },
    /// No part moves.
    #[error("no part changes")]
    NoEffect,
    /// A settlement of nothing.
    #[error("what is settled must be above zero")]
    NothingSettled,
    /// A hold of nothing.
    #[error("what is held must be above zero")]
    NothingHeld,
    /// Another hold has the same name.
    #[error("other amounts are held for this request")]
    HeldDifferently,
    /// As much is held for others as is held for anybody.
    #[error("there are {max} holds already")]
    TooManyHolds {
        /// The most there are.
        max: usize,
    },
    /// The wallet account would fall below zero, or below what is held.
    #[error("insufficient balance of {token}: {available} available, {requested} requested")]
    InsufficientBalance {
        /// The token.
        token: Token,
        /// What the wallet account has, less what is held.
        available: Amount,
        /// What the wallet account would have to give.
        requested: Amount,
    },
    /// The wallet account would exceed 2^256 − 1.
    #[error("balance of {token} would exceed 2^256 - 1")]
    Overflow {
        /// The token.
        token: Token,
    },
    /// A session key may not do it.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The parts do not fit the participant, or sum to too much.
    #[error(transparent)]
    Movement(#[from] MovementError),
    /// A law of the ledger would break.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}
