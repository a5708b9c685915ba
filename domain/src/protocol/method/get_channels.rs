//! `get_channels`: the requester's direct channels, newest first.

use serde::{Deserialize, Serialize};

use crate::primitives::{Address, Amount, ChainId, ChannelId, Version};
use crate::protocol::page::{Cursor, PageSize};
use crate::protocol::uint53::Uint53;

/// Which of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Only those in this status; all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<ChannelStatus>,
    /// How many at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<PageSize>,
    /// Where to go on: what the page before said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
}

/// The channels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// In the order of their ids.
    pub channels: Vec<Channel>,
    /// Where to go on; `None` after the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
}

/// Where in its life a direct channel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelStatus {
    /// Seen on chain; does not count yet.
    Opening,
    /// It counts.
    Open,
    /// The broker has signed its end, which is not confirmed yet.
    Closing,
    /// Something on chain took or disputes its money; nothing is signed.
    Frozen,
    /// It has ended.
    Closed,
}

/// A direct channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// Its id.
    pub channel_id: ChannelId,
    /// Where in its life it is.
    pub status: ChannelStatus,
    /// Whose it is: side 0. The broker is side 1.
    pub participant: Address,
    /// The chain.
    pub chain_id: ChainId,
    /// The token.
    pub token: Address,
    /// How much is locked in it.
    pub amount: Amount,
    /// How much of that is the participant's by the newest co-signed state.
    pub part: Amount,
    /// The version of that state.
    pub version: Version,
    /// The contract that judges states.
    pub adjudicator: Address,
    /// How long an answer to a challenge may take, in seconds.
    pub challenge: Uint53,
    /// What makes its terms unique.
    pub nonce: Uint53,
}

/// An example of [`Params`].
pub const PARAMS_EXAMPLE: &str = r#"{"status":"open","limit":20}"#;

/// An example of [`Reply`].
pub const REPLY_EXAMPLE: &str = r#"{"channels":[{"channel_id":"0x6067e046cd5b7cdc7931b1c3897254ca2eb7e50c1a654c039a613fcb29fbfcd8","status":"open","participant":"0x14791697260E4c9A71f18484C9f997B308e59325","chain_id":31337,"token":"0x00000000000000000000000000000000000000bb","amount":"20000000","part":"15000000","version":3,"adjudicator":"0x00000000000000000000000000000000000000AA","challenge":3600,"nonce":1700000000000}],"cursor":"1700000000000-41"}"#;
