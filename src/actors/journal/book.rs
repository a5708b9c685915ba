//! What is posted, as far as somebody needs it, and who is alive.
//!
//! Pure: changed only by what was read from the store and by drafts that were written to it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::ledger::{AccountKey, OwnerId};
use domain::primitives::Amount;
use futures::channel::mpsc::UnboundedSender;

use super::commit::{Author, Commit, Incarnation};
use super::messages::{FromJournal, JournalMemory};
use crate::store::{AccountId, AccountRow, Batch, EntryId, Head, Revision, Stored};

/// About how many accounts and states are kept whose owner is not alive: what payments to people who
/// are away need again and again, in a few megabytes. Beyond it they are read anew.
const ROWS_IDLE_MAX: usize = 10_000;

/// The journal's memory.
#[derive(Debug)]
pub(super) struct Book {
    pub(super) head: Head,
    accounts: HashMap<AccountKey, AccountRow>,
    /// The revision and the phase of each state; `None` for an owner that has none.
    standings: HashMap<OwnerId, Option<(Revision, u8)>>,
    alive: BTreeMap<Author, Alive>,
    last_incarnation: u64,
    /// At how many rows in memory those of owners that are not alive are forgotten.
    sweep_at: usize,
}

#[derive(Debug)]
struct Alive {
    incarnation: Incarnation,
    stream: UnboundedSender<FromJournal>,
}

/// What has to be read before commits can be checked.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) accounts: Vec<AccountKey>,
    pub(super) owners: Vec<OwnerId>,
}

impl Book {
    pub(super) fn new(head: Head) -> Self {
        Self {
            head,
            accounts: HashMap::new(),
            standings: HashMap::new(),
            alive: BTreeMap::new(),
            last_incarnation: 0,
            sweep_at: ROWS_IDLE_MAX,
        }
    }

    /// Begins an incarnation; an older one of the same author has ended with this.
    pub(super) fn begin(&mut self, author: Author, stream: UnboundedSender<FromJournal>) -> Incarnation {
        self.last_incarnation += 1;
        let incarnation = Incarnation(self.last_incarnation);
        self.alive.insert(author, Alive { incarnation, stream });
        incarnation
    }

    /// Forgets everything of the old book and ends everybody; returns the streams, which are open still. Incarnations
    /// go on being counted, so that none of the old book is ever mistaken for one of the new.
    pub(super) fn begin_anew(&mut self) -> Vec<UnboundedSender<FromJournal>> {
        let alive = std::mem::take(&mut self.alive);
        *self = Self { last_incarnation: self.last_incarnation, ..Self::new(self.head) };
        alive.into_values().map(|alive| alive.stream).collect()
    }

    /// Takes over what the store holds of an owner that begins an incarnation.
    pub(super) fn learn(&mut self, owner: OwnerId, stored: &Stored) {
        let state = stored.state.as_ref();
        self.standings.insert(owner, state.map(|state| (state.revision, state.phase)));
        for account in &stored.accounts {
            self.accounts.insert(account.key, account.clone());
        }
    }

    /// Takes over accounts that were read because a commit names them; those that do not exist stand at zero.
    pub(super) fn learn_accounts(&mut self, asked: &[AccountKey], found: Vec<AccountRow>) {
        for key in asked {
            self.accounts.entry(*key).or_insert_with(|| unborn(*key));
        }
        for row in found {
            self.accounts.insert(row.key, row);
        }
    }

    /// Whether this incarnation is alive.
    pub(super) fn is_alive(&self, author: Author, incarnation: Incarnation) -> bool {
        self.alive.get(&author).is_some_and(|alive| alive.incarnation == incarnation)
    }

    /// Ends an incarnation, if it is alive, and closes its stream after a last word.
    pub(super) fn end(&mut self, author: Author, incarnation: Incarnation, word: Option<FromJournal>) {
        if !self.is_alive(author, incarnation) {
            return;
        }
        if let Some(word) = word {
            self.tell(author, word);
        }
        self.alive.remove(&author);
        if let Author::Owner(owner) = author {
            self.standings.remove(&owner);
        }
        self.forget_idle();
    }

    /// How much is in memory.
    pub(super) fn memory(&self) -> JournalMemory {
        JournalMemory {
            authors: self.alive.len(),
            accounts: self.accounts.len(),
            states: self.standings.len(),
        }
    }

