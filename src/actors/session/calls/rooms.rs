//! Requests about virtual channels.

use domain::channel::virtual_channel::{VirtualChannel, VirtualChannelError};
use domain::crypto::{Signature, Signed, VerifyError, VirtualIntent, VirtualState};
use domain::participant::KeyUse;
use domain::primitives::{Address, ChannelId};
use domain::protocol::method::propose_virtual_channel::ACCEPT_SECS_DEFAULT;
use domain::protocol::method::submit_app_state::AppIntent;
use domain::protocol::method::{
    accept_virtual_channel, close_app_session, create_app_session, propose_virtual_channel, submit_app_state,
};
use domain::protocol::{Code, Details, Refusal, Uint53};

use super::money::unknown_token;
use super::{Caller, Failed, within};
use crate::actors::answer::Answer;
use crate::actors::request::{Asked, Refused};
use crate::actors::session::keys::Keys;
use crate::actors::session::{reads, refusal, render};
use crate::actors::supervisor::{OpenVirtualChannel, Opening};
use crate::actors::virtual_channel::{Accepted, AskVirtualChannel, NextState, Wish};
use crate::clock;

/// Which side of a proposal ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decline {
    /// The Guest.
    Reject,
    /// The Host.
    Cancel,
}

impl Caller {
    pub(super) async fn open(&self, params: create_app_session::Params) -> Result<Answer, Failed> {
        self.check_time()?;
        let opening = Opening {
            definition: (&params.definition).into(),
            allocations: params.allocations.into_iter().map(Into::into).collect(),
            data: params.session_data.map(|data| data.to_string()),
            accept_within_secs: None,
        };
        let usage = KeyUse::Room { application: params.definition.application.to_string() };
        let asked = self.proven(&params.definition.participants, Some(&usage)).await?.about(opening);
        let supervisor = self.services().supervisor()?;
        Ok(within(supervisor.send(OpenVirtualChannel { asked: Box::new(asked) })).await?)
    }

    pub(super) async fn propose(&self, params: propose_virtual_channel::Params) -> Result<Answer, Failed> {
        self.check_time()?;
        let secs = params.accept_within_secs.map_or(ACCEPT_SECS_DEFAULT, Uint53::get);
        let opening = Opening {
            definition: (&params.definition).into(),
            allocations: params.allocations.into_iter().map(Into::into).collect(),
            data: params.session_data.map(|data| data.to_string()),
            accept_within_secs: Some(secs),
        };
        let usage = KeyUse::Room { application: params.definition.application.to_string() };
        let asked = self.proven(&[self.member], Some(&usage)).await?.about(opening);
        // Whether there is a channel of these terms is for its members to know.
        if params.definition.participants.first().is_some_and(|host| *host != self.member) {
            return Err(Refusal::new(Code::WrongRole).into());
        }
        let supervisor = self.services().supervisor()?;
        Ok(within(supervisor.send(OpenVirtualChannel { asked: Box::new(asked) })).await?)
    }

    pub(super) async fn accept(&self, params: accept_virtual_channel::Params) -> Result<Answer, Failed> {
        self.check_time()?;
        let (_, usage) = self.room_of(params.app_session_id).await?;
        let accepted = Accepted {
            allocations: params.allocations.into_iter().map(Into::into).collect(),
            data: params.session_data.map(|data| data.to_string()),
        };
        let asked = self.proven(&[self.member], Some(&usage)).await?.about(Wish::Accept(accepted));
        self.ask_room(params.app_session_id, asked).await
    }

    pub(super) async fn decline(&self, channel: ChannelId, end: Decline) -> Result<Answer, Failed> {
        self.check_time()?;
        let (members, usage) = self.room_of(channel).await?;
        let asked = self.proven(&[self.member], Some(&usage)).await?;
        no_states(&asked)?;
        let is_host = members.first() == Some(&self.member);
        if is_host != (end == Decline::Cancel) {
            return Err(Refusal::new(Code::WrongRole).into());
        }
        self.ask_room(channel, asked.about(Wish::Decline)).await
    }

    pub(super) async fn submit(&self, params: submit_app_state::Params) -> Result<Answer, Failed> {
        self.check_time()?;
        let (members, usage) = self.room_of(params.app_session_id).await?;
        // Each member may put money in, from a direct channel of its own or its wallet.
        let expected = if params.intent == AppIntent::Operate { vec![self.member] } else { members.clone() };
        let asked = self.proven(&expected, Some(&usage)).await?;
        if params.intent == AppIntent::Operate {
            no_states(&asked)?;
        }
        let state = params.state(self.services().broker, &members).map_err(|error| Refusal::from(&error))?;
        let data = params.session_data.map(|data| data.to_string());
        self.check_tokens(&state)?;
        let next = self.approved(state, &params.approvals, data, (&members, &usage)).await?;
        self.ask_room(params.app_session_id, asked.about(Wish::Update(next))).await
    }

    pub(super) async fn close(&self, params: close_app_session::Params) -> Result<Answer, Failed> {
        self.check_time()?;
        let (members, usage) = self.room_of(params.app_session_id).await?;
        // Each member may have its money sent to a direct channel of its own.
        let asked = self.proven(&members, Some(&usage)).await?;
        let state = params.state(self.services().broker, &members).map_err(|error| Refusal::from(&error))?;
        let data = params.session_data.map(|data| data.to_string());
        let next = self.approved(state, &params.approvals, data, (&members, &usage)).await?;
        self.ask_room(params.app_session_id, asked.about(Wish::Close(next))).await
    }

