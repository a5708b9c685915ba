//! Requests: read, proven, and put to whom they concern.
//!
//! Each method goes the same way: in time or known, signed by whom it needs, right in itself, and then to the
//! owner who decides. `docs/protocol.md` gives the order of checks.

mod keys;
mod money;
mod rooms;
mod test_mode;

use std::sync::Arc;

use actix::prelude::*;
use domain::participant::KeyUse;
use domain::primitives::Address;
use domain::protocol::method::{Call, Method};
use domain::protocol::{self, CallError, Code, Details, FrameId, Refusal, ServerBody};

use rooms::Decline;

use super::{Ctx, SessionActor, SessionId, SessionShared, reads, refusal, render, verify};
use crate::actors::answer::Answer;
use crate::actors::journal::{FirstAnswer, NoPermit, first_answer};
use crate::actors::request::{Asked, Refused};
use crate::actors::services::Services;
use crate::clock;

/// Everything a request is answered with.
struct Caller {
    session: SessionId,
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
        let call = match self.served(request) {
            Ok(call) => call,
            Err(error) => return self.refuse(id, Refusal::from(&error), ctx),
        };
        let (method, request_id) = (request.method(), request.id());
        log::debug!(session_id:% = self.id, participant:% = member, request_id:%, method:%; "asked");
        let shared = Arc::clone(&self.shared);
        let caller = Caller { session: self.id, shared, member, request: request.clone() };
        self.later(id, caller.answer_counted(call), ctx);
    }

    /// What a request asks for, if this broker serves that.
    fn served(&self, request: &protocol::Request) -> Result<Call, CallError> {
        let is_for_tests = Method::from_name(request.method()).is_some_and(Method::is_for_tests);
        if is_for_tests && !self.shared.serves_tests {
            return Err(CallError::UnknownMethod);
        }
        request.call()
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

    async fn answer_counted(self, call: Call) -> Result<ServerBody, Refusal> {
        let (figures, method) = (Arc::clone(self.services().journal.figures()), call.method());
        let (session_id, participant, request_id) = (self.session, self.member, self.request.id());
        let timer = figures.time_request(method);
        let answered = self.answer(call).await;
        timer.observe_duration();
        let refused = answered.as_ref().err().map(|refusal| refusal.code);
        figures.answered(method, refused);
        let outcome = refused.map_or("ok", Code::name);
        log::debug!(session_id:%, participant:%, request_id:%, outcome:%; "answered");
        answered
    }

    async fn answer(self, call: Call) -> Result<ServerBody, Refusal> {
        let method = call.method();
        let answered = match call {
            Call::Transfer(params) => self.transfer(params).await,
            Call::UpdateState(_) => self.update_state().await,
            Call::CreateAppSession(params) => self.open(params).await,
            Call::ProposeVirtualChannel(params) => self.propose(params).await,
            Call::AcceptVirtualChannel(params) => self.accept(params).await,
            Call::RejectVirtualChannel(params) => self.decline(params.app_session_id, Decline::Reject).await,
            Call::CancelVirtualChannel(params) => self.decline(params.app_session_id, Decline::Cancel).await,
            Call::SubmitAppState(params) => self.submit(params).await,
            Call::CloseAppSession(params) => self.close(params).await,
            Call::CloseChannel(params) => self.finalize(params).await,
            Call::Settle(params) => self.settle(params).await,
            Call::DelegateSessionKey(params) => self.delegate(params).await,
            Call::RevokeSessionKey(params) => self.revoke(params.session_key).await,
            Call::TestFund(params) => self.test_fund(params).await,
            Call::TestReset(_) => self.test_reset().await,
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
            | Call::GetSettlement(_)
            | Call::GetSessionKeys(_) => {
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

    /// Who signed the request, or a carried state that holds its hash; each of `expected` may have, and who asks
    /// must. Session keys may have signed for a certain use; `None` is for participants alone.
    async fn proven(&self, expected: &[Address], usage: Option<&KeyUse>) -> Result<Asked<()>, Refusal> {
        let states = verify::states(self.services(), self.request.states(), expected, None).await?;
        verify::asked(self.services(), self.member, &self.request, states, (expected, usage)).await
    }
}

/// An owner's answer, if it lives to give one.
async fn within<A, M>(asked: actix::dev::Request<A, M>) -> Result<Answer, Refused>
where
    A: Actor + Handler<M>,
    A::Context: actix::dev::ToEnvelope<A, M>,
    M: Message<Result = Result<Answer, Refused>> + Send + 'static,
{
    asked.await.map_err(|_| Refused::Unavailable)?
}
