//! What a direct channel does about what it is told: everything goes through its queue.

use actix::prelude::*;
use futures::FutureExt as _;
use futures::channel::oneshot;

use super::{
    DirectChannelActor, FinalizeChannel, FromJournal, Job, PrepareAnnouncement, PreparePart, PreparedPart,
    Refused, SettlementFailed, WAITING_MAX,
};
use crate::actors::answer::Answer;
use crate::actors::directory::{Directory, OwnerHandle};
use crate::actors::leaving::{Leave, Leaves, leave};
use crate::actors::prepare::Release;
use domain::channel::Machine as _;
use domain::channel::direct::DirectEvent;
use domain::ledger::OwnerId;
use domain::primitives::Timestamp;

impl Actor for DirectChannelActor {
    type Context = Context<Self>;

    /// Does again what the stored state still owes, then what happened while nobody was there.
    fn started(&mut self, ctx: &mut Context<Self>) {
        if let Ok(resumed) = self.channel.apply(DirectEvent::Resume, crate::clock::now()) {
            self.perform(resumed.effects);
        }
        self.work(ctx);
    }
}

impl DirectChannelActor {
    /// Queues a request whose answer comes later, unless too many wait.
    fn ask<T: 'static>(
        &mut self,
        job: impl FnOnce(oneshot::Sender<Result<T, Refused>>) -> Job,
        ctx: &mut Context<Self>,
    ) -> ResponseFuture<Result<T, Refused>> {
        if self.jobs.len() >= WAITING_MAX {
            return std::future::ready(Err(Refused::Overloaded)).boxed_local();
        }
        let (reply, answered) = oneshot::channel();
        self.queue(job(reply), ctx);
        answered.map(|answered| answered.unwrap_or(Err(Refused::Unavailable))).boxed_local()
    }
}

impl Handler<PreparePart> for DirectChannelActor {
    type Result = ResponseFuture<Result<PreparedPart, Refused>>;

    fn handle(&mut self, ask: PreparePart, ctx: &mut Context<Self>) -> Self::Result {
        // For whoever is not its participant the channel does not exist: no error tells of its state, and nothing of
        // theirs waits before what is its participant's (L12).
        if !self.is_owners(&ask.next) {
            return std::future::ready(Err(self.not_found())).boxed_local();
        }
        if let Err(refused) =
            self.services.read_chains.check(self.channel.terms().chain_id, crate::clock::now())
        {
            return std::future::ready(Err(refused)).boxed_local();
        }
        self.ask(|reply| Job::Part(ask, reply), ctx)
    }
}

impl Handler<PrepareAnnouncement> for DirectChannelActor {
    type Result = ResponseFuture<Result<PreparedPart, Refused>>;

    fn handle(&mut self, ask: PrepareAnnouncement, ctx: &mut Context<Self>) -> Self::Result {
        self.ask(|reply| Job::Announcement(Box::new(ask), reply), ctx)
    }
}

impl Handler<Release> for DirectChannelActor {
    type Result = ();

    fn handle(&mut self, Release { hold }: Release, ctx: &mut Context<Self>) {
        self.release(hold, ctx);
    }
}

impl Handler<FinalizeChannel> for DirectChannelActor {
    type Result = ResponseFuture<Result<Answer, Refused>>;

    fn handle(&mut self, ask: FinalizeChannel, ctx: &mut Context<Self>) -> Self::Result {
        // As for a next state (L12).
        if self.channel.owner() != Some(ask.asked.by) {
            return std::future::ready(Err(self.not_found())).boxed_local();
        }
        self.ask(|reply| Job::Finalize(ask.asked, reply), ctx)
    }
}

impl Handler<SettlementFailed> for DirectChannelActor {
    type Result = ResponseFuture<Result<(), Refused>>;

    fn handle(&mut self, ask: SettlementFailed, ctx: &mut Context<Self>) -> Self::Result {
        self.ask(|reply| Job::SettlementFailed(ask.cause, reply), ctx)
    }
}

impl Leaves for DirectChannelActor {
    fn owner(&self) -> OwnerId {
        OwnerId::Channel(self.channel.id())
    }

    fn directory(&self) -> &Directory {
        &self.services.directory
    }

    fn is_idle(&self, _: Timestamp) -> bool {
        self.pen.is_quiet() && self.hold.is_none() && self.jobs.is_empty()
    }

    fn end_incarnation(&self) {
        self.pen.leave();
    }

    fn handle(addr: Addr<Self>) -> OwnerHandle {
        OwnerHandle::Direct(addr)
    }
}

impl Handler<Leave> for DirectChannelActor {
    type Result = ResponseFuture<Option<OwnerHandle>>;

    fn handle(&mut self, ask: Leave, ctx: &mut Context<Self>) -> Self::Result {
        leave(self, ask, ctx)
    }
}

impl StreamHandler<FromJournal> for DirectChannelActor {
    fn handle(&mut self, word: FromJournal, ctx: &mut Context<Self>) {
        match word {
            FromJournal::Durable { upto } => {
                for waiting in self.pen.durable(upto) {
                    self.perform(waiting.effects);
                    waiting.reply.done();
                }
            }
            FromJournal::Lost { reason, .. } => {
                log::warn!(channel_id:% = self.channel.id(), reason:%; "a commit was lost, the channel is rebuilt");
                ctx.stop();
            }
            // What is posted to the channel's accounts is in its new state.
            FromJournal::Posted { state, .. } => {
                if let Some(row) = state {
                    self.adopt(&row, ctx);
                }
            }
            FromJournal::Happened { event } => self.queue(Job::Happened(event), ctx),
            FromJournal::Decided { .. } => {}
        }
    }

    /// The incarnation has ended: whoever needs the channel loads it again.
    fn finished(&mut self, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}
