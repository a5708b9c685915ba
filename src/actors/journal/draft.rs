//! The next batch while it is put together: each commit is checked alone, on top of those before it.
//!
//! Pure. A refused commit leaves no trace in the draft, and the draft leaves none in the book until
//! the store has written it.

use std::collections::{BTreeMap, HashMap};

use domain::ledger::{AccountKey, AccountKind, Cause, Entry, OwnerId, Posting, Transfer, TransferKind};

use super::book::Book;
use super::commit::{Author, Commit, NewState, Refusal};
use super::messages::{FromJournal, PostedAccount};
use crate::store::{
    AccountRow, AnswerRow, Batch, CursorRow, EntryId, EntryRow, Head, InboxRow, OutboxRow, StateRow,
    TransferRow,
};

/// The largest encoded state, event, answer or transaction: bounds what one request can make the
/// database write.
pub(super) const BODY_BYTES_MAX: usize = 1024 * 1024;

/// The largest number that every store keeps as an integer.
const INTEGER_MAX: u64 = i64::MAX as u64;

/// A batch being put together.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    book: &'a Book,
    touched: HashMap<AccountKey, AccountRow>,
    states: HashMap<OwnerId, StateRow>,
    batch: Batch,
    told: Vec<Told>,
}

/// What others than the author of one commit are told once it is written.
pub(super) type Told = Vec<(Author, FromJournal)>;

/// What one commit adds, kept apart until all of it has been checked.
struct Step {
    head: Head,
    touched: BTreeMap<AccountKey, AccountRow>,
    posted: BTreeMap<AccountKey, Vec<Posting>>,
    transfers: Vec<TransferRow>,
    entries: Vec<EntryRow>,
    states: Vec<StateRow>,
}

impl<'a> Draft<'a> {
    /// An empty draft on top of what is posted.
    pub(super) fn new(book: &'a Book) -> Self {
        let mut head = book.head;
        head.seq = head.seq.next();
        Self {
            book,
            touched: HashMap::new(),
            states: HashMap::new(),
            batch: Batch { head, ..Batch::default() },
            told: Vec::new(),
        }
    }

    /// Takes a commit into the batch.
    ///
    /// # Errors
    /// First that applies: [`Refusal::Ended`], [`Refusal::Malformed`], [`Refusal::NotStorable`], per
    /// entry [`Refusal::NotOwner`], [`Refusal::NotFunding`], [`Refusal::NotFromChain`] and [`Refusal::Ledger`], per state
    /// [`Refusal::NotOwner`] and [`Refusal::StaleRevision`]. The draft is as it was.
    pub(super) fn take(&mut self, commit: &Commit) -> Result<(), Refusal> {
        self.check_alive(commit)?;
        check_shape(commit)?;
        check_storable(commit)?;
        let mut step = Step {
            head: self.batch.head,
            touched: BTreeMap::new(),
            posted: BTreeMap::new(),
            transfers: Vec::new(),
            entries: Vec::new(),
            states: Vec::new(),
        };
        for transfer in &commit.transfers {
            self.post(commit, transfer, &mut step)?;
        }
        for state in &commit.states {
            step.states.push(self.replace(commit, state)?);
        }
        let told = count_postings(commit, &mut step);
        self.merge(commit, step, told);
        Ok(())
    }

    /// The batch to write, and per commit taken, in order, what others are told once it is written.
    pub(super) fn finish(mut self) -> (Batch, Vec<Told>) {
        // Sorted, so that the same commits always make the same batch.
        self.batch.accounts = self.touched.into_values().collect();
        self.batch.accounts.sort_unstable_by_key(|row| row.id);
        self.batch.states = self.states.into_values().collect();
        self.batch.states.sort_unstable_by_key(|row| row.owner);
        (self.batch, self.told)
    }

    fn check_alive(&self, commit: &Commit) -> Result<(), Refusal> {
        let prepared = commit.prepared.iter().map(|(owner, number)| (Author::Owner(*owner), *number));
        let mut named = prepared.chain([(commit.author, commit.incarnation)]);
        let all_alive = named.all(|(author, number)| self.book.is_alive(author, number));
        if all_alive { Ok(()) } else { Err(Refusal::Ended) }
    }

