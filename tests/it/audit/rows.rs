//! All rows of a book, taken out of a store so that they can be changed and put into another.

use clearnet::store::{
    AccountRow, Batch, CommitSeq, EntryRow, Head, InboxRow, MemoryStore, PAGE_ROWS_MAX, StateRow, Store,
    TransferRow,
};

use super::writing::{Step, broker, write};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) head: Head,
    pub(super) accounts: Vec<AccountRow>,
    pub(super) transfers: Vec<TransferRow>,
    pub(super) entries: Vec<EntryRow>,
    pub(super) states: Vec<StateRow>,
    /// Events that nobody has handled.
    pub(super) inbox: Vec<InboxRow>,
}

impl Rows {
    /// The rows of a book that the journal writes of these steps; small enough for one page a table.
    pub(super) async fn written(steps: &[Step]) -> Self {
        let store = MemoryStore::new();
        write(std::sync::Arc::new(store.clone()), steps).await;
        Self::of(&store).await
    }

    pub(super) async fn of(store: &dyn Store) -> Self {
        let rows = Self {
            head: store.head().await.unwrap().unwrap(),
            accounts: store.account_page(None, PAGE_ROWS_MAX).await.unwrap(),
            transfers: store.transfer_page(None, PAGE_ROWS_MAX).await.unwrap(),
            entries: store.entry_page(None, PAGE_ROWS_MAX).await.unwrap(),
            states: store.state_page(None, PAGE_ROWS_MAX).await.unwrap(),
            inbox: Vec::new(),
        };
        assert!(rows.entries.len() < PAGE_ROWS_MAX as usize);
        rows
    }

    /// A store that holds these rows as they are, whether they make a book or not.
    pub(super) async fn store(&self) -> MemoryStore {
        let store = MemoryStore::new();
        let head = store.open_writer(broker()).await.unwrap();
        let head = Head { fence: head.fence, seq: CommitSeq(head.seq.0 + 1), ..self.head };
        let batch = Batch {
            head,
            accounts: self.accounts.clone(),
            transfers: self.transfers.clone(),
            entries: self.entries.clone(),
            states: self.states.clone(),
            inbox: self.inbox.clone(),
            ..Batch::default()
        };
        store.write(&batch).await.unwrap();
        store
    }
}
