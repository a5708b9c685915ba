//! The shell around the book: reads what is missing, writes one batch at a time, tells what became of it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use domain::ledger::OwnerId;
use domain::primitives::{Address, Timestamp};
use futures::channel::mpsc::UnboundedSender;
use futures::channel::oneshot;
use tokio::sync::watch;

use super::anew::Begun;
use super::book::{Book, Missing};
use super::commit::{Author, Commit, Refusal};
use super::draft::{Draft, Told};
use super::handle::{JournalHandle, JournalHealth};
use super::lives;
use super::messages::{FromJournal, RegisterReply, Registered, Work};
use super::permits::{KEPT_MILLIS, Permits, WINDOW_MILLIS};
use crate::clock;
use crate::metrics::Figures;
use crate::store::{AccountRow, Batch, PAGE_ROWS_MAX, Store, StoreError, Stored, WriteError};

/// The most commits of one database transaction: keeps a transaction within a few milliseconds.
const BATCH_COMMITS_MAX: usize = 500;

/// How long the journal waits before it tries again when the database is away, at first and at most.
const RETRY_DELAY_MS_MIN: u64 = 50;
const RETRY_DELAY_MS_MAX: u64 = 2_000;

/// The journal. Made by [`JournalActor::open`]; held by others as a [`JournalHandle`].
pub struct JournalActor {
    pub(super) store: Arc<dyn Store>,
    permits: Arc<Permits>,
    health: watch::Sender<JournalHealth>,
    figures: Arc<Figures>,
    pub(super) book: Book,
    queue: VecDeque<Work>,
    /// Commits that must be written one by one, because a batch with them was refused.
    alone: usize,
    /// Whether something is being read or written; then everything else waits in the queue.
    pub(super) is_busy: bool,
    retry_delay_ms: u64,
}

/// How often answers that are kept no longer are forgotten, and how many at a time.
const PRUNE_INTERVAL: Duration = Duration::from_secs(60);
const PRUNE_ROWS_MAX: u32 = 50_000;

/// A batch on its way to the store, and who waits for it.
pub(super) struct InFlight {
    batch: Arc<Batch>,
    commits: Vec<Commit>,
    told: Vec<Told>,
    /// Whether an earlier attempt may still be written by the database.
    is_uncertain: bool,
    /// What is said when the batch begins the book anew; it has no commits then.
    begun: Option<Begun>,
}

impl InFlight {
    /// A batch that begins the book anew.
    pub(super) fn anew(batch: Batch, begun: Begun) -> Self {
        let (batch, begun) = (Arc::new(batch), Some(begun));
        Self { batch, commits: Vec::new(), told: Vec::new(), is_uncertain: false, begun }
    }
}

impl JournalActor {
    /// Becomes the one writer of the store and starts the journal in the current arbiter.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be opened for writing or its kept answers cannot be read.
    pub async fn open(
        store: Arc<dyn Store>,
        broker: Address,
        now: Timestamp,
    ) -> Result<JournalHandle, StoreError> {
        let head = store.open_writer(broker).await?;
        let permits = Permits::new(posted_keys(store.as_ref(), now).await?);
        let (health, watched) = watch::channel(JournalHealth::Writing { since: now });
        let figures = Arc::new(Figures::new(now));
        let (handle, queue) = JournalHandle::new(Arc::clone(&permits), watched, Arc::clone(&figures));
        Self::create(|ctx| {
            ctx.add_stream(queue);
            Self {
                store,
                permits,
                health,
                figures,
                book: Book::new(head),
                queue: VecDeque::new(),
                alone: 0,
                is_busy: false,
                retry_delay_ms: RETRY_DELAY_MS_MIN,
            }
        });
        Ok(handle)
    }

    /// Begins the next thing, unless one is under way.
    pub(super) fn turn(&mut self, ctx: &mut Context<Self>) {
        while !self.is_busy {
            match self.queue.pop_front() {
                None => return,
                Some(Work::Leave { author, incarnation }) => self.book.end(author, incarnation, None),
                Some(Work::Weigh { reply }) => {
                    let _gone = reply.send(self.book.memory());
                }
                Some(Work::Register { author, stream, reply }) => self.register(author, stream, reply, ctx),
                Some(Work::BeginAnew(asked, reply)) => self.begin_anew(*asked, reply, ctx),
                Some(Work::HandOver(first)) => self.gather(*first, ctx),
            }
        }
    }

