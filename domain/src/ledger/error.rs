//! Why a transfer is refused.

use thiserror::Error;

use crate::primitives::{Amount, Token};

use super::account::AccountKey;

/// Why entries do not make a transfer, or a transfer cannot be posted. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LedgerError {
    /// An entry of nothing.
    #[error("an entry must be above zero")]
    ZeroEntry {
        /// Where it would stand.
        account: AccountKey,
    },
    /// A transfer without entries.
    #[error("a transfer needs entries")]
    NoEntries,
    /// Credits and debits of a token differ.
    #[error("credits and debits of {token} differ: {credits} against {debits}")]
    Unbalanced {
        /// The token that does not sum to zero.
        token: Token,
        /// The sum of its credits.
        credits: Amount,
        /// The sum of its debits.
        debits: Amount,
    },
    /// An account would fall below zero on its normal side (L2).
    #[error("insufficient balance on {account}: {available} available, {requested} requested")]
    InsufficientBalance {
        /// The account.
        account: AccountKey,
        /// What it holds.
        available: Amount,
        /// What was asked of it.
        requested: Amount,
    },
    /// A balance or sum would leave 2^256 − 1.
    #[error("balance of {account} would exceed 2^256 - 1")]
    Overflow {
        /// The account, or the last one summed.
        account: AccountKey,
    },
    /// Money would move between two tokens.
    #[error("cannot transfer from {from} to {to}: the tokens differ")]
    TokensDiffer {
        /// The paying account.
        from: AccountKey,
        /// The receiving account.
        to: AccountKey,
    },
}
