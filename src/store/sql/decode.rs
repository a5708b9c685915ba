//! From the rows of tables to what the program works with.
//!
//! A row that this program cannot have written is [`StoreError::Damaged`], never a panic.

use domain::ledger::{AccountKey, AccountKind, EventKey, OwnerId, Posting, RequestKey, TransferKind};
use domain::primitives::{Address, Amount, ChainId, Timestamp, Token, encode_hex};
use entity::{accounts, cursors, entries, head, inbox, members, outbox, requests, states, transfers};

use super::codes::{self, UNKNOWN_CODE};
use crate::store::{
    AccountId, AccountRow, AnswerRow, CommitSeq, CursorRow, EntryId, EntryRow, Fence, Head, InboxId,
    InboxRow, MemberRow, OutboxId, OutboxRow, Revision, StateRow, StoreError, TransferId, TransferRow,
};

/// What a row of a table stands for.
pub(super) trait Row {
    type Value;
    const TABLE: &'static str;

    /// The row's key, for people.
    fn key(&self) -> String;

    /// The value, or what is wrong with the row.
    fn value(self) -> Result<Self::Value, &'static str>;
}

pub(super) fn one<R: Row>(row: R) -> Result<R::Value, StoreError> {
    let (table, key) = (R::TABLE, row.key());
    row.value().map_err(|reason| StoreError::Damaged { table, row: key, reason })
}

pub(super) fn all<R: Row>(rows: Vec<R>) -> Result<Vec<R::Value>, StoreError> {
    rows.into_iter().map(one).collect()
}

pub(super) fn owner(kind: i16, id: &[u8]) -> Result<OwnerId, StoreError> {
    let damaged = |reason| StoreError::Damaged { table: "states", row: owner_key(kind, id), reason };
    codes::owner(kind, id).map_err(damaged)
}

/// Whose state is due, and when.
pub(super) fn due(due_at: i64, kind: i16, id: &[u8]) -> Result<(Timestamp, OwnerId), StoreError> {
    let damaged = |reason| StoreError::Damaged { table: "states", row: owner_key(kind, id), reason };
    Ok((time(due_at).map_err(damaged)?, owner(kind, id)?))
}

fn owner_key(kind: i16, id: &[u8]) -> String {
    format!("{kind} {}", encode_hex(id))
}

fn number(value: i64) -> Result<u64, &'static str> {
    u64::try_from(value).map_err(|_| "a negative number")
}

fn chain_id(value: i64) -> Result<ChainId, &'static str> {
    number(value).map(ChainId::new)
}

fn time(value: i64) -> Result<Timestamp, &'static str> {
    number(value).map(Timestamp::from_millis)
}

fn amount(bytes: &[u8]) -> Result<Amount, &'static str> {
    codes::array(bytes).map(Amount::from_be_bytes)
}

fn small(code: i16) -> Result<u8, &'static str> {
    u8::try_from(code).map_err(|_| UNKNOWN_CODE)
}

impl Row for head::Model {
    type Value = (Address, Head);
    const TABLE: &'static str = "head";

    fn key(&self) -> String {
        self.id.to_string()
    }

    fn value(self) -> Result<Self::Value, &'static str> {
        let head = Head {
            fence: Fence(number(self.fence)?),
            seq: CommitSeq(number(self.seq)?),
            account: AccountId(number(self.last_account)?),
            transfer: TransferId(number(self.last_transfer)?),
            entry: EntryId(number(self.last_entry)?),
            inbox: InboxId(number(self.last_inbox)?),
            outbox: OutboxId(number(self.last_outbox)?),
        };
        Ok((codes::address(&self.broker)?, head))
    }
}

impl Row for accounts::Model {
    type Value = AccountRow;
    const TABLE: &'static str = "accounts";

    fn key(&self) -> String {
        self.id.to_string()
    }

    fn value(self) -> Result<AccountRow, &'static str> {
        let token =
            Token { chain_id: chain_id(self.chain_id)?, address: codes::address(&self.token_address)? };
        let kind = AccountKind::from_code(small(self.kind)?).ok_or(UNKNOWN_CODE)?;
        let channel = codes::channel_id(&self.channel_id)?;
        let key = AccountKey::from_parts(kind, channel, codes::address(&self.participant)?, token);
        Ok(AccountRow {
            id: AccountId(number(self.id)?),
            key: key.ok_or("a name whose parts do not belong together")?,
            balance: amount(&self.balance)?,
            credit_no: number(self.credit_no)?,
            last_entry: EntryId(number(self.last_entry)?),
        })
    }
}

