//! Reads the book once, in its order, and shows each row to the laws it concerns.
//!
//! Right while a journal writes: what is judged is the book as far as the account rows know it, and rows
//! written later are left alone. Decides nothing itself.

use std::collections::{BTreeMap, BTreeSet};

use domain::ledger::AccountKey;
use domain::primitives::Token;

use super::conservation::Conservation;
use super::finding::{Finding, Findings, Problem};
use super::once::Once;
use super::pages::{Numbered, Pages};
use super::rebuilt::Rebuilt;
use super::report::Shortfall;
use super::solvency;
use crate::store::{
    AccountId, AccountRow, CommitSeq, EntryId, EntryRow, Fence, Head, InboxId, OutboxId, PAGE_ROWS_MAX,
    Store, StoreError, TransferId, TransferRow,
};

/// What the book comes to, law by law.
pub(super) struct BookAudit {
    /// Where the book ended at the beginning.
    pub(super) head: Head,
    pub(super) accounts: u64,
    pub(super) transfers: u64,
    pub(super) entries: u64,
    pub(super) conservation: Findings,
    pub(super) solvency: Findings,
    pub(super) once: Findings,
    pub(super) replay: Findings,
    /// The accounts of channels that hold something.
    pub(super) funded: BTreeMap<AccountKey, AccountRow>,
    /// The tokens that there are `custody` accounts of.
    pub(super) custody: BTreeSet<Token>,
    /// What the broker owes above what it has.
    pub(super) shortfalls: Vec<Shortfall>,
}

/// The laws while the book is read.
struct Laws {
    rebuilt: Rebuilt,
    conservation: Conservation,
    once: Once,
    solvency: Findings,
    /// The transfer whose entries are being read.
    transfer: Option<TransferRow>,
}

/// Where the book ends: at `known` at least, at `last` at most.
#[derive(Debug, Clone, Copy)]
struct Ends {
    known: Head,
    last: Head,
}

/// Reads the whole book and checks what needs nothing but the book.
///
/// # Errors
/// What the store says when it cannot be read. Damaged rows are findings.
pub(super) async fn read(store: &dyn Store) -> Result<BookAudit, StoreError> {
    let mut replay = Findings::default();
    let begin = ends(store, &mut replay).await?.known;
    let mut laws = Laws {
        rebuilt: Rebuilt::new(begin.entry),
        conservation: Conservation::default(),
        once: Once::new(),
        solvency: Findings::default(),
        transfer: None,
    };
    let mut accounts = Pages::<AccountRow>::new(store);
    let mut last_account = 0;
    while let Some(row) = accounts.next().await? {
        last_account = row.id.0;
        laws.rebuilt.account(row);
    }
    let last = ends(store, &mut Findings::default()).await?.last;
    check_beyond(AccountRow::TABLE, last_account, last.account.0, &mut replay);
    let read = read_entries(store, &mut laws, begin, last.entry).await?;
    check_ends(store, last, &mut laws, &mut replay).await?;
    let counts = (accounts.read(), read.transfers.read(), read.entries.read());
    replay.append(accounts.finish(begin.account.0));
    replay.append(read.transfers.finish(begin.transfer.0));
    replay.append(read.entries.finish(begin.entry.0));
    let (funded, custody) = (laws.rebuilt.funded_channels(), laws.rebuilt.custody_tokens());
    let shortfalls = laws.rebuilt.shortfalls();
    replay.append(laws.rebuilt.finish());
    Ok(BookAudit {
        funded,
        custody,
        shortfalls,
        head: begin,
        accounts: counts.0,
        transfers: counts.1,
        entries: counts.2,
        conservation: laws.conservation.finish(),
        solvency: laws.solvency,
        once: laws.once.finish(),
        replay,
    })
}

struct Read<'a> {
    transfers: Pages<'a, TransferRow>,
    entries: Pages<'a, EntryRow>,
}

/// Reads entries with their transfers: to the end of the transfer of the newest entry that any account
/// knows, and to the end of the book as it was at the beginning.
async fn read_entries<'a>(
    store: &'a dyn Store,
    laws: &mut Laws,
    begin: Head,
    last: EntryId,
) -> Result<Read<'a>, StoreError> {
    let (mut transfers, mut entries) = (Pages::<TransferRow>::new(store), Pages::<EntryRow>::new(store));
    let last = laws.rebuilt.last_entry(last).max(begin.entry);
    // Of a book that was empty, nothing that a journal has written since is known.
    while last > EntryId(0)
        && let Some(entry) = entries.next().await?
    {
        let following = entries.peek().await?.map(|row| row.transfer);
        // An entry that names a transfer far ahead is out of turn if the following one does not.
        if following.is_none_or(|following| following >= entry.transfer) {
            while transfers.peek().await?.is_some_and(|row| row.id <= entry.transfer) {
                laws.begin(transfers.next().await?);
            }
        }
        laws.entry(&entry);
        let is_complete = following != laws.transfer.as_ref().map(|row| row.id);
        if entry.id >= last && is_complete {
            break;
        }
    }
    while transfers.peek().await?.is_some_and(|row| row.id <= begin.transfer) {
        laws.begin(transfers.next().await?);
    }
    laws.begin(None);
    Ok(Read { transfers, entries })
}

