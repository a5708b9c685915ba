//! `reject_virtual_channel`: the Guest of a proposed room does not want it.

use serde::{Deserialize, Serialize};

use super::get_app_sessions::AppSessionStatus;
use crate::primitives::ChannelId;

/// Which proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The virtual channel.
    pub app_session_id: ChannelId,
}

/// The proposal after its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Its id.
    pub app_session_id: ChannelId,
    /// `rejected`.
    pub status: AppSessionStatus,
}

/// An example of [`Params`].
pub const PARAMS_EXAMPLE: &str =
    r#"{"app_session_id":"0x7d1309069e73f9b397df2ac3d70850b8ccf8fbb9e4cc3e816fc98a44443c7cac"}"#;

/// An example of [`Reply`].
pub const REPLY_EXAMPLE: &str = r#"{"app_session_id":"0x7d1309069e73f9b397df2ac3d70850b8ccf8fbb9e4cc3e816fc98a44443c7cac","status":"rejected"}"#;
