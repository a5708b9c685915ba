//! `create_channel`: asks for the broker's signature under the first state of a direct channel.
//!
//! It binds the broker to nothing: the channel counts when the participant has brought it on chain.

use serde::{Deserialize, Serialize};

use super::super::state::{ChannelTerms, State};
use super::super::uint53::Uint53;
use crate::crypto::Signature;
use crate::primitives::{Address, Amount, ChainId, ChannelId};

/// What should be locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The chain.
    pub chain_id: ChainId,
    /// The token.
    pub token: Address,
    /// How much; may be zero.
    pub amount: Amount,
    /// The challenge in seconds; the network's least when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub challenge: Option<Uint53>,
}

/// What to bring on chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The id that the channel will have.
    pub channel_id: ChannelId,
    /// Its terms; the broker has chosen the nonce.
    pub channel: ChannelTerms,
    /// INITIALIZE [amount, 0].
    pub state: State,
    /// The broker's signature over the state.
    pub server_signature: Signature,
}

/// An example of [`Params`].
pub const PARAMS_EXAMPLE: &str =
    r#"{"chain_id":31337,"token":"0x00000000000000000000000000000000000000bb","amount":"20000000"}"#;

/// An example of [`Reply`].
pub const REPLY_EXAMPLE: &str = r#"CREATE_CHANNEL_REPLY"#;
