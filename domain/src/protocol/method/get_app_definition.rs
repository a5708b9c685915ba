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
pub const PARAMS_EXAMPLE: &str = r#"{"app_session_id":"0xROOM_ID"}"#;

/// An example of [`Reply`].
pub const REPLY_EXAMPLE: &str = r#"DEFINITION"#;
