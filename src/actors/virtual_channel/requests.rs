//! Requests about money, one after another: what needs nobody else is decided at once, the rest when everybody
//! concerned holds its share.

use std::collections::BTreeSet;
use std::sync::Arc;

use actix::prelude::*;
use domain::channel::virtual_channel::{Acceptance, Close, Phase, Update, VirtualChannelEvent};
use domain::channel::{Machine as _, PartMove, Transition};
use domain::crypto::VirtualIntent;
use domain::ledger::OwnerId;
use domain::participant::KeyUse;
use domain::primitives::Address;

use super::{Asked, Job, NextState, Preparation, Refused, Reply, VirtualChannelActor, Waiting, Wish};
use crate::actors::answer::{Answer, Outcome};
use crate::actors::journal::Permit;
use crate::actors::services::EXPIRY_WINDOW_SECS;
use crate::clock;
use domain::channel::virtual_channel::VirtualChannelEffect;

/// A decision: what moves, the permit it was made under, and its answer.
type Decided = (Transition<VirtualChannelEffect>, Permit, Answer);

/// A request for which others are asked to hold their share.
struct Asking {
    asked: Box<Asked<Wish>>,
    reply: Reply,
    preparation: Preparation,
    /// Those of the members that have a direct channel, where that is asked for.
    with_direct_channel: BTreeSet<Address>,
}

impl VirtualChannelActor {
    /// Queues a request about money.
    pub(super) fn queue(&mut self, job: Job, ctx: &mut Context<Self>) {
        self.jobs.push_back(job);
        self.work(ctx);
    }

    fn work(&mut self, ctx: &mut Context<Self>) {
        while !self.is_asking
            && let Some(Job { asked, reply }) = self.jobs.pop_front()
        {
            if let Err(refused) = self.check(&asked) {
                self.refuse(refused, reply);
            } else if asked.params.concerns_others() {
                self.ask_others(asked, reply, ctx);
            } else {
                let decided = self.decide(&asked, Vec::new(), BTreeSet::new());
                self.conclude(&asked, decided.map(|decided| (decided, None)), reply, ctx);
            }
        }
    }

    /// Ends a proposal at once: whoever asks others meanwhile is judged again.
    pub(super) fn decline(&mut self, asked: &Asked<Wish>, reply: Reply, ctx: &mut Context<Self>) {
        let decided = self.check(asked).and_then(|()| self.decide(asked, Vec::new(), BTreeSet::new()));
        self.conclude(asked, decided.map(|decided| (decided, None)), reply, ctx);
    }

    /// Refuses a repeat, and what is wrong by itself before anybody is asked to hold anything. For a stranger the channel
    /// does not exist (L12).
    fn check(&self, asked: &Asked<Wish>) -> Result<(), Refused> {
        if !self.channel.is_member(asked.by) {
            return Err(Refused::NotFound { owner: OwnerId::Channel(self.channel.id()) });
        }
        asked.check_new(self.pen.journal().permits())?;
        if asked.params.concerns_others() {
            let everybody = self.channel.members().iter().copied().collect();
            self.channel.plan(&event_of(asked, Vec::new(), everybody), clock::now())?;
        }
        Ok(())
    }

    /// Has the direct channels hold the states that are carried.
    fn ask_others(&mut self, asked: Box<Asked<Wish>>, reply: Reply, ctx: &mut Context<Self>) {
        self.is_asking = true;
        let (services, members) = (Arc::clone(&self.services), self.channel.members().to_vec());
        let prepared = async move {
            let mut preparation = Preparation::begin();
            let held = async {
                let with_direct_channel = match asked.params {
                    Wish::Accept(_) => services.with_direct_channel(&members).await?,
                    Wish::Update(_) | Wish::Close(_) | Wish::Decline => BTreeSet::new(),
                };
                preparation.parts(&services, &asked.states, asked.hash()).await?;
                Ok(with_direct_channel)
            };
            let held = held.await;
            (asked, reply, held.map(|with_direct_channel| (preparation, with_direct_channel)))
        };
        ctx.spawn(prepared.into_actor(self).map(move |(asked, reply, held), act, ctx| match held {
            Ok((preparation, with_direct_channel)) => {
                act.hold_wallets(Asking { asked, reply, preparation, with_direct_channel }, ctx);
            }
            Err(refused) => act.end_asking(&asked, Err(refused), reply, ctx),
        }));
    }

