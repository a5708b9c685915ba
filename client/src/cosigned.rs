//! States of direct channels with both signatures: what can be enforced on chain without the broker.

use domain::crypto::{Allocation, DirectParams, DirectState, Intent, Signature, Signed};
use domain::primitives::{Address, Amount, Token};
use domain::protocol::method::get_channels::Channel;
use domain::protocol::{CarriedState, State};

use crate::error::ClientError;

/// A state of a direct channel that the participant and the broker have signed, with the channel's terms: all that
/// the custody contract asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    /// The terms.
    pub params: DirectParams,
    /// The state.
    pub state: DirectState,
    /// The participant's signature and the broker's, in this order.
    pub signatures: [Signature; 2],
}

impl Cosigned {
    /// Checks that these are terms of a channel of `us`, participant and broker, that the state is one of that
    /// channel, and that both have signed it.
    ///
    /// # Errors
    /// First that applies: [`ClientError::OtherState`], [`ClientError::BadSignature`].
    pub(crate) fn verify(
        us: [Address; 2],
        params: DirectParams,
        state: DirectState,
        signatures: [Signature; 2],
    ) -> Result<Self, ClientError> {
        let channel_id = state.channel_id;
        let [part, rest] = state.allocations;
        let is_ours = params.participants == us
            && params.channel_id() == channel_id
            && [part.destination, rest.destination] == us
            && part.token == rest.token
            && part.amount.checked_add(rest.amount).is_some();
        if !is_ours {
            return Err(ClientError::OtherState { channel_id });
        }
        for (signer, signature) in us.into_iter().zip(signatures) {
            Signed::verify(state.clone(), &[signature], &[signer])?;
        }
        Ok(Self { params, state, signatures })
    }

    /// The token that is locked.
    #[must_use]
    pub fn token(&self) -> Token {
        Token { chain_id: self.params.chain_id, address: self.state.allocations[0].token }
    }

    /// What the state gives to the participant.
    #[must_use]
    pub fn part(&self) -> Amount {
        self.state.allocations[0].amount
    }

    /// What is locked in the channel.
    ///
    /// # Panics
    /// Never: both would not have signed a sum that is no amount.
    #[must_use]
    pub fn locked(&self) -> Amount {
        let amounts = self.state.allocations.map(|allocation| allocation.amount);
        Amount::checked_sum(amounts).expect("checked when the state was verified")
    }

    /// The state that follows, in which `part` is the participant's.
    ///
    /// # Errors
    /// [`ClientError::PartTooLarge`].
    pub(crate) fn next(
        &self,
        intent: Intent,
        part: Amount,
        data: Vec<u8>,
    ) -> Result<DirectState, ClientError> {
        let (channel_id, locked) = (self.state.channel_id, self.locked());
        let too_large = ClientError::PartTooLarge { channel_id, part, locked };
        let (Some(version), Some(rest)) = (self.state.version.next(), locked.checked_sub(part)) else {
            return Err(too_large);
        };
        let [ours, theirs] = self.state.allocations;
        let allocations = [Allocation { amount: part, ..ours }, Allocation { amount: rest, ..theirs }];
        Ok(DirectState { channel_id, intent, version, data, allocations })
    }
}

/// A state as it travels with a request.
///
/// # Panics
/// Never for what this crate builds: data of a state is the hash of a request, or nothing.
pub(crate) fn carried(state: &DirectState, sig: Signature) -> CarriedState {
    let travelling = State::of(state).expect("its data is a hash or nothing");
    CarriedState { channel_id: state.channel_id, state: travelling, sig }
}

/// The terms of a channel that the broker tells of.
pub(crate) fn terms_of(channel: &Channel, broker: Address) -> DirectParams {
    DirectParams {
        participants: [channel.participant, broker],
        adjudicator: channel.adjudicator,
        challenge_secs: channel.challenge.get(),
        nonce: channel.nonce.get(),
        chain_id: channel.chain_id,
    }
}
