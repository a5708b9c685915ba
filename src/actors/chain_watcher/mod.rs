//! The watcher of one network: reads the custody contract's log, once and in order, into the inbox.
//!
//! What the log says at confirmed depth and how far it has been read are written in one commit; owners hear
//! of it from the journal, and whoever is not alive is woken. Subscriptions are hints that keep it quick;
//! the truth is the log, read by cursor. Deliberately absent: what an event means (the owner's machine says),
//! and the repair of what a reorganisation below the confirmed depth undid: such a chain is no longer read,
//! and an alarm says so.

mod scan;

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use domain::ledger::OwnerId;
use domain::primitives::ChainId;
use futures::channel::mpsc::UnboundedReceiver;

use super::journal::{Author, EnterError, FromJournal};
use super::pen::Pen;
use super::services::Services;
use super::supervisor::Wake as WakeOwners;
use crate::chain::{ChainClient, Wake};
use crate::clock;
use crate::store::{CursorRow, CursorTrim, PAGE_ROWS_MAX};
use scan::{ScanError, Scanned, scan};

/// How often the chain is looked at when no hint comes.
const LOOK_INTERVAL: Duration = Duration::from_secs(4);

/// How long the watcher waits after an error, at first and at most.
const RETRY_MS_MIN: u64 = 250;
const RETRY_MS_MAX: u64 = 30_000;

/// How many blocks are read at a time, at most and at least: nodes refuse wider ranges.
const RANGE_MAX: u64 = 2_000;
const RANGE_MIN: u64 = 1;

/// How many read blocks are remembered: deep enough to tell where a reorganisation began.
const RING_BLOCKS: u64 = 256;

/// What the watcher has to know of its network.
#[derive(Debug, Clone, Copy)]
pub struct WatchPlan {
    /// The chain.
    pub chain_id: ChainId,
    /// How many blocks must follow before a log counts.
    pub confirmations: u64,
    /// The first block to read.
    pub start_block: u64,
}

/// The watcher of one network.
pub struct ChainWatcherActor {
    services: Arc<Services>,
    chain: Arc<dyn ChainClient>,
    plan: WatchPlan,
    pen: Pen<Vec<OwnerId>>,
    /// The last block read; `None` before the first.
    cursor: Option<CursorRow>,
    range: u64,
    retry_ms: u64,
    is_busy: bool,
    /// Whether something may have happened since the scan under way began.
    is_wanted: bool,
    /// Whether what is being written is everything that is confirmed.
    is_all: bool,
}

impl ChainWatcherActor {
    /// Starts the watcher in the current arbiter: subscribes, tells owners again of what is unhandled, then
    /// reads from the cursor.
    ///
    /// # Errors
    /// [`EnterError`] when the journal or the store does not answer.
    pub async fn open(
        services: Arc<Services>,
        chain: Arc<dyn ChainClient>,
        plan: WatchPlan,
    ) -> Result<Addr<Self>, EnterError> {
        let Begun { pen, cursor, told } = begin(&services, plan.chain_id).await?;
        Ok(Self::create(|ctx| {
            ctx.add_stream(told);
            Self {
                services,
                chain,
                plan,
                pen,
                cursor,
                range: RANGE_MAX,
                retry_ms: RETRY_MS_MIN,
                is_busy: false,
                is_wanted: false,
                is_all: false,
            }
        }))
    }

    /// Begins another incarnation from what is stored.
    fn begin_again(&mut self, ctx: &mut Context<Self>) {
        let (services, chain_id) = (Arc::clone(&self.services), self.plan.chain_id);
        let begun = async move { begin(&services, chain_id).await };
        ctx.spawn(begun.into_actor(self).map(|begun, act, ctx| match begun {
            Ok(Begun { pen, cursor, told }) => {
                ctx.add_stream(told);
                (act.pen, act.cursor, act.is_busy) = (pen, cursor, false);
                act.look(ctx);
            }
            Err(EnterError::Closed(_)) => ctx.stop(),
            Err(EnterError::Register(error)) => {
                log::warn!(chain_id:% = act.plan.chain_id, error:%; "the watcher cannot begin again yet");
                ctx.run_later(Duration::from_millis(RETRY_MS_MAX), Self::begin_again);
            }
        }));
    }

    /// Looks at the chain, or again when the look under way ends.
    fn look(&mut self, ctx: &mut Context<Self>) {
        if self.is_busy {
            self.is_wanted = true;
            return;
        }
        self.is_busy = true;
        self.is_wanted = false;
        let (services, chain) = (Arc::clone(&self.services), Arc::clone(&self.chain));
        let (scanned, incarnation) =
            (scan(services, chain, self.plan, self.cursor, self.range), self.pen.incarnation());
        ctx.spawn(scanned.into_actor(self).map(move |scanned, act, ctx| {
            // What was read for another incarnation follows another cursor, perhaps in another book.
            if act.pen.incarnation() != incarnation {
                return;
            }
            match scanned {
                Ok(Some(scanned)) => act.write(scanned, ctx),
                Ok(None) => act.rest(ctx),
                Err(error) => act.retry(&error, ctx),
            }
        }));
    }

