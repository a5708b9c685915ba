//! What can go wrong between us and a chain, and whose fault it is.

use domain::primitives::{ChainId, Digest};
use thiserror::Error;

use crate::custody::Revert;

/// Why a chain did not do or say what was asked.
///
/// What a node says in its own words stands in `detail` and `message`: for people to read, never to
/// decide by. No variant carries the address of the node, which may hold a key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ChainError {
    /// The address of the node is no WebSocket URL.
    #[error("rpc url must begin with ws:// or wss://")]
    InvalidUrl,
    /// No connection could be made.
    #[error("node cannot be reached: {detail}")]
    Unreachable {
        /// What the transport said.
        detail: String,
    },
    /// The connection was lost or could not be made, and it is too early for the next attempt.
    #[error("connection is being rebuilt, next attempt in {retry_after_ms} ms")]
    Reconnecting {
        /// Milliseconds until the next attempt.
        retry_after_ms: u64,
    },
    /// The connection ended before the answer came; whether the request had an effect is unknown.
    #[error("connection lost during {method}")]
    ConnectionLost {
        /// The request.
        method: &'static str,
    },
    /// No answer came in time; whether the request had an effect is unknown.
    #[error("no answer to {method} within {timeout_ms} ms")]
    TimedOut {
        /// The request.
        method: &'static str,
        /// How long was waited, milliseconds.
        timeout_ms: u64,
    },
    /// The node serves another chain than the one configured.
    #[error("node serves chain {actual}, expected {expected}")]
    WrongChain {
        /// The chain that was asked for.
        expected: ChainId,
        /// The chain that the node named.
        actual: ChainId,
    },
    /// The answer is not what the request is answered with, or contradicts itself.
    #[error("answer to {method} cannot be used: {detail}")]
    Malformed {
        /// The request.
        method: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// The node does not have that block on its chain: it lags behind, or a reorg took the block away.
    #[error("block {hash} is not on the chain of the node")]
    UnknownBlock {
        /// The block that was asked for.
        hash: Digest,
    },
    /// The node did not accept the request.
    #[error("node refused {method} with code {code}: {message}")]
    Refused {
        /// The request.
        method: &'static str,
        /// The JSON-RPC error code.
        code: i64,
        /// What the node said.
        message: String,
    },
    /// The contract would not do, or did not do, what was asked.
    #[error("execution reverts: {0}")]
    Reverted(Revert),
    /// A transaction with that nonce or a higher one of the sender is in a block.
    #[error("nonce of the transaction is used up")]
    NonceTooLow,
    /// The fees are below what the node takes, or too little above the transaction to be replaced.
    #[error("fees of the transaction are too low: {message}")]
    Underpriced {
        /// What the node said.
        message: String,
    },
    /// The sender cannot pay value and fees.
    #[error("sender has too little coin for the transaction: {message}")]
    InsufficientFunds {
        /// What the node said.
        message: String,
    },
}

/// Whose fault an error is, and so what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// The node's or the connection's: asking again later may succeed.
    Unavailable,
    /// The asker's: asking the same again fails again.
    Rejected,
}

/// JSON-RPC: what was sent is no valid request.
const INVALID_REQUEST: i64 = -32_600;
/// JSON-RPC: the node has no such method.
const METHOD_NOT_FOUND: i64 = -32_601;
/// JSON-RPC: the method takes other parameters.
const INVALID_PARAMS: i64 = -32_602;

impl ChainError {
    /// Whose fault it is.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Unreachable { .. }
            | Self::Reconnecting { .. }
            | Self::ConnectionLost { .. }
            | Self::TimedOut { .. }
            | Self::WrongChain { .. }
            | Self::Malformed { .. }
            | Self::UnknownBlock { .. } => ErrorClass::Unavailable,
            // Nodes refuse for reasons of their own too (load, limits, missing history).
            Self::Refused { code, .. } => match *code {
                INVALID_REQUEST | METHOD_NOT_FOUND | INVALID_PARAMS => ErrorClass::Rejected,
                _ => ErrorClass::Unavailable,
            },
            Self::InvalidUrl
            | Self::Reverted(_)
            | Self::NonceTooLow
            | Self::Underpriced { .. }
            | Self::InsufficientFunds { .. } => ErrorClass::Rejected,
        }
    }
}
