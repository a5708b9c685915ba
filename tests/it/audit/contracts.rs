//! The book and the contract that it tells of, on a real chain.

use std::sync::Arc;

use clearnet::audit::{Contracts, Law, Problem, Report, Surplus, Unchecked, Verdict, audit};
use clearnet::chain::{BlockRef, EvmChain};
use clearnet::store::{
    AccountId, AccountRow, Batch, CursorRow, EntryId, EntryRow, Head, InboxId, InboxRow, MemoryStore,
    Revision, Store, TransferId, TransferRow,
};
use domain::crypto::Intent;
use domain::ledger::{AccountKey, Cause, EventKey, OwnerId, Posting, Side, TransferKind};
use domain::primitives::{Address, Amount, ChainId, Digest, Timestamp, Token};

use super::channels::Direct;
use crate::devnet::world::{CHAIN_ID, Form, World, amount, shared_chain, soon};

/// A book written by hand, beside a chain.
struct Beside {
    world: World,
    store: MemoryStore,
    head: Head,
    contracts: Contracts,
}

impl Beside {
    /// The broker has deposited 5 coins and Alice has a channel with 100 tokens, and the book says so.
    async fn with_a_channel(label: &str) -> Self {
        let world = World::on(shared_chain().await, label).await;
        world.broker.deposit(Address::ZERO, amount(5)).await.unwrap();
        let params = world.params(1);
        let initial = world.state(&params, Intent::Initialize, 0, [100, 0]);
        let initial = world.signed(initial, Form::Raw, Form::Raw);
        world.alice.approve(world.token, amount(100)).await.unwrap();
        world.alice.deposit_and_create(world.token, amount(100), params.clone(), initial).await.unwrap();
        let chain = EvmChain::new(world.client().clone(), world.custody(), world.broker.address());
        let contracts = Contracts { broker: world.broker.address(), chains: vec![Arc::new(chain)] };
        let store = MemoryStore::new();
        let head = store.open_writer(world.broker.address()).await.unwrap();
        let mut beside = Self { world, store, head, contracts };
        let token = Token { chain_id: CHAIN_ID, address: beside.world.token };
        let direct = Direct::of(params, token, 100);
        let part = AccountKey::direct(direct.id(), direct.owner, token);
        let mut batch = beside.batch();
        let coin = beside.coin();
        post(
            &mut batch,
            TransferKind::BrokerDeposited,
            AccountKey::custody(coin),
            AccountKey::broker(coin),
            5,
        );
        post(&mut batch, TransferKind::ChannelOpened, AccountKey::custody(token), part, 100);
        batch.states.push(direct.active(amount(60)).row(Revision(1)));
        // 40 were paid since, without a change on chain.
        post(
            &mut batch,
            TransferKind::Payment,
            part,
            AccountKey::wallet(Address::from_bytes([9; 20]), token),
            40,
        );
        beside.write(batch).await;
        beside
    }

    fn coin(&self) -> Token {
        Token { chain_id: CHAIN_ID, address: Address::ZERO }
    }

    fn batch(&self) -> Batch {
        Batch { head: Head { seq: self.head.seq.next(), ..self.head }, ..Batch::default() }
    }

    async fn write(&mut self, batch: Batch) {
        self.store.write(&batch).await.unwrap();
        self.head = batch.head;
    }

    /// The book has read the chain up to a block.
    async fn reads(&mut self, block: BlockRef) {
        let mut batch = self.batch();
        batch.cursors.push(CursorRow { chain_id: CHAIN_ID, height: block.height, hash: block.hash });
        self.write(batch).await;
    }

    async fn reads_all(&mut self) {
        let head = self.world.client().head().await.unwrap();
        self.reads(head).await;
    }

    async fn audit(&self) -> Report {
        audit(&self.store, Some(&self.contracts)).await.unwrap()
    }

    async fn verdict(&self) -> Verdict {
        let mut report = self.audit().await;
        report.laws.remove(&Law::Custody).unwrap()
    }
}