    /// Writes what was read. The next look begins when it is durable.
    fn write(&mut self, scanned: Scanned, ctx: &mut Context<Self>) {
        let Scanned { events, upto, is_all } = scanned;
        self.is_all = is_all;
        let mut commit = self.pen.begin();
        let mut owners: Vec<OwnerId> = events.iter().map(|event| event.owner).collect();
        owners.dedup();
        commit.events = events;
        commit.cursors.push(upto);
        commit.cursor_trim = Some(CursorTrim {
            chain_id: self.plan.chain_id,
            below: upto.height.saturating_sub(RING_BLOCKS),
            above: upto.height,
        });
        self.cursor = Some(upto);
        self.range = (self.range * 2).min(RANGE_MAX);
        self.retry_ms = RETRY_MS_MIN;
        if self.pen.hand_over(commit, owners).is_err() {
            ctx.stop();
        }
    }

    /// Everything that is confirmed has been read.
    fn rest(&mut self, ctx: &mut Context<Self>) {
        self.is_busy = false;
        self.retry_ms = RETRY_MS_MIN;
        if let Some(read) = self.cursor {
            self.services.journal.figures().set_chain_read_height(self.plan.chain_id, read.height);
        }
        self.services.read_chains.insert(self.plan.chain_id, clock::now());
        if self.is_wanted {
            self.look(ctx);
        }
    }

    /// Tries again later, with a smaller range: what a node finds too wide it refuses in its own words.
    fn retry(&mut self, error: &ScanError, ctx: &mut Context<Self>) {
        match error {
            ScanError::Reorganised { .. } => {
                log::error!(chain_id:% = self.plan.chain_id, error:%; "the chain is read no further");
            }
            ScanError::Chain(_) | ScanError::Store(_) | ScanError::Missing { .. } => {
                log::warn!(chain_id:% = self.plan.chain_id, error:%; "cannot read the chain");
            }
        }
        self.range = (self.range / 2).max(RANGE_MIN);
        let pause = Duration::from_millis(self.retry_ms);
        self.retry_ms = (2 * self.retry_ms).min(RETRY_MS_MAX);
        ctx.run_later(pause, |act, ctx| {
            act.is_busy = false;
            act.look(ctx);
        });
    }
}

/// What an incarnation begins with.
struct Begun {
    pen: Pen<Vec<OwnerId>>,
    cursor: Option<CursorRow>,
    told: UnboundedReceiver<FromJournal>,
}

/// Registers, then reads what is stored, and tells owners again of what they have not taken in.
async fn begin(services: &Services, chain_id: ChainId) -> Result<Begun, EnterError> {
    let author = Author::Watcher(chain_id);
    let (registered, told) = services.journal.register(author).await?;
    let cursor = services.store.cursor(chain_id).await?.last().copied();
    wake_unhandled(services, chain_id).await?;
    Ok(Begun { pen: Pen::new(services.journal.clone(), author, &registered), cursor, told })
}

/// Wakes the owners of everything that was seen and not taken in.
async fn wake_unhandled(services: &Services, chain_id: ChainId) -> Result<(), EnterError> {
    let mut after = None;
    loop {
        let page = services.store.unhandled(chain_id, after, PAGE_ROWS_MAX).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.id);
        wake(services, page.iter().map(|row| row.owner).collect());
    }
}

fn wake(services: &Services, mut owners: Vec<OwnerId>) {
    owners.sort_unstable();
    owners.dedup();
    if let Some(supervisor) = services.directory.supervisor()
        && !owners.is_empty()
        && supervisor.try_send(WakeOwners { owners }).is_err()
    {
        log::warn!("the supervisor is too busy to wake owners; it finds them a moment later");
    }
}

impl Actor for ChainWatcherActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.add_stream(self.chain.wake_ups());
        ctx.run_interval(LOOK_INTERVAL, |act, ctx| act.look(ctx));
    }
}

impl StreamHandler<Wake> for ChainWatcherActor {
    fn handle(&mut self, _: Wake, ctx: &mut Context<Self>) {
        self.look(ctx);
    }

    /// The connection is gone: the next one is waited for, what happens meanwhile is read then.
    fn finished(&mut self, ctx: &mut Context<Self>) {
        ctx.add_stream(self.chain.wake_ups());
    }
}

impl StreamHandler<FromJournal> for ChainWatcherActor {
    fn handle(&mut self, word: FromJournal, ctx: &mut Context<Self>) {
        match word {
            FromJournal::Durable { upto } => {
                for owners in self.pen.durable(upto) {
                    wake(&self.services, owners);
                }
                if let Some(read) = self.cursor {
                    self.services.journal.figures().set_chain_read_height(self.plan.chain_id, read.height);
                }
                if self.is_all {
                    self.services.read_chains.insert(self.plan.chain_id, clock::now());
                }
                self.is_busy = false;
                self.look(ctx);
            }
            // The stream ends with this word, and a new incarnation begins.
            FromJournal::Lost { reason, .. } => {
                log::error!(chain_id:% = self.plan.chain_id, reason:%; "what was read of the chain was refused");
            }
            FromJournal::Posted { .. } | FromJournal::Happened { .. } | FromJournal::Decided { .. } => {}
        }
    }

    /// The incarnation has ended: begins another from what is stored, unless the journal is gone.
    fn finished(&mut self, ctx: &mut Context<Self>) {
        self.is_busy = true;
        let pause = Duration::from_millis(self.retry_ms);
        ctx.run_later(pause, Self::begin_again);
    }
}