    fn post(&self, commit: &Commit, transfer: &Transfer, step: &mut Step) -> Result<(), Refusal> {
        step.head.transfer = step.head.transfer.next();
        step.transfers.push(TransferRow {
            id: step.head.transfer,
            kind: transfer.kind(),
            cause: transfer.cause(),
            at: transfer.at(),
        });
        for entry in transfer.entries() {
            check_right(commit, transfer, entry)?;
            let mut row = self.current(&entry.account, step);
            row.balance = entry.account.balance_after(row.balance, entry.posting)?;
            if row.id.0 == 0 {
                step.head.account = step.head.account.next();
                row.id = step.head.account;
            }
            step.head.entry = step.head.entry.next();
            step.entries.push(EntryRow {
                id: step.head.entry,
                transfer: step.head.transfer,
                account: row.id,
                posting: entry.posting,
                previous: (row.last_entry != EntryId(0)).then_some(row.last_entry),
            });
            row.last_entry = step.head.entry;
            step.touched.insert(entry.account, row);
            step.posted.entry(entry.account).or_default().push(entry.posting);
        }
        Ok(())
    }

    /// The account as the commits taken so far leave it.
    fn current(&self, key: &AccountKey, step: &Step) -> AccountRow {
        let row = step.touched.get(key).or_else(|| self.touched.get(key)).or_else(|| self.book.account(key));
        row.cloned().expect("the journal reads every account a commit names before it drafts")
    }

    fn replace(&self, commit: &Commit, new: &NewState) -> Result<StateRow, Refusal> {
        let drafted = self.states.get(&new.owner).map(|state| Some(state.revision));
        let stored = drafted
            .or_else(|| self.book.revision(new.owner))
            .expect("the journal reads every state a commit names before it drafts");
        let brings_into_being = commit.author == Author::Supervisor && new.replaces.is_none();
        if !brings_into_being && !has_right(commit, new.owner) {
            return Err(Refusal::NotOwner { owner: new.owner });
        }
        if stored != new.replaces {
            return Err(Refusal::StaleRevision { owner: new.owner, replaces: new.replaces, stored });
        }
        Ok(StateRow {
            owner: new.owner,
            revision: stored.unwrap_or_default().next(),
            kind: new.kind,
            phase: new.phase,
            due_at: new.due_at,
            body: new.body.clone(),
        })
    }

    fn merge(&mut self, commit: &Commit, step: Step, mut told: Told) {
        let batch = &mut self.batch;
        batch.head = step.head;
        self.touched.extend(step.touched);
        batch.transfers.extend(step.transfers);
        batch.entries.extend(step.entries);
        self.states.extend(step.states.into_iter().map(|state| (state.owner, state)));
        batch.members.extend(&commit.members);
        batch.answers.extend(commit.answer.as_ref().map(|(permit, answer)| AnswerRow {
            key: permit.key(),
            body_hash: permit.body_hash(),
            answer: answer.clone(),
        }));
        for event in &commit.events {
            batch.head.inbox = batch.head.inbox.next();
            let row = InboxRow {
                id: batch.head.inbox,
                key: event.key,
                height: event.height,
                owner: event.owner,
                body: event.body.clone(),
            };
            told.push((Author::Owner(event.owner), FromJournal::Happened { event: row.clone() }));
            batch.inbox.push(row);
        }
        batch.handled.extend(&commit.handled);
        if let Some(trim) = commit.cursor_trim {
            // The store trims before it adds, so what this batch added before is trimmed here.
            let stays = trim.below..=trim.above;
            batch.cursors.retain(|row| row.chain_id != trim.chain_id || stays.contains(&row.height));
            batch.cursor_trims.push(trim);
        }
        for cursor in &commit.cursors {
            let is_same = |row: &CursorRow| (row.chain_id, row.height) == (cursor.chain_id, cursor.height);
            batch.cursors.retain(|row| !is_same(row));
            batch.cursors.push(*cursor);
        }
        for row in &commit.outbox {
            let id = row.changes.unwrap_or_else(|| {
                batch.head.outbox = batch.head.outbox.next();
                batch.head.outbox
            });
            let sender = Author::Owner(OwnerId::Network(row.chain_id));
            let row = OutboxRow {
                id,
                chain_id: row.chain_id,
                owner: row.owner,
                status: row.status,
                body: row.body.clone(),
            };
            if commit.author != sender {
                told.push((sender, FromJournal::Decided { row: row.clone() }));
            }
            batch.outbox.retain(|earlier| earlier.id != id);
            batch.outbox.push(row);
        }
        self.told.push(told);
    }
}

