//! What the supervisor does about what it is told.

use actix::prelude::*;
use futures::channel::oneshot;
use futures::{FutureExt as _, StreamExt as _};

use super::due::DUE_INTERVAL;
use super::passivation::LOOK_INTERVAL;
use super::{
    Exited, FromJournal, LetLeave, Load, OpenVirtualChannel, REBIRTH_DELAY, Refused, SupervisorActor, Wake,
};
use crate::actors::answer::Answer;
use crate::actors::directory::OwnerHandle;
use crate::clock;

impl Actor for SupervisorActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.run_interval(DUE_INTERVAL, Self::wake_due);
        ctx.run_interval(LOOK_INTERVAL, |act, ctx| drop(act.let_leave(clock::now(), ctx)));
    }
}

impl Handler<Load> for SupervisorActor {
    type Result = ResponseFuture<Result<OwnerHandle, Refused>>;

    fn handle(&mut self, Load { owner, new_on }: Load, ctx: &mut Context<Self>) -> Self::Result {
        let (reply, loaded) = oneshot::channel();
        self.load(owner, new_on, Some(reply), ctx);
        loaded.map(|loaded| loaded.unwrap_or(Err(Refused::Unavailable))).boxed_local()
    }
}

impl Handler<Wake> for SupervisorActor {
    type Result = ();

    fn handle(&mut self, Wake { owners }: Wake, ctx: &mut Context<Self>) {
        for owner in owners {
            self.load(owner, None, None, ctx);
        }
    }
}

impl Handler<LetLeave> for SupervisorActor {
    type Result = ResponseFuture<usize>;

    fn handle(&mut self, LetLeave { now }: LetLeave, ctx: &mut Context<Self>) -> Self::Result {
        self.let_leave(now, ctx).count().boxed_local()
    }
}

impl Handler<Exited> for SupervisorActor {
    type Result = ();

    /// Loads it again, in case it had something to do: what it had not finished is in the store. Who never came
    /// to life, as a channel that does not exist, is not tried again: that would never end.
    fn handle(&mut self, Exited { owner }: Exited, ctx: &mut Context<Self>) {
        if self.services.directory.remove_ended(owner) {
            ctx.run_later(REBIRTH_DELAY, move |act, ctx| act.load(owner, None, None, ctx));
        }
    }
}

impl Handler<OpenVirtualChannel> for SupervisorActor {
    type Result = ResponseActFuture<Self, Result<Answer, Refused>>;

    fn handle(&mut self, ask: OpenVirtualChannel, _: &mut Context<Self>) -> Self::Result {
        self.open_virtual_channel(*ask.asked)
    }
}

impl StreamHandler<FromJournal> for SupervisorActor {
    fn handle(&mut self, word: FromJournal, _: &mut Context<Self>) {
        match word {
            FromJournal::Durable { upto } => {
                for waits in self.pen.durable(upto) {
                    let _gone = waits.send(Ok(()));
                }
            }
            // The supervisor loses only the one commit: whoever waited for it hears so.
            FromJournal::Lost { from, reason } => {
                log::warn!(reason:%; "an opening was lost");
                if let Some(waits) = self.pen.lost(from) {
                    let _gone = waits.send(Err(Refused::Unavailable));
                }
            }
            FromJournal::Posted { .. } | FromJournal::Happened { .. } | FromJournal::Decided { .. } => {}
        }
    }

    /// The journal is gone: openings cannot be written any more, and the process is about to end.
    fn finished(&mut self, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}
