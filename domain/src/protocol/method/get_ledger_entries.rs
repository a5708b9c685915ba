//! `get_ledger_entries`: what was posted on the requester's accounts, newest first.

use serde::{Deserialize, Serialize};

use super::get_ledger_balances::BalanceKind;
use crate::primitives::{Address, Amount, ChainId, ChannelId, Timestamp};
use crate::protocol::page::{Cursor, PageSize};

/// Which entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Only those of this channel, or of the wallet (the address, left-padded); all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<ChannelId>,
    /// How many at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<PageSize>,
    /// Where to go on: what the page before said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
}

/// The entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Newest first.
    pub ledger_entries: Vec<LedgerEntry>,
    /// Where to go on; `None` after the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
}

/// One posting on one account. One of credit and debit is `"0"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// Its number in the book.
    pub id: u64,
    /// The number of the transfer that it belongs to.
    pub transaction_id: u64,
    /// What the money on the account is.
    pub kind: BalanceKind,
    /// The channel; of wallet accounts the participant's address, left-padded.
    pub account_id: ChannelId,
    /// Whose account it is.
    pub participant: Address,
    /// The chain of the token.
    pub chain_id: ChainId,
    /// The token.
    pub token: Address,
    /// What came in.
    pub credit: Amount,
    /// What went out.
    pub debit: Amount,
    /// When.
    pub created_at: Timestamp,
}

/// An example of [`Params`].
pub const PARAMS_EXAMPLE: &str =
    r#"{"account_id":"0x00000000000000000000000014791697260e4c9a71f18484c9f997b308e59325","limit":1}"#;

/// An example of [`Reply`].
pub const REPLY_EXAMPLE: &str = r#"{"ledger_entries":[{"id":812,"transaction_id":405,"kind":"wallet","account_id":"0x00000000000000000000000014791697260e4c9a71f18484c9f997b308e59325","participant":"0x14791697260E4c9A71f18484C9f997B308e59325","chain_id":31337,"token":"0x00000000000000000000000000000000000000bb","credit":"0","debit":"5000000","created_at":1700000060000}],"cursor":"812"}"#;