/// Raises the credit numbers of accounts whose owner did not decide this, and notes what to tell it.
fn count_postings(commit: &Commit, step: &mut Step) -> Told {
    let mut told: BTreeMap<OwnerId, (Vec<PostedAccount>, Option<StateRow>)> = BTreeMap::new();
    for (key, postings) in std::mem::take(&mut step.posted) {
        let Some(owner) = key.owner().filter(|owner| commit.author != Author::Owner(*owner)) else {
            continue;
        };
        let row = step.touched.get_mut(&key).expect("what was posted to was touched");
        row.credit_no += 1;
        let posted = PostedAccount { account: key, credit_no: row.credit_no, postings };
        told.entry(owner).or_default().0.push(posted);
    }
    for state in &step.states {
        if commit.author != Author::Owner(state.owner) {
            told.entry(state.owner).or_default().1 = Some(state.clone());
        }
    }
    let word = |(owner, (accounts, state))| (Author::Owner(owner), FromJournal::Posted { accounts, state });
    told.into_iter().map(word).collect()
}

/// Whether the owner decided this commit or prepared for it.
fn has_right(commit: &Commit, owner: OwnerId) -> bool {
    commit.author == Author::Owner(owner) || commit.prepared.iter().any(|(prepared, _)| *prepared == owner)
}

/// Only its owner may take from an account; the outside world moves only by what happened on chain.
fn check_right(commit: &Commit, transfer: &Transfer, entry: &Entry) -> Result<(), Refusal> {
    match entry.account.owner() {
        Some(owner) if entry.takes() && !has_right(commit, owner) => Err(Refusal::NotOwner { owner }),
        Some(_) => Ok(()),
        None if entry.account.kind() == AccountKind::Faucet => {
            let is_funding = transfer.kind() == TransferKind::TestFunded && !entry.takes();
            if is_funding { Ok(()) } else { Err(Refusal::NotFunding { account: entry.account }) }
        }
        None if matches!(transfer.cause(), Cause::Chain(_)) => Ok(()),
        None => Err(Refusal::NotFromChain { account: entry.account }),
    }
}

/// Refuses two states of one owner, and rows that only a watcher may write.
fn check_shape(commit: &Commit) -> Result<(), Refusal> {
    let is_watcher = matches!(commit.author, Author::Watcher(_));
    let reads_chain = !commit.events.is_empty() || !commit.cursors.is_empty() || commit.cursor_trim.is_some();
    let mut owners: Vec<OwnerId> = commit.states.iter().map(|state| state.owner).collect();
    owners.sort_unstable();
    let is_twice = owners.windows(2).any(|pair| pair[0] == pair[1]);
    if is_twice || (reads_chain && !is_watcher) { Err(Refusal::Malformed) } else { Ok(()) }
}

/// Refuses what one of the stores could not keep, before any of them is asked.
fn check_storable(commit: &Commit) -> Result<(), Refusal> {
    let bodies = [
        ("state", commit.states.iter().map(|state| state.body.len()).max()),
        ("event", commit.events.iter().map(|event| event.body.len()).max()),
        ("chain transaction", commit.outbox.iter().map(|row| row.body.len()).max()),
        ("answer", commit.answer.as_ref().map(|(_, answer)| answer.len())),
    ];
    for (what, longest) in bodies {
        if longest.is_some_and(|bytes| bytes > BODY_BYTES_MAX) {
            return Err(Refusal::NotStorable { what });
        }
    }
    let causes = commit.transfers.iter().flat_map(|transfer| numbers_of_cause(transfer.cause()));
    let times = commit.transfers.iter().map(|transfer| transfer.at().as_millis());
    let tokens = commit.transfers.iter().flat_map(|transfer| transfer.entries());
    let chains = tokens.map(|entry| entry.account.token().chain_id.get());
    let due = commit.states.iter().filter_map(|state| state.due_at).map(|at| at.as_millis());
    let keys = commit.answer.iter().flat_map(|(permit, _)| [permit.key().at.as_millis(), permit.key().id]);
    let events =
        commit.events.iter().flat_map(|event| [event.key.chain_id.get(), event.key.log_index, event.height]);
    let cursors = commit.cursors.iter().flat_map(|row| [row.chain_id.get(), row.height]);
    let outbox = commit.outbox.iter().map(|row| row.chain_id.get());
    let mut numbers =
        causes.chain(times).chain(chains).chain(due).chain(keys).chain(events).chain(cursors).chain(outbox);
    if numbers.all(|number| number <= INTEGER_MAX) {
        Ok(())
    } else {
        Err(Refusal::NotStorable { what: "number above 2^63 - 1" })
    }
}

fn numbers_of_cause(cause: Cause) -> [u64; 2] {
    match cause {
        Cause::Request(key) | Cause::Operator(key) => [key.at.as_millis(), key.id],
        Cause::Chain(key) => [key.chain_id.get(), key.log_index],
        Cause::Timer(_, at) => [at.as_millis(), 0],
    }
}

#[cfg(test)]
mod tests;
