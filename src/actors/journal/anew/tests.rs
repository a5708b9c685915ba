use domain::ledger::{OwnerId, RequestKey};
use domain::primitives::{Address, ChannelId, Digest};
use futures::StreamExt as _;
use futures::channel::mpsc::UnboundedReceiver;
use futures::future::ready;

use super::super::{
    Author, Commit, FirstAnswer, Incarnation, JournalHandle, NewOutbox, NewState, NoPermit, Ticket,
    first_answer,
};
use super::*;
use crate::store::{Fault, InboxRow, MemoryStore, OutboxStatus, Revision, StateKind, Stored};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const CHAIN: ChainId = ChainId::new(1);
const OWNER: OwnerId = OwnerId::Participant(Address::from_bytes([0xa1; 20]));

fn token() -> Token {
    Token { chain_id: CHAIN, address: Address::from_bytes([1; 20]) }
}

fn request(id: u64) -> RequestKey {
    RequestKey { at: NOW, signer: Address::from_bytes([0xa1; 20]), id }
}

fn body() -> Digest {
    Digest::from_bytes([1; 32])
}

fn wallet() -> AccountKey {
    AccountKey::wallet(Address::from_bytes([0xa1; 20]), token())
}

fn beginning() -> Beginning {
    let cursor = CursorRow { chain_id: CHAIN, height: 7, hash: body() };
    Beginning { available: vec![(token(), Amount::from(5_u64))], cursors: vec![cursor] }
}

async fn open(store: &MemoryStore) -> JournalHandle {
    JournalActor::open(Arc::new(store.clone()), Address::from_bytes([0xb0; 20]), NOW).await.unwrap()
}

/// An owner that lives in the old book.
struct Old {
    journal: JournalHandle,
    incarnation: Incarnation,
    told: UnboundedReceiver<FromJournal>,
    tickets: u64,
}

impl Old {
    async fn of(journal: &JournalHandle) -> Self {
        let (registered, told) = journal.register(Author::Owner(OWNER)).await.unwrap();
        Self { journal: journal.clone(), incarnation: registered.incarnation, told, tickets: 0 }
    }

    fn commit(&mut self) -> Commit {
        self.tickets += 1;
        Commit::new(Author::Owner(OWNER), self.incarnation, Ticket(self.tickets))
    }

    /// Funds itself by the request of this id.
    fn fund(&mut self, id: u64) {
        let permit = self.journal.permits().take(request(id), body(), NOW).unwrap();
        let amount = Amount::from(3_u64);
        let entries = vec![
            Entry::new(AccountKey::faucet(token()), Side::Debit, amount).unwrap(),
            Entry::new(wallet(), Side::Credit, amount).unwrap(),
        ];
        let mut commit = self.commit();
        let cause = Cause::Request(request(id));
        commit.transfers = vec![Transfer::new(TransferKind::TestFunded, cause, NOW, entries).unwrap()];
        commit.answer = Some((permit, b"funded".to_vec()));
        self.journal.hand_over(commit).unwrap();
    }

    async fn durable(&mut self, upto: u64) {
        assert_eq!(self.told.next().await, Some(FromJournal::Durable { upto: Ticket(upto) }));
    }
}

async fn begin_anew(
    journal: &JournalHandle,
    id: u64,
    beginning: Result<Beginning, ChainId>,
) -> Result<EndedLives, NotBegun> {
    let permit = journal.permits().take(request(id), body(), NOW).unwrap();
    let (chains, answer, beginning) = (vec![CHAIN], b"begun".to_vec(), Box::pin(ready(beginning)));
    journal.begin_anew(BeginAnew { chains, beginning, permit, answer }).await
}

async fn balance(store: &MemoryStore, key: AccountKey) -> Amount {
    store.accounts(&[key]).await.unwrap().first().map(|row| row.balance).unwrap_or_default()
}

#[actix::test]
async fn a_new_book_holds_what_the_broker_has_and_nobody_lives_in_it() {
    let store = MemoryStore::new();
    let journal = open(&store).await;
    let mut old = Old::of(&journal).await;
    old.fund(1);
    old.durable(1).await;
    let seq = store.head().await.unwrap().unwrap().seq;

    let ended = begin_anew(&journal, 2, Ok(beginning())).await.unwrap();
    let head = store.head().await.unwrap().unwrap();
    assert_eq!((head.seq, head.transfer, head.entry), (seq.next(), TransferId(1), EntryId(2)));
    for key in [AccountKey::custody(token()), AccountKey::broker(token())] {
        assert_eq!(balance(&store, key).await, Amount::from(5_u64), "{key}");
    }
    assert_eq!(store.account_page(None, 10).await.unwrap().len(), 2);
    assert_eq!(store.cursor(CHAIN).await.unwrap(), beginning().cursors);
    assert_eq!(store.transfer_page(None, 10).await.unwrap()[0].kind, TransferKind::BookBegun);

    // Whoever has not heard of it decides on a book that is no more.
    old.fund(3);
    let mut other = Old::of(&journal).await;
    assert_ne!(other.incarnation, old.incarnation);
    assert_eq!(balance(&store, wallet()).await, Amount::ZERO);
    assert!(journal.permits().take(request(3), body(), NOW).is_ok(), "its request may be made again");
    drop(ended);
    assert_eq!(old.told.next().await, None);

    // The new book goes on from its own numbers.
    other.fund(4);
    other.durable(1).await;
    assert_eq!(balance(&store, wallet()).await, Amount::from(3_u64));
    assert_eq!(store.head().await.unwrap().unwrap().transfer, TransferId(2));
}

