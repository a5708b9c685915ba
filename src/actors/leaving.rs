//! How an owner's actor leaves when nobody needs it (ADR 16).
//!
//! It takes itself out of the directory, so that nobody finds it any more, and goes on as before until nobody
//! holds its address either and everything that was sent to it is done. Only then it ends. Whoever looks for the
//! owner meanwhile waits at the supervisor. Deliberately absent: who is asked to leave, and when (the supervisor).

use std::time::Duration;

use actix::prelude::*;
use domain::ledger::OwnerId;
use domain::primitives::Timestamp;
use futures::FutureExt as _;
use futures::channel::oneshot;

use super::directory::{Directory, OwnerHandle};

/// How long the actor waits between two looks around: as short as timers are, because somebody may be waiting for
/// it to be gone.
const LOOK_INTERVAL: Duration = Duration::from_millis(1);

/// After how many looks it stays, because somebody holds its address without needing it: bounds how long those who
/// look for it meanwhile wait.
const LOOKS_MAX: u32 = 50;

/// Asks an owner's actor to leave, if nothing is lost by it.
///
/// From the supervisor, which brings nobody to life for this owner until it has the answer: where the actor lives,
/// if it stays; `None` when it has ended its incarnation and is gone.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Option<OwnerHandle>")]
pub struct Leave {
    /// The time by which everything is judged.
    pub now: Timestamp,
    /// It stays when somebody has looked for it since.
    pub unused_since: Timestamp,
}

/// An actor that leaves when nobody needs it.
pub(super) trait Leaves: Actor<Context = Context<Self>> {
    /// Whose actor it is.
    fn owner(&self) -> OwnerId;

    /// Where it is found.
    fn directory(&self) -> &Directory;

    /// Whether nothing is lost when it ends: nothing in flight, held or waiting, and nobody is to be told things.
    fn is_idle(&self, now: Timestamp) -> bool;

    /// Tells the journal that its incarnation ends.
    fn end_incarnation(&self);

    /// Where it lives.
    fn handle(addr: Addr<Self>) -> OwnerHandle;
}

/// Does as a [`Leave`] asks.
pub(super) fn leave<A: Leaves>(
    actor: &A,
    Leave { now, unused_since }: Leave,
    ctx: &mut Context<A>,
) -> ResponseFuture<Option<OwnerHandle>> {
    let (stays, answered) = oneshot::channel();
    if actor.is_idle(now) && actor.directory().take_out(actor.owner(), unused_since) {
        look_around(Leaving { now, stays, looks: 0, was_alone: false }, ctx);
    } else {
        stay(stays, ctx);
    }
    answered.map(Result::ok).boxed_local()
}

/// How far an actor that leaves has come.
struct Leaving {
    now: Timestamp,
    /// Where to say that it stays; dropped when it is gone.
    stays: oneshot::Sender<OwnerHandle>,
    looks: u32,
    /// Whether nobody held its address at the look before.
    was_alone: bool,
}

/// Ends when nobody holds the address at two looks in a row: what was sent before the first was done before the second,
/// because an actor takes everything out of its mailbox before it looks at its timers. What comes meanwhile is done as
/// always, and keeps the actor if it is not over at once.
fn look_around<A: Leaves>(leaving: Leaving, ctx: &mut Context<A>) {
    ctx.run_later(LOOK_INTERVAL, move |actor, ctx| {
        let Leaving { now, stays, looks, was_alone } = leaving;
        let is_alone = !ctx.connected();
        if !actor.is_idle(now) || looks >= LOOKS_MAX {
            stay(stays, ctx);
        } else if is_alone && was_alone {
            actor.end_incarnation();
            ctx.stop();
        } else {
            look_around(Leaving { now, stays, looks: looks + 1, was_alone: is_alone }, ctx);
        }
    });
}

fn stay<A: Leaves>(stays: oneshot::Sender<OwnerHandle>, ctx: &Context<A>) {
    // A supervisor that has panicked meanwhile does not enter it again: it ends when the next incarnation begins.
    let _gone = stays.send(A::handle(ctx.address()));
}

#[cfg(test)]
mod tests;
