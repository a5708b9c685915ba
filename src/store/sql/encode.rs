//! From a batch to the rows of tables.

use std::collections::BTreeSet;

use domain::ledger::RequestKey;
use entity::{accounts, cursors, entries, inbox, members, outbox, requests, states, transfers};
use thiserror::Error;

use super::codes;
use crate::store::{
    AccountRow, AnswerRow, Batch, CursorRow, EntryRow, Head, InboxRow, MemberRow, OutboxRow, StateRow,
    TransferRow, WriteError,
};

/// A batch as rows of tables: what no database could keep is refused here, for every store alike.
#[derive(Debug)]
pub(in crate::store) struct Tables {
    pub(super) head: HeadColumns,
    pub(super) accounts: Vec<accounts::Model>,
    pub(super) transfers: Vec<transfers::Model>,
    pub(super) entries: Vec<entries::Model>,
    pub(super) states: Vec<states::Model>,
    pub(super) members: Vec<members::Model>,
    pub(super) requests: Vec<requests::Model>,
    pub(super) inbox: Vec<inbox::Model>,
    pub(super) handled: Vec<i64>,
    pub(super) cursors: Vec<cursors::Model>,
    pub(super) outbox: Vec<outbox::Model>,
}

/// The columns of the head that every batch moves.
#[derive(Debug, Clone, Copy)]
pub(super) struct HeadColumns {
    pub(super) seq: i64,
    pub(super) last_account: i64,
    pub(super) last_transfer: i64,
    pub(super) last_entry: i64,
    pub(super) last_inbox: i64,
    pub(super) last_outbox: i64,
}

/// Why a batch cannot be kept by any database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(in crate::store) enum Unkeepable {
    /// A number does not fit into 63 bits.
    #[error("a number is above 2^63 - 1")]
    NumberTooLarge,
    /// Two rows of the batch would replace each other.
    #[error("{table} has the same row twice")]
    RowTwice {
        /// The table.
        table: &'static str,
    },
}

impl From<Unkeepable> for WriteError {
    fn from(error: Unkeepable) -> Self {
        Self::Rejected { reason: error.to_string() }
    }
}

impl Tables {
    pub(in crate::store) fn of(batch: &Batch) -> Result<Self, Unkeepable> {
        distinct(batch.accounts.iter().map(|row| row.id), "accounts")?;
        distinct(batch.states.iter().map(|row| row.owner), "states")?;
        distinct(batch.cursors.iter().map(|row| (row.chain_id, row.height)), "cursors")?;
        distinct(batch.outbox.iter().map(|row| row.id), "outbox")?;
        Ok(Self {
            head: head(&batch.head)?,
            accounts: all(&batch.accounts, account)?,
            transfers: all(&batch.transfers, transfer)?,
            entries: all(&batch.entries, entry)?,
            states: all(&batch.states, state)?,
            members: batch.members.iter().map(member).collect(),
            requests: all(&batch.answers, request)?,
            inbox: all(&batch.inbox, event)?,
            handled: all(&batch.handled, |id| number(id.0))?,
            cursors: all(&batch.cursors, cursor)?,
            outbox: all(&batch.outbox, chain_transaction)?,
        })
    }
}

/// A number as a column keeps it.
pub(super) fn number(value: u64) -> Result<i64, Unkeepable> {
    i64::try_from(value).map_err(|_| Unkeepable::NumberTooLarge)
}

/// The columns that name a request: time, signer, id.
pub(super) fn request_key(key: &RequestKey) -> Result<(i64, Vec<u8>, i64), Unkeepable> {
    Ok((number(key.at.as_millis())?, key.signer.as_bytes().to_vec(), number(key.id)?))
}

fn all<R, M>(rows: &[R], encode: impl Fn(&R) -> Result<M, Unkeepable>) -> Result<Vec<M>, Unkeepable> {
    rows.iter().map(encode).collect()
}

fn distinct<K: Ord>(keys: impl Iterator<Item = K>, table: &'static str) -> Result<(), Unkeepable> {
    let mut seen = BTreeSet::new();
    for key in keys {
        if !seen.insert(key) {
            return Err(Unkeepable::RowTwice { table });
        }
    }
    Ok(())
}

