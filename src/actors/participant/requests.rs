//! Payments and settlements: who is asked first, and what is decided then.

use std::collections::BTreeSet;
use std::sync::Arc;

use actix::prelude::*;
use domain::channel::{PartMove, Transition};
use domain::ledger::{AccountKey, AccountKind, Cause, Transfer};
use domain::participant::KeyUse;
use domain::primitives::{Amount, ChannelId};
use domain::protocol::method::get_ledger_balances::Balance;

use super::{
    Answer, Asked, Movements, Participant, ParticipantActor, ParticipantEffect, ParticipantEvent, Permit,
    Preparation, Refused, Reply, Settle, Waiting,
};
use crate::actors::answer::Outcome;
use crate::actors::chain_sender::creation;
use crate::actors::journal::Commit;
use crate::clock;
use crate::store::MemberRow;
use domain::channel::Machine as _;

/// A decision: what moves, the permit it was made under, and its answer.
pub(super) type Decided = (Transition<ParticipantEffect>, Permit, Answer);

impl ParticipantActor {
    /// Pays or anchors: at once when no channel moves, else when the channels hold their next states.
    pub(super) fn move_money(&mut self, asked: Asked<Movements>, reply: Reply, ctx: &mut Context<Self>) {
        if let Err(refused) = self.check(&asked) {
            let _gone = reply.send(Err(refused));
            return;
        }
        if asked.states.is_empty() {
            self.commit_movements(&asked, Ok(Preparation::begin()), reply, ctx);
            return;
        }
        let services = Arc::clone(&self.services);
        let prepared = async move {
            let mut preparation = Preparation::begin();
            let held = preparation.parts(&services, &asked.states, asked.hash()).await;
            (asked, held.map(|()| preparation))
        };
        self.asking += 1;
        ctx.spawn(prepared.into_actor(self).map(move |(asked, held), act, ctx| {
            act.asking -= 1;
            act.commit_movements(&asked, held, reply, ctx);
        }));
    }

    /// Decides and hands over, without waiting in between.
    fn commit_movements(
        &mut self,
        asked: &Asked<Movements>,
        held: Result<Preparation, Refused>,
        reply: Reply,
        ctx: &mut Context<Self>,
    ) {
        let decided =
            held.and_then(|preparation| Ok((self.decide_movements(asked, &preparation)?, preparation)));
        match decided {
            Ok((decided, preparation)) => self.hand_over(decided, preparation, |_| {}, reply, ctx),
            Err(refused) => self.refuse(asked, refused, reply),
        }
    }

    fn decide_movements(
        &mut self,
        asked: &Asked<Movements>,
        preparation: &Preparation,
    ) -> Result<Decided, Refused> {
        let now = clock::now();
        preparation.check_in_time()?;
        let permit = asked.permit(self.pen.journal().permits(), now)?;
        let (cause, parts) = (Cause::Request(asked.key()), preparation.part_moves());
        let Movements { to, payments } = &asked.params;
        let event = match to {
            Some(to) => ParticipantEvent::Pay { cause, to: *to, payments: payments.clone(), parts },
            None => ParticipantEvent::Anchor { cause, parts },
        };
        let key = asked.request.signers().key_of(asked.by).map(|key| (key, KeyUse::Transfer));
        let event = self.as_asked_by(key, payments, event)?;
        let transition = self.participant.apply(event, now)?;
        let outcome =
            Outcome::Moved { balances: self.balances_after(&transition, &preparation.part_moves()) };
        let states = asked.states.iter().map(|state| state.body());
        Ok((transition, permit, Answer::new(now, outcome, states)))
    }

    /// The participant's own accounts that a decision moved, after it.
    pub(super) fn balances_after(
        &self,
        transition: &Transition<ParticipantEffect>,
        parts: &[PartMove],
    ) -> Vec<Balance> {
        let entries = transition.transfers.iter().flat_map(Transfer::entries);
        let own: BTreeSet<AccountKey> = entries
            .map(|entry| entry.account)
            .filter(|account| account.participant() == self.participant.address())
            .collect();
        let amount_of = |account: &AccountKey| match account.kind() {
            AccountKind::Direct => {
                let part = parts.iter().find(|part| part.channel == account.channel());
                part.map_or(Amount::ZERO, |part| part.after)
            }
            AccountKind::Wallet
            | AccountKind::Virtual
            | AccountKind::Settling
            | AccountKind::Broker
            | AccountKind::Custody
            | AccountKind::Shortfall
            | AccountKind::Faucet => self.participant.balance(account.token()),
        };
        own.iter().filter_map(|account| Balance::of(account, amount_of(account))).collect()
    }

