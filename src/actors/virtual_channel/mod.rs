//! The actor of one virtual channel: a shell around its machine, and its topic.
//!
//! Updates are decided one after another and written in groups. A close asks the owners of what it moves to
//! hold their share; meanwhile other states wait. Talk is never kept waiting by money. Deliberately absent:
//! rules (the machine has them), and signatures.

mod handlers;
mod messages;
mod room;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use domain::channel::virtual_channel::{
    Close, Epoch, Phase, Topic, Update, VirtualChannel, VirtualChannelEffect, VirtualChannelEvent,
};
use domain::channel::{Machine as _, Transition};
use domain::ledger::OwnerId;
use futures::channel::oneshot;

use super::answer::{Answer, Outcome};
use super::exit::ExitGuard;
use super::journal::{FromJournal, JournalHealth, NewState, Permit};
use super::pen::Pen;
use super::prepare::Preparation;
use super::push::{Push, Tell};
use super::request::{Asked, Refused};
use super::services::Services;
use super::session::SessionId;
use super::supervisor::Birth;
use crate::clock;
use crate::store::{Revision, StateKind};

pub use messages::{
    CallInRoom, CloseVirtualChannel, MayCall, NextState, Publish, Published, RoomRefused, Subscribe,
    Subscribed, Unsubscribe, UpdateVirtualChannel,
};

/// The most requests that wait while a close asks others to hold their share.
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
    /// Whether a close asks others; then everything about money waits.
    is_closing: bool,
    jobs: VecDeque<Job>,
    timer: Option<SpawnHandle>,
    _exit: ExitGuard,
}

type Reply = oneshot::Sender<Result<Answer, Refused>>;

/// What is done one after another.
#[derive(Debug)]
enum Job {
    Update(Box<Asked<NextState>>, Reply),
    Close(Box<Asked<NextState>>, Reply),
}

