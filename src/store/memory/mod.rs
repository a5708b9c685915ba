//! A store in memory, for tests of whoever writes or reads a book.
//!
//! Judged by the same suite as the SQL store, and as strict as it. What it adds are faults on demand.
//! Deliberately absent: durability.

mod book;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::ledger::{AccountKey, OwnerId, RequestKey};
use domain::primitives::{Address, ChainId, ChannelId, Timestamp};
use tokio::sync::OwnedMutexGuard;

use super::{
    AccountId, AccountRow, AnswerRow, Batch, CursorRow, EntryId, EntryRow, Head, InboxId, InboxRow, OutboxId,
    OutboxRow, StateKind, StateRow, Store, StoreError, Stored, TransferId, TransferRow, WriteError,
};
use book::Book;

/// A book in memory. A clone is another handle on the same book, as a second connection would be.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    inner: Arc<Mutex<Inner>>,
    /// Whoever holds it keeps writes waiting.
    turn: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug, Default)]
struct Inner {
    book: Book,
    faults: VecDeque<Fault>,
    is_away: bool,
}

/// How one write fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// With [`WriteError::Rejected`]; nothing is written.
    Rejected,
    /// With [`WriteError::Down`]; nothing is written.
    Down,
    /// With [`WriteError::Unknown`], after everything was written.
    UnknownWritten,
    /// With [`WriteError::Unknown`]; nothing is written.
    UnknownNotWritten,
}

/// Writes wait until this is dropped.
#[derive(Debug)]
pub struct HeldWrites {
    _turn: OwnedMutexGuard<()>,
}

impl MemoryStore {
    /// An empty book.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a later write fail: the next one, or the one after those that are to fail already.
    pub fn fail_write(&self, fault: Fault) {
        self.inner().faults.push_back(fault);
    }

    /// While `is_away`, reads fail with [`StoreError::Unavailable`] and writes with
    /// [`WriteError::Down`], leaving the faults asked for to later writes.
    pub fn set_away(&self, is_away: bool) {
        self.inner().is_away = is_away;
    }

    /// Lets the write under way end and keeps the following ones waiting.
    pub async fn hold_writes(&self) -> HeldWrites {
        HeldWrites { _turn: Arc::clone(&self.turn).lock_owned().await }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(&self, read: impl FnOnce(&Book) -> T) -> Result<T, StoreError> {
        let inner = self.inner();
        inner.check_here()?;
        Ok(read(&inner.book))
    }
}

impl Inner {
    fn check_here(&self) -> Result<(), StoreError> {
        if self.is_away { Err(StoreError::Unavailable { reason: "set away".to_owned() }) } else { Ok(()) }
    }

    fn write(&mut self, batch: &Batch) -> Result<(), WriteError> {
        if self.is_away {
            return Err(WriteError::Down { reason: "set away".to_owned() });
        }
        let reason = "asked to fail".to_owned();
        match self.faults.pop_front() {
            None => self.book.write(batch),
            Some(Fault::Rejected) => Err(WriteError::Rejected { reason }),
            Some(Fault::Down) => Err(WriteError::Down { reason }),
            Some(Fault::UnknownWritten) => {
                self.book.write(batch)?;
                Err(WriteError::Unknown { reason })
            }
            Some(Fault::UnknownNotWritten) => Err(WriteError::Unknown { reason }),
        }
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn open_writer(&self, broker: Address) -> Result<Head, StoreError> {
        let mut inner = self.inner();
        inner.check_here()?;
        inner.book.open_writer(broker)
    }

    async fn write(&self, batch: &Batch) -> Result<(), WriteError> {
        let _turn = self.turn.lock().await;
        self.inner().write(batch)
    }

    async fn head(&self) -> Result<Option<Head>, StoreError> {
        self.read(Book::head)
    }

    async fn load(&self, owner: OwnerId) -> Result<Stored, StoreError> {
        self.read(|book| book.load(owner))
    }

    async fn accounts(&self, keys: &[AccountKey]) -> Result<Vec<AccountRow>, StoreError> {
        self.read(|book| book.accounts(keys))
    }

    async fn answer(&self, key: RequestKey) -> Result<Option<AnswerRow>, StoreError> {
        self.read(|book| book.answer(key))
    }

    async fn answers(
        &self,
        from: Timestamp,
        after: Option<RequestKey>,
        max: u32,
    ) -> Result<Vec<AnswerRow>, StoreError> {
        self.read(|book| book.answers(from, after, max))
    }

    async fn due(
        &self,
        before: Timestamp,
        after: Option<(Timestamp, OwnerId)>,
        max: u32,
    ) -> Result<Vec<(Timestamp, OwnerId)>, StoreError> {
        self.read(|book| book.due(before, after, max))
    }

    async fn has_channel(
        &self,
        participant: Address,
        kind: StateKind,
        phase: u8,
    ) -> Result<bool, StoreError> {
        self.read(|book| book.has_channel(participant, kind, phase))
    }

    async fn in_phase(
        &self,
        kind: StateKind,
        phase: u8,
        after: Option<OwnerId>,
        max: u32,
    ) -> Result<Vec<OwnerId>, StoreError> {
        self.read(|book| book.in_phase(kind, phase, after, max))
    }

    async fn channels_of(
        &self,
        participant: Address,
        after: Option<ChannelId>,
        max: u32,
    ) -> Result<Vec<ChannelId>, StoreError> {
        self.read(|book| book.channels_of(participant, after, max))
    }

    async fn cursor(&self, chain_id: ChainId) -> Result<Vec<CursorRow>, StoreError> {
        self.read(|book| book.cursor(chain_id))
    }

    async fn unhandled(
        &self,
        chain_id: ChainId,
        after: Option<InboxId>,
        max: u32,
    ) -> Result<Vec<InboxRow>, StoreError> {
        self.read(|book| book.unhandled(chain_id, after, max))
    }

    async fn open_outbox(
        &self,
        chain_id: ChainId,
        after: Option<OutboxId>,
        max: u32,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        self.read(|book| book.open_outbox(chain_id, after, max))
    }

    async fn account_page(&self, after: Option<AccountId>, max: u32) -> Result<Vec<AccountRow>, StoreError> {
        self.read(|book| book.account_page(after, max))
    }

    async fn transfer_page(
        &self,
        after: Option<TransferId>,
        max: u32,
    ) -> Result<Vec<TransferRow>, StoreError> {
        self.read(|book| book.transfer_page(after, max))
    }

    async fn entry_page(&self, after: Option<EntryId>, max: u32) -> Result<Vec<EntryRow>, StoreError> {
        self.read(|book| book.entry_page(after, max))
    }

    async fn state_page(&self, after: Option<OwnerId>, max: u32) -> Result<Vec<StateRow>, StoreError> {
        self.read(|book| book.state_page(after, max))
    }

    async fn history(
        &self,
        account: AccountId,
        before: Option<EntryId>,
        max: u32,
    ) -> Result<Vec<EntryRow>, StoreError> {
        self.read(|book| book.history(account, before, max))
    }

    async fn prune_answers(&self, before: Timestamp, max: u32) -> Result<u64, StoreError> {
        let mut inner = self.inner();
        inner.check_here()?;
        Ok(inner.book.prune_answers(before, max))
    }
}
