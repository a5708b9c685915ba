//! The book: accounts, entries, and the transfers that bind entries together.
//!
//! Double entry per token: each [`Transfer`] takes exactly what it gives, and no [`Account`] is ever
//! overdrawn. The book knows nothing of who may ask for a transfer, of channels' rules, or of how
//! it is stored.

mod account;
mod book;
mod cause;
mod error;
mod transfer;

pub use account::{AccountKey, AccountKind, OwnerId, Side};
pub use book::{Account, Ledger};
pub use cause::{Cause, EventKey, RequestKey};
pub use error::LedgerError;
pub use transfer::{Entry, Posting, Transfer, TransferKind};
