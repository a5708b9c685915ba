//! Small books to try stores with, and the one who writes them.

use std::sync::Arc;

use clearnet::store::{
    AccountId, AccountRow, AnswerRow, Batch, CommitSeq, CursorRow, EntryId, EntryRow, Head, InboxId,
    InboxRow, MemberRow, OutboxId, OutboxRow, OutboxStatus, Revision, StateKind, StateRow, Store, TransferId,
    TransferRow, WriteError,
};
use domain::ledger::{AccountKey, Cause, EventKey, OwnerId, Posting, RequestKey, Side, TransferKind};
use domain::primitives::{Address, Amount, ChainId, ChannelId, Digest, Timestamp, Token};

use crate::harness::database::Database;

/// The greatest number that a store keeps.
pub(super) const NUMBER_MAX: u64 = i64::MAX as u64;
pub(super) const CHAIN: ChainId = ChainId::new(1);

pub(super) fn address(n: u8) -> Address {
    Address::from_bytes([n; 20])
}

pub(super) fn channel(n: u8) -> ChannelId {
    ChannelId::from_bytes([n; 32])
}

pub(super) fn hash(n: u8) -> Digest {
    Digest::from_bytes([n; 32])
}

pub(super) fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

pub(super) fn broker() -> Address {
    address(0xbb)
}

pub(super) fn token() -> Token {
    Token { chain_id: CHAIN, address: address(0x70) }
}

/// Who writes the book, as the journal would.
pub(super) struct Writer {
    pub(super) store: Arc<dyn Store>,
    pub(super) head: Head,
}

impl Writer {
    pub(super) async fn open(database: &Database) -> Self {
        let store = database.open().await;
        let head = store.open_writer(broker()).await.unwrap();
        Self { store, head }
    }

    /// A batch that follows what was written, with nothing in it yet.
    pub(super) fn batch(&self) -> Batch {
        Batch { head: Head { seq: self.head.seq.next(), ..self.head }, ..Batch::default() }
    }

    pub(super) async fn write(&mut self, batch: &Batch) -> Result<(), WriteError> {
        self.store.write(batch).await?;
        self.head = batch.head;
        Ok(())
    }
}

pub(super) fn account(id: u64, key: AccountKey) -> AccountRow {
    AccountRow { id: AccountId(id), key, balance: Amount::from(id), credit_no: id, last_entry: EntryId(id) }
}

/// The account of number `n`, one of many.
pub(super) fn wallet(n: u8) -> AccountRow {
    account(u64::from(n), AccountKey::wallet(address(n), token()))
}

pub(super) fn request(n: u64) -> RequestKey {
    RequestKey { at: at(n), signer: address(1), id: n }
}

pub(super) fn transfer(id: u64) -> TransferRow {
    TransferRow {
        id: TransferId(id),
        kind: TransferKind::Payment,
        cause: Cause::Request(request(id)),
        at: at(id),
    }
}

pub(super) fn entry(id: u64, account: u64, previous: Option<u64>) -> EntryRow {
    EntryRow {
        id: EntryId(id),
        transfer: TransferId(id),
        account: AccountId(account),
        posting: Posting::new(Side::Credit, Amount::from(id)).unwrap(),
        previous: previous.map(EntryId),
    }
}

pub(super) fn state(owner: OwnerId, due_at: Option<u64>) -> StateRow {
    StateRow {
        owner,
        revision: Revision(1),
        kind: StateKind::Direct,
        phase: 1,
        due_at: due_at.map(at),
        body: b"state".to_vec(),
    }
}

pub(super) fn answer(key: RequestKey) -> AnswerRow {
    AnswerRow { key, body_hash: hash(0xa0), answer: b"answer".to_vec() }
}

pub(super) fn event_key(n: u64) -> EventKey {
    EventKey { chain_id: CHAIN, block_hash: hash(1), tx_hash: hash(2), log_index: n }
}

pub(super) fn event(id: u64, owner: OwnerId) -> InboxRow {
    InboxRow { id: InboxId(id), key: event_key(id), height: id, owner, body: b"event".to_vec() }
}

pub(super) fn block(height: u64) -> CursorRow {
    CursorRow { chain_id: CHAIN, height, hash: hash(u8::try_from(height % 251).unwrap()) }
}

pub(super) fn chain_tx(id: u64, status: OutboxStatus) -> OutboxRow {
    OutboxRow {
        id: OutboxId(id),
        chain_id: CHAIN,
        owner: OwnerId::Channel(channel(1)),
        status,
        body: b"transaction".to_vec(),
    }
}

/// A batch with a row of every table, numbered `n`, to follow one numbered `n - 1`.
pub(super) fn full_batch(head: Head, n: u8) -> Batch {
    let id = u64::from(n);
    let owner = OwnerId::Channel(channel(n));
    Batch {
        head: Head {
            fence: head.fence,
            seq: CommitSeq(head.seq.0 + 1),
            account: AccountId(id),
            transfer: TransferId(id),
            entry: EntryId(id),
            inbox: InboxId(id),
            outbox: OutboxId(id),
        },
        begins_anew: false,
        accounts: vec![wallet(n)],
        transfers: vec![transfer(id)],
        entries: vec![entry(id, id, None)],
        states: vec![state(owner, Some(id))],
        members: vec![MemberRow { participant: address(n), channel: channel(n) }],
        answers: vec![answer(request(id))],
        inbox: vec![event(id, owner)],
        handled: vec![],
        cursors: vec![block(id)],
        cursor_trims: vec![],
        outbox: vec![chain_tx(id, OutboxStatus::Open)],
    }
}
