//! Opening a virtual channel in one call, or proposing one: checks, holds, one commit, then its actor.

use std::collections::BTreeSet;
use std::sync::Arc;

use actix::prelude::*;
use domain::channel::virtual_channel::{Opened, OpeningError, OpeningRequest, OpeningTerms, open, propose};
use domain::ledger::OwnerId;
use domain::participant::KeyUse;
use domain::primitives::{Address, Timestamp};
use futures::channel::oneshot;

use super::{Asked, Opening, Refused, Services, SupervisorActor};
use crate::actors::answer::{Answer, Outcome};
use crate::actors::journal::NewState;
use crate::actors::prepare::Preparation;
use crate::actors::proposals::ProposalSlot;
use crate::actors::virtual_channel::notify;
use crate::clock;
use crate::store::{MemberRow, StateKind};

/// An opening for which everybody concerned holds its share.
struct Ready {
    asked: Asked<Opening>,
    request: OpeningRequest,
    with_direct_channel: BTreeSet<Address>,
    preparation: Preparation,
    /// Of a proposal: its place among those of its Host, until its actor has one.
    slot: Option<ProposalSlot>,
}

impl SupervisorActor {
    /// Opens a virtual channel. Other messages are taken meanwhile; what is decided is decided at once, when
    /// everybody holds its share.
    pub(super) fn open_virtual_channel(
        &self,
        asked: Asked<Opening>,
    ) -> ResponseActFuture<Self, Result<Answer, Refused>> {
        let services = Arc::clone(&self.services);
        let prepared = prepare(services, asked).into_actor(self);
        let committed = prepared.map(|ready, act, _| match ready {
            Ok(ready) => act.commit_opening(ready),
            Err(refused) => Err(refused),
        });
        let answered = committed.then(|committed, act, _| {
            let services = Arc::clone(&act.services);
            async move {
                let (opened, answer, durable, _slot) = committed?;
                let id = opened.channel.id();
                match durable.await {
                    Ok(Ok(())) => {}
                    // It was not written. Of two that open the same at once, the second is told so.
                    Ok(Err(lost)) => {
                        let owner = OwnerId::Channel(id);
                        let is_there = services.virtual_channel(id).await.is_ok();
                        return Err(if is_there { Refused::Exists { owner } } else { lost });
                    }
                    Err(_) => return Err(Refused::Unavailable),
                }
                // From here on the channel lives in the store; its actor is loaded with the first need of it.
                if let Err(refused) = services.virtual_channel(id).await {
                    log::warn!(channel_id:% = id, refused:%; "an opened channel is not alive yet");
                }
                notify(&services, opened.transition.effects);
                Ok(answer)
            }
            .into_actor(act)
        });
        Box::pin(answered)
    }

    /// Decides and hands over, without waiting in between.
    fn commit_opening(&mut self, ready: Ready) -> Result<Committed, Refused> {
        let Ready { asked, request, with_direct_channel, preparation, slot } = ready;
        let services = &self.services;
        let terms = terms(services, &with_direct_channel);
        let now = clock::now();
        preparation.check_in_time()?;
        let opened = judge(&asked.params, request, &terms, now)?;
        let permit = asked.permit(services.journal.permits(), now)?;
        let id = opened.channel.id();
        let mut commit = self.pen.begin();
        preparation.spend(&mut commit);
        commit.transfers.clone_from(&opened.transition.transfers);
        commit.states.push(NewState {
            owner: OwnerId::Channel(id),
            replaces: None,
            kind: StateKind::Virtual,
            phase: opened.channel.phase().code(),
            due_at: domain::channel::Machine::deadline(&opened.channel),
            body: opened.channel.to_stored(),
        });
        let members = opened.channel.members().iter();
        commit
            .members
            .extend(members.map(|participant| MemberRow { participant: *participant, channel: id }));
        let states = asked.states.iter().map(|state| state.body());
        let (channel_id, expires_at) = (id, opened.channel.expires_at());
        let outcome = match asked.params.accept_within_secs {
            Some(_) => Outcome::Proposed { channel_id, expires_at },
            None => Outcome::Opened { channel_id, expires_at },
        };
        let answer = Answer::new(now, outcome, states);
        commit.answer = Some((permit, answer.encode()));
        let (reply, durable) = oneshot::channel();
        self.pen.hand_over(commit, reply).map_err(|_| Refused::Unavailable)?;
        Ok((opened, answer, durable, slot))
    }
}

type Committed = (Opened, Answer, oneshot::Receiver<Result<(), Refused>>, Option<ProposalSlot>);

/// Looks up what the rules need and has everybody hold its share.
async fn prepare(services: Arc<Services>, asked: Asked<Opening>) -> Result<Ready, Refused> {
    let permits = services.journal.permits();
    asked.check_new(permits)?;
    let prepared = try_prepare(&services, &asked).await;
    // What refuses a repeat may be what the first one has changed meanwhile.
    if prepared.is_err() {
        asked.check_new(permits)?;
    }
    let (request, with_direct_channel, preparation, slot) = prepared?;
    Ok(Ready { asked, request, with_direct_channel, preparation, slot })
}

fn judge(
    opening: &Opening,
    request: OpeningRequest,
    terms: &OpeningTerms<'_>,
    now: Timestamp,
) -> Result<Opened, OpeningError> {
    match opening.accept_within_secs {
        None => open(request, terms, now),
        Some(secs) => propose(request, secs, terms, now),
    }
}

fn terms<'a>(services: &'a Services, with_direct_channel: &'a BTreeSet<Address>) -> OpeningTerms<'a> {
    OpeningTerms {
        broker: services.broker,
        tokens: &services.tokens,
        with_direct_channel,
        expiry_window_secs: super::super::services::EXPIRY_WINDOW_SECS,
    }
}

async fn try_prepare(
    services: &Services,
    asked: &Asked<Opening>,
) -> Result<(OpeningRequest, BTreeSet<Address>, Preparation, Option<ProposalSlot>), Refused> {
    let Opening { definition, allocations, data, accept_within_secs } = &asked.params;
    let owner = OwnerId::Channel(definition.channel_id());
    match services.owner(owner).await {
        Err(Refused::NotFound { .. }) => {}
        Ok(_) => return Err(Refused::Exists { owner }),
        Err(refused) => return Err(refused),
    }
    let mut request = OpeningRequest {
        request: asked.key(),
        definition: definition.clone(),
        allocations: allocations.clone(),
        data: data.clone(),
        signers: asked.request.signers().clone(),
        parts: Vec::new(),
    };
    // What is wrong with the opening itself is said before anybody is looked for or asked to hold anything.
    let everybody = definition.participants.iter().copied().collect();
    judge(&asked.params, request.clone(), &terms(services, &everybody), clock::now())?;
    let with_direct_channel = services.with_direct_channel(&definition.participants).await?;
    let terms = terms(services, &with_direct_channel);
    judge(&asked.params, request.clone(), &terms, clock::now())?;
    let slot = accept_within_secs.map(|_| services.proposals.take(asked.by, clock::now())).transpose()?;
    let mut preparation = Preparation::begin();
    preparation.parts(services, &asked.states, asked.hash()).await?;
    request.parts = preparation.part_moves();
    let plan = judge(&asked.params, request.clone(), &terms, clock::now())?.plan;
    let usage = KeyUse::Room { application: definition.application.clone() };
    let signers = (asked.request.signers(), &usage);
    preparation.debits(services, plan.wallet_debits(), asked.hash(), signers).await?;
    Ok((request, with_direct_channel, preparation, slot))
}
