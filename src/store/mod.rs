//! Where the book is kept: one trait, and a store for memory and one for SQL databases.
//!
//! A store has exactly one writer, the journal, and any number of readers. It keeps what it is given
//! and decides nothing: laws, numbers and order are the journal's. Knows nothing of actors.

mod memory;
mod rows;
mod sql;

use async_trait::async_trait;
use domain::ledger::{AccountKey, OwnerId, RequestKey};
use domain::primitives::{Address, ChainId, ChannelId, Timestamp};
use thiserror::Error;

pub use memory::{Fault, HeldWrites, MemoryStore};
pub use rows::{
    AccountId, AccountRow, AnswerRow, Batch, CommitSeq, CursorRow, CursorTrim, EntryId, EntryRow, Fence,
    Head, InboxId, InboxRow, MemberRow, OutboxId, OutboxRow, OutboxStatus, Revision, StateKind, StateRow,
    Stored, TransferId, TransferRow,
};
pub use sql::{Claim, SchemaStanding, SqlStore, migrate, schema_of};

/// The most rows a page of a read may have: what one answer or one step of an audit holds in memory.
pub const PAGE_ROWS_MAX: u32 = 1_000;

/// What the journal, the actors that load themselves, and the audit ask of a store.
///
/// The writing half ([`Store::open_writer`], [`Store::write`]) belongs to the journal alone. A `write`
/// that returned `Ok` survives `kill -9` and loss of power (L5). Reads see every write that returned
/// before they began; several reads are not one snapshot.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Makes the caller the one writer, for the book of `broker`, and says where the book ends.
    ///
    /// Raises the fence: whoever wrote before can write no more. The first call on an empty store
    /// binds it to `broker`.
    ///
    /// # Errors
    /// First that applies: [`StoreError::Unavailable`], [`StoreError::OtherBroker`].
    async fn open_writer(&self, broker: Address) -> Result<Head, StoreError>;

    /// Writes all of a batch or nothing, and moves the head from `batch.head.seq - 1` to `batch.head`.
    ///
    /// Each kind of row is written by the rules of its field in [`Batch`]; of an account that is kept, only
    /// balance, credit number and last entry change.
    ///
    /// # Errors
    /// [`WriteError::Rejected`] also for a number above 2^63 − 1 and for a row that stands twice where
    /// one is asked for; this is found first, before [`WriteError::Fenced`]. See [`WriteError`], which says
    /// what the writer knows after each.
    async fn write(&self, batch: &Batch) -> Result<(), WriteError>;

    /// Where the book ends: what tells after [`WriteError::Unknown`] whether the batch was written.
    /// Waits for a write whose fate is open, so that the answer is final. `None` before the first
    /// [`Store::open_writer`].
    async fn head(&self) -> Result<Option<Head>, StoreError>;

    /// Everything an owner needs to live: its state, its accounts (its wallet accounts for a
    /// participant, those of its channel for a channel, the broker's for a network) and its inbox
    /// rows that are not handled, in the order of their ids.
    async fn load(&self, owner: OwnerId) -> Result<Stored, StoreError>;

    /// The accounts of these keys that exist, in any order.
    async fn accounts(&self, keys: &[AccountKey]) -> Result<Vec<AccountRow>, StoreError>;

    /// The kept answer to a request.
    async fn answer(&self, key: RequestKey) -> Result<Option<AnswerRow>, StoreError>;

    /// The kept answers to requests of `from` and later, by key, at most `max`, beginning after `after`.
    async fn answers(
        &self,
        from: Timestamp,
        after: Option<RequestKey>,
        max: u32,
    ) -> Result<Vec<AnswerRow>, StoreError>;

    /// Owners whose state is due at `before` or earlier, and when it is, the longest due first, at most `max`,
    /// beginning after `after`.
    async fn due(
        &self,
        before: Timestamp,
        after: Option<(Timestamp, OwnerId)>,
        max: u32,
    ) -> Result<Vec<(Timestamp, OwnerId)>, StoreError>;

    /// Owners of this kind whose state is in this phase, in their order, beginning after `after`: looks at every
    /// state there is.
    async fn in_phase(
        &self,
        kind: StateKind,
        phase: u8,
        after: Option<OwnerId>,
        max: u32,
    ) -> Result<Vec<OwnerId>, StoreError>;

    /// Whether a participant is a member of a channel of this kind whose state is in this phase.
    async fn has_channel(&self, participant: Address, kind: StateKind, phase: u8)
    -> Result<bool, StoreError>;

    /// The channels a participant is a member of, in the order of their ids, beginning after `after`.
    async fn channels_of(
        &self,
        participant: Address,
        after: Option<ChannelId>,
        max: u32,
    ) -> Result<Vec<ChannelId>, StoreError>;

    /// How far the logs of a chain have been read: the kept ring of blocks, lowest height first.
    /// Empty before the first.
    async fn cursor(&self, chain_id: ChainId) -> Result<Vec<CursorRow>, StoreError>;

    /// Inbox rows of a chain that are not handled, in the order of their ids, beginning after `after`.
    async fn unhandled(
        &self,
        chain_id: ChainId,
        after: Option<InboxId>,
        max: u32,
    ) -> Result<Vec<InboxRow>, StoreError>;

    /// Outbox rows of a chain that are open, in the order of their ids, beginning after `after`.
    async fn open_outbox(
        &self,
        chain_id: ChainId,
        after: Option<OutboxId>,
        max: u32,
    ) -> Result<Vec<OutboxRow>, StoreError>;

    /// All accounts in the order of their ids, beginning after `after`: for the audit and the demo's table.
    async fn account_page(&self, after: Option<AccountId>, max: u32) -> Result<Vec<AccountRow>, StoreError>;

    /// All transfers in the order of their ids, beginning after `after`.
    async fn transfer_page(
        &self,
        after: Option<TransferId>,
        max: u32,
    ) -> Result<Vec<TransferRow>, StoreError>;

    /// All entries in the order of their ids, beginning after `after`.
    async fn entry_page(&self, after: Option<EntryId>, max: u32) -> Result<Vec<EntryRow>, StoreError>;

    /// All states in the order of their owners, beginning after `after`.
    async fn state_page(&self, after: Option<OwnerId>, max: u32) -> Result<Vec<StateRow>, StoreError>;

    /// The newest entries of an account, newest first, at most `max`, beginning before `before`, which is
    /// an entry of this account (of any other there is nothing before): follows the chain of
    /// [`EntryRow::previous`], so that its cost does not grow with the book.
    async fn history(
        &self,
        account: AccountId,
        before: Option<EntryId>,
        max: u32,
    ) -> Result<Vec<EntryRow>, StoreError>;

    /// Deletes kept answers to requests before `before`, at most `max`; says how many.
    async fn prune_answers(&self, before: Timestamp, max: u32) -> Result<u64, StoreError>;
}

