//! `channel`: a direct channel of the participant has changed, or has a newer co-signed state.

use serde::{Deserialize, Serialize};

use super::super::json::object;
use super::super::method::get_channels::Channel;
use super::super::state::CosignedState;

/// The channel and, when there is one, its newest co-signed state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The channel.
    #[serde(deserialize_with = "object")]
    pub channel: Channel,
    /// The newest state that both have signed; `None` when this notification is not about a state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<CosignedState>,
}

/// An example of [`Content`].
pub const EXAMPLE: &str = r#"CHANNEL"#;
