//! `get_app_definition`: the terms of a virtual channel that the requester is a member of.

use serde::{Deserialize, Serialize};

use super::create_app_session::AppDefinition;
use crate::primitives::ChannelId;

/// Of which virtual channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// A virtual channel.
    pub app_session_id: ChannelId,
}

/// Its terms.
pub type Reply = AppDefinition;

/// An example of [`Params`].
pub const PARAMS_EXAMPLE: &str =
    r#"{"app_session_id":"0x7d1309069e73f9b397df2ac3d70850b8ccf8fbb9e4cc3e816fc98a44443c7cac"}"#;

/// An example of [`Reply`].
pub const REPLY_EXAMPLE: &str = r#"{"application":"tic-tac-toe","protocol":"Clearnet/1","participants":["0x14791697260E4c9A71f18484C9f997B308e59325","0x1563915e194D8CfBA1943570603F7606A3115508"],"weights":[50,50],"quorum":100,"challenge":86400,"nonce":1700000000000}"#;
