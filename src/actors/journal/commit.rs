//! What an actor hands over: everything one decision changes, to be written whole or not at all.

use std::fmt;

use domain::ledger::{EventKey, LedgerError, OwnerId, Transfer};
use domain::primitives::{ChainId, Timestamp};
use thiserror::Error;

use super::permits::Permit;
use crate::store::{CursorRow, CursorTrim, InboxId, MemberRow, OutboxId, OutboxStatus, Revision, StateKind};

/// Counts who has acted for an owner: at most one incarnation of each is alive (L8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Incarnation(pub(super) u64);

/// Counts the commits of one incarnation, from 1 and without gaps; given by the author.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Who hands commits over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Author {
    /// A channel, a participant, or a network's sender.
    Owner(OwnerId),
    /// The supervisor: brings virtual channels into being for owners that prepared it.
    Supervisor,
    /// A network's watcher: writes chain events and how far it has read.
    Watcher(ChainId),
}

impl fmt::Display for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner(owner) => fmt::Display::fmt(owner, f),
            Self::Supervisor => f.write_str("supervisor"),
            Self::Watcher(chain_id) => write!(f, "watcher {chain_id}"),
        }
    }
}

/// One decision, ready to be written.
///
/// The author may debit its own accounts and replace its own state, and those of the owners in
/// `prepared`, as each of them allowed when it prepared.
#[derive(Debug)]
pub struct Commit {
    /// Who decided.
    pub author: Author,
    /// In which incarnation.
    pub incarnation: Incarnation,
    /// Which of its commits this is.
    pub ticket: Ticket,
    /// The other owners whose accounts are debited or whose states are replaced.
    pub prepared: Vec<(OwnerId, Incarnation)>,
    /// What moves.
    pub transfers: Vec<Transfer>,
    /// What owners are afterwards.
    pub states: Vec<NewState>,
    /// Participants of a channel that comes into being.
    pub members: Vec<MemberRow>,
    /// The answer to the request that asked for it, under the permit that was taken for it.
    pub answer: Option<(Permit, Vec<u8>)>,
    /// Chain events seen, in chain order. Only from a watcher.
    pub events: Vec<NewEvent>,
    /// Blocks read. Only from a watcher.
    pub cursors: Vec<CursorRow>,
    /// Blocks forgotten or undone. Only from a watcher.
    pub cursor_trim: Option<CursorTrim>,
    /// Chain events whose effects are in this commit.
    pub handled: Vec<InboxId>,
    /// Chain transactions decided or changed.
    pub outbox: Vec<NewOutbox>,
}

impl Commit {
    /// An empty commit, to be filled.
    #[must_use]
    pub const fn new(author: Author, incarnation: Incarnation, ticket: Ticket) -> Self {
        Self {
            author,
            incarnation,
            ticket,
            prepared: Vec::new(),
            transfers: Vec::new(),
            states: Vec::new(),
            members: Vec::new(),
            answer: None,
            events: Vec::new(),
            cursors: Vec::new(),
            cursor_trim: None,
            handled: Vec::new(),
            outbox: Vec::new(),
        }
    }
}

/// The next state of an owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewState {
    /// Whose.
    pub owner: OwnerId,
    /// The state it replaces; `None` for an owner's first, which brings it into being.
    pub replaces: Option<Revision>,
    /// Which machine can read it.
    pub kind: StateKind,
    /// The machine's code for its phase.
    pub phase: u8,
    /// When the owner wants to be woken.
    pub due_at: Option<Timestamp>,
    /// The encoded state.
    pub body: Vec<u8>,
}

/// A chain event that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Its name.
    pub key: EventKey,
    /// The height of its block.
    pub height: u64,
    /// The owner it is for.
    pub owner: OwnerId,
    /// The event, as the watcher encoded it.
    pub body: Vec<u8>,
}

/// A chain transaction, decided or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOutbox {
    /// The row it changes; `None` for one that is decided now.
    pub changes: Option<OutboxId>,
    /// The chain it is for.
    pub chain_id: ChainId,
    /// The owner that hears of its end.
    pub owner: OwnerId,
    /// How far it has come.
    pub status: OutboxStatus,
    /// What is to be sent and what is known of it.
    pub body: Vec<u8>,
}

/// Why the journal refuses a commit. Nothing of it was written.
///
/// Every one of these means that the author decided on what it did not know or did not own: its
/// incarnation ends, and it is rebuilt from the store.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The author, or an owner that prepared, has ended.
    #[error("an incarnation named by the commit has ended")]
    Ended,
    /// An account would be debited, or a state replaced, whose owner neither decided nor prepared.
    #[error("{owner} neither decided nor prepared this commit")]
    NotOwner {
        /// Whose right it is.
        owner: OwnerId,
    },
    /// An account of the outside world would move without a chain event as its cause.
    #[error("{account} moves only with what happened on chain")]
    NotFromChain {
        /// The account.
        account: domain::ledger::AccountKey,
    },
    /// A faucet would give otherwise than by being asked to, or take.
    #[error("{account} only gives, to who is funded in test mode")]
    NotFunding {
        /// The account.
        account: domain::ledger::AccountKey,
    },
    /// The new state does not follow the stored one.
    #[error("the state of {owner} replaces {replaces:?}, stored is {stored:?}")]
    StaleRevision {
        /// Whose state.
        owner: OwnerId,
        /// What the commit replaces.
        replaces: Option<Revision>,
        /// What is stored.
        stored: Option<Revision>,
    },
    /// Two states of one owner, or rows that only a watcher may write.
    #[error("the commit contradicts itself or its author's role")]
    Malformed,
    /// A law of the ledger would break.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A number or a body that not every store can keep.
    #[error("the commit holds what not every store can keep: {what}")]
    NotStorable {
        /// What it is.
        what: &'static str,
    },
    /// The database refused it.
    #[error("the database refused the commit")]
    Database,
}
