//! `propose_virtual_channel`: the Host of a room pays its share in and asks the Guest to join.

use serde::{Deserialize, Serialize};

use super::create_app_session::{AppDefinition, SessionData};
use super::get_app_sessions::AppSessionStatus;
use crate::primitives::{ChannelId, Timestamp, Version};
use crate::protocol::amounts::MemberAmount;
use crate::protocol::json::{object, objects};
use crate::protocol::limits::ALLOCATIONS_MAX;
use crate::protocol::uint53::Uint53;

/// How long a proposal can be accepted when nothing is said, in seconds.
pub const ACCEPT_SECS_DEFAULT: u64 = 300;

/// On which terms and with how much.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The terms; their hash is the id.
    #[serde(deserialize_with = "object")]
    pub definition: AppDefinition,
    /// Who is to put in what; may be empty.
    #[serde(deserialize_with = "objects::<_, _, ALLOCATIONS_MAX>")]
    pub allocations: Vec<MemberAmount>,
    /// The members' data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_data: Option<SessionData>,
    /// How long the Guest can accept, in seconds; [`ACCEPT_SECS_DEFAULT`] when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accept_within_secs: Option<Uint53>,
}

/// The proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Its id.
    pub app_session_id: ChannelId,
    /// 0: nothing is agreed on.
    pub version: Version,
    /// `proposed`.
    pub status: AppSessionStatus,
    /// Until when the Guest can accept.
    pub expires_at: Timestamp,
}

/// An example of [`Params`].
pub const PARAMS_EXAMPLE: &str = r#"{"definition":{"application":"tic-tac-toe","protocol":"Clearnet/1","participants":["0x14791697260E4c9A71f18484C9f997B308e59325","0x1563915e194D8CfBA1943570603F7606A3115508"],"weights":[50,50],"quorum":100,"challenge":86400,"nonce":1700000000000},"allocations":[{"participant":"0x14791697260E4c9A71f18484C9f997B308e59325","chain_id":31337,"token":"0x00000000000000000000000000000000000000bb","amount":"5000000"}],"accept_within_secs":60}"#;

/// An example of [`Reply`].
pub const REPLY_EXAMPLE: &str = r#"{"app_session_id":"0x7d1309069e73f9b397df2ac3d70850b8ccf8fbb9e4cc3e816fc98a44443c7cac","version":0,"status":"proposed","expires_at":1700000120000}"#;
