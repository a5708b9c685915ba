//! Requests: read, proven, and put to whom they concern.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use domain::channel::direct::CONTRACT_CHALLENGE_SECS_MIN;
use domain::crypto::{
    Allocation, DirectParams, DirectState, Intent, Signature, Signed, VerifyError, VirtualIntent,
    VirtualState,
};
use domain::primitives::{Address, Amount, ChainId, ChannelId, Token, Version};
use domain::protocol::method::{
    Call, Method, close_app_session, close_channel, create_app_session, create_channel, settle,
    submit_app_state, transfer,
};
use domain::protocol::{self, ChannelTerms, Code, Details, FrameId, Refusal, Response, ServerBody, State};

use super::{Ctx, SessionActor, SessionShared, reads, refusal, render, verify};
use crate::actors::answer::Answer;
use crate::actors::direct_channel::{Finalize, FinalizeChannel};
use crate::actors::journal::{FirstAnswer, NoPermit, first_answer};
use crate::actors::participant::{MoveMoney, Movements, NextNonce, Settle, SettleWallet};
use crate::actors::request::{Asked, Refused};
use crate::actors::services::Services;
use crate::actors::supervisor::{OpenVirtualChannel, Opening};
use crate::actors::virtual_channel::{CloseVirtualChannel, NextState, UpdateVirtualChannel};
use crate::clock;

/// How long an owner may take to answer: longer than a preparation and a slow transaction together. Beyond it
/// the outcome is unknown to the client, who asks again.
const ANSWER_TIME: Duration = Duration::from_secs(15);

/// Everything a request is answered with.
struct Caller {
    shared: Arc<SessionShared>,
    member: Address,
    request: protocol::Request,
}

impl SessionActor {
    /// Answers a request.
    pub(super) fn rpc(
        &mut self,
        id: Option<FrameId>,
        member: Address,
        request: &protocol::Request,
        ctx: &mut Ctx,
    ) {
        let call = match request.call() {
            Ok(call) => call,
            Err(error) => return self.refuse(id, Refusal::from(&error), ctx),
        };
        log::debug!(session_id:% = self.id, method:% = request.method(), request_id:% = request.id(); "asked");
        let shared = Arc::clone(&self.shared);
        let caller = Caller { shared, member, request: request.clone() };
        self.later(id, async move { caller.answer(call).await }, ctx);
    }
}

/// Why there is no answer: refused by rules that are checked here, or by an owner.
enum Failed {
    Here(Refusal),
    Owner(Refused),
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        Self::Here(refusal)
    }
}

impl From<Refused> for Failed {
    fn from(refused: Refused) -> Self {
        Self::Owner(refused)
    }
}

impl Caller {
    fn services(&self) -> &Arc<Services> {
        &self.shared.services
    }

    async fn answer(self, call: Call) -> Result<ServerBody, Refusal> {
        let method = call.method();
        let answered = match call {
            Call::Transfer(params) => self.transfer(params).await,
            Call::UpdateState(_) => self.update_state().await,
            Call::CreateAppSession(params) => self.open(params).await,
            Call::SubmitAppState(params) => self.submit(params).await,
            Call::CloseAppSession(params) => self.close(params).await,
            Call::CloseChannel(params) => self.finalize(params).await,
            Call::Settle(params) => self.settle(params).await,
            Call::CreateChannel(params) => return self.create_channel(params).await,
            Call::Ping(_)
            | Call::GetConfig(_)
            | Call::GetAssets(_)
            | Call::GetChannels(_)
            | Call::GetState(_)
            | Call::GetLedgerBalances(_)
            | Call::GetLedgerEntries(_)
            | Call::GetLedgerTransactions(_)
            | Call::GetAppSessions(_)
            | Call::GetAppDefinition(_)
            | Call::GetSettlement(_) => {
                return reads::answer(&self.shared, self.member, self.request.id(), call)
                    .await
                    .map(|response| render::sign(self.services(), response));
            }
        };
        let answer = match answered {
            Ok(answer) => answer,
            Err(Failed::Here(refusal)) => return Err(refusal),
            Err(Failed::Owner(refused)) => self.first_answer(refused).await?,
        };
        Ok(render::answer(self.services(), self.request.id(), method, &answer))
    }

