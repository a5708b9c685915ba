//! `get_app_sessions`: the virtual channels that the requester is a member of, newest first.

use serde::{Deserialize, Serialize};

use super::super::amounts::MemberAmount;
use super::super::json::{object, objects};
use super::super::limits::ALLOCATIONS_MAX;
use super::super::page::{Cursor, PageSize};
use super::create_app_session::{AppDefinition, SessionData};
use crate::primitives::{ChannelId, Timestamp, Version};

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
    /// Newest first.
    pub app_sessions: Vec<AppSession>,
    /// Where to go on; `None` after the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
}

/// Where in its life a virtual channel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AppSessionStatus {
    /// It can be updated and closed.
    Open,
    /// Its lifetime is over; members may still hand in a higher state.
    Expiring,
    /// Closed by agreement.
    Closed,
    /// Paid out by its last agreed state after its lifetime.
    Expired,
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
    /// The version of the state.
    pub version: Version,
    /// Who owns what: by member in the order of the definition, chain and token; nothing is left out but
    /// amounts of zero. Of a channel that has ended, what was paid out.
    #[serde(deserialize_with = "objects::<_, _, ALLOCATIONS_MAX>")]
    pub allocations: Vec<MemberAmount>,
    /// The members' data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_data: Option<SessionData>,
    /// When it opened.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When its lifetime is over.
    pub expires_at: Timestamp,
}

/// An example of [`Params`].
pub const PARAMS_EXAMPLE: &str = r#"{"status":"open"}"#;

/// An example of [`Reply`].
pub const REPLY_EXAMPLE: &str = r#"{"app_sessions":[APP_SESSION]}"#;
