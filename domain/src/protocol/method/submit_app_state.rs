//! `submit_app_state`: moves the money between the members of a virtual channel, or renews their data.

use serde::{Deserialize, Serialize};

use super::super::amounts::MemberAmount;
use super::super::json::{list, objects};
use super::super::limits::{ALLOCATIONS_MAX, SIGNATURES_MAX};
use super::create_app_session::SessionData;
use super::get_app_sessions::AppSessionStatus;
use crate::crypto::{Signature, VirtualAllocations, VirtualAllocationsError, VirtualIntent, VirtualState};
use crate::primitives::{Address, ChannelId, Timestamp, Version};

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
    /// Members put money in. Not served yet.
    Deposit,
    /// Members take money out. Not served yet.
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
        let lines = self.allocations.iter().copied().map(Into::into);
        Ok(VirtualState {
            broker,
            channel_id: self.app_session_id,
            version: self.version,
            intent: self.intent.into(),
            data_hash: VirtualState::hash_of_data(self.session_data.as_ref().map(SessionData::as_str)),
            allocations: VirtualAllocations::new(members, lines)?,
        })
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
pub const PARAMS_EXAMPLE: &str = r#"SUBMIT_PARAMS"#;

/// An example of [`Reply`].
pub const REPLY_EXAMPLE: &str =
    r#"{"app_session_id":"0xROOM_ID","version":2,"status":"open","expires_at":1700086400000}"#;
