use domain::ledger::{AccountKey, Cause, Entry, EventKey, RequestKey, Side, Transfer, TransferKind};
use domain::primitives::{Amount, ChainId, ChannelId, Digest, Token};
use futures::StreamExt;
use futures::channel::mpsc::UnboundedReceiver;

use super::super::{FirstAnswer, Incarnation, NewState, NoPermit, Ticket, first_answer};
use super::*;
use crate::store::Fault;
use crate::store::{CommitSeq, MemoryStore, Revision, StateKind, StateRow};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn person(number: u8) -> Address {
    Address::from_bytes([0xA0 + number; 20])
}

fn participant(number: u8) -> OwnerId {
    OwnerId::Participant(person(number))
}

fn token() -> Token {
    Token { chain_id: ChainId::new(1), address: Address::from_bytes([1; 20]) }
}

fn wallet(number: u8) -> AccountKey {
    AccountKey::wallet(person(number), token())
}

fn transfer(cause: Cause, from: AccountKey, to: AccountKey, amount: u64) -> Transfer {
    let entry = |key, side| Entry::new(key, side, Amount::from(amount)).unwrap();
    let entries = vec![entry(from, Side::Debit), entry(to, Side::Credit)];
    Transfer::new(TransferKind::Payment, cause, NOW, entries).unwrap()
}

fn request(id: u64) -> RequestKey {
    RequestKey { at: NOW, signer: person(1), id }
}

fn body() -> Digest {
    Digest::from_bytes([1; 32])
}

async fn open(store: &MemoryStore) -> JournalHandle {
    JournalActor::open(Arc::new(store.clone()), person(0), NOW).await.unwrap()
}

/// An author as the journal sees it: hands over, and listens.
struct Pen {
    journal: JournalHandle,
    author: Author,
    incarnation: Incarnation,
    stored: Stored,
    told: UnboundedReceiver<FromJournal>,
    ticket: u64,
}

impl Pen {
    async fn new(journal: &JournalHandle, author: Author) -> Self {
        let (registered, told) = journal.register(author).await.unwrap();
        let Registered { incarnation, stored } = registered;
        Self { journal: journal.clone(), author, incarnation, stored, told, ticket: 0 }
    }

    async fn of(journal: &JournalHandle, number: u8) -> Self {
        Self::new(journal, Author::Owner(participant(number))).await
    }

    fn commit(&mut self, transfers: Vec<Transfer>) -> Commit {
        self.ticket += 1;
        let mut commit = Commit::new(self.author, self.incarnation, Ticket(self.ticket));
        commit.transfers = transfers;
        commit
    }

    fn hand_over(&mut self, transfers: Vec<Transfer>) {
        let commit = self.commit(transfers);
        self.journal.hand_over(commit).unwrap();
    }

    fn receive(&mut self, number: u8, amount: u64) {
        let hash = Digest::from_bytes([1; 32]);
        let event = EventKey { chain_id: ChainId::new(1), block_hash: hash, tx_hash: hash, log_index: 1 };
        let custody = AccountKey::custody(token());
        self.hand_over(vec![transfer(Cause::Chain(event), custody, wallet(number), amount)]);
    }

    fn pay(&mut self, from: u8, to: u8, amount: u64) {
        let id = self.ticket + 1;
        self.hand_over(vec![transfer(Cause::Request(request(id)), wallet(from), wallet(to), amount)]);
    }

    async fn next(&mut self) -> FromJournal {
        self.told.next().await.expect("the journal closed the stream")
    }

    async fn durable(&mut self, upto: u64) {
        assert_eq!(self.next().await, FromJournal::Durable { upto: Ticket(upto) });
    }
}

async fn balance(store: &MemoryStore, number: u8) -> Amount {
    let rows = store.accounts(&[wallet(number)]).await.unwrap();
    rows.first().map(|row| row.balance).unwrap_or_default()
}

async fn seq(store: &MemoryStore) -> CommitSeq {
    store.head().await.unwrap().unwrap().seq
}

#[actix::test]
async fn acknowledges_in_order_after_the_store_has_written() {
    let store = MemoryStore::new();
    let journal = open(&store).await;
    let mut payer = Pen::of(&journal, 1).await;
    let mut payee = Pen::of(&journal, 2).await;
    payer.receive(1, 10);
    payer.pay(1, 2, 4);
    payer.durable(1).await;
    payer.durable(2).await;
    assert_eq!(balance(&store, 2).await, Amount::from(4_u64));
    let FromJournal::Posted { accounts, state: None } = payee.next().await else { panic!("not posted") };
    assert_eq!((accounts[0].account, accounts[0].credit_no), (wallet(2), 1));
}