    /// Sets wallet money aside for a channel that the broker creates: the channel and the network's sender
    /// hold their share first.
    pub(super) fn settle(&mut self, asked: Asked<Settle>, reply: Reply, ctx: &mut Context<Self>) {
        let checked = self.check(&asked).and_then(|()| try_settle(&self.participant, &asked));
        if let Err(refused) = checked {
            let _gone = reply.send(Err(refused));
            return;
        }
        let services = Arc::clone(&self.services);
        let prepared = async move {
            let Settle { token, amount, params, initial } = asked.params.clone();
            let mut preparation = Preparation::begin();
            let held = async {
                let channel = params.channel_id();
                preparation.announcement(&services, asked.hash(), (token, amount), params, initial).await?;
                preparation.liquidity(&services, (channel, asked.by), token, amount).await
            };
            let held = held.await;
            (asked, held.map(|()| preparation))
        };
        self.asking += 1;
        ctx.spawn(prepared.into_actor(self).map(move |(asked, held), act, ctx| {
            act.asking -= 1;
            let Settle { params, initial, .. } = &asked.params;
            let (participant, channel) = (asked.by, params.channel_id());
            let decided = held.and_then(|preparation| {
                preparation.check_in_time()?;
                let outbox = creation(params, initial, participant).ok_or(Refused::Unavailable)?;
                Ok((act.decide_settlement(&asked)?, preparation, outbox))
            });
            match decided {
                Ok((decided, preparation, outbox)) => {
                    let complete = move |commit: &mut Commit| {
                        commit.members.push(MemberRow { participant, channel });
                        commit.outbox.push(outbox);
                    };
                    act.hand_over(decided, preparation, complete, reply, ctx);
                }
                Err(refused) => act.refuse(&asked, refused, reply),
            }
        }));
    }

    fn decide_settlement(&mut self, asked: &Asked<Settle>) -> Result<Decided, Refused> {
        let now = clock::now();
        let permit = asked.permit(self.pen.journal().permits(), now)?;
        let (event, channel_id) = settlement_of(asked);
        let transition = self.participant.apply(event, now)?;
        Ok((transition, permit, Answer::new(now, Outcome::Settling { channel_id }, [])))
    }

    pub(super) fn hand_over(
        &mut self,
        (transition, permit, answer): Decided,
        preparation: Preparation,
        complete: impl FnOnce(&mut Commit),
        reply: Reply,
        ctx: &mut Context<Self>,
    ) {
        let mut commit = self.pen.begin();
        commit.transfers = transition.transfers;
        commit.answer = Some((permit, answer.encode()));
        preparation.spend(&mut commit);
        if transition.effects.contains(&ParticipantEffect::KeysChanged) {
            commit.states.push(self.row_of(self.participant.keys()));
            self.revision = Some(self.revision.unwrap_or_default().next());
        }
        complete(&mut commit);
        let waiting = Waiting { effects: transition.effects, reply, answer };
        if self.pen.hand_over(commit, waiting).is_err() {
            ctx.stop();
        }
    }

    /// A request comes through a session of this participant; a repeat is not judged by what the first has changed.
    pub(super) fn check<P>(&self, asked: &Asked<P>) -> Result<(), Refused> {
        debug_assert_eq!(asked.by, self.participant.address(), "sessions ask their own participant");
        asked.check_new(self.pen.journal().permits())
    }

    pub(super) fn refuse<P>(&self, asked: &Asked<P>, refused: Refused, reply: Reply) {
        let refused = asked.check_new(self.pen.journal().permits()).err().unwrap_or(refused);
        let _gone = reply.send(Err(refused));
    }
}

fn settlement_of(asked: &Asked<Settle>) -> (ParticipantEvent, ChannelId) {
    let Settle { token, amount, params, .. } = &asked.params;
    let (cause, channel) = (Cause::Request(asked.key()), params.channel_id());
    (ParticipantEvent::Settle { cause, token: *token, amount: *amount, channel }, channel)
}

/// Refuses a settlement that the wallet cannot pay before anybody is asked to hold anything.
fn try_settle(participant: &Participant, asked: &Asked<Settle>) -> Result<(), Refused> {
    participant.clone().apply(settlement_of(asked).0, clock::now())?;
    Ok(())
}
