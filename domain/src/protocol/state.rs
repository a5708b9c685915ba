//! States of direct channels as they travel.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::json::{object, object_pair, pair};
use super::limits::STATE_DATA_BYTES_MAX;
use super::uint53::Uint53;
use crate::crypto::{Allocation, DirectParams, DirectState, Intent, Signature};
use crate::primitives::{Address, Amount, ChainId, ChannelId, Version, decode_hex, encode_hex};

/// The immutable terms of a direct channel, without the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelTerms {
    /// The participant and the broker, in this order.
    #[serde(deserialize_with = "pair")]
    pub participants: [Address; 2],
    /// The contract that judges states.
    pub adjudicator: Address,
    /// How long an answer to a challenge may take, in seconds.
    pub challenge: Uint53,
    /// Makes the terms unique.
    pub nonce: Uint53,
}

impl ChannelTerms {
    /// The terms as the id of the channel follows from them.
    #[must_use]
    pub const fn on_chain(self, chain_id: ChainId) -> DirectParams {
        DirectParams {
            participants: self.participants,
            adjudicator: self.adjudicator,
            challenge_secs: self.challenge.get(),
            nonce: self.nonce.get(),
            chain_id,
        }
    }

    /// The terms as they travel; `None` when the challenge or the nonce is above 2^53 − 1, which those of a
    /// channel that counts never are.
    #[must_use]
    pub fn of(params: &DirectParams) -> Option<Self> {
        Some(Self {
            participants: params.participants,
            adjudicator: params.adjudicator,
            challenge: Uint53::new(params.challenge_secs)?,
            nonce: Uint53::new(params.nonce)?,
        })
    }
}

/// Bytes that a state carries, `0x` and hex digits, at most [`STATE_DATA_BYTES_MAX`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StateData(Vec<u8>);

impl StateData {
    /// Takes bytes, or `None` when they are more than [`STATE_DATA_BYTES_MAX`].
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() <= STATE_DATA_BYTES_MAX).then_some(Self(bytes))
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Serialize for StateData {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&encode_hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for StateData {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = decode_hex(&String::deserialize(deserializer)?).map_err(de::Error::custom)?;
        let too_long = || de::Error::custom(format_args!("data has more than {STATE_DATA_BYTES_MAX} bytes"));
        Self::new(bytes).ok_or_else(too_long)
    }
}

/// Who gets how much of which token when a state is enforced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateAllocation {
    /// Whose money in the custody contract it becomes.
    pub destination: Address,
    /// The token, on the channel's chain.
    pub token: Address,
    /// How much, in the token's smallest unit.
    pub amount: Amount,
}

/// A state of a direct channel, without the channel's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// What it is for, by the contract's number.
    #[serde(with = "intent_number")]
    pub intent: Intent,
    /// Which of the channel's states it is.
    pub version: Version,
    /// The hash of the request that agreed on it, or nothing.
    pub data: StateData,
    /// The participant's part and the broker's, in this order.
    #[serde(deserialize_with = "object_pair")]
    pub allocations: [StateAllocation; 2],
}

impl State {
    /// The state as it is signed.
    #[must_use]
    pub fn of_channel(&self, channel_id: ChannelId) -> DirectState {
        let allocation = |line: StateAllocation| Allocation {
            destination: line.destination,
            token: line.token,
            amount: line.amount,
        };
        DirectState {
            channel_id,
            intent: self.intent,
            version: self.version,
            data: self.data.0.clone(),
            allocations: self.allocations.map(allocation),
        }
    }

    /// The state as it travels; `None` when its data is longer than [`STATE_DATA_BYTES_MAX`], which that of a
    /// state that the broker signed never is.
    #[must_use]
    pub fn of(state: &DirectState) -> Option<Self> {
        let line = |allocation: Allocation| StateAllocation {
            destination: allocation.destination,
            token: allocation.token,
            amount: allocation.amount,
        };
        Some(Self {
            intent: state.intent,
            version: state.version,
            data: StateData::new(state.data.clone())?,
            allocations: state.allocations.map(line),
        })
    }
}

/// A state beside a request, signed by the participant, or beside a response, signed by the broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CarriedState {
    /// The channel that it is a state of.
    pub channel_id: ChannelId,
    /// The state.
    #[serde(deserialize_with = "object")]
    pub state: State,
    /// The signature over it.
    pub sig: Signature,
}

impl CarriedState {
    /// The state as it is signed.
    #[must_use]
    pub fn to_direct(&self) -> DirectState {
        self.state.of_channel(self.channel_id)
    }
}

/// A state with both signatures: what the custody contract accepts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CosignedState {
    /// The channel that it is a state of.
    pub channel_id: ChannelId,
    /// The state.
    #[serde(deserialize_with = "object")]
    pub state: State,
    /// The participant's signature and the broker's, in this order.
    #[serde(deserialize_with = "pair")]
    pub signatures: [Signature; 2],
}

mod intent_number {
    //! Intents of direct states by their numbers.

    use serde::{Deserialize as _, Deserializer, Serializer, de};

    use crate::crypto::Intent;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    pub(super) fn serialize<S: Serializer>(intent: &Intent, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(intent.number())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Intent, D::Error> {
        let number = u64::deserialize(deserializer)?;
        let intent = u8::try_from(number).ok().and_then(Intent::from_number);
        intent.ok_or_else(|| de::Error::custom("intent must be 0, 1, 2 or 3"))
    }
}
