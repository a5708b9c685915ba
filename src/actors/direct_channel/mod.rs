//! The actor of one direct channel: a shell around its machine.
//!
//! Takes one thing at a time. While it holds a next state for somebody's commit, what else is asked of it
//! and what happens on chain waits in order. Deliberately absent: rules (the machine has them), signatures of
//! the broker (made where answers and notices are sent), and other owners' money.

mod handlers;
mod holds;
mod messages;

use std::collections::VecDeque;
use std::sync::Arc;

use actix::prelude::*;
use domain::chain::CustodyEvent;
use domain::channel::direct::{DirectChannel, DirectEffect, DirectEvent, EncodedState, IgnoreReason};
use domain::channel::{Machine as _, Transition};
use domain::crypto::DirectState;
use domain::ledger::{Cause, EventKey, OwnerId};
use futures::channel::oneshot;

use super::answer::{Answer, Outcome};
use super::exit::ExitGuard;
use super::journal::{FromJournal, NewState, Permit};
use super::pen::Pen;
use super::prepare::{HOLD_MILLIS_MAX, HoldId, PrepareAnnouncement, PreparePart, PreparedPart};
use super::push::{ChannelView, Push};
use super::request::{Asked, Refused};
use super::services::Services;
use super::supervisor::Birth;
use crate::clock;
use crate::store::{InboxId, InboxRow, MemberRow, Revision, StateKind};

pub use messages::{Finalize, FinalizeChannel, SettlementFailed};

/// The most requests that wait while something is held: more would wait longer than their askers do.
const WAITING_MAX: usize = 32;

/// How many messages may wait for the actor: askers beyond that wait before they ask.
const MAILBOX: usize = 64;

/// The actor of one direct channel.
pub struct DirectChannelActor {
    services: Arc<Services>,
    channel: DirectChannel,
    /// The newest state handed over; `None` before the first.
    revision: Option<Revision>,
    pen: Pen<Waiting>,
    /// For whom something is held.
    hold: Option<HoldId>,
    jobs: VecDeque<Job>,
    _exit: ExitGuard,
}

/// What is done one after another.
#[derive(Debug)]
enum Job {
    Part(PreparePart, oneshot::Sender<Result<PreparedPart, Refused>>),
    Announcement(Box<PrepareAnnouncement>, oneshot::Sender<Result<PreparedPart, Refused>>),
    Finalize(Box<Asked<Finalize>>, oneshot::Sender<Result<Answer, Refused>>),
    Happened(InboxRow),
    SettlementFailed(Cause, oneshot::Sender<Result<(), Refused>>),
}

impl Job {
    /// For which preparation it is; `None` when it is for none.
    fn hold(&self) -> Option<HoldId> {
        match self {
            Self::Part(ask, _) => Some(ask.hold),
            Self::Announcement(ask, _) => Some(ask.hold),
            Self::Finalize(..) | Self::Happened(_) | Self::SettlementFailed(..) => None,
        }
    }
}

/// What waits until a commit is durable.
#[derive(Debug)]
struct Waiting {
    effects: Vec<DirectEffect>,
    reply: Reply,
}

/// Who waits for a commit, and with which answer.
#[derive(Debug)]
enum Reply {
    Nobody,
    Asker(oneshot::Sender<Result<Answer, Refused>>, Answer),
    Sender(oneshot::Sender<Result<(), Refused>>),
}

impl Reply {
    /// The commit is durable: answers whoever still waits.
    fn done(self) {
        match self {
            Self::Nobody => {}
            Self::Asker(reply, answer) => {
                let _gone = reply.send(Ok(answer));
            }
            Self::Sender(reply) => {
                let _gone = reply.send(Ok(()));
            }
        }
    }
}

impl DirectChannelActor {
    /// Starts the actor on the arbiter of the channel's owner.
    pub(super) fn start(channel: DirectChannel, birth: Birth) -> Addr<Self> {
        let owner = OwnerId::Channel(channel.id());
        let pen = birth.pen(owner);
        let Birth { services, registered, told, exit } = birth;
        let key = channel.owner().map_or(*channel.id().as_bytes(), |address| address.to_word());
        let arbiter = services.arbiter_of(&key).clone();
        Self::start_in_arbiter(&arbiter, move |ctx| {
            ctx.set_mailbox_capacity(MAILBOX);
            ctx.add_stream(told);
            let stored = registered.stored;
            Self {
                services,
                channel,
                revision: stored.state.map(|state| state.revision),
                pen,
                hold: None,
                jobs: stored.inbox.into_iter().map(Job::Happened).collect(),
                _exit: exit,
            }
        })
    }

