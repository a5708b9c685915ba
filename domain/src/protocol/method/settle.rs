//! `settle`: makes wallet money real on chain, in a direct channel that the broker creates and pays for.

use serde::{Deserialize, Serialize};

use crate::primitives::{Address, Amount, ChainId, ChannelId};
use crate::protocol::json::object;
use crate::protocol::state::ChannelTerms;

/// How much, and into which channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The chain.
    pub chain_id: ChainId,
    /// The token.
    pub token: Address,
    /// How much, above zero.
    pub amount: Amount,
    /// The terms of the channel: participants [requester, broker], the network's adjudicator and least
    /// challenge, a nonce that the requester never used.
    #[serde(deserialize_with = "object")]
    pub channel: ChannelTerms,
}

/// The channel that the money goes into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Its id.
    pub channel_id: ChannelId,
}

/// An example of [`Params`].
pub const PARAMS_EXAMPLE: &str = r#"{"chain_id":31337,"token":"0x00000000000000000000000000000000000000bb","amount":"5000000","channel":{"participants":["0x14791697260E4c9A71f18484C9f997B308e59325","0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"],"adjudicator":"0x00000000000000000000000000000000000000AA","challenge":3600,"nonce":1700000050000}}"#;

/// An example of [`Reply`].
pub const REPLY_EXAMPLE: &str =
    r#"{"channel_id":"0x591c384d9836a58901ad512eb699950f38c3e516fecfa4b280da6ab4227e6241"}"#;
