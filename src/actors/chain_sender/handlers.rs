//! What a sender does about what it is told.

use actix::prelude::*;
use domain::ledger::Side;
use domain::primitives::Amount;

use super::{
    ChainSenderActor, FromJournal, Incarnation, LOOK_INTERVAL, PrepareLiquidity, Refused, Release, Waiting,
};

impl Actor for ChainSenderActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.read_open(ctx);
        ctx.run_interval(LOOK_INTERVAL, |act, ctx| act.look(ctx));
    }
}

impl Handler<PrepareLiquidity> for ChainSenderActor {
    type Result = ResponseActFuture<Self, Result<Incarnation, Refused>>;

    fn handle(&mut self, ask: PrepareLiquidity, _: &mut Context<Self>) -> Self::Result {
        self.promise(ask)
    }
}

impl Handler<Release> for ChainSenderActor {
    type Result = ();

    fn handle(&mut self, Release { hold }: Release, _: &mut Context<Self>) {
        self.holds.remove(&hold);
    }
}

impl StreamHandler<FromJournal> for ChainSenderActor {
    fn handle(&mut self, word: FromJournal, ctx: &mut Context<Self>) {
        match word {
            FromJournal::Durable { upto } => {
                for waiting in self.pen.durable(upto) {
                    match waiting {
                        Waiting::Send(id) => self.send(id, ctx),
                        Waiting::Nothing => {}
                    }
                }
            }
            FromJournal::Lost { reason, .. } => {
                log::error!(chain_id:% = self.chain_id, reason:%; "a commit was lost, the sender is rebuilt");
                ctx.stop();
            }
            // Only credits are posted by others: nobody else may take from the broker's own means.
            FromJournal::Posted { accounts, .. } => {
                for posted in accounts {
                    let credits = posted.postings.iter().filter(|posting| posting.side() == Side::Credit);
                    let balance = self.balances.entry(posted.account.token()).or_default();
                    let sum = credits.map(|posting| posting.amount()).chain([*balance]);
                    *balance = Amount::checked_sum(sum).unwrap_or(Amount::MAX);
                }
            }
            FromJournal::Happened { event } => self.happened(&event, ctx),
            FromJournal::Decided { row } => {
                self.decided(&row);
                self.look(ctx);
            }
        }
    }

    /// The incarnation has ended: the supervisor brings the sender back.
    fn finished(&mut self, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}