    /// The first answer to a repeat, or what the refusal is on the wire.
    async fn first_answer(&self, refused: Refused) -> Result<Answer, Refusal> {
        let kept = match refused {
            Refused::NoPermit(NoPermit::InFlight(first)) => {
                // Nothing comes when the first was refused: then the repeat may be sent again.
                let first = first.await.map_err(|_| Refusal::new(Code::Unavailable))?;
                return Answer::decode(&first).map_err(|_| Refusal::new(Code::Unavailable));
            }
            Refused::NoPermit(NoPermit::Posted | NoPermit::BeforeWindow) => {
                let (services, now) = (self.services(), clock::now());
                let (key, hash) = (self.request.key(self.member), self.request.text(services.broker).hash());
                let kept = first_answer(services.store.as_ref(), key, hash, now).await;
                kept.map_err(|_| Refusal::new(Code::Unavailable))?
            }
            other => return Err(self.with_current(&other).await),
        };
        let timed = |code| Refusal::new(code).with(Details { now: Some(clock::now()), ..Details::default() });
        match kept {
            FirstAnswer::Answered(bytes) => {
                Answer::decode(&bytes).map_err(|_| Refusal::new(Code::Unavailable))
            }
            FirstAnswer::Conflict => Err(Refusal::new(Code::Conflict)),
            FirstAnswer::Expired => Err(timed(Code::Expired)),
            FirstAnswer::TooOld => Err(timed(Code::TooOld)),
        }
    }

    /// A refusal of a carried state says which state is the newest.
    async fn with_current(&self, refused: &Refused) -> Refusal {
        let mut refusal = refusal::of(refused);
        if matches!(refused, Refused::Direct(_))
            && let [carried] = self.request.states()
            && let Some(current) = reads::current(self.services(), self.member, carried.channel_id).await
        {
            let details = refusal.details.take().map_or_else(Details::default, |details| *details);
            let channel_id = Some(carried.channel_id);
            return refusal.with(Details { channel_id, current: Some(current), ..details });
        }
        refusal
    }

    /// Refuses repeats and what is out of time before any signature is looked at.
    fn check_time(&self) -> Result<(), Failed> {
        Ok(verify::check_time(self.services(), self.member, &self.request)?)
    }

    async fn states(&self, expected: &[Address]) -> Result<Vec<Signed<DirectState>>, Refusal> {
        verify::states(self.services(), self.request.states(), expected).await
    }

    /// The one state that the request must carry.
    async fn only_state(&self) -> Result<Signed<DirectState>, Refusal> {
        let mut states = self.states(&[self.member]).await?;
        match (states.pop(), states.is_empty()) {
            (Some(state), true) => Ok(state),
            (None, _) | (Some(_), false) => Err(Refusal::new(Code::MissingState)),
        }
    }

    async fn transfer(&self, params: transfer::Params) -> Result<Answer, Failed> {
        self.check_time()?;
        let states = self.states(&[self.member]).await?;
        let (to, read) = (params.destination, payments(&params));
        // Judged after the signatures, which come first.
        let movements = Movements { to: Some(to), payments: read.clone().unwrap_or_default() };
        let expected = [self.member];
        let asked = verify::asked(self.services(), self.member, &self.request, movements, states, &expected)?;
        if to.is_zero() || to == self.member || to == self.services().broker {
            let details = Details { participant: Some(to), ..Details::default() };
            return Err(Refusal::new(Code::InvalidDestination).with(details).into());
        }
        let tokens = &self.services().tokens;
        if let Some(token) = read?.keys().find(|token| !tokens.contains(token)) {
            return Err(unknown_token(*token).into());
        }
        self.move_money(asked).await
    }

    async fn update_state(&self) -> Result<Answer, Failed> {
        self.check_time()?;
        let states = self.states(&[self.member]).await?;
        let movements = Movements { to: None, payments: BTreeMap::new() };
        let expected = [self.member];
        let asked = verify::asked(self.services(), self.member, &self.request, movements, states, &expected)?;
        if asked.states.is_empty() {
            return Err(Refusal::new(Code::MissingState).into());
        }
        self.move_money(asked).await
    }

    async fn move_money(&self, asked: Asked<Movements>) -> Result<Answer, Failed> {
        let participant = self.services().participant(self.member).await?;
        Ok(within(participant.send(MoveMoney { asked: Box::new(asked) })).await?)
    }

    async fn open(&self, params: create_app_session::Params) -> Result<Answer, Failed> {
        self.check_time()?;
        let definition = (&params.definition).into();
        let members = params.definition.participants.clone();
        let states = self.states(&members).await?;
        let opening = Opening {
            definition,
            allocations: params.allocations.into_iter().map(Into::into).collect(),
            data: params.session_data.map(|data| data.to_string()),
        };
        let asked = verify::asked(self.services(), self.member, &self.request, opening, states, &members)?;
        let supervisor = self.services().supervisor.get().ok_or(Refused::Unavailable)?;
        Ok(within(supervisor.send(OpenVirtualChannel { asked: Box::new(asked) })).await?)
    }

