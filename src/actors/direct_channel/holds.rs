//! Next states that a channel holds for the commits of others.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use domain::channel::Machine as _;
use domain::channel::direct::{DirectChannel, DirectEffect, DirectEvent, Held};
use domain::crypto::{DirectState, Signed};
use domain::ledger::OwnerId;
use futures::channel::oneshot;

use super::{DirectChannelActor, HOLD_MILLIS_MAX, HoldId, PreparedPart, Refused};
use crate::clock;
use crate::store::StateRow;

impl DirectChannelActor {
    /// Holds a next state for somebody's commit.
    pub(super) fn prepare(
        &mut self,
        hold: HoldId,
        event: DirectEvent,
        reply: oneshot::Sender<Result<PreparedPart, Refused>>,
        ctx: &mut Context<Self>,
    ) {
        if reply.is_canceled() {
            return;
        }
        let held = self.channel.apply(event, clock::now()).map(|transition| held_of(transition.effects));
        let answer = match held {
            Ok(Some(held)) => {
                let Held { part, next, .. } = held;
                let incarnation = self.pen.incarnation();
                let state = self.next_row(next);
                Ok(PreparedPart { incarnation, channel: self.channel.id(), part, state })
            }
            Ok(None) => Err(Refused::Unavailable),
            Err(error) => Err(error.into()),
        };
        if answer.is_ok() {
            self.hold = Some(hold);
            let pause = Duration::from_millis(HOLD_MILLIS_MAX);
            ctx.run_later(pause, move |act, ctx| act.release(hold, ctx));
        }
        let is_held = answer.is_ok();
        if reply.send(answer).is_err() {
            self.release(hold, ctx);
        } else if !is_held {
            self.end_unless_known(ctx);
        }
    }

    /// Ends the actor of a channel that has not come into being: what was refused leaves nothing behind.
    fn end_unless_known(&mut self, ctx: &mut Context<Self>) {
        let is_unknown = self.revision.is_none() && self.hold.is_none() && self.jobs.is_empty();
        if is_unknown && self.pen.is_quiet() {
            self.pen.leave();
            ctx.stop();
        }
    }

    /// Whether the channel's participant signed this state.
    pub(super) fn is_owners(&self, state: &Signed<DirectState>) -> bool {
        self.channel.owner().is_some_and(|owner| state.signers().contains(owner))
    }

    pub(super) fn not_found(&self) -> Refused {
        Refused::NotFound { owner: OwnerId::Channel(self.channel.id()) }
    }

    /// Gives up what is held for a preparation that ended without a commit.
    pub(super) fn release(&mut self, hold: HoldId, ctx: &mut Context<Self>) {
        // What was asked for it and not done yet is wanted no more.
        self.jobs.retain(|job| job.hold() != Some(hold));
        if self.hold != Some(hold) {
            return;
        }
        self.hold = None;
        if let Some(held) = self.channel.held() {
            let request_hash = held.request_hash;
            // Releasing never fails: what is not held is not released.
            let _released = self.channel.apply(DirectEvent::Release { request_hash }, clock::now());
        }
        self.work(ctx);
        self.end_unless_known(ctx);
    }

    /// Somebody's commit for which this channel held its next state is durable: that is its state.
    pub(super) fn adopt(&mut self, row: &StateRow, ctx: &mut Context<Self>) {
        let terms = Arc::clone(self.channel.terms());
        match DirectChannel::decode(self.channel.id(), terms, &row.body) {
            Ok(channel) => {
                self.channel = channel;
                self.revision = Some(row.revision);
                self.hold = None;
                let owed = self.channel.current().map(DirectEffect::CoSign);
                self.perform(owed.into_iter().collect());
                self.work(ctx);
            }
            Err(error) => {
                log::error!(channel_id:% = self.channel.id(), error:%; "a posted state cannot be read");
                ctx.stop();
            }
        }
    }
}

fn held_of(effects: Vec<DirectEffect>) -> Option<Held> {
    effects.into_iter().find_map(|effect| match effect {
        DirectEffect::Held(held) => Some(held),
        DirectEffect::CoSign(_)
        | DirectEffect::ChannelChanged
        | DirectEffect::SettlementEnded(_)
        | DirectEffect::NotCounted(_)
        | DirectEffect::Alarm(_) => None,
    })
}