    /// Has the members whose wallets pay hold the money.
    fn hold_wallets(&mut self, asking: Asking, ctx: &mut Context<Self>) {
        let Asking { asked, reply, mut preparation, with_direct_channel } = asking;
        let event = event_of(&asked, preparation.part_moves(), with_direct_channel.clone());
        let plan = match self.channel.plan(&event, clock::now()) {
            Ok(plan) => plan,
            Err(error) => return self.end_asking(&asked, Err(error.into()), reply, ctx),
        };
        let services = Arc::clone(&self.services);
        let usage = KeyUse::Room { application: self.channel.definition().application.clone() };
        let prepared = async move {
            let signers = (asked.request.signers(), &usage);
            let held = preparation.debits(&services, plan.wallet_debits(), asked.hash(), signers).await;
            (asked, held.map(|()| preparation))
        };
        ctx.spawn(prepared.into_actor(self).map(move |(asked, held), act, ctx| {
            let decided = held.and_then(|preparation| {
                preparation.check_in_time()?;
                let decided = act.decide(&asked, preparation.part_moves(), with_direct_channel)?;
                Ok((decided, Some(preparation)))
            });
            act.end_asking(&asked, decided, reply, ctx);
        }));
    }

    fn end_asking(
        &mut self,
        asked: &Asked<Wish>,
        decided: Result<(Decided, Option<Preparation>), Refused>,
        reply: Reply,
        ctx: &mut Context<Self>,
    ) {
        self.is_asking = false;
        self.conclude(asked, decided, reply, ctx);
        self.work(ctx);
    }

    fn decide(
        &mut self,
        asked: &Asked<Wish>,
        parts: Vec<PartMove>,
        with_direct_channel: BTreeSet<Address>,
    ) -> Result<Decided, Refused> {
        let now = clock::now();
        let permit = asked.permit(self.pen.journal().permits(), now)?;
        let transition = self.channel.apply(event_of(asked, parts, with_direct_channel), now)?;
        let states = asked.states.iter().map(|state| state.body());
        Ok((transition, permit, Answer::new(now, self.outcome_of(&asked.params), states)))
    }

    fn conclude(
        &mut self,
        asked: &Asked<Wish>,
        decided: Result<(Decided, Option<Preparation>), Refused>,
        reply: Reply,
        ctx: &mut Context<Self>,
    ) {
        match decided {
            Ok(((transition, permit, answer), preparation)) => {
                self.hand_over(transition, Some((permit, answer, reply)), preparation, ctx);
            }
            // What refuses a repeat may be what the first one has changed meanwhile.
            Err(refused) => {
                let refused = asked.check_new(self.pen.journal().permits()).err().unwrap_or(refused);
                self.refuse(refused, reply);
            }
        }
    }

    /// Refuses a request, once everything that it was judged by is durable: who is told that a version is stale finds
    /// the newer one in the store.
    fn refuse(&mut self, refused: Refused, reply: Reply) {
        let waiting = Waiting { effects: Vec::new(), reply: Some((reply, Err(refused))) };
        if let Some((reply, refused)) = self.pen.wait_for_last(waiting).and_then(|waiting| waiting.reply) {
            let _gone = reply.send(refused);
        }
    }

    /// What became of a request that has just been decided.
    fn outcome_of(&self, wish: &Wish) -> Outcome {
        let (channel_id, version, expires_at) =
            (self.channel.id(), self.channel.version(), self.channel.expires_at());
        match wish {
            Wish::Accept(_) => Outcome::Opened { channel_id, expires_at },
            Wish::Decline => Outcome::Declined { channel_id },
            Wish::Update(_) => {
                let is_expiring = self.channel.phase() == Phase::Expiring;
                Outcome::Updated { channel_id, version, is_expiring, expires_at }
            }
            Wish::Close(_) => Outcome::Closed { channel_id, version },
        }
    }
}

impl Wish {
    /// Whether it moves money of owners who have to be asked first.
    fn concerns_others(&self) -> bool {
        match self {
            Self::Accept(_) | Self::Close(_) => true,
            Self::Update(next) => next.state.body().intent != VirtualIntent::Operate,
            Self::Decline => false,
        }
    }
}

fn event_of(
    asked: &Asked<Wish>,
    parts: Vec<PartMove>,
    with_direct_channel: BTreeSet<Address>,
) -> VirtualChannelEvent {
    let (request, signers) = (asked.key(), asked.request.signers().clone());
    match &asked.params {
        Wish::Accept(accepted) => VirtualChannelEvent::Accept(Acceptance {
            request,
            allocations: accepted.allocations.clone(),
            data: accepted.data.clone(),
            signers,
            with_direct_channel,
            expiry_window_secs: EXPIRY_WINDOW_SECS,
            parts,
        }),
        Wish::Decline => VirtualChannelEvent::Decline(request),
        Wish::Update(NextState { state, data }) => {
            let (state, data) = (state.clone(), data.clone());
            VirtualChannelEvent::Update(Update { request, state, data, consents: signers, parts })
        }
        Wish::Close(NextState { state, data }) => {
            VirtualChannelEvent::Close(Close { request, state: state.clone(), data: data.clone(), parts })
        }
    }
}