    async fn submit(&self, params: submit_app_state::Params) -> Result<Answer, Failed> {
        self.check_time()?;
        let members = self.members_of(params.app_session_id).await?;
        let state = params.state(self.services().broker, &members).map_err(|error| Refusal::from(&error))?;
        let data = params.session_data.map(|data| data.to_string());
        let asked = self.next_state(state, VirtualIntent::Operate, &params.approvals, data, &members).await?;
        let room = self.services().virtual_channel(params.app_session_id).await?;
        Ok(within(room.send(UpdateVirtualChannel { asked: Box::new(asked) })).await?)
    }

    async fn close(&self, params: close_app_session::Params) -> Result<Answer, Failed> {
        self.check_time()?;
        let members = self.members_of(params.app_session_id).await?;
        let state = params.state(self.services().broker, &members).map_err(|error| Refusal::from(&error))?;
        let data = params.session_data.map(|data| data.to_string());
        let asked = self.next_state(state, VirtualIntent::Close, &params.approvals, data, &members).await?;
        let room = self.services().virtual_channel(params.app_session_id).await?;
        Ok(within(room.send(CloseVirtualChannel { asked: Box::new(asked) })).await?)
    }

    /// The members of a virtual channel; for a stranger it does not exist.
    async fn members_of(&self, channel: ChannelId) -> Result<Vec<Address>, Refusal> {
        let members = reads::members(self.services(), channel).await?;
        members
            .filter(|members| members.contains(&self.member))
            .ok_or_else(|| refusal::unknown_channel(channel))
    }

    async fn next_state(
        &self,
        state: VirtualState,
        intent: VirtualIntent,
        approvals: &[Signature],
        data: Option<String>,
        members: &[Address],
    ) -> Result<Asked<NextState>, Refusal> {
        let states = self.states(members).await?;
        let state = match Signed::verify(state.clone(), approvals, members) {
            Ok(signed) => signed,
            Err(error) => return Err(self.unapproved(&state, intent, data.as_deref(), &error).await),
        };
        let next = NextState { state, data };
        verify::asked(self.services(), self.member, &self.request, next, states, members)
    }

    /// Why a state without proper approvals is refused: what is wrong with the state itself comes first.
    async fn unapproved(
        &self,
        state: &VirtualState,
        intent: VirtualIntent,
        data: Option<&str>,
        error: &VerifyError,
    ) -> Refusal {
        let channel = match reads::virtual_of(self.services(), self.member, state.channel_id).await {
            Ok(Some(channel)) => channel,
            Ok(None) => return refusal::unknown_channel(state.channel_id),
            Err(refusal) => return refusal,
        };
        if let Err(error) = channel.check_state(state, data, intent, clock::now()) {
            return refusal::of(&Refused::Virtual(error));
        }
        if matches!(error, VerifyError::NoSignature { .. }) {
            let (reached, required) = (Some(0), Some(channel.definition().quorum));
            return Refusal::new(Code::QuorumNotReached).with(Details {
                reached,
                required,
                ..Details::default()
            });
        }
        Refusal::of_signatures(error, state.digest())
    }

    async fn finalize(&self, params: close_channel::Params) -> Result<Answer, Failed> {
        self.check_time()?;
        let state = self.only_state().await?;
        if state.body().channel_id != params.channel_id {
            return Err(Refusal::new(Code::MissingState).into());
        }
        let (finalize, expected) = (Finalize { state }, [self.member]);
        // The state holds no hash: only a signature under the request itself counts.
        let asked =
            verify::asked(self.services(), self.member, &self.request, finalize, Vec::new(), &expected)?;
        let channel = self.services().direct_channel(params.channel_id).await?;
        Ok(within(channel.send(FinalizeChannel { asked: Box::new(asked) })).await?)
    }

    async fn settle(&self, params: settle::Params) -> Result<Answer, Failed> {
        self.check_time()?;
        if params.amount.is_zero() {
            return Err(invalid_amount("amount").into());
        }
        let token = Token { chain_id: params.chain_id, address: params.token };
        self.check_token(token)?;
        let initial = self.only_state().await?;
        let terms = params.channel.on_chain(params.chain_id);
        if initial.body().channel_id != terms.channel_id() {
            let details = Details { field: Some("channel".to_owned()), ..Details::default() };
            return Err(Refusal::new(Code::InvalidState).with(details).into());
        }
        let settle = Settle { token, amount: params.amount, params: terms, initial };
        let expected = [self.member];
        let asked =
            verify::asked(self.services(), self.member, &self.request, settle, Vec::new(), &expected)?;
        let participant = self.services().participant(self.member).await?;
        Ok(within(participant.send(SettleWallet { asked: Box::new(asked) })).await?)
    }

