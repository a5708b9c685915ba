//! How everybody else holds the journal.

use std::sync::Arc;

use domain::primitives::Timestamp;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::channel::oneshot;
use thiserror::Error;
use tokio::sync::watch;

use super::anew::{BeginAnew, EndedLives, NotBegun};
use super::commit::{Author, Commit, Incarnation};
use super::messages::{FromJournal, JournalMemory, RegisterError, Registered, Work};
use super::permits::Permits;
use crate::metrics::Figures;
use crate::store::StoreError;

/// Whether the journal can write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalHealth {
    /// It writes.
    Writing {
        /// Since the process began, or since the database came back.
        since: Timestamp,
    },
    /// The database is away: what was taken is kept and retried, and no permits are given.
    Away,
    /// Another writer has taken over: this process can do nothing more and must end.
    Fenced,
}

/// The journal is gone, and with it everything that was not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the journal has stopped")]
pub struct JournalClosed;

/// Why an author could not register.
#[derive(Debug, Error)]
pub enum EnterError {
    /// The journal is gone.
    #[error(transparent)]
    Closed(#[from] JournalClosed),
    /// The store could not be read.
    #[error(transparent)]
    Register(#[from] RegisterError),
}

impl From<StoreError> for EnterError {
    fn from(error: StoreError) -> Self {
        Self::Register(RegisterError::Store(error))
    }
}

/// A cheap copy of the way to the journal.
///
/// The way in is a queue without a limit of its own: what can be in it is bounded by the permits, by
/// the inbox pages that are told at a time, and by one registration per living actor. A mailbox with a
/// limit would lose commits when full.
#[derive(Debug, Clone)]
pub struct JournalHandle {
    work: UnboundedSender<Work>,
    permits: Arc<Permits>,
    health: watch::Receiver<JournalHealth>,
    figures: Arc<Figures>,
}

impl JournalHandle {
    pub(super) fn new(
        permits: Arc<Permits>,
        health: watch::Receiver<JournalHealth>,
        figures: Arc<Figures>,
    ) -> (Self, UnboundedReceiver<Work>) {
        let (work, queue) = unbounded();
        (Self { work, permits, health, figures }, queue)
    }

    /// The permits of this journal.
    #[must_use]
    pub fn permits(&self) -> &Arc<Permits> {
        &self.permits
    }

    /// What is counted for operators.
    #[must_use]
    pub fn figures(&self) -> &Arc<Figures> {
        &self.figures
    }

    /// Whether the journal can write, and a way to wait for a change.
    #[must_use]
    pub fn health(&self) -> watch::Receiver<JournalHealth> {
        self.health.clone()
    }

    /// Begins an incarnation of `author`: older ones end; what was taken from them is written or lost;
    /// then what is stored is read. Returns it with the stream of everything that happens afterwards.
    ///
    /// # Errors
    /// [`EnterError::Closed`], or [`EnterError::Register`] when the store could not be read: older
    /// incarnations have ended all the same.
    pub async fn register(
        &self,
        author: Author,
    ) -> Result<(Registered, UnboundedReceiver<FromJournal>), EnterError> {
        let (stream, posted) = unbounded();
        let (reply, registered) = oneshot::channel();
        self.work.unbounded_send(Work::Register { author, stream, reply }).map_err(|_| JournalClosed)?;
        let registered = registered.await.map_err(|_| JournalClosed)??;
        Ok((registered, posted))
    }

    /// Hands a commit over. It is taken at once and never waits; its fate comes by the author's stream.
    ///
    /// # Errors
    /// [`JournalClosed`]: nothing was taken.
    pub fn hand_over(&self, commit: Commit) -> Result<(), JournalClosed> {
        self.work.unbounded_send(Work::HandOver(Box::new(commit))).map_err(|_| JournalClosed)
    }

    /// Begins the book anew: when it is durable, nobody is alive any more, and a repeat of the request gets its answer.
    ///
    /// # Errors
    /// [`NotBegun`].
    pub async fn begin_anew(&self, asked: BeginAnew) -> Result<EndedLives, NotBegun> {
        let (reply, begun) = oneshot::channel();
        let asked = Box::new(asked);
        self.work.unbounded_send(Work::BeginAnew(asked, reply)).map_err(|_| NotBegun::Lost)?;
        begun.await.unwrap_or(Err(NotBegun::Lost))
    }

    /// How much the journal has in memory, after what was handed to it before.
    ///
    /// # Errors
    /// [`JournalClosed`].
    pub async fn memory(&self) -> Result<JournalMemory, JournalClosed> {
        let (reply, weighed) = oneshot::channel();
        self.work.unbounded_send(Work::Weigh { reply }).map_err(|_| JournalClosed)?;
        weighed.await.map_err(|_| JournalClosed)
    }

    /// Ends an incarnation that has nothing in flight. Without effect on one that has ended.
    ///
    /// # Errors
    /// [`JournalClosed`].
    pub fn leave(&self, author: Author, incarnation: Incarnation) -> Result<(), JournalClosed> {
        self.work.unbounded_send(Work::Leave { author, incarnation }).map_err(|_| JournalClosed)
    }
}
