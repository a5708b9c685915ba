//! `get_state`: the newest co-signed state of one of the requester's direct channels.
//!
//! With it the participant can leave by a challenge on chain, without the broker.

use serde::{Deserialize, Serialize};

use super::super::state::{ChannelTerms, State};
use crate::crypto::Signature;
use crate::primitives::{ChainId, ChannelId};

/// Of which channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// A direct channel of the requester.
    pub channel_id: ChannelId,
}

/// The state, and the terms that the contract asks for beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The channel.
    pub channel_id: ChannelId,
    /// The chain that it is on.
    pub chain_id: ChainId,
    /// Its terms.
    pub channel: ChannelTerms,
    /// The newest state that both have signed.
    pub state: State,
    /// The participant's signature and the broker's, in this order.
    pub signatures: [Signature; 2],
}

/// An example of [`Params`].
pub const PARAMS_EXAMPLE: &str =
    r#"{"channel_id":"0x6067e046cd5b7cdc7931b1c3897254ca2eb7e50c1a654c039a613fcb29fbfcd8"}"#;

/// An example of [`Reply`].
pub const REPLY_EXAMPLE: &str = r#"GET_STATE_REPLY"#;