    /// Ends older incarnations of the author and reads what is stored of it. What they handed over
    /// before has been written or lost by now, and what they hand over from now on is refused.
    fn register(
        &mut self,
        author: Author,
        stream: UnboundedSender<FromJournal>,
        reply: oneshot::Sender<RegisterReply>,
        ctx: &mut Context<Self>,
    ) {
        let incarnation = self.book.begin(author, stream);
        let Author::Owner(owner) = author else {
            // An author that is gone already is ended by whoever registers after it.
            let _gone = reply.send(Ok(Registered { incarnation, stored: Stored::default() }));
            return;
        };
        self.is_busy = true;
        let store = Arc::clone(&self.store);
        let read = async move { store.load(owner).await };
        ctx.spawn(read.into_actor(self).map(move |loaded, act, ctx| {
            act.is_busy = false;
            let answer = match loaded {
                Ok(stored) => {
                    act.book.learn(owner, &stored);
                    Ok(Registered { incarnation, stored })
                }
                Err(error) => {
                    act.book.end(author, incarnation, None);
                    Err(error.into())
                }
            };
            let _gone = reply.send(answer);
            act.turn(ctx);
        }));
    }

    /// Takes the commits that wait at the head of the queue and reads what is needed to check them.
    fn gather(&mut self, first: Commit, ctx: &mut Context<Self>) {
        let commits_max = if self.alone > 0 { 1 } else { BATCH_COMMITS_MAX };
        self.alone = self.alone.saturating_sub(1);
        let mut commits = vec![first];
        while commits.len() < commits_max {
            match self.queue.pop_front() {
                Some(Work::HandOver(commit)) => commits.push(*commit),
                Some(other) => {
                    self.queue.push_front(other);
                    break;
                }
                None => break,
            }
        }
        self.is_busy = true;
        self.read_missing(commits, ctx);
    }

    fn read_missing(&mut self, commits: Vec<Commit>, ctx: &mut Context<Self>) {
        let missing = self.book.missing(commits.iter());
        if missing == Missing::default() {
            self.draft(commits, ctx);
            return;
        }
        let store = Arc::clone(&self.store);
        let read = async move {
            let found = read(store.as_ref(), &missing).await;
            (missing, found)
        };
        ctx.spawn(read.into_actor(self).map(move |(missing, found), act, ctx| match found {
            Ok((accounts, owners)) => {
                act.book.learn_accounts(&missing.accounts, accounts);
                for (owner, stored) in &owners {
                    act.book.learn(*owner, stored);
                }
                act.came_back();
                act.draft(commits, ctx);
                act.turn(ctx);
            }
            Err(StoreError::Unavailable { reason }) => {
                act.went_away(&reason);
                act.later(ctx, move |act, ctx| {
                    act.read_missing(commits, ctx);
                    act.turn(ctx);
                });
            }
            Err(error) => {
                log::error!(error:%; "cannot read what a commit needs");
                act.split_or_refuse(commits, ctx);
            }
        }));
    }

    /// Checks the commits one by one and writes those that keep the laws. Whoever calls takes the next turn: many
    /// batches that are refused as a whole must not nest.
    fn draft(&mut self, commits: Vec<Commit>, ctx: &mut Context<Self>) {
        let mut draft = Draft::new(&self.book);
        let (mut taken, mut refused) = (Vec::with_capacity(commits.len()), Vec::new());
        let mut ended = Vec::new();
        for commit in commits {
            // Whoever lost a commit a moment ago decided the following ones on what did not happen.
            let outcome = if names_any(&commit, &ended) { Err(Refusal::Ended) } else { draft.take(&commit) };
            match outcome {
                Ok(()) => taken.push(commit),
                Err(reason) => {
                    if commit.author != Author::Supervisor {
                        ended.push((commit.author, commit.incarnation));
                    }
                    refused.push((commit, reason));
                }
            }
        }
        let (batch, told) = draft.finish();
        for (commit, reason) in refused {
            self.refuse(commit, reason);
        }
        if taken.is_empty() {
            self.is_busy = false;
        } else {
            let batch = Arc::new(batch);
            self.write(InFlight { batch, commits: taken, told, is_uncertain: false, begun: None }, ctx);
        }
    }

