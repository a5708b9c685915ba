//! The actor of one virtual channel: a shell around its machine, and its topic.
//!
//! Updates are decided one after another and written in groups. What moves money in or out asks the owners of it to
//! hold their share; meanwhile other requests about money wait. Talk is never kept waiting by money. Deliberately
//! absent: rules (the machine has them), and signatures.

mod handlers;
mod host;
mod messages;
mod requests;
mod room;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use domain::channel::virtual_channel::{
    Epoch, Phase, Topic, VirtualChannel, VirtualChannelEffect, VirtualChannelEvent,
};
use domain::channel::{Machine as _, Transition};
use domain::ledger::OwnerId;
use futures::channel::oneshot;

use super::answer::Answer;
use super::exit::ExitGuard;
use super::journal::{FromJournal, JournalHealth, NewState, Permit};
use super::pen::Pen;
use super::prepare::Preparation;
use super::proposals::ProposalSlot;
use super::push::{Push, Tell};
use super::request::{Asked, Refused};
use super::services::Services;
use super::session::SessionId;
use super::supervisor::Birth;
use crate::clock;
use crate::store::{Revision, StateKind};

pub use messages::{
    Accepted, AskVirtualChannel, CallInRoom, MayCall, NextState, Publish, Published, RoomRefused, Subscribe,
    Subscribed, Unsubscribe, Wish,
};

/// The most requests that wait while one asks others to hold their share.
const WAITING_MAX: usize = 32;

/// The longest a timer is set for; a deadline further away is looked at again then.
const TIMER_MILLIS_MAX: u64 = 60 * 60 * 1_000;

/// How long a window stays open after the broker was away: time for members to come back and hand in what they
/// agreed on meanwhile.
const GRACE_MILLIS: u64 = 10 * 60 * 1_000;

/// How many messages may wait for the actor: what a room full of sessions says at a time.
const MAILBOX: usize = 1_024;

/// The actor of one virtual channel.
pub struct VirtualChannelActor {
    services: Arc<Services>,
    channel: VirtualChannel,
    revision: Option<Revision>,
    pen: Pen<Waiting>,
    topic: Topic<SessionId>,
    listeners: BTreeMap<SessionId, Tell>,
    /// Whether a request asks others to hold their share; then all others about money wait.
    is_asking: bool,
    jobs: VecDeque<Job>,
    timer: Option<SpawnHandle>,
    /// Held while the channel is a proposal.
    slot: Option<ProposalSlot>,
    /// How often in a row its Host was looked for and not found.
    absences: u32,
    _exit: ExitGuard,
}

type Reply = oneshot::Sender<Result<Answer, Refused>>;

/// What is done one after another.
#[derive(Debug)]
struct Job {
    asked: Box<Asked<Wish>>,
    reply: Reply,
}

/// What waits until a commit is durable.
#[derive(Debug)]
struct Waiting {
    effects: Vec<VirtualChannelEffect>,
    reply: Option<(Reply, Result<Answer, Refused>)>,
}

impl VirtualChannelActor {
    /// Starts the actor on the arbiter of the channel.
    pub(super) fn start(channel: VirtualChannel, birth: Birth) -> Addr<Self> {
        let pen = birth.pen(OwnerId::Channel(channel.id()));
        let Birth { services, registered, told, exit } = birth;
        let arbiter = services.arbiter_of(channel.id().as_bytes()).clone();
        Self::start_in_arbiter(&arbiter, move |ctx| {
            ctx.set_mailbox_capacity(MAILBOX);
            ctx.add_stream(told);
            // Each life of a topic begins at another millisecond than the one before.
            let epoch = Epoch::new(clock::now().as_millis());
            let mut act = Self {
                services,
                topic: Topic::new(channel.members().to_vec(), epoch),
                channel,
                revision: registered.stored.state.map(|state| state.revision),
                pen,
                listeners: BTreeMap::new(),
                is_asking: false,
                jobs: VecDeque::new(),
                timer: None,
                slot: None,
                absences: 0,
                _exit: exit,
            };
            act.watch_host(ctx);
            act
        })
    }

    /// Time has passed. Time in which the broker or its store was away does not count: nobody could hand a state
    /// in, so that an open window stays open for a while after it.
    fn tick(&mut self, ctx: &mut Context<Self>) {
        let served_since = match *self.pen.journal().health().borrow() {
            JournalHealth::Writing { since } => since,
            JournalHealth::Away | JournalHealth::Fenced => clock::now(),
        };
        self.channel.keep_window_open(served_since.plus_millis(GRACE_MILLIS));
        match self.channel.apply(VirtualChannelEvent::Tick, clock::now()) {
            Ok(transition) if transition == Transition::default() => self.set_timer(ctx),
            Ok(transition) => self.hand_over(transition, None, None, ctx),
            Err(error) => {
                log::error!(channel_id:% = self.channel.id(), error:%; "an expired channel cannot be paid");
            }
        }
    }

    /// Hands over what the machine decided, together with its state.
    fn hand_over(
        &mut self,
        transition: Transition<VirtualChannelEffect>,
        asked: Option<(Permit, Answer, Reply)>,
        preparation: Option<Preparation>,
        ctx: &mut Context<Self>,
    ) {
        let mut commit = self.pen.begin();
        commit.transfers = transition.transfers;
        commit.states.push(NewState {
            owner: OwnerId::Channel(self.channel.id()),
            replaces: self.revision,
            kind: StateKind::Virtual,
            phase: self.channel.phase().code(),
            due_at: self.channel.deadline(),
            body: self.channel.to_stored(),
        });
        if let Some(preparation) = preparation {
            preparation.spend(&mut commit);
        }
        let reply = asked.map(|(permit, answer, reply)| {
            commit.answer = Some((permit, answer.encode()));
            (reply, Ok(answer))
        });
        if self.channel.phase() != Phase::Proposed {
            self.slot = None;
        }
        self.revision = Some(self.revision.unwrap_or_default().next());
        let waiting = Waiting { effects: transition.effects, reply };
        if self.pen.hand_over(commit, waiting).is_err() {
            ctx.stop();
        }
        self.set_timer(ctx);
    }

    fn set_timer(&mut self, ctx: &mut Context<Self>) {
        if let Some(timer) = self.timer.take() {
            ctx.cancel_future(timer);
        }
        if let Some(deadline) = self.channel.deadline() {
            let millis = deadline.millis_since(clock::now()).min(TIMER_MILLIS_MAX);
            self.timer = Some(ctx.run_later(Duration::from_millis(millis), Self::tick));
        }
    }

    /// Does what the machine wants done, once it is durable.
    fn perform(&mut self, effects: Vec<VirtualChannelEffect>) {
        if effects.contains(&VirtualChannelEffect::EndTopic) {
            self.end_topic();
        }
        notify(&self.services, effects);
    }
}

/// However the actor ends, who listens hears of it.
impl Drop for VirtualChannelActor {
    fn drop(&mut self) {
        self.end_topic();
    }
}

/// Tells the members that are there of what has happened.
pub(super) fn notify(services: &Services, effects: Vec<VirtualChannelEffect>) {
    for effect in effects {
        match effect {
            VirtualChannelEffect::Notify { to, notification } => {
                for participant in to.into_iter().filter_map(|member| services.directory.participant(member))
                {
                    // A participant too busy to pass it on has sessions that are closed as slow.
                    let _full = participant.try_send(Push::VirtualChannel(notification.clone()));
                }
            }
            VirtualChannelEffect::EndTopic => {}
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
