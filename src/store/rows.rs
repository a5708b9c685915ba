//! What a store keeps, as the journal and the readers see it.
//!
//! Domain types, numbered. How they look in a table is the business of each store.

use domain::ledger::{AccountKey, Cause, EventKey, OwnerId, Posting, RequestKey, TransferKind};
use domain::primitives::{Address, Amount, ChainId, ChannelId, Digest, Timestamp};

/// A number that a store keeps: 0 … 2^63 − 1.
macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub u64);

        impl $name {
            /// The following number.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0 + 1)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

number! {
    /// Counts who has opened the store for writing; only the newest can write.
    Fence
}
number! {
    /// Counts the batches written.
    CommitSeq
}
number! {
    /// Numbers accounts in the order they were first posted to, from 1.
    AccountId
}
number! {
    /// Numbers transfers in the order they were posted, from 1.
    TransferId
}
number! {
    /// Numbers entries in the order they were posted, from 1.
    EntryId
}
number! {
    /// Numbers chain events in the order they were seen, from 1.
    InboxId
}
number! {
    /// Numbers chain transactions in the order they were decided, from 1.
    OutboxId
}
number! {
    /// Counts the states an owner has stored, from 1: each new one names the one it replaces.
    Revision
}

/// Where the book ends: one row, written with every batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head {
    /// Who may write.
    pub fence: Fence,
    /// The last batch.
    pub seq: CommitSeq,
    /// The last account.
    pub account: AccountId,
    /// The last transfer.
    pub transfer: TransferId,
    /// The last entry.
    pub entry: EntryId,
    /// The last chain event.
    pub inbox: InboxId,
    /// The last chain transaction.
    pub outbox: OutboxId,
}

/// An account as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// Its number.
    pub id: AccountId,
    /// Its name.
    pub key: AccountKey,
    /// What it holds.
    pub balance: Amount,
    /// How many credits others than its owner have posted to it.
    pub credit_no: u64,
    /// Its newest entry.
    pub last_entry: EntryId,
}

/// A transfer without its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferRow {
    /// Its number.
    pub id: TransferId,
    /// What it is for.
    pub kind: TransferKind,
    /// What brought it about.
    pub cause: Cause,
    /// When it was decided.
    pub at: Timestamp,
}

/// An entry, never changed once written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryRow {
    /// Its number.
    pub id: EntryId,
    /// The transfer it belongs to.
    pub transfer: TransferId,
    /// The account it is on.
    pub account: AccountId,
    /// Credit or debit, and how much.
    pub posting: Posting,
    /// The entry before it on the same account; `None` on the account's first.
    pub previous: Option<EntryId>,
}

/// Which machine a stored state belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StateKind {
    /// A direct channel.
    Direct,
    /// A virtual channel.
    Virtual,
    /// A participant.
    Participant,
    /// The sender of a network.
    Sender,
}

/// The state of an owner's machine, as its shell encoded it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateRow {
    /// Whose it is.
    pub owner: OwnerId,
    /// Which state of this owner it is.
    pub revision: Revision,
    /// Which machine can read it.
    pub kind: StateKind,
    /// Where in its life the owner is: the machine's code for its phase.
    pub phase: u8,
    /// When the owner wants to be woken; `None` when it waits for nothing.
    pub due_at: Option<Timestamp>,
    /// The encoded state.
    pub body: Vec<u8>,
}

/// A participant that a channel concerns; written once, when the channel comes into being.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MemberRow {
    /// Who.
    pub participant: Address,
    /// In which channel.
    pub channel: ChannelId,
}

/// The first answer to a request, kept so that a repeat gets the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerRow {
    /// The request.
    pub key: RequestKey,
    /// The hash of the text that was signed: another one under the same key is a conflict.
    pub body_hash: Digest,
    /// The answer, as the owner's shell encoded it.
    pub answer: Vec<u8>,
}

/// A log of a chain that concerns the book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxRow {
    /// Its number.
    pub id: InboxId,
    /// Its name; a second row of that name is refused.
    pub key: EventKey,
    /// The height of its block.
    pub height: u64,
    /// The owner it is for.
    pub owner: OwnerId,
    /// The event, by its own stored form.
    pub body: Vec<u8>,
}

/// A block up to which the logs of a chain have been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CursorRow {
    /// The chain.
    pub chain_id: ChainId,
    /// The block's height; a second row of the same height replaces the first.
    pub height: u64,
    /// The block's hash.
    pub hash: Digest,
}

/// How far a chain transaction has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OutboxStatus {
    /// To be sent, or sent and not yet final.
    Open,
    /// At an end; kept for the record.
    Done,
}

/// A chain transaction that was decided. A row with the number of an earlier one replaces it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// Its number.
    pub id: OutboxId,
    /// The chain it is for.
    pub chain_id: ChainId,
    /// The owner that hears of its end.
    pub owner: OwnerId,
    /// How far it has come.
    pub status: OutboxStatus,
    /// What is to be sent and what is known of it, as the sender encoded it.
    pub body: Vec<u8>,
}

/// What one database transaction writes: everything, or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Batch {
    /// Where the book ends after it. The fence must be the store's, and `seq` the following one.
    pub head: Head,
    /// Whether everything that was kept goes first, but the head, the kept answers (a repeat of an old request must
    /// not be carried out in the new book) and the states of networks (the book still belongs to their contracts) and of participants (their
    /// session keys, by which sessions are logged in).
    /// Numbers begin anew then, except that of the batch.
    pub begins_anew: bool,
    /// Accounts as they stand after the batch: new ones, and those whose balance changed. One row an account.
    pub accounts: Vec<AccountRow>,
    /// Transfers, in the order of their ids.
    pub transfers: Vec<TransferRow>,
    /// Entries, in the order of their ids.
    pub entries: Vec<EntryRow>,
    /// States as they stand after the batch, one row an owner; each replaces any earlier one.
    pub states: Vec<StateRow>,
    /// Participants of channels that came into being; a repeat changes nothing.
    pub members: Vec<MemberRow>,
    /// First answers. A second one under the same key is refused.
    pub answers: Vec<AnswerRow>,
    /// Chain events, in the order of their ids.
    pub inbox: Vec<InboxRow>,
    /// Chain events whose effects are in this batch. One that is not waiting for this refuses the batch (L3).
    pub handled: Vec<InboxId>,
    /// Blocks read.
    pub cursors: Vec<CursorRow>,
    /// Per chain, the height from which on cursor rows are dropped before the batch's own are added
    /// (what a reorganisation undid), and the height below which they are forgotten.
    pub cursor_trims: Vec<CursorTrim>,
    /// Chain transactions, new or changed.
    pub outbox: Vec<OutboxRow>,
}

/// Which cursor rows of a chain a batch removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CursorTrim {
    /// The chain.
    pub chain_id: ChainId,
    /// Rows below this height are forgotten.
    pub below: u64,
    /// Rows above this height are dropped.
    pub above: u64,
}

/// What a store holds of one owner.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stored {
    /// Its newest state; `None` before its first.
    pub state: Option<StateRow>,
    /// Its accounts, in the order of their ids.
    pub accounts: Vec<AccountRow>,
    /// Chain events for it that are not handled, in the order of their ids.
    pub inbox: Vec<InboxRow>,
}