    /// Signs INITIALIZE [amount, 0] of a channel with a fresh nonce. It binds the broker to nothing, so that
    /// nothing has to be kept first.
    async fn create_channel(&self, params: create_channel::Params) -> Result<ServerBody, Refusal> {
        let token = Token { chain_id: params.chain_id, address: params.token };
        self.check_token(token)?;
        let services = self.services();
        let terms = services.terms_of(params.chain_id).ok_or_else(|| unknown_chain(params.chain_id))?;
        let least = terms.debit_challenge_secs_min.max(CONTRACT_CHALLENGE_SECS_MIN);
        let challenge_secs = params.challenge.map_or(least, protocol::Uint53::get);
        if !(CONTRACT_CHALLENGE_SECS_MIN..=terms.challenge_secs_max).contains(&challenge_secs) {
            let (min, max) = (Some(CONTRACT_CHALLENGE_SECS_MIN), Some(terms.challenge_secs_max));
            return Err(Refusal::new(Code::ChallengeTooShort).with(Details {
                min,
                max,
                ..Details::default()
            }));
        }
        let participant = services.participant(self.member).await.map_err(|refused| refusal::of(&refused))?;
        let nonce = participant.send(NextNonce).await.map_err(|_| Refusal::new(Code::Unavailable))?;
        let params_on_chain = DirectParams {
            participants: [self.member, services.broker],
            adjudicator: terms.adjudicator,
            challenge_secs,
            nonce,
            chain_id: params.chain_id,
        };
        let side = |destination, amount| Allocation { destination, token: token.address, amount };
        let state = DirectState {
            channel_id: params_on_chain.channel_id(),
            intent: Intent::Initialize,
            version: Version::ZERO,
            data: Vec::new(),
            allocations: [side(self.member, params.amount), side(services.broker, Amount::ZERO)],
        };
        let shown = ChannelTerms::of(&params_on_chain).zip(State::of(&state));
        let (channel, shown) = shown.ok_or_else(|| Refusal::new(Code::Unavailable))?;
        let reply = create_channel::Reply {
            channel_id: state.channel_id,
            channel,
            state: shown,
            server_signature: services.key.sign(state.hash()),
        };
        let response = Response::answer(self.request.id(), Method::CreateChannel, &reply, clock::now());
        Ok(render::sign(services, response))
    }

    fn check_token(&self, token: Token) -> Result<(), Refusal> {
        if self.services().terms_of(token.chain_id).is_none() {
            return Err(unknown_chain(token.chain_id));
        }
        if self.services().tokens.contains(&token) {
            return Ok(());
        }
        Err(unknown_token(token))
    }
}

/// How much of each token is paid.
fn payments(params: &transfer::Params) -> Result<BTreeMap<Token, Amount>, Refusal> {
    let mut payments = BTreeMap::new();
    for line in &params.allocations {
        if line.amount.is_zero() || payments.insert(line.to_token(), line.amount).is_some() {
            return Err(invalid_amount("allocations"));
        }
    }
    if payments.is_empty() { Err(invalid_amount("allocations")) } else { Ok(payments) }
}

fn unknown_token(token: Token) -> Refusal {
    let (chain_id, address) = (Some(token.chain_id), Some(token.address));
    Refusal::new(Code::UnknownToken).with(Details { chain_id, token: address, ..Details::default() })
}

fn unknown_chain(chain_id: ChainId) -> Refusal {
    Refusal::new(Code::UnknownChain).with(Details { chain_id: Some(chain_id), ..Details::default() })
}

fn invalid_amount(field: &str) -> Refusal {
    let details = Details { field: Some(field.to_owned()), ..Details::default() };
    Refusal::new(Code::InvalidAmount).with(details)
}

/// An owner's answer, if it comes in time.
async fn within<A, M>(asked: actix::dev::Request<A, M>) -> Result<Answer, Refused>
where
    A: Actor + Handler<M>,
    A::Context: actix::dev::ToEnvelope<A, M>,
    M: Message<Result = Result<Answer, Refused>> + Send + 'static,
{
    asked.timeout(ANSWER_TIME).await.map_err(|_| Refused::Unavailable)?
}