/// Why a store cannot answer.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The database does not answer, or failed: try again later.
    #[error("the database is not available: {reason}")]
    Unavailable {
        /// What the database or its driver said.
        reason: String,
    },
    /// The book belongs to a broker with another key.
    #[error("this store holds the book of broker {stored}, not of {given}")]
    OtherBroker {
        /// Whose book it is.
        stored: Address,
        /// Who wanted to open it.
        given: Address,
    },
    /// Another process has the claim to be the broker of this store.
    #[error("another broker runs on this store: stop it first, or give this one a store of its own")]
    Taken,
    /// The schema is not the one this program writes.
    #[error("the schema of the store is {found}, this program needs {needed}: {advice}")]
    Schema {
        /// The newest migration the store has; `none` if it has none.
        found: String,
        /// The newest migration this program knows.
        needed: String,
        /// What to do about it.
        advice: &'static str,
    },
    /// A row cannot be what this program wrote: somebody changed it, or the disk did.
    #[error("row {row} of {table} is damaged: {reason}")]
    Damaged {
        /// The table.
        table: &'static str,
        /// The row's key, as text.
        row: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// Why a batch was not written, and what the writer knows then.
#[derive(Debug, Error)]
pub enum WriteError {
    /// The database refused the content. Nothing was written; sending the same again is useless.
    #[error("the database refused the batch: {reason}")]
    Rejected {
        /// What the database said.
        reason: String,
    },
    /// The database is away. Nothing was written; the same batch may be sent again.
    #[error("the database is away: {reason}")]
    Down {
        /// What the driver said.
        reason: String,
    },
    /// The connection broke while committing: only [`Store::head`] can tell whether it was written.
    #[error("the fate of the batch is unknown: {reason}")]
    Unknown {
        /// What the driver said.
        reason: String,
    },
    /// Another writer has taken over, or the head is not where this writer left it. Nothing was
    /// written, and nothing this writer holds in memory can be vouched for.
    #[error("another writer has taken over the store")]
    Fenced,
}