/// A transfer of two entries; every account in it is new, or was posted to by the batch before.
fn post(batch: &mut Batch, kind: TransferKind, from: AccountKey, to: AccountKey, sum: u64) {
    let transfer = TransferId(batch.head.transfer.0 + 1);
    batch.head.transfer = transfer;
    let hash = Digest::from_bytes([1; 32]);
    let event = EventKey { chain_id: CHAIN_ID, block_hash: hash, tx_hash: hash, log_index: transfer.0 };
    batch.transfers.push(TransferRow {
        id: transfer,
        kind,
        cause: Cause::Chain(event),
        at: Timestamp::from_millis(1),
    });
    for (key, side) in [(from, Side::Debit), (to, Side::Credit)] {
        let entry = EntryId(batch.head.entry.0 + 1);
        batch.head.entry = entry;
        let posting = Posting::new(side, amount(sum)).unwrap();
        if !batch.accounts.iter().any(|row| row.key == key) {
            let id = AccountId(batch.head.account.0 + 1);
            batch.head.account = id;
            let (balance, last_entry) = (Amount::ZERO, EntryId(0));
            batch.accounts.push(AccountRow { id, key, balance, credit_no: 0, last_entry });
        }
        let row = batch.accounts.iter_mut().find(|row| row.key == key).unwrap();
        let previous = (row.last_entry != EntryId(0)).then_some(row.last_entry);
        batch.entries.push(EntryRow { id: entry, transfer, account: row.id, posting, previous });
        row.balance = key.balance_after(row.balance, posting).unwrap();
        row.last_entry = entry;
    }
}

async fn life(label: &str) {
    let mut beside = Beside::with_a_channel(label).await;
    let never = beside.verdict().await;
    assert_eq!(never, Verdict::NotChecked(Unchecked::NeverRead { chain_id: CHAIN_ID }));

    beside.reads_all().await;
    let report = beside.audit().await;
    assert!(report.is_clean() && report.is_complete(), "{report:#?}");
    assert_eq!(report.laws[&Law::Custody], Verdict::Holds);
    assert_eq!(report.surpluses, []);

    // What the chain does after the block up to which the book has read it is not in the book yet.
    beside.world.broker.withdraw(Address::ZERO, amount(2)).await.unwrap();
    assert_eq!(beside.verdict().await, Verdict::Holds);
    beside.reads_all().await;
    let Verdict::Broken(findings) = beside.verdict().await else { panic!("2 coins are missing") };
    let [finding] = findings.kept() else { panic!("{findings:?}") };
    assert_eq!(finding.problem, Problem::Deficit);
    assert_eq!(finding.account.unwrap().key, Some(AccountKey::custody(beside.coin())));
    let figures = (finding.expected.as_deref(), finding.actual.as_deref());
    assert_eq!(figures, (Some("5"), Some("2 less")));

    beside.world.broker.deposit(Address::ZERO, amount(9)).await.unwrap();
    beside.reads_all().await;
    let report = beside.audit().await;
    assert!(report.is_clean() && report.is_complete(), "{report:#?}");
    assert_eq!(report.surpluses, [Surplus { token: beside.coin(), amount: amount(7) }]);

    let key = EventKey {
        chain_id: CHAIN_ID,
        block_hash: Digest::from_bytes([2; 32]),
        tx_hash: Digest::from_bytes([2; 32]),
        log_index: 2,
    };
    let mut batch = beside.batch();
    batch.head.inbox = InboxId(1);
    let owner = OwnerId::Network(CHAIN_ID);
    batch.inbox.push(InboxRow { id: InboxId(1), key, height: 3, owner, body: Vec::new() });
    beside.write(batch).await;
    let waits = Verdict::NotChecked(Unchecked::NotDrained { chain_id: CHAIN_ID, height: 3 });
    assert_eq!(beside.verdict().await, waits);

    let head = beside.world.client().head().await.unwrap();
    beside.reads(BlockRef { hash: Digest::from_bytes([3; 32]), ..head }).await;
    let other = Unchecked::Reorganised { chain_id: CHAIN_ID, height: head.height };
    assert_eq!(beside.verdict().await, Verdict::NotChecked(other));
    assert!(!beside.audit().await.is_complete());
}

#[tokio::test]
async fn the_contract_holds_what_the_book_says_at_the_block_it_has_read() {
    soon(life("audit")).await;
}

#[tokio::test]
async fn a_chain_that_does_not_answer_leaves_only_its_law_unchecked() {
    let mut beside = soon(Beside::with_a_channel("audit/away")).await;
    let (url, chain_id) = ("ws://127.0.0.1:1", ChainId::new(CHAIN_ID.get()));
    let client = evm::Client::new(url, chain_id, crate::devnet::world::LIMITS).unwrap();
    beside.reads_all().await;
    beside.contracts.chains =
        vec![Arc::new(EvmChain::new(client, beside.world.custody(), beside.contracts.broker))];
    let report = soon(beside.audit()).await;
    let Verdict::NotChecked(Unchecked::ChainUnavailable { chain_id: of, .. }) = report.laws[&Law::Custody]
    else {
        panic!("{report:#?}")
    };
    assert_eq!(of, chain_id);
    assert_eq!(report.laws[&Law::Replay], Verdict::Holds);
}