    async fn ask_room(&self, channel: ChannelId, asked: Asked<Wish>) -> Result<Answer, Failed> {
        let room = self.services().virtual_channel(channel).await?;
        match within(room.send(AskVirtualChannel { asked: Box::new(asked) })).await {
            Err(Refused::Virtual(error)) => Err(self.refused_by_room(channel, error).await.into()),
            answered => Ok(answered?),
        }
    }

    /// What a virtual channel refuses; of a version that does not follow it says which state is the newest.
    async fn refused_by_room(&self, channel: ChannelId, error: VirtualChannelError) -> Refusal {
        let refusal = refusal::of(&Refused::Virtual(error));
        match reads::virtual_of(self.services(), self.member, channel).await {
            Ok(Some(newest)) => with_newest(refusal, &newest),
            Ok(None) | Err(_) => refusal,
        }
    }

    /// What comes in must be of tokens that the broker keeps books of.
    fn check_tokens(&self, state: &VirtualState) -> Result<(), Refusal> {
        if state.intent != VirtualIntent::Deposit {
            return Ok(());
        }
        let mut lines = state.allocations.as_slice().iter();
        match lines.find(|line| !self.services().tokens.contains(&line.token)) {
            Some(line) => Err(unknown_token(line.token)),
            None => Ok(()),
        }
    }

    /// The members of a virtual channel, and what their session keys would be used for; for a stranger it does not
    /// exist.
    async fn room_of(&self, channel: ChannelId) -> Result<(Vec<Address>, KeyUse), Refusal> {
        let found = reads::virtual_of(self.services(), self.member, channel).await?;
        let found = found.ok_or_else(|| refusal::unknown_channel(channel))?;
        let application = found.definition().application.clone();
        Ok((found.members().to_vec(), KeyUse::Room { application }))
    }

    /// A state with the approvals of members.
    async fn approved(
        &self,
        state: VirtualState,
        approvals: &[Signature],
        data: Option<String>,
        (members, usage): (&[Address], &KeyUse),
    ) -> Result<NextState, Refusal> {
        let mut approved = Signed::verify(state.clone(), approvals, members);
        let mut is_forbidden = None;
        if let Err(VerifyError::UnknownSigner { .. }) = approved {
            let (keys, now) = (Keys::of(self.services(), members).await?, clock::now());
            let by_keys = Signed::verify_for(state.clone(), approvals, members, &keys.delegates(now));
            if let Ok(signed) = &by_keys {
                is_forbidden = keys.check(signed.signers(), Some(usage), now).err();
                approved = by_keys;
            }
        }
        match (approved, is_forbidden) {
            (Ok(state), None) => Ok(NextState { state, data }),
            (Ok(_), Some(forbidden)) => Err(self.unapproved(&state, data.as_deref(), |_| forbidden).await),
            (Err(error), _) => {
                let why = |channel: &VirtualChannel| of_approvals(&error, &state, channel);
                Err(self.unapproved(&state, data.as_deref(), why).await)
            }
        }
    }

    /// Why a state without proper approvals is refused: what is wrong with the state itself comes first.
    async fn unapproved(
        &self,
        state: &VirtualState,
        data: Option<&str>,
        why: impl FnOnce(&VirtualChannel) -> Refusal,
    ) -> Refusal {
        let channel = match reads::virtual_of(self.services(), self.member, state.channel_id).await {
            Ok(Some(channel)) => channel,
            Ok(None) => return refusal::unknown_channel(state.channel_id),
            Err(refusal) => return refusal,
        };
        if let Err(error) = channel.check_state(state, data, clock::now()) {
            return with_newest(refusal::of(&Refused::Virtual(error)), &channel);
        }
        why(&channel)
    }
}

/// Why approvals prove nothing.
fn of_approvals(error: &VerifyError, state: &VirtualState, channel: &VirtualChannel) -> Refusal {
    if matches!(error, VerifyError::NoSignature { .. }) {
        let (reached, required) = (Some(0), Some(channel.definition().quorum));
        let details = Details { reached, required, ..Details::default() };
        return Refusal::new(Code::QuorumNotReached).with(details);
    }
    Refusal::of_signatures(error, state.digest())
}

/// A refusal of a version, with the newest state that was agreed on. For members only.
fn with_newest(refusal: Refusal, newest: &VirtualChannel) -> Refusal {
    if refusal.code != Code::StaleVersion {
        return refusal;
    }
    let app_session = render::app_session(&newest.snapshot());
    let (channel_id, current_version) = (Some(newest.id()), Some(newest.version()));
    refusal.with(Details { channel_id, current_version, app_session, ..Details::default() })
}

/// What moves nothing outside virtual channels takes no states of direct channels.
pub(super) fn no_states(asked: &Asked<()>) -> Result<(), Refusal> {
    asked.states.first().map_or(Ok(()), |state| Err(moves_nothing(state.body().channel_id)))
}

fn moves_nothing(channel: ChannelId) -> Refusal {
    let (channel_id, field) = (Some(channel), Some("states".to_owned()));
    Refusal::new(Code::InvalidState).with(Details { channel_id, field, ..Details::default() })
}
