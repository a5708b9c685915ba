//! What a virtual channel does about what it is told.

use actix::prelude::*;
use futures::FutureExt as _;
use futures::channel::oneshot;

use domain::channel::virtual_channel::Phase;
use domain::ledger::OwnerId;
use domain::primitives::Timestamp;

use super::{
    AskVirtualChannel, CallInRoom, FromJournal, Job, MayCall, Publish, Published, Refused, RoomRefused,
    Subscribe, Subscribed, Unsubscribe, VirtualChannelActor, WAITING_MAX, Wish,
};
use crate::actors::answer::Answer;
use crate::actors::directory::{Directory, OwnerHandle};
use crate::actors::leaving::{Leave, Leaves, leave};

impl Actor for VirtualChannelActor {
    type Context = Context<Self>;

    /// Does what became due while nobody was there, and sets the timer.
    fn started(&mut self, ctx: &mut Context<Self>) {
        self.tick(ctx);
    }
}

impl Handler<AskVirtualChannel> for VirtualChannelActor {
    type Result = ResponseFuture<Result<Answer, Refused>>;

    /// Queues a request whose answer comes later, unless too many wait. The end of a proposal goes before everything that
    /// waits: nobody keeps the other's money by asking for more.
    fn handle(
        &mut self,
        AskVirtualChannel { asked }: AskVirtualChannel,
        ctx: &mut Context<Self>,
    ) -> Self::Result {
        let (reply, answered) = oneshot::channel();
        if matches!(asked.params, Wish::Decline) {
            self.decline(&asked, reply, ctx);
        } else if self.jobs.len() >= WAITING_MAX {
            return std::future::ready(Err(Refused::Overloaded)).boxed_local();
        } else {
            self.queue(Job { asked, reply }, ctx);
        }
        answered.map(|answered| answered.unwrap_or(Err(Refused::Unavailable))).boxed_local()
    }
}

impl Handler<Subscribe> for VirtualChannelActor {
    type Result = Result<Subscribed, RoomRefused>;

    fn handle(&mut self, ask: Subscribe, _: &mut Context<Self>) -> Self::Result {
        self.subscribe(ask)
    }
}

impl Handler<Unsubscribe> for VirtualChannelActor {
    type Result = ();

    fn handle(&mut self, Unsubscribe { session }: Unsubscribe, _: &mut Context<Self>) {
        self.unsubscribe(session);
    }
}

impl Handler<Publish> for VirtualChannelActor {
    type Result = Result<Published, RoomRefused>;

    fn handle(&mut self, ask: Publish, _: &mut Context<Self>) -> Self::Result {
        self.publish(&ask)
    }
}

impl Handler<MayCall> for VirtualChannelActor {
    type Result = Result<(), RoomRefused>;

    fn handle(&mut self, ask: MayCall, _: &mut Context<Self>) -> Self::Result {
        self.may_call(ask)
    }
}

impl Handler<CallInRoom> for VirtualChannelActor {
    type Result = Result<Published, RoomRefused>;

    fn handle(&mut self, ask: CallInRoom, _: &mut Context<Self>) -> Self::Result {
        self.call(&ask)
    }
}

impl Leaves for VirtualChannelActor {
    fn owner(&self) -> OwnerId {
        OwnerId::Channel(self.channel.id())
    }

    fn directory(&self) -> &Directory {
        &self.services.directory
    }

    /// The actor of a proposal looks after its Host.
    fn is_idle(&self, now: Timestamp) -> bool {
        let is_working = self.is_asking || !self.jobs.is_empty() || !self.pen.is_quiet();
        !is_working && self.channel.phase() != Phase::Proposed && !self.is_room_needed(now)
    }

    fn end_incarnation(&self) {
        self.pen.leave();
    }

    fn handle(addr: Addr<Self>) -> OwnerHandle {
        OwnerHandle::Virtual(addr)
    }
}

impl Handler<Leave> for VirtualChannelActor {
    type Result = ResponseFuture<Option<OwnerHandle>>;

    fn handle(&mut self, ask: Leave, ctx: &mut Context<Self>) -> Self::Result {
        leave(self, ask, ctx)
    }
}

impl StreamHandler<FromJournal> for VirtualChannelActor {
    fn handle(&mut self, word: FromJournal, ctx: &mut Context<Self>) {
        match word {
            FromJournal::Durable { upto } => {
                for waiting in self.pen.durable(upto) {
                    self.perform(waiting.effects);
                    if let Some((reply, answer)) = waiting.reply {
                        let _gone = reply.send(answer);
                    }
                }
            }
            FromJournal::Lost { reason, .. } => {
                log::warn!(channel_id:% = self.channel.id(), reason:%; "a commit was lost, the channel is rebuilt");
                ctx.stop();
            }
            // Nobody else posts to a virtual channel, and the chain does not know it.
            FromJournal::Posted { .. } | FromJournal::Happened { .. } | FromJournal::Decided { .. } => {
                log::error!(channel_id:% = self.channel.id(); "somebody else wrote a virtual channel's state");
                ctx.stop();
            }
        }
    }

    /// The incarnation has ended: whoever needs the channel loads it again.
    fn finished(&mut self, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}
