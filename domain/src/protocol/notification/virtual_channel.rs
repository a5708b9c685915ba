//! `virtual_channel`: a virtual channel that the participant is a member of has opened, changed or ended.

use serde::{Deserialize, Serialize};

use crate::protocol::json::object;
use crate::protocol::method::get_app_sessions::AppSession;

/// The virtual channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// By its newest agreed state.
    #[serde(deserialize_with = "object")]
    pub app_session: AppSession,
}

/// An example of [`Content`].
pub const EXAMPLE: &str = r#"{"app_session":{"app_session_id":"0x7d1309069e73f9b397df2ac3d70850b8ccf8fbb9e4cc3e816fc98a44443c7cac","status":"open","definition":{"application":"tic-tac-toe","protocol":"Clearnet/1","participants":["0x14791697260E4c9A71f18484C9f997B308e59325","0x1563915e194D8CfBA1943570603F7606A3115508"],"weights":[50,50],"quorum":100,"challenge":86400,"nonce":1700000000000},"version":2,"allocations":[{"participant":"0x14791697260E4c9A71f18484C9f997B308e59325","chain_id":31337,"token":"0x00000000000000000000000000000000000000bb","amount":"3000000"},{"participant":"0x1563915e194D8CfBA1943570603F7606A3115508","chain_id":31337,"token":"0x00000000000000000000000000000000000000bb","amount":"2000000"}],"session_data":"{\"move\":1}","created_at":1700000000000,"updated_at":1700000060000,"expires_at":1700086400000}}"#;
