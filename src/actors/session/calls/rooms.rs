//! Requests about virtual channels.

use domain::crypto::{Signature, Signed, VerifyError, VirtualIntent, VirtualState};
use domain::primitives::{Address, ChannelId};
use domain::protocol::method::{close_app_session, create_app_session, submit_app_state};
use domain::protocol::{Code, Details, Refusal};

use super::{Caller, Failed, within};
use crate::actors::answer::Answer;
use crate::actors::request::Refused;
use crate::actors::session::{reads, refusal};
use crate::actors::supervisor::{OpenVirtualChannel, Opening};
use crate::actors::virtual_channel::{CloseVirtualChannel, NextState, UpdateVirtualChannel};
use crate::clock;

impl Caller {
    pub(super) async fn open(&self, params: create_app_session::Params) -> Result<Answer, Failed> {
        self.check_time()?;
        let opening = Opening {
            definition: (&params.definition).into(),
            allocations: params.allocations.into_iter().map(Into::into).collect(),
            data: params.session_data.map(|data| data.to_string()),
        };
        let asked = self.proven(&params.definition.participants).await?.about(opening);
        let supervisor = self.services().supervisor()?;
        Ok(within(supervisor.send(OpenVirtualChannel { asked: Box::new(asked) })).await?)
    }

    pub(super) async fn submit(&self, params: submit_app_state::Params) -> Result<Answer, Failed> {
        self.check_time()?;
        let members = self.members_of(params.app_session_id).await?;
        let asked = self.proven(&[self.member]).await?;
        if let Some(state) = asked.states.first() {
            return Err(moves_nothing(state.body().channel_id).into());
        }
        let state = params.state(self.services().broker, &members).map_err(|error| Refusal::from(&error))?;
        let data = params.session_data.map(|data| data.to_string());
        let next = self.approved(state, VirtualIntent::Operate, &params.approvals, data, &members).await?;
        let room = self.services().virtual_channel(params.app_session_id).await?;
        Ok(within(room.send(UpdateVirtualChannel { asked: Box::new(asked.about(next)) })).await?)
    }

    pub(super) async fn close(&self, params: close_app_session::Params) -> Result<Answer, Failed> {
        self.check_time()?;
        let members = self.members_of(params.app_session_id).await?;
        // Each member may have its money sent to a direct channel of its own.
        let asked = self.proven(&members).await?;
        let state = params.state(self.services().broker, &members).map_err(|error| Refusal::from(&error))?;
        let data = params.session_data.map(|data| data.to_string());
        let next = self.approved(state, VirtualIntent::Close, &params.approvals, data, &members).await?;
        let room = self.services().virtual_channel(params.app_session_id).await?;
        Ok(within(room.send(CloseVirtualChannel { asked: Box::new(asked.about(next)) })).await?)
    }

    /// The members of a virtual channel; for a stranger it does not exist.
    async fn members_of(&self, channel: ChannelId) -> Result<Vec<Address>, Refusal> {
        let members = reads::members(self.services(), channel).await?;
        members
            .filter(|members| members.contains(&self.member))
            .ok_or_else(|| refusal::unknown_channel(channel))
    }

    /// A state with the approvals of members.
    async fn approved(
        &self,
        state: VirtualState,
        intent: VirtualIntent,
        approvals: &[Signature],
        data: Option<String>,
        members: &[Address],
    ) -> Result<NextState, Refusal> {
        match Signed::verify(state.clone(), approvals, members) {
            Ok(state) => Ok(NextState { state, data }),
            Err(error) => Err(self.unapproved(&state, intent, data.as_deref(), &error).await),
        }
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
}

/// An update moves nothing outside the virtual channel: it takes no states of direct channels.
fn moves_nothing(channel: ChannelId) -> Refusal {
    let (channel_id, field) = (Some(channel), Some("states".to_owned()));
    Refusal::new(Code::InvalidState).with(Details { channel_id, field, ..Details::default() })
}
