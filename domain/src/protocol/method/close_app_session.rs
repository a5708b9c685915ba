//! `close_app_session`: ends a virtual channel by agreement and pays its members.

use serde::{Deserialize, Serialize};

use super::create_app_session::SessionData;
use super::get_app_sessions::AppSessionStatus;
use super::room_state::RoomState;
use crate::crypto::{Signature, VirtualAllocationsError, VirtualIntent, VirtualState};
use crate::primitives::{Address, ChannelId, Version};
use crate::protocol::amounts::MemberAmount;
use crate::protocol::json::{list, objects};
use crate::protocol::limits::{ALLOCATIONS_MAX, SIGNATURES_MAX};

/// The last state and who agrees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The virtual channel.
    pub app_session_id: ChannelId,
    /// The newest version + 1.
    pub version: Version,
    /// Who gets what; it sums to what the channel holds.
    #[serde(deserialize_with = "objects::<_, _, ALLOCATIONS_MAX>")]
    pub allocations: Vec<MemberAmount>,
    /// The members' data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_data: Option<SessionData>,
    /// Signatures over the virtual state, by members whose weights reach the quorum.
    #[serde(deserialize_with = "list::<_, _, SIGNATURES_MAX>")]
    pub approvals: Vec<Signature>,
}

impl Params {
    /// The state that the approvals are signatures over.
    ///
    /// # Errors
    /// [`VirtualAllocationsError`] when the allocations are none of these members'.
    pub fn state(
        &self,
        broker: Address,
        members: &[Address],
    ) -> Result<VirtualState, VirtualAllocationsError> {
        let state = RoomState {
            channel_id: self.app_session_id,
            intent: VirtualIntent::Close,
            version: self.version,
            allocations: &self.allocations,
            data: self.session_data.as_ref(),
        };
        state.of(broker, members)
    }
}

/// The virtual channel after its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Its id.
    pub app_session_id: ChannelId,
    /// Its last version.
    pub version: Version,
    /// `closed`.
    pub status: AppSessionStatus,
}

/// An example of [`Params`].
pub const PARAMS_EXAMPLE: &str = r#"{"app_session_id":"0x7d1309069e73f9b397df2ac3d70850b8ccf8fbb9e4cc3e816fc98a44443c7cac","version":3,"allocations":[{"participant":"0x1563915e194D8CfBA1943570603F7606A3115508","chain_id":31337,"token":"0x00000000000000000000000000000000000000bb","amount":"5000000"}],"approvals":["0xdaae37cc074b802cc1f4e7729d345dada8a771db7515eb3bcc57b50139827a5a73894fbdefd5a950dcc9ad07be23c4d441aa548278a89845e3c6b5d1a93ec06a1b","0x14fc353974d9608b3f3f214cfddff999f851e0b2a4bff3f2510005475c6315dd00d214a3b785be244d8a87df8dcd4b7d4a0071d66d98f67c1b084af357e207911b"]}"#;

/// An example of [`Reply`].
pub const REPLY_EXAMPLE: &str = r#"{"app_session_id":"0x7d1309069e73f9b397df2ac3d70850b8ccf8fbb9e4cc3e816fc98a44443c7cac","version":3,"status":"closed"}"#;
