//! `submit_app_state`: moves the money of a virtual channel between its members, in or out, or renews their data.

use serde::{Deserialize, Serialize};

use super::create_app_session::SessionData;
use super::get_app_sessions::AppSessionStatus;
use super::room_state::RoomState;
use crate::crypto::{Signature, VirtualAllocationsError, VirtualIntent, VirtualState};
use crate::primitives::{Address, ChannelId, Timestamp, Version};
use crate::protocol::amounts::MemberAmount;
use crate::protocol::json::{list, objects};
use crate::protocol::limits::{ALLOCATIONS_MAX, SIGNATURES_MAX};

/// The next state and who agrees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The virtual channel.
    pub app_session_id: ChannelId,
    /// What the state is for.
    pub intent: AppIntent,
    /// The newest version + 1.
    pub version: Version,
    /// Who owns what afterwards: everything, a pair that is not listed has nothing.
    #[serde(deserialize_with = "objects::<_, _, ALLOCATIONS_MAX>")]
    pub allocations: Vec<MemberAmount>,
    /// The members' data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_data: Option<SessionData>,
    /// Signatures over the virtual state, by members whose weights reach the quorum.
    #[serde(deserialize_with = "list::<_, _, SIGNATURES_MAX>")]
    pub approvals: Vec<Signature>,
}

/// What a submitted state is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AppIntent {
    /// The members' parts change, the total stays.
    Operate,
    /// Members put money in: no amount shrinks.
    Deposit,
    /// Members take money out: no amount grows.
    Withdraw,
}

impl From<AppIntent> for VirtualIntent {
    fn from(intent: AppIntent) -> Self {
        match intent {
            AppIntent::Operate => Self::Operate,
            AppIntent::Deposit => Self::Deposit,
            AppIntent::Withdraw => Self::Withdraw,
        }
    }
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
            intent: self.intent.into(),
            version: self.version,
            allocations: &self.allocations,
            data: self.session_data.as_ref(),
        };
        state.of(broker, members)
    }
}

/// The virtual channel after the update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Its id.
    pub app_session_id: ChannelId,
    /// The version that was submitted.
    pub version: Version,
    /// Where in its life it is.
    pub status: AppSessionStatus,
    /// When its lifetime is over.
    pub expires_at: Timestamp,
}

/// An example of [`Params`].
pub const PARAMS_EXAMPLE: &str = r#"{"app_session_id":"0x7d1309069e73f9b397df2ac3d70850b8ccf8fbb9e4cc3e816fc98a44443c7cac","intent":"operate","version":2,"allocations":[{"participant":"0x14791697260E4c9A71f18484C9f997B308e59325","chain_id":31337,"token":"0x00000000000000000000000000000000000000bb","amount":"3000000"},{"participant":"0x1563915e194D8CfBA1943570603F7606A3115508","chain_id":31337,"token":"0x00000000000000000000000000000000000000bb","amount":"2000000"}],"session_data":"{\"move\":1}","approvals":["0x30971988724ab6e4c4a46d9954401a408f2116b20a47e459b8a705fa3c253507049121c7cefef02374d10587bfd914761f8c28474de939895c95d4bb32207cdb1b","0x77fe58449fa1ba5de4a224a0b9b359d952d7d7562535efae4b94a0ee2d148b223378c2d14480889158905cf84ff4016396d44845063924f159444455262d44231c"]}"#;

/// An example of [`Reply`].
pub const REPLY_EXAMPLE: &str = r#"{"app_session_id":"0x7d1309069e73f9b397df2ac3d70850b8ccf8fbb9e4cc3e816fc98a44443c7cac","version":2,"status":"open","expires_at":1700086400000}"#;