#[actix::test]
async fn answers_given_before_are_given_again_and_so_is_that_of_the_reset() {
    let store = MemoryStore::new();
    let journal = open(&store).await;
    let mut old = Old::of(&journal).await;
    old.fund(1);
    old.durable(1).await;
    begin_anew(&journal, 2, Ok(beginning())).await.unwrap();
    for journal in [journal, open(&store).await] {
        for (id, answer) in [(1, "funded"), (2, "begun")] {
            assert!(matches!(journal.permits().take(request(id), body(), NOW), Err(NoPermit::Posted)));
            let first = first_answer(&store, request(id), body(), NOW).await.unwrap();
            assert_eq!(first, FirstAnswer::Answered(answer.as_bytes().to_vec()));
        }
    }
}

#[actix::test]
async fn what_cannot_begin_leaves_everything_as_it_was() {
    let store = MemoryStore::new();
    let journal = open(&store).await;
    let mut old = Old::of(&journal).await;
    old.fund(1);
    old.durable(1).await;
    let refused = begin_anew(&journal, 2, Err(CHAIN)).await.unwrap_err();
    assert_eq!(refused, NotBegun::ChainUnavailable { chain_id: CHAIN });
    // While something is being sent the chains are not even asked.
    let mut commit = old.commit();
    let mut row = NewOutbox {
        changes: None,
        chain_id: CHAIN,
        owner: OwnerId::Channel(ChannelId::NONE),
        status: OutboxStatus::Open,
        body: vec![1],
    };
    commit.outbox.push(row.clone());
    journal.hand_over(commit).unwrap();
    old.durable(2).await;
    let refused = begin_anew(&journal, 2, Ok(beginning())).await.unwrap_err();
    assert_eq!(refused, NotBegun::UnderWay { chain_id: CHAIN });
    let mut commit = old.commit();
    (row.changes, row.status) = (Some(OutboxId(1)), OutboxStatus::Done);
    commit.outbox.push(row);
    journal.hand_over(commit).unwrap();
    old.durable(3).await;
    store.fail_write(Fault::Rejected);
    assert_eq!(begin_anew(&journal, 2, Ok(beginning())).await.unwrap_err(), NotBegun::Lost);
    assert_eq!(balance(&store, wallet()).await, Amount::from(3_u64));
    old.fund(3);
    old.durable(4).await;
    begin_anew(&journal, 2, Ok(beginning())).await.unwrap();
    assert_eq!(balance(&store, wallet()).await, Amount::ZERO);
}

#[actix::test]
async fn a_book_begins_once_however_the_database_answers() {
    for fault in [Fault::UnknownWritten, Fault::UnknownNotWritten, Fault::Down] {
        let store = MemoryStore::new();
        let journal = open(&store).await;
        let mut old = Old::of(&journal).await;
        old.fund(1);
        old.durable(1).await;
        let seq = store.head().await.unwrap().unwrap().seq;
        store.fail_write(fault);
        begin_anew(&journal, 2, Ok(beginning())).await.unwrap();
        assert_eq!(store.head().await.unwrap().unwrap().seq, seq.next(), "{fault:?}");
        assert_eq!(balance(&store, wallet()).await, Amount::ZERO, "{fault:?}");
    }
}

#[actix::test]
async fn the_book_of_a_network_still_belongs_to_its_contract() {
    let store = MemoryStore::new();
    let journal = open(&store).await;
    let network = OwnerId::Network(CHAIN);
    let (registered, mut told) = journal.register(Author::Owner(network)).await.unwrap();
    let mut commit = Commit::new(Author::Owner(network), registered.incarnation, Ticket(1));
    let (kind, body) = (StateKind::Sender, b"contract".to_vec());
    let first = NewState { owner: network, replaces: None, kind, phase: 0, due_at: None, body: body.clone() };
    commit.states.push(first);
    journal.hand_over(commit).unwrap();
    told.next().await.unwrap();
    begin_anew(&journal, 2, Ok(beginning())).await.unwrap();
    let Stored { state, accounts, inbox } = store.load(network).await.unwrap();
    assert_eq!(state.map(|state| (state.revision, state.body)), Some((Revision(1), body)));
    assert_eq!((accounts.len(), inbox), (1, Vec::<InboxRow>::new()));
}
