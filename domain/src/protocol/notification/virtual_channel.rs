//! `virtual_channel`: a virtual channel that the participant is a member of has opened, changed or ended.

use serde::{Deserialize, Serialize};

use super::super::json::object;
use super::super::method::get_app_sessions::AppSession;

/// The virtual channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// By its newest agreed state.
    #[serde(deserialize_with = "object")]
    pub app_session: AppSession,
}

/// An example of [`Content`].
pub const EXAMPLE: &str = r#"{"app_session":APP_SESSION}"#;