impl Row for transfers::Model {
    type Value = TransferRow;
    const TABLE: &'static str = "transfers";

    fn key(&self) -> String {
        self.id.to_string()
    }

    fn value(self) -> Result<TransferRow, &'static str> {
        Ok(TransferRow {
            id: TransferId(number(self.id)?),
            kind: TransferKind::from_code(small(self.kind)?).ok_or(UNKNOWN_CODE)?,
            cause: codes::cause(self.cause_kind, &self.cause)?,
            at: time(self.created_at)?,
        })
    }
}

impl Row for entries::Model {
    type Value = EntryRow;
    const TABLE: &'static str = "entries";

    fn key(&self) -> String {
        self.id.to_string()
    }

    fn value(self) -> Result<EntryRow, &'static str> {
        let posting = Posting::new(codes::side(self.side)?, amount(&self.amount)?);
        Ok(EntryRow {
            id: EntryId(number(self.id)?),
            transfer: TransferId(number(self.transfer_id)?),
            account: AccountId(number(self.account_id)?),
            posting: posting.ok_or("an entry of nothing")?,
            previous: self.previous.map(number).transpose()?.map(EntryId),
        })
    }
}

impl Row for states::Model {
    type Value = StateRow;
    const TABLE: &'static str = "states";

    fn key(&self) -> String {
        owner_key(self.owner_kind, &self.owner_id)
    }

    fn value(self) -> Result<StateRow, &'static str> {
        Ok(StateRow {
            owner: codes::owner(self.owner_kind, &self.owner_id)?,
            revision: Revision(number(self.revision)?),
            kind: codes::state_kind(self.kind)?,
            phase: small(self.phase)?,
            due_at: self.due_at.map(time).transpose()?,
            body: self.body,
        })
    }
}

impl Row for members::Model {
    type Value = MemberRow;
    const TABLE: &'static str = "members";

    fn key(&self) -> String {
        format!("{} {}", encode_hex(&self.participant), encode_hex(&self.channel_id))
    }

    fn value(self) -> Result<MemberRow, &'static str> {
        let participant = codes::address(&self.participant)?;
        Ok(MemberRow { participant, channel: codes::channel_id(&self.channel_id)? })
    }
}

impl Row for requests::Model {
    type Value = AnswerRow;
    const TABLE: &'static str = "requests";

    fn key(&self) -> String {
        format!("{} {} {}", self.at, encode_hex(&self.signer), self.request_id)
    }

    fn value(self) -> Result<AnswerRow, &'static str> {
        let key = RequestKey {
            at: time(self.at)?,
            signer: codes::address(&self.signer)?,
            id: number(self.request_id)?,
        };
        Ok(AnswerRow { key, body_hash: codes::digest(&self.body_hash)?, answer: self.answer })
    }
}

impl Row for inbox::Model {
    type Value = InboxRow;
    const TABLE: &'static str = "inbox";

    fn key(&self) -> String {
        self.id.to_string()
    }

    fn value(self) -> Result<InboxRow, &'static str> {
        let key = EventKey {
            chain_id: chain_id(self.chain_id)?,
            block_hash: codes::digest(&self.block_hash)?,
            tx_hash: codes::digest(&self.tx_hash)?,
            log_index: number(self.log_index)?,
        };
        Ok(InboxRow {
            id: InboxId(number(self.id)?),
            key,
            height: number(self.height)?,
            owner: codes::owner(self.owner_kind, &self.owner_id)?,
            body: self.body,
        })
    }
}

impl Row for cursors::Model {
    type Value = CursorRow;
    const TABLE: &'static str = "cursors";

    fn key(&self) -> String {
        format!("{} {}", self.chain_id, self.height)
    }

    fn value(self) -> Result<CursorRow, &'static str> {
        Ok(CursorRow {
            chain_id: chain_id(self.chain_id)?,
            height: number(self.height)?,
            hash: codes::digest(&self.hash)?,
        })
    }
}

impl Row for outbox::Model {
    type Value = OutboxRow;
    const TABLE: &'static str = "outbox";

    fn key(&self) -> String {
        self.id.to_string()
    }

    fn value(self) -> Result<OutboxRow, &'static str> {
        Ok(OutboxRow {
            id: OutboxId(number(self.id)?),
            chain_id: chain_id(self.chain_id)?,
            owner: codes::owner(self.owner_kind, &self.owner_id)?,
            status: codes::outbox_status(self.status)?,
            body: self.body,
        })
    }
}
