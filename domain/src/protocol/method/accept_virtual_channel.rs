//! `accept_virtual_channel`: the Guest of a proposed room pays its share in, and the room opens.

use serde::{Deserialize, Serialize};

use super::create_app_session::{self, SessionData};
use crate::primitives::ChannelId;
use crate::protocol::amounts::MemberAmount;
use crate::protocol::json::objects;
use crate::protocol::limits::ALLOCATIONS_MAX;

/// What the Guest agrees to: the id stands for the terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The virtual channel.
    pub app_session_id: ChannelId,
    /// Who puts in what: what was proposed.
    #[serde(deserialize_with = "objects::<_, _, ALLOCATIONS_MAX>")]
    pub allocations: Vec<MemberAmount>,
    /// The members' data: what was proposed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_data: Option<SessionData>,
}

/// The room that has opened.
pub type Reply = create_app_session::Reply;

/// An example of [`Params`].
pub const PARAMS_EXAMPLE: &str = r#"{"app_session_id":"0x7d1309069e73f9b397df2ac3d70850b8ccf8fbb9e4cc3e816fc98a44443c7cac","allocations":[{"participant":"0x14791697260E4c9A71f18484C9f997B308e59325","chain_id":31337,"token":"0x00000000000000000000000000000000000000bb","amount":"5000000"}]}"#;

/// An example of [`Reply`].
pub const REPLY_EXAMPLE: &str = create_app_session::REPLY_EXAMPLE;
