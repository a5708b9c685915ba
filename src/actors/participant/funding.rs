//! Money from nothing, in test mode: decided at once, since nobody pays it.

use actix::prelude::*;
use domain::channel::Machine as _;
use domain::ledger::Cause;

use super::requests::Decided;
use super::{Answer, Asked, Funding, ParticipantActor, ParticipantEvent, Preparation, Refused, Reply};
use crate::actors::answer::Outcome;
use crate::clock;

impl ParticipantActor {
    /// Gives wallet money to whom the request names.
    pub(super) fn fund(&mut self, asked: &Asked<Funding>, reply: Reply, ctx: &mut Context<Self>) {
        match self.check(asked).and_then(|()| self.decide_funding(asked)) {
            Ok(decided) => self.hand_over(decided, Preparation::begin(), |_| {}, reply, ctx),
            Err(refused) => self.refuse(asked, refused, reply),
        }
    }

    fn decide_funding(&mut self, asked: &Asked<Funding>) -> Result<Decided, Refused> {
        let now = clock::now();
        let permit = asked.permit(self.pen.journal().permits(), now)?;
        let (cause, Funding { to, amounts }) = (Cause::Request(asked.key()), asked.params.clone());
        let transition = self.participant.apply(ParticipantEvent::Fund { cause, to, amounts }, now)?;
        let outcome = Outcome::Moved { balances: self.balances_after(&transition, &[]) };
        Ok((transition, permit, Answer::new(now, outcome, [])))
    }
}