impl Laws {
    /// Ends the transfer being read and begins the next, if there is one.
    fn begin(&mut self, next: Option<TransferRow>) {
        if let Some(transfer) = std::mem::replace(&mut self.transfer, next) {
            self.conservation.end(&transfer);
            self.once.end(&transfer);
        }
    }

    fn entry(&mut self, entry: &EntryRow) {
        let posted = self.rebuilt.entry(entry);
        if let Some(posted) = posted {
            solvency::check(entry, posted, &mut self.solvency);
        }
        let key = posted.map(|posted| posted.key);
        match &self.transfer {
            Some(transfer) if transfer.id == entry.transfer => {
                self.conservation.entry(entry, key);
                self.once.entry(entry);
            }
            current => self.conservation.stray(entry, key, current.as_ref()),
        }
    }
}

/// Looks at what lies behind the book's end, and at the chain events that wait.
async fn check_ends(
    store: &dyn Store,
    last: Head,
    laws: &mut Laws,
    replay: &mut Findings,
) -> Result<(), StoreError> {
    let entries = undamaged(store.entry_page(Some(last.entry), 1).await, replay)?;
    let transfers = undamaged(store.transfer_page(Some(last.transfer), 1).await, replay)?;
    let (mut inbox, mut outbox) = (InboxId(0), OutboxId(0));
    for chain_id in &laws.rebuilt.chains() | &laws.once.chains() {
        let mut after = None;
        while let page = undamaged(store.unhandled(chain_id, after, PAGE_ROWS_MAX).await, replay)?
            && let Some(row) = page.last()
        {
            after = Some(row.id);
            inbox = inbox.max(row.id);
            page.iter().for_each(|row| laws.once.waiting(row));
        }
        let mut after = None;
        while let page = undamaged(store.open_outbox(chain_id, after, PAGE_ROWS_MAX).await, replay)?
            && let Some(row) = page.last()
        {
            after = Some(row.id);
            outbox = outbox.max(row.id);
        }
    }
    // Read last: whatever a journal wrote meanwhile is within it.
    let head = ends(store, &mut Findings::default()).await?.last;
    for entry in entries.iter().filter(|row| row.id > head.entry) {
        let key = laws.rebuilt.key(entry.account);
        replay.push(beyond_head(head.entry.0, entry.id.0).on_account(entry.account, key).at_entry(entry));
    }
    let number = transfers.first().map_or(0, TransferRow::number);
    check_beyond(TransferRow::TABLE, number, head.transfer.0, replay);
    check_beyond("inbox", inbox.0, head.inbox.0, replay);
    check_beyond("outbox", outbox.0, head.outbox.0, replay);
    Ok(())
}

/// The rows; none, and a finding, where one is damaged.
fn undamaged<T>(page: Result<Vec<T>, StoreError>, findings: &mut Findings) -> Result<Vec<T>, StoreError> {
    match page {
        Err(StoreError::Damaged { table, row, reason }) => {
            let place = format_args!("row {row} of {table}: {reason}");
            findings.push(Finding::new(Problem::DamagedRow).at(place));
            Ok(Vec::new())
        }
        page => page,
    }
}

fn check_beyond(table: &'static str, number: u64, last: u64, findings: &mut Findings) {
    if number > last {
        findings.push(beyond_head(last, number).at(table));
    }
}

fn beyond_head(last: u64, number: u64) -> Finding {
    Finding::new(Problem::BeyondHead).figures(format_args!("at most {last}"), number)
}

/// Where the head says that the book ends; nothing is known of that when it is damaged.
async fn ends(store: &dyn Store, findings: &mut Findings) -> Result<Ends, StoreError> {
    match store.head().await {
        Ok(head) => {
            let head = head.unwrap_or_default();
            Ok(Ends { known: head, last: head })
        }
        Err(StoreError::Damaged { table, row, reason }) => {
            let place = format_args!("row {row} of {table}: {reason}");
            findings.push(Finding::new(Problem::DamagedRow).at(place));
            Ok(Ends { known: Head::default(), last: HEAD_MAX })
        }
        Err(error) => Err(error),
    }
}

/// A head that no row lies beyond.
const HEAD_MAX: Head = Head {
    fence: Fence(u64::MAX),
    seq: CommitSeq(u64::MAX),
    account: AccountId(u64::MAX),
    transfer: TransferId(u64::MAX),
    entry: EntryId(u64::MAX),
    inbox: InboxId(u64::MAX),
    outbox: OutboxId(u64::MAX),
};