    pub(super) fn write(&mut self, mut flight: InFlight, ctx: &mut Context<Self>) {
        let (store, batch) = (Arc::clone(&self.store), Arc::clone(&flight.batch));
        let timer = self.figures.journal_write_seconds.start_timer();
        let write = async move { (store.write(&batch).await, timer.stop_and_record()).0 };
        ctx.spawn(write.into_actor(self).map(move |written, act, ctx| match written {
            Ok(()) => act.written(flight, ctx),
            Err(WriteError::Rejected { reason }) => {
                log::error!(commits:% = flight.commits.len(), reason:%; "the database refused a batch");
                act.split_or_refuse(flight.commits, ctx);
            }
            Err(WriteError::Down { reason }) => {
                act.went_away(&reason);
                act.later(ctx, move |act, ctx| act.write(flight, ctx));
            }
            Err(WriteError::Unknown { reason }) => {
                act.went_away(&reason);
                flight.is_uncertain = true;
                act.later(ctx, move |act, ctx| act.ask_head(flight, ctx));
            }
            // The head may have been moved by an earlier attempt that took its time.
            Err(WriteError::Fenced) if flight.is_uncertain => act.ask_head(flight, ctx),
            Err(WriteError::Fenced) => act.fenced(ctx),
        }));
    }

    /// After an uncertain COMMIT: the head tells whether it happened.
    fn ask_head(&mut self, flight: InFlight, ctx: &mut Context<Self>) {
        let store = Arc::clone(&self.store);
        let read = async move { store.head().await };
        ctx.spawn(read.into_actor(self).map(move |head, act, ctx| match head {
            Ok(Some(head)) if head == flight.batch.head => act.written(flight, ctx),
            Ok(Some(head)) if head == act.book.head => act.write(flight, ctx),
            Ok(_) => act.fenced(ctx),
            Err(error) => {
                act.went_away(&error.to_string());
                act.later(ctx, move |act, ctx| act.ask_head(flight, ctx));
            }
        }));
    }

    /// The batch is durable: tells authors and those who were posted to, in the order of the commits.
    fn written(&mut self, flight: InFlight, ctx: &mut Context<Self>) {
        let batch = Arc::try_unwrap(flight.batch).unwrap_or_else(|shared| (*shared).clone());
        self.count(&batch, flight.commits.len());
        self.log(&batch, &flight.commits);
        match flight.begun {
            Some(begun) => self.begun_anew(batch, begun),
            None => self.book.apply(batch),
        }
        self.came_back();
        for (commit, told) in flight.commits.into_iter().zip(flight.told) {
            // The others first: who is answered may tell a payee, who then spends what has come.
            let (own, others): (Vec<_>, Vec<_>) =
                told.into_iter().partition(|(author, _)| *author == commit.author);
            for (author, word) in others {
                self.book.tell(author, word);
            }
            if let Some((permit, answer)) = commit.answer {
                permit.posted(&answer);
            }
            if self.book.is_alive(commit.author, commit.incarnation) {
                self.book.tell(commit.author, FromJournal::Durable { upto: commit.ticket });
            }
            for (author, word) in own {
                self.book.tell(author, word);
            }
        }
        self.is_busy = false;
        self.turn(ctx);
    }

    /// Says which requests became durable, and which transactions were decided, with the commit that holds them.
    fn log(&self, batch: &Batch, commits: &[Commit]) {
        let commit = batch.head.seq.0;
        for (permit, _) in commits.iter().filter_map(|commit| commit.answer.as_ref()) {
            let key = permit.key();
            log::debug!(commit:%, participant:% = key.signer, request_id:% = key.id; "a request is durable");
        }
        for row in batch.outbox.iter().filter(|row| row.id > self.book.head.outbox) {
            let (outbox_id, chain_id) = (row.id.0, row.chain_id);
            match row.owner {
                OwnerId::Channel(channel_id) => {
                    log::info!(commit:%, outbox_id:%, chain_id:%, channel_id:%; "a transaction was decided");
                }
                OwnerId::Participant(_) | OwnerId::Network(_) => {
                    log::info!(commit:%, outbox_id:%, chain_id:%; "a transaction was decided");
                }
            }
        }
    }

    /// Counts what became durable.
    fn count(&self, batch: &Batch, commits: usize) {
        self.figures.journal_commits.inc_by(commits as u64);
        self.figures.journal_batch_commits.observe(commits as f64);
        for row in &batch.states {
            lives::count(&self.figures, self.book.phase(row.owner), row);
        }
    }

    /// A batch with a bad commit in it: each is written alone. A lone one is refused.
    fn split_or_refuse(&mut self, mut commits: Vec<Commit>, ctx: &mut Context<Self>) {
        if commits.len() == 1 {
            for commit in commits.drain(..) {
                self.refuse(commit, Refusal::Database);
            }
        }
        self.alone += commits.len();
        for commit in commits.into_iter().rev() {
            self.queue.push_front(Work::HandOver(Box::new(commit)));
        }
        self.is_busy = false;
        self.turn(ctx);
    }

