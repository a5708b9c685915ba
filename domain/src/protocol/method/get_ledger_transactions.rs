//! `get_ledger_transactions`: the transfers that touched the requester's accounts, newest first.

use serde::{Deserialize, Serialize};

use super::get_ledger_entries::LedgerEntry;
use crate::primitives::{Address, ChannelId, Timestamp};
use crate::protocol::page::{Cursor, PageSize};

/// Which transfers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Only those that touched this channel, or the wallet (the address, left-padded); all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<ChannelId>,
    /// How many at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<PageSize>,
    /// Where to go on: what the page before said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
}

/// The transfers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Newest first.
    pub ledger_transactions: Vec<Transaction>,
    /// Where to go on; `None` after the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
}

/// A transfer, as one of those concerned may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// Its number in the book.
    pub id: u64,
    /// What it was for: the name of a [`crate::ledger::TransferKind`]. Later brokers may have others.
    pub kind: String,
    /// Who paid; present in payments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Address>,
    /// Who was paid; present in payments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Address>,
    /// What it posted on the requester's own accounts.
    pub entries: Vec<LedgerEntry>,
    /// When.
    pub created_at: Timestamp,
}

/// An example of [`Params`].
pub const PARAMS_EXAMPLE: &str = r#"{"limit":1,"cursor":"406"}"#;

/// An example of [`Reply`].
pub const REPLY_EXAMPLE: &str = r#"{"ledger_transactions":[{"id":405,"kind":"payment","from":"0x14791697260E4c9A71f18484C9f997B308e59325","to":"0x1563915e194D8CfBA1943570603F7606A3115508","entries":[{"id":812,"transaction_id":405,"kind":"wallet","account_id":"0x00000000000000000000000014791697260e4c9a71f18484c9f997b308e59325","participant":"0x14791697260E4c9A71f18484C9f997B308e59325","chain_id":31337,"token":"0x00000000000000000000000000000000000000bb","credit":"0","debit":"5000000","created_at":1700000060000}],"created_at":1700000060000}],"cursor":"405"}"#;
