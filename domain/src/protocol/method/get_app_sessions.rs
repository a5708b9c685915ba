//! `get_app_sessions`: the virtual channels that the requester is a member of, newest first.

use serde::{Deserialize, Serialize};

use super::create_app_session::{AppDefinition, SessionData};
use crate::primitives::{ChannelId, Timestamp, Version};
use crate::protocol::amounts::MemberAmount;
use crate::protocol::json::{object, objects};
use crate::protocol::limits::ALLOCATIONS_MAX;
use crate::protocol::page::{Cursor, PageSize};

/// Which of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Only the one of this id; all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_session_id: Option<ChannelId>,
    /// Only those in this status; all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<AppSessionStatus>,
    /// How many at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<PageSize>,
    /// Where to go on: what the page before said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
}

/// The virtual channels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// In the order of their ids.
    pub app_sessions: Vec<AppSession>,
    /// Where to go on; `None` after the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
}

/// Where in its life a virtual channel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AppSessionStatus {
    /// The Host has proposed it; the Guest has not answered yet.
    Proposed,
    /// It can be updated and closed.
    Open,
    /// Its lifetime is over; members may still hand in a higher state.
    Expiring,
    /// Closed by agreement.
    Closed,
    /// Paid out by its last agreed state after its lifetime.
    Expired,
    /// A proposal that the Guest did not want.
    Rejected,
    /// A proposal that the Host took back, or whose Host was gone.
    Cancelled,
    /// A proposal that was not answered in time.
    Lapsed,
}

/// A virtual channel by its newest agreed state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppSession {
    /// Its id.
    pub app_session_id: ChannelId,
    /// Where in its life it is.
    pub status: AppSessionStatus,
    /// Its immutable terms.
    #[serde(deserialize_with = "object")]
    pub definition: AppDefinition,
    /// The version of the state; 0 before one was agreed on.
    pub version: Version,
    /// Who owns what: by member in the order of the definition, chain and token; nothing is left out but
    /// amounts of zero. Of a channel that has ended, what was paid out; of a proposal, what is to be put in.
    #[serde(deserialize_with = "objects::<_, _, ALLOCATIONS_MAX>")]
    pub allocations: Vec<MemberAmount>,
    /// The members' data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_data: Option<SessionData>,
    /// When it was proposed, or opened without a proposal.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When its lifetime is over; of a proposal, until when it can be accepted.
    pub expires_at: Timestamp,
}

/// An example of [`Params`].
pub const PARAMS_EXAMPLE: &str = r#"{"status":"open"}"#;

/// An example of [`Reply`].
pub const REPLY_EXAMPLE: &str = r#"{"app_sessions":[{"app_session_id":"0x7d1309069e73f9b397df2ac3d70850b8ccf8fbb9e4cc3e816fc98a44443c7cac","status":"open","definition":{"application":"tic-tac-toe","protocol":"Clearnet/1","participants":["0x14791697260E4c9A71f18484C9f997B308e59325","0x1563915e194D8CfBA1943570603F7606A3115508"],"weights":[50,50],"quorum":100,"challenge":86400,"nonce":1700000000000},"version":2,"allocations":[{"participant":"0x14791697260E4c9A71f18484C9f997B308e59325","chain_id":31337,"token":"0x00000000000000000000000000000000000000bb","amount":"3000000"},{"participant":"0x1563915e194D8CfBA1943570603F7606A3115508","chain_id":31337,"token":"0x00000000000000000000000000000000000000bb","amount":"2000000"}],"session_data":"{\"move\":1}","created_at":1700000000000,"updated_at":1700000060000,"expires_at":1700086400000}]}"#;