#[actix::test]
async fn gathers_what_arrives_while_a_batch_is_written() {
    let store = MemoryStore::new();
    let journal = open(&store).await;
    let mut pen = Pen::of(&journal, 1).await;
    let held = store.hold_writes().await;
    for _ in 0..100 {
        pen.receive(1, 1);
        // The journal runs on this thread: it takes the commit while the first write is held.
        tokio::task::yield_now().await;
    }
    drop(held);
    for ticket in 1..=100 {
        pen.durable(ticket).await;
    }
    assert_eq!(seq(&store).await, CommitSeq(2), "100 commits in {} transactions", seq(&store).await);
    assert_eq!(balance(&store, 1).await, Amount::from(100_u64));
}

#[actix::test]
async fn a_refused_commit_ends_its_author_and_nobody_else() {
    let store = MemoryStore::new();
    let journal = open(&store).await;
    let (mut first, mut second) = (Pen::of(&journal, 1).await, Pen::of(&journal, 2).await);
    first.receive(1, 10);
    first.pay(1, 2, 11);
    first.pay(1, 2, 1);
    second.receive(2, 5);
    first.durable(1).await;
    assert!(matches!(first.next().await, FromJournal::Lost { from: Ticket(2), .. }));
    assert_eq!(first.told.next().await, None, "the stream closes after the last word");
    second.durable(1).await;
    first.pay(1, 2, 1);
    let mut rebuilt = Pen::of(&journal, 1).await;
    assert_eq!(rebuilt.stored.accounts[0].balance, Amount::from(10_u64));
    rebuilt.pay(1, 2, 3);
    rebuilt.durable(1).await;
    assert_eq!(balance(&store, 1).await, Amount::from(7_u64));
}

#[actix::test]
async fn the_supervisor_loses_only_the_commit() {
    let store = MemoryStore::new();
    let journal = open(&store).await;
    let mut supervisor = Pen::new(&journal, Author::Supervisor).await;
    supervisor.pay(1, 2, 1);
    supervisor.receive(1, 1);
    assert!(matches!(supervisor.next().await, FromJournal::Lost { from: Ticket(1), .. }));
    supervisor.durable(2).await;
}

#[actix::test]
async fn a_batch_the_database_refuses_is_written_one_by_one() {
    let store = MemoryStore::new();
    let journal = open(&store).await;
    let mut pens = Vec::new();
    for number in 1..=3 {
        pens.push(Pen::of(&journal, number).await);
    }
    let held = store.hold_writes().await;
    pens[0].receive(1, 1);
    for pen in &mut pens {
        pen.receive(4, 1);
    }
    // The first commit passes, the batch with the others is refused, then the first of them alone.
    drop(held);
    pens[0].durable(1).await;
    let held = store.hold_writes().await;
    for pen in &mut pens {
        let upto = pen.ticket;
        pen.durable(upto).await;
    }
    pens[0].receive(1, 1);
    for pen in &mut pens {
        pen.receive(4, 1);
    }
    store.fail_write(Fault::Rejected);
    store.fail_write(Fault::Rejected);
    drop(held);
    let mut lost = 0;
    for pen in &mut pens {
        match pen.next().await {
            FromJournal::Lost { reason: Refusal::Database, .. } => lost += 1,
            other => assert!(matches!(other, FromJournal::Durable { .. }), "{other:?}"),
        }
    }
    assert_eq!(lost, 1);
}

#[actix::test]
async fn keeps_what_it_took_while_the_database_is_away() {
    let store = MemoryStore::new();
    let journal = open(&store).await;
    let mut pen = Pen::of(&journal, 1).await;
    let mut health = journal.health();
    store.set_away(true);
    pen.receive(1, 10);
    health.wait_for(|health| *health == JournalHealth::Away).await.unwrap();
    assert!(matches!(journal.permits().take(request(1), body(), NOW), Err(NoPermit::Closed)));
    pen.pay(1, 2, 4);
    store.set_away(false);
    pen.durable(1).await;
    pen.durable(2).await;
    assert!(journal.permits().take(request(1), body(), NOW).is_ok());
    let back = *health.borrow_and_update();
    assert!(matches!(back, JournalHealth::Writing { since } if since > NOW), "{back:?}");
    assert_eq!(balance(&store, 2).await, Amount::from(4_u64));
}

#[actix::test]
async fn an_uncertain_commit_happens_exactly_once() {
    for fault in [Fault::UnknownWritten, Fault::UnknownNotWritten, Fault::Down] {
        let store = MemoryStore::new();
        let journal = open(&store).await;
        let mut pen = Pen::of(&journal, 1).await;
        store.fail_write(fault);
        pen.receive(1, 10);
        pen.durable(1).await;
        assert_eq!(balance(&store, 1).await, Amount::from(10_u64), "{fault:?}");
        assert_eq!(seq(&store).await, CommitSeq(1), "{fault:?}");
    }
}

