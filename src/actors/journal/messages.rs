//! What goes to the journal and what comes back.

use domain::ledger::{AccountKey, Posting};
use futures::channel::mpsc::UnboundedSender;
use futures::channel::oneshot;
use thiserror::Error;

use super::anew::{AnewReply, BeginAnew};
use super::commit::{Author, Commit, Incarnation, Refusal, Ticket};
use crate::store::{InboxRow, OutboxRow, StateRow, StoreError, Stored};

/// What the journal works off, in the order it arrived.
#[derive(Debug)]
pub(super) enum Work {
    /// Begin an incarnation: older ones end, then what is stored is read.
    Register { author: Author, stream: UnboundedSender<FromJournal>, reply: oneshot::Sender<RegisterReply> },
    /// Write this.
    HandOver(Box<Commit>),
    /// Begin the book anew.
    BeginAnew(Box<BeginAnew>, AnewReply),
    /// The author has nothing in flight and leaves.
    Leave { author: Author, incarnation: Incarnation },
    /// Say how much is in memory.
    Weigh { reply: oneshot::Sender<JournalMemory> },
}

pub(super) type RegisterReply = Result<Registered, RegisterError>;

/// What a new incarnation begins with. Everything posted later comes by its stream.
#[derive(Debug)]
pub struct Registered {
    /// The incarnation to name in every commit.
    pub incarnation: Incarnation,
    /// What the store holds of the owner; empty for authors that own nothing.
    pub stored: Stored,
}

/// How much the journal has in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalMemory {
    /// Authors that are alive.
    pub authors: usize,
    /// Accounts, also of owners that are not.
    pub accounts: usize,
    /// States, by their revisions, also of owners that are not.
    pub states: usize,
}

/// Why an incarnation could not begin.
#[derive(Debug, Error)]
pub enum RegisterError {
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the journal tells an author, in one ordered stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromJournal {
    /// Every commit of the author up to this one is durable: perform its effects, answer.
    Durable {
        /// The newest durable commit.
        upto: Ticket,
    },
    /// This commit and every later one of the author is lost; its incarnation has ended. For the
    /// supervisor only this one commit is lost, and nothing ends.
    Lost {
        /// The first lost commit.
        from: Ticket,
        /// Why.
        reason: Refusal,
    },
    /// A commit of another author posted to the author's accounts, or replaced its state.
    Posted {
        /// What was posted, per account.
        accounts: Vec<PostedAccount>,
        /// The author's new state; `None` when it was not replaced.
        state: Option<StateRow>,
    },
    /// Something happened on chain that concerns the author; to be marked as handled in the commit of
    /// its effects. Told again by [`Registered`] until then.
    Happened {
        /// What happened.
        event: InboxRow,
    },
    /// Somebody else's commit decided a transaction that the author, a network's sender, has to send.
    Decided {
        /// The transaction.
        row: OutboxRow,
    },
}

/// What one commit of another author posted to one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostedAccount {
    /// The account.
    pub account: AccountKey,
    /// Counts such postings on this account: apply the next, ignore older, end on a gap.
    pub credit_no: u64,
    /// The postings, in order.
    pub postings: Vec<Posting>,
}
