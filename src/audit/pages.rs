//! Reads a numbered table from its beginning, a page at a time, over rows that are damaged or missing.
//!
//! Knows nothing of what the rows mean: only that the journal numbers them from 1 and without gaps.

use std::collections::VecDeque;

use futures::future::BoxFuture;

use super::finding::{Finding, Findings, Problem};
use crate::store::{
    AccountId, AccountRow, EntryId, EntryRow, PAGE_ROWS_MAX, Store, StoreError, TransferId, TransferRow,
};

/// A row of a table that the journal numbers.
pub(super) trait Numbered: Sized {
    const TABLE: &'static str;

    fn number(&self) -> u64;

    /// The rows after number `after`, in the order of their numbers.
    fn page(store: &dyn Store, after: Option<u64>, max: u32) -> BoxFuture<'_, Result<Vec<Self>, StoreError>>;
}

impl Numbered for AccountRow {
    const TABLE: &'static str = "accounts";

    fn number(&self) -> u64 {
        self.id.0
    }

    fn page(store: &dyn Store, after: Option<u64>, max: u32) -> BoxFuture<'_, Result<Vec<Self>, StoreError>> {
        store.account_page(after.map(AccountId), max)
    }
}

impl Numbered for TransferRow {
    const TABLE: &'static str = "transfers";

    fn number(&self) -> u64 {
        self.id.0
    }

    fn page(store: &dyn Store, after: Option<u64>, max: u32) -> BoxFuture<'_, Result<Vec<Self>, StoreError>> {
        store.transfer_page(after.map(TransferId), max)
    }
}

impl Numbered for EntryRow {
    const TABLE: &'static str = "entries";

    fn number(&self) -> u64 {
        self.id.0
    }

    fn page(store: &dyn Store, after: Option<u64>, max: u32) -> BoxFuture<'_, Result<Vec<Self>, StoreError>> {
        store.entry_page(after.map(EntryId), max)
    }
}

/// A table while it is read.
pub(super) struct Pages<'a, R> {
    store: &'a dyn Store,
    rows: VecDeque<R>,
    /// The number up to which rows were asked for; `None` at the beginning.
    after: Option<u64>,
    /// The number that the next row should have.
    due: u64,
    /// How many rows are asked for: fewer around a damaged one, until it stands alone.
    page_rows: u32,
    read: u64,
    findings: Findings,
}

impl<'a, R: Numbered> Pages<'a, R> {
    pub(super) fn new(store: &'a dyn Store) -> Self {
        Self {
            store,
            rows: VecDeque::new(),
            after: None,
            due: 1,
            page_rows: PAGE_ROWS_MAX,
            read: 0,
            findings: Findings::default(),
        }
    }

    /// The next row, which stays the next; `None` after the last.
    pub(super) async fn peek(&mut self) -> Result<Option<&R>, StoreError> {
        while self.rows.is_empty() {
            match R::page(self.store, self.after, self.page_rows).await {
                Ok(page) if page.is_empty() => return Ok(None),
                Ok(page) => {
                    self.after = page.last().map(R::number);
                    self.rows.extend(page);
                    self.page_rows = PAGE_ROWS_MAX;
                }
                Err(StoreError::Damaged { .. }) if self.page_rows > 1 => self.page_rows /= 2,
                Err(StoreError::Damaged { row, reason, .. }) => self.pass_damaged(&row, reason),
                Err(error) => return Err(error),
            }
        }
        Ok(self.rows.front())
    }

    /// The next row; `None` after the last.
    pub(super) async fn next(&mut self) -> Result<Option<R>, StoreError> {
        self.peek().await?;
        let row = self.rows.pop_front();
        if let Some(row) = &row {
            self.count(row.number());
            self.read += 1;
        }
        Ok(row)
    }

    /// How many rows were read.
    pub(super) fn read(&self) -> u64 {
        self.read
    }

    /// What is wrong with the numbers of a table that was to be read up to number `last` at least.
    pub(super) fn finish(mut self, last: u64) -> Findings {
        if self.due <= last {
            let finding = Finding::new(Problem::EndsBeforeHead).at(R::TABLE);
            self.findings.push(finding.figures(last, self.due - 1));
        }
        self.findings
    }

    /// Goes on behind the row that stands next and is damaged.
    fn pass_damaged(&mut self, row: &str, reason: &'static str) {
        let finding =
            Finding::new(Problem::DamagedRow).at(format_args!("row {row} of {}: {reason}", R::TABLE));
        self.findings.push(finding);
        // A store that cannot even say which row it is will say it again until it has been passed.
        let number = row.parse().ok().filter(|number| *number >= self.due).unwrap_or(self.due);
        self.count(number);
        self.after = Some(number);
        self.page_rows = PAGE_ROWS_MAX;
    }

    fn count(&mut self, number: u64) {
        if number != self.due {
            let finding = Finding::new(Problem::MissingNumber).at(R::TABLE);
            self.findings.push(finding.figures(self.due, number));
        }
        self.due = number.saturating_add(1);
    }
}