    /// Says that a commit is lost. Its author's incarnation ends; the supervisor loses only the commit.
    fn refuse(&mut self, commit: Commit, reason: Refusal) {
        log::warn!(author:% = commit.author, reason:%; "a commit was refused");
        self.figures.journal_commits_refused.inc();
        let lost = FromJournal::Lost { from: commit.ticket, reason };
        if !self.book.is_alive(commit.author, commit.incarnation) {
            return;
        }
        if commit.author == Author::Supervisor {
            self.book.tell(commit.author, lost);
        } else {
            self.book.end(commit.author, commit.incarnation, Some(lost));
        }
    }

    fn went_away(&mut self, reason: &str) {
        self.permits.set_open(false);
        if matches!(self.health.send_replace(JournalHealth::Away), JournalHealth::Writing { .. }) {
            log::warn!(reason:%; "the database is away, what was taken is kept and retried");
        }
    }

    fn came_back(&mut self) {
        self.retry_delay_ms = RETRY_DELAY_MS_MIN;
        if *self.health.borrow() == JournalHealth::Away {
            log::warn!("the database is back");
            self.health.send_replace(JournalHealth::Writing { since: clock::now() });
            self.permits.set_open(true);
        }
    }

    /// Another writer has taken over: nothing in memory can be vouched for, and nothing more is done.
    /// The queue stays unread and every stream closes with the actor.
    fn fenced(&mut self, ctx: &mut Context<Self>) {
        log::error!("another writer has taken over the store: this process must end");
        self.permits.set_open(false);
        self.health.send_replace(JournalHealth::Fenced);
        ctx.stop();
    }

    /// Forgets answers that are kept no longer.
    fn prune(&mut self, ctx: &mut Context<Self>) {
        let store = Arc::clone(&self.store);
        let before = clock::now().minus_millis(KEPT_MILLIS);
        let pruned = async move { store.prune_answers(before, PRUNE_ROWS_MAX).await };
        ctx.spawn(pruned.into_actor(self).map(|pruned, _, _| {
            if let Err(error) = pruned {
                log::warn!(error:%; "old answers are kept for another while");
            }
        }));
    }

    /// Does something again after a pause that grows while the database stays away.
    fn later(
        &mut self,
        ctx: &mut Context<Self>,
        again: impl FnOnce(&mut Self, &mut Context<Self>) + 'static,
    ) {
        ctx.run_later(Duration::from_millis(self.retry_delay_ms), again);
        self.retry_delay_ms = (2 * self.retry_delay_ms).min(RETRY_DELAY_MS_MAX);
    }
}

/// Whether the commit names an incarnation that ended while its batch was drafted.
fn names_any(commit: &Commit, ended: &[(Author, super::Incarnation)]) -> bool {
    let prepared = commit.prepared.iter().map(|(owner, number)| (Author::Owner(*owner), *number));
    prepared.chain([(commit.author, commit.incarnation)]).any(|named| ended.contains(&named))
}

/// Reads what commits name and the book does not know.
async fn read(
    store: &dyn Store,
    missing: &Missing,
) -> Result<(Vec<AccountRow>, Vec<(OwnerId, Stored)>), StoreError> {
    let accounts =
        if missing.accounts.is_empty() { Vec::new() } else { store.accounts(&missing.accounts).await? };
    let mut owners = Vec::with_capacity(missing.owners.len());
    for owner in &missing.owners {
        owners.push((*owner, store.load(*owner).await?));
    }
    Ok((accounts, owners))
}

/// The keys of requests posted within the window before now, and later.
async fn posted_keys(
    store: &dyn Store,
    now: Timestamp,
) -> Result<Vec<(domain::ledger::RequestKey, domain::primitives::Digest)>, StoreError> {
    let (from, mut keys) = (now.minus_millis(WINDOW_MILLIS), Vec::new());
    loop {
        let after = keys.last().map(|(key, _)| *key);
        let page = store.answers(from, after, PAGE_ROWS_MAX).await?;
        if page.is_empty() {
            return Ok(keys);
        }
        keys.extend(page.into_iter().map(|row| (row.key, row.body_hash)));
    }
}

impl Actor for JournalActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.run_interval(PRUNE_INTERVAL, Self::prune);
    }
}

impl StreamHandler<Work> for JournalActor {
    fn handle(&mut self, work: Work, ctx: &mut Context<Self>) {
        self.queue.push_back(work);
        self.turn(ctx);
    }
}

#[cfg(test)]
mod tests;