#[actix::test]
async fn a_second_writer_fences_the_first() {
    let store = MemoryStore::new();
    let journal = open(&store).await;
    let mut pen = Pen::of(&journal, 1).await;
    let second = open(&store).await;
    pen.receive(1, 10);
    let mut health = journal.health();
    health.wait_for(|health| *health == JournalHealth::Fenced).await.unwrap();
    assert_eq!(pen.told.next().await, None);
    assert!(matches!(journal.permits().take(request(1), body(), NOW), Err(NoPermit::Closed)));
    assert!(journal.register(Author::Supervisor).await.is_err());
    let mut pen = Pen::of(&second, 1).await;
    pen.receive(1, 3);
    pen.durable(1).await;
    assert_eq!(balance(&store, 1).await, Amount::from(3_u64));
}

#[actix::test]
async fn a_new_incarnation_begins_after_what_the_old_one_handed_over() {
    let store = MemoryStore::new();
    let journal = open(&store).await;
    let mut old = Pen::of(&journal, 1).await;
    let held = store.hold_writes().await;
    old.receive(1, 10);
    old.pay(1, 2, 4);
    let (begun, ()) = futures::join!(Pen::of(&journal, 1), async { drop(held) });
    assert_eq!(begun.stored.accounts[0].balance, Amount::from(6_u64));
    old.pay(1, 2, 1);
    let mut begun = begun;
    begun.pay(1, 2, 2);
    begun.durable(1).await;
    assert_eq!(balance(&store, 1).await, Amount::from(4_u64), "the old incarnation pays no more");
}

#[actix::test]
async fn answers_survive_a_restart_and_repeats_get_the_first_one() {
    let store = MemoryStore::new();
    let journal = open(&store).await;
    let mut pen = Pen::of(&journal, 1).await;
    pen.receive(1, 10);
    let permit = journal.permits().take(request(7), body(), NOW).unwrap();
    let Err(NoPermit::InFlight(repeat)) = journal.permits().take(request(7), body(), NOW) else {
        panic!("the first is in flight")
    };
    let mut commit = pen.commit(vec![transfer(Cause::Request(request(7)), wallet(1), wallet(2), 1)]);
    commit.answer = Some((permit, b"first".to_vec()));
    journal.hand_over(commit).unwrap();
    assert_eq!(repeat.await, Ok(b"first".to_vec()));
    let journal = open(&store).await;
    assert!(matches!(journal.permits().take(request(7), body(), NOW), Err(NoPermit::Posted)));
    let other = Digest::from_bytes([2; 32]);
    assert!(matches!(journal.permits().take(request(7), other, NOW), Err(NoPermit::Conflict)));
    let asked = |key, hash, now| first_answer(&store, key, hash, now);
    assert_eq!(asked(request(7), body(), NOW).await.unwrap(), FirstAnswer::Answered(b"first".to_vec()));
    assert_eq!(asked(request(7), other, NOW).await.unwrap(), FirstAnswer::Conflict);
    let later = NOW.plus_millis(WINDOW_MILLIS + 1);
    assert_eq!(asked(request(8), body(), later).await.unwrap(), FirstAnswer::Expired);
    let next_day = NOW.plus_millis(super::super::KEPT_MILLIS + 1);
    assert_eq!(asked(request(8), body(), next_day).await.unwrap(), FirstAnswer::TooOld);
}

#[actix::test]
async fn a_lost_commit_gives_its_key_back() {
    let store = MemoryStore::new();
    let journal = open(&store).await;
    let mut pen = Pen::of(&journal, 1).await;
    let permit = journal.permits().take(request(7), body(), NOW).unwrap();
    let mut commit = pen.commit(vec![transfer(Cause::Request(request(7)), wallet(1), wallet(2), 1)]);
    commit.answer = Some((permit, b"never".to_vec()));
    journal.hand_over(commit).unwrap();
    assert!(matches!(pen.next().await, FromJournal::Lost { .. }));
    assert!(journal.permits().take(request(7), body(), NOW).is_ok());
    assert!(store.answer(request(7)).await.unwrap().is_none());
}

#[actix::test]
async fn who_prepared_hears_of_its_new_state() {
    let store = MemoryStore::new();
    let journal = open(&store).await;
    let channel = OwnerId::Channel(ChannelId::from_bytes([9; 32]));
    let mut asker = Pen::of(&journal, 1).await;
    let mut prepared = Pen::new(&journal, Author::Owner(channel)).await;
    let mut commit = asker.commit(Vec::new());
    commit.prepared = vec![(channel, prepared.incarnation)];
    let body = vec![7];
    commit.states = vec![NewState {
        owner: channel,
        replaces: None,
        kind: StateKind::Direct,
        phase: 2,
        due_at: Some(NOW),
        body: body.clone(),
    }];
    journal.hand_over(commit).unwrap();
    asker.durable(1).await;
    let state = Some(StateRow {
        owner: channel,
        revision: Revision(1),
        kind: StateKind::Direct,
        phase: 2,
        due_at: Some(NOW),
        body,
    });
    assert_eq!(prepared.next().await, FromJournal::Posted { accounts: Vec::new(), state: state.clone() });
    assert_eq!(store.load(channel).await.unwrap().state, state);
}