/// What waits until a commit is durable.
#[derive(Debug)]
struct Waiting {
    effects: Vec<VirtualChannelEffect>,
    reply: Option<(Reply, Answer)>,
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
            Self {
                services,
                topic: Topic::new(channel.members().to_vec(), epoch),
                channel,
                revision: registered.stored.state.map(|state| state.revision),
                pen,
                listeners: BTreeMap::new(),
                is_closing: false,
                jobs: VecDeque::new(),
                timer: None,
                _exit: exit,
            }
        })
    }

    /// Queues a request about money, unless too many wait.
    fn queue(&mut self, job: Job, ctx: &mut Context<Self>) {
        self.jobs.push_back(job);
        self.work(ctx);
    }

    fn work(&mut self, ctx: &mut Context<Self>) {
        while !self.is_closing
            && let Some(job) = self.jobs.pop_front()
        {
            match job {
                Job::Update(asked, reply) => self.update(&asked, reply, ctx),
                Job::Close(asked, reply) => self.close(*asked, reply, ctx),
            }
        }
    }

    fn update(&mut self, asked: &Asked<NextState>, reply: Reply, ctx: &mut Context<Self>) {
        match self.decide_update(asked) {
            Ok((transition, permit, answer)) => {
                self.hand_over(transition, Some((permit, answer, reply)), None, ctx)
            }
            Err(refused) => {
                let _gone = reply.send(Err(refused));
            }
        }
    }

    fn decide_update(&mut self, asked: &Asked<NextState>) -> Result<Decided, Refused> {
        self.check_member(asked)?;
        let now = clock::now();
        let permit = asked.permit(self.pen.journal().permits(), now)?;
        let NextState { state, data } = &asked.params;
        let update = Update { request: asked.key(), state: state.clone(), data: data.clone() };
        let transition = self.channel.apply(VirtualChannelEvent::Update(update), now)?;
        let outcome = Outcome::Updated {
            channel_id: self.channel.id(),
            version: self.channel.version(),
            is_expiring: self.channel.phase() == Phase::Expiring,
            expires_at: self.channel.expires_at(),
        };
        Ok((transition, permit, Answer::new(now, outcome, [])))
    }

    /// Has everybody concerned hold its share, then decides.
    fn close(&mut self, asked: Asked<NextState>, reply: Reply, ctx: &mut Context<Self>) {
        let planned = self.check_close(&asked);
        if let Err(refused) = planned {
            let _gone = reply.send(Err(refused));
            return;
        }
        self.is_closing = true;
        let services = Arc::clone(&self.services);
        let prepared = async move {
            let mut preparation = Preparation::begin();
            let held = preparation.parts(&services, &asked.states, asked.hash()).await;
            (asked, held.map(|()| preparation))
        };
        ctx.spawn(prepared.into_actor(self).map(move |(asked, held), act, ctx| match held {
            Ok(preparation) => act.hold_wallets(asked, preparation, reply, ctx),
            Err(refused) => act.end_close(&asked, Err(refused), reply, ctx),
        }));
    }

    /// Has the members whose wallets pay for a part hold the money.
    fn hold_wallets(
        &mut self,
        asked: Asked<NextState>,
        mut preparation: Preparation,
        reply: Reply,
        ctx: &mut Context<Self>,
    ) {
        let plan = match self.channel.plan_close(&close_of(&asked, &preparation), clock::now()) {
            Ok(plan) => plan,
            Err(error) => return self.end_close(&asked, Err(error.into()), reply, ctx),
        };
        let services = Arc::clone(&self.services);
        let prepared = async move {
            let held = preparation.debits(&services, plan.wallet_debits(), asked.hash()).await;
            (asked, held.map(|()| preparation))
        };
        ctx.spawn(prepared.into_actor(self).map(move |(asked, held), act, ctx| {
            act.end_close(&asked, held, reply, ctx);
        }));
    }

    /// Decides a close for which everybody holds its share, or gives it up.
    fn end_close(
        &mut self,
        asked: &Asked<NextState>,
        held: Result<Preparation, Refused>,
        reply: Reply,
        ctx: &mut Context<Self>,
    ) {
        self.is_closing = false;
        let decided = held.and_then(|preparation| self.decide_close(asked, preparation));
        match decided {
            Ok(((transition, permit, answer), preparation)) => {
                self.hand_over(transition, Some((permit, answer, reply)), Some(preparation), ctx);
            }
            // What refuses a repeat may be what the first one has changed meanwhile.
            Err(refused) => {
                let refused = asked.check_new(self.pen.journal().permits()).err().unwrap_or(refused);
                let _gone = reply.send(Err(refused));
            }
        }
        self.work(ctx);
    }

    fn decide_close(
        &mut self,
        asked: &Asked<NextState>,
        preparation: Preparation,
    ) -> Result<(Decided, Preparation), Refused> {
        let now = clock::now();
        preparation.check_in_time()?;
        let permit = asked.permit(self.pen.journal().permits(), now)?;
        let close = close_of(asked, &preparation);
        let transition = self.channel.apply(VirtualChannelEvent::Close(close), now)?;
        let (channel_id, version) = (self.channel.id(), self.channel.version());
        let states = asked.states.iter().map(|state| state.body());
        let answer = Answer::new(now, Outcome::Closed { channel_id, version }, states);
        Ok(((transition, permit, answer), preparation))
    }

    /// Refuses a close that is wrong by itself before anybody is asked to hold anything.
    fn check_close(&self, asked: &Asked<NextState>) -> Result<(), Refused> {
        self.check_member(asked)?;
        asked.check_new(self.pen.journal().permits())?;
        self.channel.plan_close(&close_of(asked, &Preparation::begin()), clock::now())?;
        Ok(())
    }

    /// For a stranger the channel does not exist (L12).
    fn check_member(&self, asked: &Asked<NextState>) -> Result<(), Refused> {
        let owner = OwnerId::Channel(self.channel.id());
        if self.channel.is_member(asked.by) { Ok(()) } else { Err(Refused::NotFound { owner }) }
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
                log::error!(channel_id:% = self.channel.id(); "an expired channel cannot be paid: {error}");
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
            (reply, answer)
        });
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

type Decided = (Transition<VirtualChannelEffect>, Permit, Answer);

fn close_of(asked: &Asked<NextState>, preparation: &Preparation) -> Close {
    let NextState { state, data } = &asked.params;
    Close { request: asked.key(), state: state.clone(), data: data.clone(), parts: preparation.part_moves() }
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
mod tests;
