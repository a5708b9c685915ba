//! What comes without having been asked for.

use domain::primitives::{ChannelId, Timestamp};
use domain::protocol::notification::Notification;
use domain::protocol::{RequestId, RoomSide, Stamp};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// Something that the broker told, or another member of a room said.
#[derive(Debug, Clone)]
pub enum Event {
    /// The broker tells, signed by it, what has changed.
    Notification(Notification),
    /// A message in a room.
    Message(Message),
    /// A signed request of the Guest: only its Host gets it.
    RoomRequest(RoomCall),
    /// A signed response of the Host: only its Guest gets it.
    RoomResponse(RoomCall),
    /// The broker let go of a subscription: the room has ended, or begins again and may be subscribed to again.
    RoomLeft(ChannelId),
}

/// A message in a room.
#[derive(Debug, Clone)]
pub struct Message {
    /// The room.
    pub channel_id: ChannelId,
    /// Who said it, when, and as which message of the room.
    pub stamp: Stamp,
    /// What was said, as it was said.
    pub data: Box<RawValue>,
}

/// A request or response inside a room, with the signature of its sender checked.
#[derive(Debug, Clone)]
pub struct RoomCall {
    /// The room.
    pub channel_id: ChannelId,
    /// Who said it, when, and as which message of the room.
    pub stamp: Stamp,
    /// Which request it is, or answers.
    pub id: RequestId,
    /// What is asked for.
    pub method: String,
    /// The parameters or the result.
    pub body: Box<RawValue>,
    /// The time inside it, by the clock of its sender.
    pub at: Timestamp,
}

impl RoomCall {
    /// Reads a call whose signature was checked; `None` when its content has another form, which the broker
    /// lets pass only for responses to no request.
    pub(crate) fn read(call: &domain::protocol::RoomCall, stamp: Stamp) -> Option<(RoomSide, Self)> {
        let (id, method, body, at): (RequestId, String, Box<RawValue>, Timestamp) =
            serde_json::from_str(call.content()).ok()?;
        Some((call.side(), Self { channel_id: call.channel(), stamp, id, method, body, at }))
    }

    /// The parameters or the result, as what the members have agreed on.
    ///
    /// # Errors
    /// When they are something else: the other member does not keep to what was agreed.
    pub fn body<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_str(self.body.get())
    }
}

impl Message {
    /// What was said, as what the members have agreed on.
    ///
    /// # Errors
    /// When it is something else: the other member does not keep to what was agreed.
    pub fn body<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_str(self.data.get())
    }
}
