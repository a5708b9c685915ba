//! What a participant's actor does about what it is told.

use actix::prelude::*;
use futures::FutureExt as _;
use futures::channel::oneshot;

use domain::ledger::OwnerId;
use domain::primitives::Timestamp;

use super::{
    Answer, Attach, ChangeKeys, Detach, FromJournal, FundWallet, HasSessions, KEY_SESSIONS_MAX, Listener,
    MoveMoney, NextNonce, NotAttached, ParticipantActor, PrepareDebit, PreparedDebit, Push, Refused, Reply,
    SESSIONS_MAX, SettleWallet,
};
use crate::actors::directory::{Directory, OwnerHandle};
use crate::actors::leaving::{Leave, Leaves, leave};
use crate::actors::prepare::Release;
use crate::clock;

impl Actor for ParticipantActor {
    type Context = Context<Self>;
}

/// An answer that comes later.
fn later() -> (Reply, ResponseFuture<Result<Answer, Refused>>) {
    let (reply, answered) = oneshot::channel();
    (reply, answered.map(|answered| answered.unwrap_or(Err(Refused::Unavailable))).boxed_local())
}

impl Handler<MoveMoney> for ParticipantActor {
    type Result = ResponseFuture<Result<Answer, Refused>>;

    fn handle(&mut self, ask: MoveMoney, ctx: &mut Context<Self>) -> Self::Result {
        let (reply, answered) = later();
        self.move_money(*ask.asked, reply, ctx);
        answered
    }
}

impl Handler<SettleWallet> for ParticipantActor {
    type Result = ResponseFuture<Result<Answer, Refused>>;

    fn handle(&mut self, ask: SettleWallet, ctx: &mut Context<Self>) -> Self::Result {
        let (reply, answered) = later();
        self.settle(*ask.asked, reply, ctx);
        answered
    }
}

impl Handler<ChangeKeys> for ParticipantActor {
    type Result = ResponseFuture<Result<Answer, Refused>>;

    fn handle(&mut self, ask: ChangeKeys, ctx: &mut Context<Self>) -> Self::Result {
        let (reply, answered) = later();
        self.change_keys(ask.asked, reply, ctx);
        answered
    }
}

impl Handler<FundWallet> for ParticipantActor {
    type Result = ResponseFuture<Result<Answer, Refused>>;

    fn handle(&mut self, ask: FundWallet, ctx: &mut Context<Self>) -> Self::Result {
        let (reply, answered) = later();
        self.fund(&ask.asked, reply, ctx);
        answered
    }
}

impl Handler<PrepareDebit> for ParticipantActor {
    type Result = Result<PreparedDebit, Refused>;

    fn handle(&mut self, ask: PrepareDebit, ctx: &mut Context<Self>) -> Self::Result {
        self.hold(ask, ctx)
    }
}

impl Handler<Release> for ParticipantActor {
    type Result = ();

    fn handle(&mut self, Release { hold }: Release, ctx: &mut Context<Self>) {
        self.release(hold, ctx);
    }
}

impl Handler<NextNonce> for ParticipantActor {
    type Result = u64;

    fn handle(&mut self, _: NextNonce, _: &mut Context<Self>) -> u64 {
        self.participant.next_nonce(clock::now())
    }
}

impl Handler<HasSessions> for ParticipantActor {
    type Result = bool;

    fn handle(&mut self, _: HasSessions, _: &mut Context<Self>) -> bool {
        self.sessions.values().any(|listener| listener.tell.is_connected())
    }
}

impl Handler<Attach> for ParticipantActor {
    type Result = Result<(), NotAttached>;

    fn handle(&mut self, Attach { session, tell, key }: Attach, _: &mut Context<Self>) -> Self::Result {
        if let Some(key) = key.filter(|key| !self.has_key(*key, clock::now())) {
            return Err(NotAttached::KeyEnded { key });
        }
        self.sessions.retain(|_, listener| listener.tell.is_connected());
        let max = if key.is_some() { KEY_SESSIONS_MAX } else { SESSIONS_MAX };
        let is_of_key = key.is_some();
        let alike = self.sessions.iter().filter(|(id, _)| **id != session);
        let alike = alike.filter(|(_, other)| other.key.is_some() == is_of_key);
        if alike.count() >= max {
            return Err(NotAttached::TooManySessions { max });
        }
        self.sessions.insert(session, Listener { tell, key });
        Ok(())
    }
}

impl Handler<Detach> for ParticipantActor {
    type Result = ();

    fn handle(&mut self, Detach { session }: Detach, _: &mut Context<Self>) {
        self.sessions.remove(&session);
    }
}

/// What owners of the participant's channels want its sessions to know.
impl Handler<Push> for ParticipantActor {
    type Result = ();

    fn handle(&mut self, push: Push, _: &mut Context<Self>) {
        self.tell(&push);
    }
}

impl Leaves for ParticipantActor {
    fn owner(&self) -> OwnerId {
        OwnerId::Participant(self.participant.address())
    }

    fn directory(&self) -> &Directory {
        &self.services.directory
    }

    fn is_idle(&self, now: Timestamp) -> bool {
        let is_waiting = !self.holds.is_empty() || !self.revocations.is_empty();
        let is_working = self.asking > 0 || is_waiting || !self.pen.is_quiet();
        let has_sessions = self.sessions.values().any(|listener| listener.tell.is_connected());
        // The next incarnation gives nonces by the time alone.
        !is_working && !has_sessions && !self.participant.has_given_nonce_of(now)
    }

    fn end_incarnation(&self) {
        self.pen.leave();
    }

    fn handle(addr: Addr<Self>) -> OwnerHandle {
        OwnerHandle::Participant(addr)
    }
}

impl Handler<Leave> for ParticipantActor {
    type Result = ResponseFuture<Option<OwnerHandle>>;

    fn handle(&mut self, ask: Leave, ctx: &mut Context<Self>) -> Self::Result {
        leave(self, ask, ctx)
    }
}

impl StreamHandler<FromJournal> for ParticipantActor {
    fn handle(&mut self, word: FromJournal, ctx: &mut Context<Self>) {
        match word {
            FromJournal::Durable { upto } => {
                for waiting in self.pen.durable(upto) {
                    self.perform(&waiting.effects);
                    let _gone = waiting.reply.send(Ok(waiting.answer));
                }
            }
            FromJournal::Lost { reason, .. } => self.end(&reason, ctx),
            FromJournal::Posted { accounts, state } => {
                self.posted(&accounts, state.is_some(), ctx);
                if let Some(row) = state {
                    self.adopt(&row, ctx);
                }
            }
            FromJournal::Happened { event } => {
                log::error!(inbox_id:% = event.id; "a chain event names a participant: it belongs to a channel");
            }
            FromJournal::Decided { .. } => {}
        }
    }

    /// The incarnation has ended: whoever needs the participant loads it again.
    fn finished(&mut self, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}
