use std::sync::Arc;

use domain::ledger::{EventKey, Ledger, LedgerError, RequestKey, Side, TransferKind};
use domain::primitives::{Address, Amount, ChainId, ChannelId, Digest, Timestamp, Token};
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use proptest::prelude::*;

use super::*;
use crate::actors::journal::commit::{Incarnation, NewEvent, Ticket};
use crate::actors::journal::permits::Permits;
use crate::store::{AccountId, CursorTrim, Fence, InboxId, Revision, StateKind, TransferId};

const AT: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn person(number: u8) -> Address {
    Address::from_bytes([0xA0 + number; 20])
}

fn participant(number: u8) -> OwnerId {
    OwnerId::Participant(person(number))
}

fn token(number: u8) -> Token {
    Token { chain_id: ChainId::new(1), address: Address::from_bytes([number; 20]) }
}

fn wallet(number: u8) -> AccountKey {
    AccountKey::wallet(person(number), token(1))
}

fn request(id: u64) -> RequestKey {
    RequestKey { at: AT, signer: person(1), id }
}

fn event(number: u64) -> EventKey {
    let hash = Digest::from_bytes([1; 32]);
    EventKey { chain_id: ChainId::new(1), block_hash: hash, tx_hash: hash, log_index: number }
}

fn transfer(cause: Cause, moves: &[(AccountKey, AccountKey, u64)]) -> Transfer {
    let entries = moves.iter().flat_map(|(from, to, amount)| {
        let amount = Amount::from(*amount);
        [(*from, Side::Debit), (*to, Side::Credit)].map(|(key, side)| Entry::new(key, side, amount).unwrap())
    });
    Transfer::new(TransferKind::Payment, cause, AT, entries.collect()).unwrap()
}

/// A book in which the participants 1 to 4 and a channel are alive, and who hears what is told.
struct World {
    book: Book,
    alive: Vec<(Author, Incarnation, UnboundedReceiver<FromJournal>)>,
    ticket: u64,
}

fn channel() -> OwnerId {
    OwnerId::Channel(ChannelId::from_bytes([9; 32]))
}

impl World {
    fn new() -> Self {
        let mut book = Book::new(Head { fence: Fence(1), ..Head::default() });
        let owners = (1..=4).map(participant).chain([channel()]).map(Author::Owner);
        let authors = owners.chain([Author::Supervisor, Author::Watcher(ChainId::new(1))]);
        let mut begin = |author| {
            let (stream, told) = unbounded();
            (author, book.begin(author, stream), told)
        };
        let alive = authors.map(&mut begin).collect();
        Self { book, alive, ticket: 0 }
    }

    fn incarnation(&self, author: Author) -> Incarnation {
        self.alive.iter().find(|(alive, _, _)| *alive == author).unwrap().1
    }

    fn commit(&mut self, author: Author) -> Commit {
        self.ticket += 1;
        Commit::new(author, self.incarnation(author), Ticket(self.ticket))
    }

    fn by(&mut self, number: u8) -> Commit {
        self.commit(Author::Owner(participant(number)))
    }

    fn funding(&mut self, to: AccountKey, amount: u64) -> Commit {
        let mut commit = self.commit(Author::Supervisor);
        let custody = AccountKey::custody(to.token());
        commit.transfers = vec![transfer(Cause::Chain(event(0)), &[(custody, to, amount)])];
        commit
    }

    /// Drafts the commits as the journal does and, if all are taken, writes them to the book.
    fn post(&mut self, commits: &[Commit]) -> Result<(Batch, Vec<Told>), Refusal> {
        let missing = self.book.missing(commits.iter());
        self.book.learn_accounts(&missing.accounts, Vec::new());
        for owner in missing.owners {
            self.book.learn(owner, &crate::store::Stored::default());
        }
        let mut draft = Draft::new(&self.book);
        for commit in commits {
            draft.take(commit)?;
        }
        let (batch, told) = draft.finish();
        self.book.apply(batch.clone());
        Ok((batch, told))
    }

    fn refusal(&mut self, commit: Commit) -> Refusal {
        let head = self.book.head;
        let refusal = self.post(&[commit]).unwrap_err();
        assert_eq!(self.book.head, head, "a refused commit leaves no trace");
        refusal
    }
}