    /// Queues something and does what can be done.
    fn queue(&mut self, job: Job, ctx: &mut Context<Self>) {
        self.jobs.push_back(job);
        self.work(ctx);
    }

    fn work(&mut self, ctx: &mut Context<Self>) {
        while self.hold.is_none()
            && let Some(job) = self.jobs.pop_front()
        {
            match job {
                Job::Part(ask, reply) => {
                    let event =
                        DirectEvent::Propose { request_hash: ask.request_hash, next: Box::new(ask.next) };
                    self.prepare(ask.hold, event, reply, ctx);
                }
                Job::Announcement(ask, reply) => {
                    let PrepareAnnouncement { hold, request_hash, token, amount, params, initial } = *ask;
                    let (params, initial) = (Box::new(params), Box::new(initial));
                    let event = DirectEvent::Announce { request_hash, token, amount, params, initial };
                    self.prepare(hold, event, reply, ctx);
                }
                Job::Finalize(asked, reply) => self.finalize(&asked, reply, ctx),
                Job::Happened(row) => self.happened(&row, ctx),
                Job::SettlementFailed(cause, reply) => self.settlement_failed(cause, reply, ctx),
            }
        }
    }

    /// Agrees to the end: decides, hands over, and answers when it is durable.
    fn finalize(
        &mut self,
        asked: &Asked<Finalize>,
        reply: oneshot::Sender<Result<Answer, Refused>>,
        ctx: &mut Context<Self>,
    ) {
        match self.decide_finalize(asked) {
            Ok((transition, permit, answer)) => {
                let encoded = answer.encode();
                let waiting =
                    Waiting { effects: transition.effects.clone(), reply: Reply::Asker(reply, answer) };
                self.hand_over(transition, Some((permit, encoded)), None, waiting, ctx);
            }
            Err(refused) => {
                let _gone = reply.send(Err(refused));
            }
        }
    }

    fn decide_finalize(&mut self, asked: &Asked<Finalize>) -> Result<Decided, Refused> {
        let (id, now) = (self.channel.id(), clock::now());
        if self.channel.owner() != Some(asked.by) {
            return Err(self.not_found());
        }
        let permit = asked.permit(self.pen.journal().permits(), now)?;
        let state = Box::new(asked.params.state.clone());
        let transition = self.channel.apply(DirectEvent::Finalize { state }, now)?;
        let states = transition.effects.iter().filter_map(cosigned);
        let answer = Answer::new(now, Outcome::Finalized { channel_id: id }, states);
        Ok((transition, permit, answer))
    }

    /// Takes in what happened on chain, and marks it as handled in the same commit.
    fn happened(&mut self, row: &InboxRow, ctx: &mut Context<Self>) {
        let event = match CustodyEvent::from_stored(&row.body) {
            Ok(event) => DirectEvent::Happened { key: row.key, event: Box::new(event) },
            Err(error) => {
                // The watcher decoded it before it wrote it: the row is damaged, and a person has to look.
                log::error!(channel_id:% = self.channel.id(), inbox_id:% = row.id, error:%; "a kept event cannot be read");
                return;
            }
        };
        match self.channel.apply(event, clock::now()) {
            Ok(transition) => {
                let (channel_id, EventKey { chain_id, tx_hash, .. }) = (self.channel.id(), row.key);
                log::info!(channel_id:%, chain_id:%, tx_hash:%, inbox_id:% = row.id; "an event is taken in");
                let waiting = Waiting { effects: transition.effects.clone(), reply: Reply::Nobody };
                self.hand_over(transition, None, Some(row.id), waiting, ctx);
            }
            Err(error) => {
                log::error!(channel_id:% = self.channel.id(), inbox_id:% = row.id, error:%; "an event was refused");
            }
        }
    }