    /// Tells an author that is alive; whoever is gone reads the store when it is loaded again.
    pub(super) fn tell(&self, author: Author, word: FromJournal) {
        if let Some(alive) = self.alive.get(&author) {
            // An actor that panicked has dropped its stream; it is registered anew when it is rebuilt.
            let _gone = alive.stream.unbounded_send(word);
        }
    }

    pub(super) fn account(&self, key: &AccountKey) -> Option<&AccountRow> {
        self.accounts.get(key)
    }

    pub(super) fn revision(&self, owner: OwnerId) -> Option<Option<Revision>> {
        self.standings.get(&owner).map(|standing| standing.map(|(revision, _)| revision))
    }

    /// The phase of an owner's state; `None` when it has none.
    pub(super) fn phase(&self, owner: OwnerId) -> Option<u8> {
        self.standings.get(&owner).copied().flatten().map(|(_, phase)| phase)
    }

    /// What these commits name and this book does not know.
    pub(super) fn missing<'a>(&self, commits: impl Iterator<Item = &'a Commit>) -> Missing {
        let (mut accounts, mut owners) = (BTreeSet::new(), BTreeSet::new());
        for commit in commits {
            let entries = commit.transfers.iter().flat_map(|transfer| transfer.entries());
            accounts
                .extend(entries.map(|entry| entry.account).filter(|key| !self.accounts.contains_key(key)));
            let named = commit.states.iter().map(|state| state.owner);
            owners.extend(named.filter(|owner| !self.standings.contains_key(owner)));
        }
        Missing { accounts: accounts.into_iter().collect(), owners: owners.into_iter().collect() }
    }

    /// Takes over what was written.
    pub(super) fn apply(&mut self, batch: Batch) {
        self.head = batch.head;
        self.accounts.extend(batch.accounts.into_iter().map(|row| (row.key, row)));
        let states = batch.states.into_iter();
        self.standings.extend(states.map(|row| (row.owner, Some((row.revision, row.phase)))));
        self.forget_idle();
    }

    /// Forgets what only owners that are not alive would need, when it has become much.
    fn forget_idle(&mut self) {
        if self.accounts.len() + self.standings.len() < self.sweep_at {
            return;
        }
        let alive = &self.alive;
        let is_alive = |owner: OwnerId| alive.contains_key(&Author::Owner(owner));
        self.standings.retain(|owner, _| is_alive(*owner));
        self.accounts.retain(|key, _| key.owner().is_none_or(is_alive));
        // Twice what stays, so that a sweep is paid for by what came since the last.
        self.sweep_at = 2 * (self.accounts.len() + self.standings.len()) + ROWS_IDLE_MAX;
    }
}

/// An account that does not exist yet: it gets its number with its first entry.
fn unborn(key: AccountKey) -> AccountRow {
    AccountRow { id: AccountId(0), key, balance: Amount::ZERO, credit_no: 0, last_entry: EntryId(0) }
}

#[cfg(test)]
mod tests {
    use domain::primitives::{Address, ChainId, Token};
    use futures::channel::mpsc::unbounded;

    use super::*;

    #[test]
    fn forgets_who_has_left_but_for_a_bounded_number() {
        let mut book = Book::new(Head::default());
        let token = Token { chain_id: ChainId::new(1), address: Address::ZERO };
        let live = |book: &mut Book, number: u64| {
            let mut bytes = [0; 20];
            bytes[..8].copy_from_slice(&number.to_be_bytes());
            let address = Address::from_bytes(bytes);
            let owner = OwnerId::Participant(address);
            let incarnation = book.begin(Author::Owner(owner), unbounded().0);
            let accounts = vec![unborn(AccountKey::wallet(address, token))];
            book.learn(owner, &Stored { accounts, ..Stored::default() });
            (owner, incarnation)
        };
        let stays = live(&mut book, 0);
        for number in 1..=5 * ROWS_IDLE_MAX as u64 {
            let (owner, incarnation) = live(&mut book, number);
            book.end(Author::Owner(owner), incarnation, None);
            let JournalMemory { authors, accounts, states } = book.memory();
            assert_eq!((authors, states), (1, 1));
            assert!(accounts <= ROWS_IDLE_MAX + 4, "{accounts} accounts after {number} lives");
        }
        let OwnerId::Participant(address) = stays.0 else { unreachable!() };
        assert!(book.account(&AccountKey::wallet(address, token)).is_some(), "who is alive is remembered");
    }
}
