//! The store in a SQL database: SQLite by default, PostgreSQL by the same code.
//!
//! Statements are set-based, since each costs more than the rows it carries. The schema is that of the
//! `migration` crate; what its codes and bytes mean is told in `docs/ledger.md`. Deliberately absent:
//! arithmetic on amounts in SQL.

mod claim;
mod codes;
mod connect;
mod decode;
mod encode;
mod error;
mod read;
mod write;

use async_trait::async_trait;
use domain::ledger::{AccountKey, OwnerId, RequestKey};
use domain::primitives::{Address, ChainId, ChannelId, Timestamp};
use sea_orm::DatabaseConnection;

use super::{
    AccountId, AccountRow, AnswerRow, Batch, CursorRow, EntryId, EntryRow, Head, InboxId, InboxRow, OutboxId,
    OutboxRow, StateKind, StateRow, Store, StoreError, Stored, TransferId, TransferRow, WriteError,
};

pub use claim::Claim;
pub use connect::{SchemaStanding, migrate, schema_of};
pub(super) use encode::Tables;

/// A book in a SQL database, as one process sees it.
#[derive(Debug, Clone)]
pub struct SqlStore {
    /// What writes, and what asks how a write ended.
    writer: DatabaseConnection,
    /// Everything else.
    readers: DatabaseConnection,
}

impl SqlStore {
    /// Connects to the database of `url`: `sqlite://<path>` or `postgres://…`. Changes nothing in it.
    ///
    /// # Errors
    /// First that applies: [`StoreError::Unavailable`], [`StoreError::Schema`] (also when there is no
    /// such SQLite file).
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        connect::open(url).await
    }
}

#[async_trait]
impl Store for SqlStore {
    async fn open_writer(&self, broker: Address) -> Result<Head, StoreError> {
        write::open_writer(&self.writer, broker).await
    }

    async fn write(&self, batch: &Batch) -> Result<(), WriteError> {
        write::write(&self.writer, batch).await
    }

    async fn head(&self) -> Result<Option<Head>, StoreError> {
        read::head(&self.writer).await
    }

    async fn load(&self, owner: OwnerId) -> Result<Stored, StoreError> {
        read::load(&self.readers, owner).await
    }

    async fn accounts(&self, keys: &[AccountKey]) -> Result<Vec<AccountRow>, StoreError> {
        read::accounts(&self.readers, keys).await
    }

    async fn answer(&self, key: RequestKey) -> Result<Option<AnswerRow>, StoreError> {
        read::answer(&self.readers, key).await
    }

    async fn answers(
        &self,
        from: Timestamp,
        after: Option<RequestKey>,
        max: u32,
    ) -> Result<Vec<AnswerRow>, StoreError> {
        read::answers(&self.readers, from, after, max).await
    }

    async fn due(
        &self,
        before: Timestamp,
        after: Option<(Timestamp, OwnerId)>,
        max: u32,
    ) -> Result<Vec<(Timestamp, OwnerId)>, StoreError> {
        read::due(&self.readers, before, after, max).await
    }

    async fn has_channel(
        &self,
        participant: Address,
        kind: StateKind,
        phase: u8,
    ) -> Result<bool, StoreError> {
        read::has_channel(&self.readers, participant, kind, phase).await
    }

    async fn in_phase(
        &self,
        kind: StateKind,
        phase: u8,
        after: Option<OwnerId>,
        max: u32,
    ) -> Result<Vec<OwnerId>, StoreError> {
        read::in_phase(&self.readers, kind, phase, after, max).await
    }

    async fn channels_of(
        &self,
        participant: Address,
        after: Option<ChannelId>,
        max: u32,
    ) -> Result<Vec<ChannelId>, StoreError> {
        read::channels_of(&self.readers, participant, after, max).await
    }

    async fn cursor(&self, chain_id: ChainId) -> Result<Vec<CursorRow>, StoreError> {
        read::cursor(&self.readers, chain_id).await
    }

    async fn unhandled(
        &self,
        chain_id: ChainId,
        after: Option<InboxId>,
        max: u32,
    ) -> Result<Vec<InboxRow>, StoreError> {
        read::unhandled(&self.readers, chain_id, after, max).await
    }

    async fn open_outbox(
        &self,
        chain_id: ChainId,
        after: Option<OutboxId>,
        max: u32,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        read::open_outbox(&self.readers, chain_id, after, max).await
    }

    async fn account_page(&self, after: Option<AccountId>, max: u32) -> Result<Vec<AccountRow>, StoreError> {
        read::account_page(&self.readers, after, max).await
    }

    async fn transfer_page(
        &self,
        after: Option<TransferId>,
        max: u32,
    ) -> Result<Vec<TransferRow>, StoreError> {
        read::transfer_page(&self.readers, after, max).await
    }

    async fn entry_page(&self, after: Option<EntryId>, max: u32) -> Result<Vec<EntryRow>, StoreError> {
        read::entry_page(&self.readers, after, max).await
    }

    async fn state_page(&self, after: Option<OwnerId>, max: u32) -> Result<Vec<StateRow>, StoreError> {
        read::state_page(&self.readers, after, max).await
    }

    async fn history(
        &self,
        account: AccountId,
        before: Option<EntryId>,
        max: u32,
    ) -> Result<Vec<EntryRow>, StoreError> {
        read::history(&self.readers, account, before, max).await
    }

    async fn prune_answers(&self, before: Timestamp, max: u32) -> Result<u64, StoreError> {
        write::prune_answers(&self.writer, before, max).await
    }
}