fn state(owner: OwnerId, replaces: Option<Revision>) -> NewState {
    NewState { owner, replaces, kind: StateKind::Direct, phase: 1, due_at: None, body: vec![1] }
}

#[test]
fn numbers_follow_the_order_of_the_commits() {
    let mut world = World::new();
    let first = world.funding(wallet(1), 10);
    let mut second = world.by(1);
    second.transfers = vec![
        transfer(Cause::Request(request(1)), &[(wallet(1), wallet(2), 4)]),
        transfer(Cause::Request(request(1)), &[(wallet(1), wallet(2), 1)]),
    ];
    let (batch, told) = world.post(&[first, second]).unwrap();
    assert_eq!(batch.head.transfer, TransferId(3));
    assert_eq!(batch.entries.iter().map(|row| row.id.0).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    let previous: Vec<_> = batch.entries.iter().map(|row| row.previous.map(|id| id.0)).collect();
    assert_eq!(previous, [None, None, Some(2), None, Some(3), Some(4)]);
    let rows: Vec<_> = batch.accounts.iter().map(|row| (row.id.0, row.balance, row.credit_no)).collect();
    let expected = [(1, 10_u64, 0), (2, 5, 1), (3, 5, 1)];
    assert_eq!(rows, expected.map(|(id, balance, credit_no)| (id, Amount::from(balance), credit_no)));
    let credit = |amount: u64| Posting::new(Side::Credit, Amount::from(amount)).unwrap();
    let posted = |account, postings| FromJournal::Posted {
        accounts: vec![PostedAccount { account, credit_no: 1, postings }],
        state: None,
    };
    let to_first = (Author::Owner(participant(1)), posted(wallet(1), vec![credit(10)]));
    let to_second = (Author::Owner(participant(2)), posted(wallet(2), vec![credit(4), credit(1)]));
    assert_eq!(told, [vec![to_first], vec![to_second]]);
}

#[test]
fn only_the_owner_takes_unless_it_prepared() {
    let mut world = World::new();
    let funding = world.funding(wallet(1), 10);
    world.post(&[funding]).unwrap();
    let theft = vec![transfer(Cause::Request(request(1)), &[(wallet(1), wallet(2), 4)])];
    let mut commit = world.by(2);
    commit.transfers.clone_from(&theft);
    assert_eq!(world.refusal(commit), Refusal::NotOwner { owner: participant(1) });
    let mut commit = world.by(2);
    commit.transfers.clone_from(&theft);
    commit.prepared = vec![(participant(1), world.incarnation(Author::Owner(participant(1))))];
    let (batch, told) = world.post(&[commit]).unwrap();
    assert_eq!(batch.accounts.iter().map(|row| row.credit_no).collect::<Vec<_>>(), [2, 0]);
    assert_eq!(told[0].len(), 1, "who prepared hears of its debit, who decided does not");
}

#[test]
fn the_outside_world_moves_only_by_what_happened_on_chain() {
    let mut world = World::new();
    let mut commit = world.by(1);
    let custody = AccountKey::custody(token(1));
    commit.transfers = vec![transfer(Cause::Request(request(1)), &[(custody, wallet(1), 4)])];
    assert_eq!(world.refusal(commit), Refusal::NotFromChain { account: custody });
}

#[test]
fn a_faucet_gives_when_somebody_is_funded_and_does_nothing_else() {
    let mut world = World::new();
    let faucet = AccountKey::faucet(token(1));
    let mut posts = |kind, from, to| {
        let mut commit = world.by(1);
        let moved = transfer(Cause::Request(request(1)), &[(from, to, 4)]);
        let entries = moved.entries().to_vec();
        commit.transfers = vec![Transfer::new(kind, moved.cause(), AT, entries).unwrap()];
        world.post(&[commit]).map(|_| ())
    };
    let refused = Err(Refusal::NotFunding { account: faucet });
    assert_eq!(posts(TransferKind::Payment, faucet, wallet(2)), refused);
    assert_eq!(posts(TransferKind::TestFunded, faucet, wallet(2)), Ok(()));
    assert_eq!(posts(TransferKind::TestFunded, faucet, wallet(1)), Ok(()));
    assert_eq!(posts(TransferKind::TestFunded, wallet(1), faucet), refused);
}

#[test]
fn an_ended_incarnation_decides_nothing_and_prepares_nothing() {
    let mut world = World::new();
    let stale = world.by(1);
    let mut prepared = world.by(2);
    prepared.prepared = vec![(participant(1), stale.incarnation)];
    let (stream, _told) = unbounded();
    world.book.begin(Author::Owner(participant(1)), stream);
    assert_eq!(world.refusal(stale), Refusal::Ended);
    assert_eq!(world.refusal(prepared), Refusal::Ended);
}

#[test]
fn nobody_is_overdrawn_even_within_one_batch() {
    let mut world = World::new();
    let funding = world.funding(wallet(1), 10);
    let mut first = world.by(1);
    first.transfers = vec![transfer(Cause::Request(request(1)), &[(wallet(1), wallet(2), 6)])];
    let mut second = world.by(1);
    second.transfers = vec![transfer(Cause::Request(request(2)), &[(wallet(1), wallet(3), 5)])];
    world.post(&[funding, first]).unwrap();
    let short = LedgerError::InsufficientBalance {
        account: wallet(1),
        available: Amount::from(4_u64),
        requested: Amount::from(5_u64),
    };
    assert_eq!(world.refusal(second), Refusal::Ledger(short));
}

#[test]
fn each_state_names_the_one_it_replaces() {
    let mut world = World::new();
    let by_channel = |world: &mut World, replaces| {
        let mut commit = world.commit(Author::Owner(channel()));
        commit.states = vec![state(channel(), replaces)];
        commit
    };
    let first = by_channel(&mut world, None);
    let second = by_channel(&mut world, Some(Revision(1)));
    let (batch, _) = world.post(&[first, second]).unwrap();
    assert_eq!(batch.states.iter().map(|row| row.revision).collect::<Vec<_>>(), [Revision(2)]);
    for replaces in [None, Some(Revision(1)), Some(Revision(3))] {
        let commit = by_channel(&mut world, replaces);
        let stored = Some(Revision(2));
        assert_eq!(world.refusal(commit), Refusal::StaleRevision { owner: channel(), replaces, stored });
    }
}

#[test]
fn only_the_supervisor_brings_others_into_being_and_only_once() {
    let mut world = World::new();
    let newborn = OwnerId::Channel(ChannelId::from_bytes([5; 32]));
    let mut commit = world.by(1);
    commit.states = vec![state(newborn, None)];
    assert_eq!(world.refusal(commit), Refusal::NotOwner { owner: newborn });
    let mut commit = world.commit(Author::Supervisor);
    commit.states = vec![state(newborn, None)];
    world.post(&[commit]).unwrap();
    let mut again = world.commit(Author::Supervisor);
    again.states = vec![state(newborn, None)];
    let stored = Some(Revision(1));
    assert_eq!(world.refusal(again), Refusal::StaleRevision { owner: newborn, replaces: None, stored });
    let mut replacing = world.commit(Author::Supervisor);
    replacing.states = vec![state(newborn, stored)];
    assert_eq!(world.refusal(replacing), Refusal::NotOwner { owner: newborn });
}

#[test]
fn refuses_what_contradicts_itself_or_cannot_be_stored() {
    let mut world = World::new();
    let mut twice = world.commit(Author::Owner(channel()));
    twice.states = vec![state(channel(), None), state(channel(), Some(Revision(1)))];
    assert_eq!(world.refusal(twice), Refusal::Malformed);
    let new_event = |number| NewEvent { key: event(number), height: 1, owner: channel(), body: Vec::new() };
    let mut usurper = world.commit(Author::Owner(channel()));
    usurper.events = vec![new_event(1)];
    assert_eq!(world.refusal(usurper), Refusal::Malformed);
    let mut huge = world.commit(Author::Owner(channel()));
    huge.states = vec![NewState { body: vec![0; BODY_BYTES_MAX + 1], ..state(channel(), None) }];
    assert_eq!(world.refusal(huge), Refusal::NotStorable { what: "state" });
    let mut wide = world.commit(Author::Watcher(ChainId::new(1)));
    wide.events = vec![new_event(u64::MAX)];
    assert!(matches!(world.refusal(wide), Refusal::NotStorable { .. }));
    let permits = Permits::new([]);
    let permit = permits.take(request(u64::MAX), Digest::from_bytes([1; 32]), AT).unwrap();
    let mut asked = world.by(1);
    asked.answer = Some((permit, Vec::new()));
    assert!(matches!(world.refusal(asked), Refusal::NotStorable { .. }));
    assert_eq!(Arc::strong_count(&permits), 1, "a refused commit gives its permit back");
    assert_eq!(permits.in_flight(), 0);
}

#[test]
fn what_a_watcher_read_later_undoes_what_it_read_before_in_the_same_batch() {
    let mut world = World::new();
    let chain_id = ChainId::new(1);
    let cursor = |height, byte| CursorRow { chain_id, height, hash: Digest::from_bytes([byte; 32]) };
    let mut first = world.commit(Author::Watcher(chain_id));
    first.cursors = vec![cursor(10, 1), cursor(11, 1)];
    first.events = vec![NewEvent { key: event(1), height: 10, owner: channel(), body: vec![3] }];
    let mut second = world.commit(Author::Watcher(chain_id));
    second.cursor_trim = Some(CursorTrim { chain_id, below: 0, above: 9 });
    second.cursors = vec![cursor(10, 2)];
    let (batch, told) = world.post(&[first, second]).unwrap();
    assert_eq!(batch.cursors, [cursor(10, 2)]);
    assert_eq!(batch.inbox[0].id, InboxId(1));
    let happened = FromJournal::Happened { event: batch.inbox[0].clone() };
    assert_eq!(told[0], [(Author::Owner(channel()), happened)]);
}

/// Who pays whom how much, and who signs the commit.
fn any_payment() -> impl Strategy<Value = (u8, u8, u64, u8, bool)> {
    (1..5_u8, 1..5_u8, 1..20_u64, 1..5_u8, prop::bool::ANY)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn random_batches_post_what_the_ledger_posts(
        batches in prop::collection::vec(prop::collection::vec(any_payment(), 1..6), 1..8),
    ) {
        let mut world = World::new();
        let mut ledger = Ledger::new();
        let mut posted: Vec<(Transfer, Vec<EntryRow>)> = Vec::new();
        let mut last_id = EntryId(0);
        for payments in batches {
            let mut commits = Vec::new();
            for (from, to, amount, author, is_funding) in payments {
                let custody = AccountKey::custody(token(1));
                let (cause, source) =
                    if is_funding { (Cause::Chain(event(0)), custody) } else { (Cause::Request(request(1)), wallet(from)) };
                let mut commit = world.by(author);
                commit.transfers = vec![transfer(cause, &[(source, wallet(to), amount)])];
                commits.push((commit, is_funding || author == from));
            }
            let missing = world.book.missing(commits.iter().map(|(commit, _)| commit));
            world.book.learn_accounts(&missing.accounts, Vec::new());
            let mut draft = Draft::new(&world.book);
            let mut taken = Vec::new();
            for (commit, is_by_owner) in &commits {
                let is_taken = draft.take(commit).is_ok();
                let transfer = commit.transfers[0].clone();
                prop_assert_eq!(is_taken, *is_by_owner && ledger.post(&transfer).is_ok());
                if is_taken {
                    taken.push(transfer);
                }
            }
            let (batch, told) = draft.finish();
            prop_assert_eq!(told.len(), taken.len());
            for (transfer, rows) in taken.into_iter().zip(batch.entries.chunks(2)) {
                prop_assert_eq!(rows[0].id, last_id.next());
                last_id = rows[1].id;
                posted.push((transfer, rows.to_vec()));
            }
            world.book.apply(batch);
            for (key, balance) in ledger.balances() {
                prop_assert_eq!(world.book.account(&key).unwrap().balance, balance, "L7");
            }
        }
        // Each account's chain of entries reaches back to its first.
        for number in 1..5 {
            let Some(row) = world.book.account(&wallet(number)) else { continue };
            let of_account = |id: AccountId| posted.iter().flat_map(|(_, rows)| rows).filter(move |e| e.account == id);
            let (mut count, mut at) = (0, Some(row.last_entry).filter(|id| id.0 > 0));
            while let Some(id) = at {
                let entry = of_account(row.id).find(|entry| entry.id == id).unwrap();
                at = entry.previous;
                count += 1;
            }
            prop_assert_eq!(count, if row.id.0 == 0 { 0 } else { of_account(row.id).count() });
        }
    }
}
