//! The newest co-signed states of our direct channels: where they come from, and which are taken.

use domain::crypto::{DirectParams, Intent, Signed};
use domain::primitives::ChannelId;
use domain::protocol::method::get_state;
use domain::protocol::{CarriedState, CosignedState, Refusal, Request, Response};

use super::Client;
use crate::cosigned::Cosigned;
use crate::error::ClientError;

impl Client {
    /// The newest state of a direct channel that both have signed. Asks the broker for it the first time.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `unknown_channel`; those of [`Client::send`].
    pub async fn channel(&mut self, channel_id: ChannelId) -> Result<&Cosigned, ClientError> {
        if !self.channels.contains_key(&channel_id) {
            let request = self.request(&get_state::Params { channel_id });
            let reply = self.send::<get_state::Params>(&request).await?;
            let params = reply.channel.on_chain(reply.chain_id);
            let state = reply.state.of_channel(channel_id);
            let newest = Cosigned::verify(self.us(), params, state, reply.signatures)?;
            self.channels.insert(channel_id, newest);
        }
        self.channels.get(&channel_id).ok_or(ClientError::OtherState { channel_id })
    }

    /// Takes our states out of an answer: each must be one that we have signed in the request, and none of those
    /// may be missing but the first of a channel that the broker is yet to create.
    pub(super) fn take_states(
        &mut self,
        request: &Request,
        response: &Response,
    ) -> Result<Vec<CosignedState>, ClientError> {
        let [us, broker] = self.us();
        let is_ours = |carried: &&CarriedState| carried.state.allocations[0].destination == us;
        let mut taken = Vec::new();
        for ours in request.states().iter().filter(is_ours) {
            let channel_id = ours.channel_id;
            let theirs = response.states().iter().find(|state| state.channel_id == channel_id);
            let Some(theirs) = theirs else {
                if ours.state.intent == Intent::Initialize {
                    continue;
                }
                return Err(ClientError::NotCountersigned { channel_id });
            };
            if theirs.state != ours.state {
                return Err(ClientError::OtherState { channel_id });
            }
            let state = ours.to_direct();
            Signed::verify(state.clone(), &[theirs.sig], &[broker])?;
            let signatures = [ours.sig, theirs.sig];
            // A FINALIZE ends the channel: what could be enforced before, can be still.
            if state.intent == Intent::Operate
                && let Some(known) = self.channels.get_mut(&channel_id)
            {
                (known.state, known.signatures) = (state, signatures);
            }
            taken.push(CosignedState { channel_id, state: ours.state.clone(), signatures });
        }
        Ok(taken)
    }

    /// Takes the newer state that a refusal tells of, if it is one that we have signed. What is wrong with it
    /// changes nothing about the refusal.
    pub(super) fn learn(&mut self, refusal: &Refusal) {
        let current = refusal.details.as_ref().and_then(|details| details.current.as_ref());
        if let Some(current) = current
            && let Some(known) = self.channels.get(&current.channel_id)
        {
            let _ = self.take(known.params.clone(), current);
        }
    }

    /// Takes a state, if it is newer than what we have.
    pub(super) fn take(&mut self, params: DirectParams, newer: &CosignedState) -> Result<(), ClientError> {
        let channel_id = newer.channel_id;
        let known = self.channels.get(&channel_id).map(|known| known.state.version);
        if known.is_none_or(|known| known < newer.state.version) {
            let state = newer.state.of_channel(channel_id);
            let newest = Cosigned::verify(self.us(), params, state, newer.signatures)?;
            self.channels.insert(channel_id, newest);
        }
        Ok(())
    }
}