    /// Gives up a settlement that finally cannot happen.
    fn settlement_failed(
        &mut self,
        cause: Cause,
        reply: oneshot::Sender<Result<(), Refused>>,
        ctx: &mut Context<Self>,
    ) {
        match self.channel.apply(DirectEvent::SettlementFailed { cause }, clock::now()) {
            // The refund may be on its way: until it is durable, nobody may rely on it.
            Ok(transition) if transition.transfers.is_empty() && !self.pen.is_quiet() => {
                let _gone = reply.send(Err(Refused::Unavailable));
            }
            Ok(transition) if transition.transfers.is_empty() => Reply::Sender(reply).done(),
            Ok(transition) => {
                let waiting = Waiting { effects: transition.effects.clone(), reply: Reply::Sender(reply) };
                self.hand_over(transition, None, None, waiting, ctx);
            }
            Err(error) => {
                let _gone = reply.send(Err(error.into()));
            }
        }
    }

    /// Hands over what the machine decided, together with its state.
    fn hand_over(
        &mut self,
        transition: Transition<DirectEffect>,
        answer: Option<(Permit, Vec<u8>)>,
        handled: Option<InboxId>,
        waiting: Waiting,
        ctx: &mut Context<Self>,
    ) {
        let mut commit = self.pen.begin();
        commit.transfers = transition.transfers;
        commit.states.push(self.next_row(self.channel.encode()));
        let channel = self.channel.id();
        commit.members.extend(self.channel.owner().map(|participant| MemberRow { participant, channel }));
        commit.handled.extend(handled);
        commit.answer = answer;
        self.revision = Some(self.revision.unwrap_or_default().next());
        if self.pen.hand_over(commit, waiting).is_err() {
            ctx.stop();
        }
    }

    fn next_row(&self, state: EncodedState) -> NewState {
        NewState {
            owner: OwnerId::Channel(self.channel.id()),
            replaces: self.revision,
            kind: StateKind::Direct,
            phase: state.phase,
            due_at: self.channel.deadline(),
            body: state.body,
        }
    }

    /// Does what the machine wants done, once it is durable. Each may happen twice.
    fn perform(&self, effects: Vec<DirectEffect>) {
        let id = self.channel.id();
        for effect in effects {
            match effect {
                // Who asked was answered at once.
                DirectEffect::Held(_) => {}
                DirectEffect::CoSign(agreed) => self.tell_owner(Push::Channel {
                    channel: Box::new(ChannelView::of(&self.channel)),
                    agreed: Some(Box::new(agreed)),
                }),
                DirectEffect::ChannelChanged => self.tell_owner(Push::Channel {
                    channel: Box::new(ChannelView::of(&self.channel)),
                    agreed: None,
                }),
                DirectEffect::SettlementEnded(end) => {
                    self.tell_owner(Push::Settlement { channel: id, end, at: clock::now() });
                }
                DirectEffect::NotCounted(reason @ (IgnoreReason::Unannounced | IgnoreReason::BrokerPays)) => {
                    log::error!(channel_id:% = id, reason:%; "the broker's own money may be in a channel that does not count");
                }
                DirectEffect::NotCounted(reason) => {
                    log::warn!(channel_id:% = id, reason:%; "a channel on chain does not count");
                }
                DirectEffect::Alarm(alarm) => {
                    log::error!(channel_id:% = id, alarm:?; "a direct channel needs attention");
                }
            }
        }
    }

    /// Tells the sessions of the channel's participant, if it has any.
    fn tell_owner(&self, push: Push) {
        let participant = self.channel.owner().and_then(|owner| self.services.directory.participant(owner));
        if let Some(participant) = participant {
            // A participant too busy to pass it on has sessions that are closed as slow.
            let _full = participant.try_send(push);
        }
    }
}

type Decided = (Transition<DirectEffect>, Permit, Answer);

fn cosigned(effect: &DirectEffect) -> Option<&DirectState> {
    match effect {
        DirectEffect::CoSign(agreed) => Some(&agreed.state),
        DirectEffect::Held(_)
        | DirectEffect::ChannelChanged
        | DirectEffect::SettlementEnded(_)
        | DirectEffect::NotCounted(_)
        | DirectEffect::Alarm(_) => None,
    }
}
