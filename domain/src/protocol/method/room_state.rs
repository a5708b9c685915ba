//! The virtual state that the parameters of an update or a close stand for.

use super::create_app_session::SessionData;
use crate::crypto::{VirtualAllocations, VirtualAllocationsError, VirtualIntent, VirtualState};
use crate::primitives::{Address, ChannelId, Version};
use crate::protocol::amounts::MemberAmount;

/// What members of a virtual channel approve of.
pub(super) struct RoomState<'a> {
    pub(super) channel_id: ChannelId,
    pub(super) intent: VirtualIntent,
    pub(super) version: Version,
    pub(super) allocations: &'a [MemberAmount],
    pub(super) data: Option<&'a SessionData>,
}

impl RoomState<'_> {
    /// The state that the approvals are signatures over.
    ///
    /// # Errors
    /// [`VirtualAllocationsError`] when the allocations are none of these members'.
    pub(super) fn of(
        self,
        broker: Address,
        members: &[Address],
    ) -> Result<VirtualState, VirtualAllocationsError> {
        let Self { channel_id, intent, version, allocations, data } = self;
        Ok(VirtualState {
            broker,
            channel_id,
            version,
            intent,
            data_hash: VirtualState::hash_of_data(data.map(SessionData::as_str)),
            allocations: VirtualAllocations::new(members, allocations.iter().copied().map(Into::into))?,
        })
    }
}