fn head(head: &Head) -> Result<HeadColumns, Unkeepable> {
    Ok(HeadColumns {
        seq: number(head.seq.0)?,
        last_account: number(head.account.0)?,
        last_transfer: number(head.transfer.0)?,
        last_entry: number(head.entry.0)?,
        last_inbox: number(head.inbox.0)?,
        last_outbox: number(head.outbox.0)?,
    })
}

fn account(row: &AccountRow) -> Result<accounts::Model, Unkeepable> {
    Ok(accounts::Model {
        id: number(row.id.0)?,
        channel_id: row.key.channel().as_bytes().to_vec(),
        kind: i16::from(row.key.kind().code()),
        participant: row.key.participant().as_bytes().to_vec(),
        chain_id: number(row.key.token().chain_id.get())?,
        token_address: row.key.token().address.as_bytes().to_vec(),
        balance: row.balance.to_be_bytes().to_vec(),
        credit_no: number(row.credit_no)?,
        last_entry: number(row.last_entry.0)?,
    })
}

fn transfer(row: &TransferRow) -> Result<transfers::Model, Unkeepable> {
    let (cause_kind, cause) = codes::of_cause(&row.cause);
    Ok(transfers::Model {
        id: number(row.id.0)?,
        kind: i16::from(row.kind.code()),
        cause_kind,
        cause,
        created_at: number(row.at.as_millis())?,
    })
}

fn entry(row: &EntryRow) -> Result<entries::Model, Unkeepable> {
    Ok(entries::Model {
        id: number(row.id.0)?,
        transfer_id: number(row.transfer.0)?,
        account_id: number(row.account.0)?,
        side: codes::of_side(row.posting.side()),
        amount: row.posting.amount().to_be_bytes().to_vec(),
        previous: row.previous.map(|id| number(id.0)).transpose()?,
    })
}

fn state(row: &StateRow) -> Result<states::Model, Unkeepable> {
    let (owner_kind, owner_id) = codes::of_owner(row.owner);
    Ok(states::Model {
        owner_kind,
        owner_id,
        revision: number(row.revision.0)?,
        kind: codes::of_state_kind(row.kind),
        phase: i16::from(row.phase),
        due_at: row.due_at.map(|at| number(at.as_millis())).transpose()?,
        body: row.body.clone(),
    })
}

fn member(row: &MemberRow) -> members::Model {
    members::Model {
        participant: row.participant.as_bytes().to_vec(),
        channel_id: row.channel.as_bytes().to_vec(),
    }
}

fn request(row: &AnswerRow) -> Result<requests::Model, Unkeepable> {
    let (at, signer, request_id) = request_key(&row.key)?;
    let body_hash = row.body_hash.as_bytes().to_vec();
    Ok(requests::Model { at, signer, request_id, body_hash, answer: row.answer.clone() })
}

fn event(row: &InboxRow) -> Result<inbox::Model, Unkeepable> {
    let (owner_kind, owner_id) = codes::of_owner(row.owner);
    Ok(inbox::Model {
        id: number(row.id.0)?,
        chain_id: number(row.key.chain_id.get())?,
        block_hash: row.key.block_hash.as_bytes().to_vec(),
        tx_hash: row.key.tx_hash.as_bytes().to_vec(),
        log_index: number(row.key.log_index)?,
        height: number(row.height)?,
        owner_kind,
        owner_id,
        body: row.body.clone(),
        handled: false,
    })
}

fn cursor(row: &CursorRow) -> Result<cursors::Model, Unkeepable> {
    Ok(cursors::Model {
        chain_id: number(row.chain_id.get())?,
        height: number(row.height)?,
        hash: row.hash.as_bytes().to_vec(),
    })
}

fn chain_transaction(row: &OutboxRow) -> Result<outbox::Model, Unkeepable> {
    let (owner_kind, owner_id) = codes::of_owner(row.owner);
    Ok(outbox::Model {
        id: number(row.id.0)?,
        chain_id: number(row.chain_id.get())?,
        owner_kind,
        owner_id,
        status: codes::of_outbox_status(row.status),
        body: row.body.clone(),
    })
}
