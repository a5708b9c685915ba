//! `create_app_session`: opens a virtual channel with the signatures of all members.

use serde::{Deserialize, Serialize};

use super::get_app_sessions::AppSessionStatus;
use crate::crypto::Definition;
use crate::primitives::{Address, ChannelId, Timestamp, Version};
use crate::protocol::amounts::MemberAmount;
use crate::protocol::json::{Text, list, object, objects};
use crate::protocol::limits::{ALLOCATIONS_MAX, MEMBERS_MAX, NAME_BYTES_MAX, SESSION_DATA_BYTES_MAX};
use crate::protocol::uint53::Uint53;

/// Data of the members that the broker keeps with each state and never looks into.
pub type SessionData = Text<SESSION_DATA_BYTES_MAX>;

/// On which terms and with how much.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The terms; their hash is the id.
    #[serde(deserialize_with = "object")]
    pub definition: AppDefinition,
    /// Who puts in what; may be empty.
    #[serde(deserialize_with = "objects::<_, _, ALLOCATIONS_MAX>")]
    pub allocations: Vec<MemberAmount>,
    /// The members' data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_data: Option<SessionData>,
}

/// The immutable terms of a virtual channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppDefinition {
    /// What it is for; may be empty.
    pub application: Text<NAME_BYTES_MAX>,
    /// Which rules it follows: `Clearnet/1`.
    pub protocol: Text<NAME_BYTES_MAX>,
    /// The members; of a room the Host, then the Guest.
    #[serde(deserialize_with = "list::<_, _, MEMBERS_MAX>")]
    pub participants: Vec<Address>,
    /// How much the signature of each member counts.
    #[serde(deserialize_with = "list::<_, _, MEMBERS_MAX>")]
    pub weights: Vec<Uint53>,
    /// How much signatures have to count together.
    pub quorum: Uint53,
    /// The lifetime in seconds.
    pub challenge: Uint53,
    /// Makes the terms unique.
    pub nonce: Uint53,
}

impl From<&AppDefinition> for Definition {
    fn from(definition: &AppDefinition) -> Self {
        Self {
            application: definition.application.to_string(),
            protocol: definition.protocol.to_string(),
            participants: definition.participants.clone(),
            weights: definition.weights.iter().map(|weight| weight.get()).collect(),
            quorum: definition.quorum.get(),
            challenge: definition.challenge.get(),
            nonce: definition.nonce.get(),
        }
    }
}

impl AppDefinition {
    /// The terms as they travel; `None` when a name or a number is out of bounds, which those of a channel that
    /// was opened never are.
    #[must_use]
    pub fn of(definition: &Definition) -> Option<Self> {
        Some(Self {
            application: Text::new(definition.application.as_str())?,
            protocol: Text::new(definition.protocol.as_str())?,
            participants: definition.participants.clone(),
            weights: definition.weights.iter().map(|weight| Uint53::new(*weight)).collect::<Option<_>>()?,
            quorum: Uint53::new(definition.quorum)?,
            challenge: Uint53::new(definition.challenge)?,
            nonce: Uint53::new(definition.nonce)?,
        })
    }
}

/// The virtual channel that was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Its id.
    pub app_session_id: ChannelId,
    /// Its first version.
    pub version: Version,
    /// `open`.
    pub status: AppSessionStatus,
    /// When its lifetime is over.
    pub expires_at: Timestamp,
}

/// An example of [`Params`].
pub const PARAMS_EXAMPLE: &str = r#"{"definition":{"application":"tic-tac-toe","protocol":"Clearnet/1","participants":["0x14791697260E4c9A71f18484C9f997B308e59325","0x1563915e194D8CfBA1943570603F7606A3115508"],"weights":[50,50],"quorum":100,"challenge":86400,"nonce":1700000000000},"allocations":[{"participant":"0x14791697260E4c9A71f18484C9f997B308e59325","chain_id":31337,"token":"0x00000000000000000000000000000000000000bb","amount":"5000000"}]}"#;

/// An example of [`Reply`].
pub const REPLY_EXAMPLE: &str = r#"{"app_session_id":"0x7d1309069e73f9b397df2ac3d70850b8ccf8fbb9e4cc3e816fc98a44443c7cac","version":1,"status":"open","expires_at":1700086400000}"#;
