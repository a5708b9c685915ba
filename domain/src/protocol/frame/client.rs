//! Frames that clients send.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::auth::Auth;
use super::fault::{FrameError, FrameFault};
use super::frame_id::FrameId;
use super::raw_frame::{RawFrame, optional, optional_object};
use crate::primitives::ChannelId;
use crate::protocol::envelope::{Request, RoomCall};
use crate::protocol::json::JsonFault;
use crate::protocol::limits::{FRAME_BYTES_MAX, MESSAGE_BYTES_MAX};

/// A frame that a client sends.
#[derive(Debug, Clone)]
pub struct ClientFrame {
    /// What the answer repeats. Of an `rpc` frame to the broker without one, the id inside `req`.
    pub id: Option<FrameId>,
    /// What it is.
    pub body: ClientBody,
}

/// What a client can send.
#[derive(Debug, Clone)]
pub enum ClientBody {
    /// Asks for a challenge, or answers it.
    Auth(Auth),
    /// Wants the messages of a channel, from a position on if one is given.
    Subscribe {
        /// The channel.
        channel: ChannelId,
        /// The last message that the client has.
        after: Option<Position>,
    },
    /// Wants no more messages of a channel.
    Unsubscribe {
        /// The channel.
        channel: ChannelId,
    },
    /// Says something to the other subscribers of a channel.
    Publish {
        /// The channel.
        channel: ChannelId,
        /// What; any JSON but `null`.
        data: Box<RawValue>,
    },
    /// Asks for a `pong`.
    Ping,
    /// Asks the broker.
    Rpc(Request),
    /// Asks or answers another member of a room.
    RoomRpc(RoomCall),
}

/// A place in the messages of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Which count: a restart of the broker begins another one.
    pub epoch: u64,
    /// The number of the message in that count; 0 before the first.
    pub seq: u64,
}

impl ClientFrame {
    /// Reads a frame.
    ///
    /// # Errors
    /// First that applies: [`FrameFault::TooLarge`], [`FrameFault::TooDeep`], [`FrameFault::Malformed`],
    /// [`FrameFault::OtherDialect`], [`FrameFault::Field`] for `type` and `id`, [`FrameFault::UnknownType`], then
    /// what the type says of its fields: [`FrameFault::Field`], [`FrameFault::MessageTooLarge`],
    /// [`FrameFault::Envelope`].
    pub fn decode(text: &str) -> Result<Self, FrameError> {
        let mut frame = RawFrame::decode(text).map_err(|fault| FrameError { id: None, fault })?;
        let body = ClientBody::decode(&mut frame).map_err(|fault| frame.error(fault))?;
        let id = frame.id().or_else(|| body.request_id());
        Ok(Self { id, body })
    }

    /// Reads a frame that came as bytes.
    ///
    /// # Errors
    /// First that applies: [`FrameFault::TooLarge`], [`FrameFault::NotUtf8`], those of [`ClientFrame::decode`].
    pub fn decode_bytes(bytes: &[u8]) -> Result<Self, FrameError> {
        let without_id = |fault| FrameError { id: None, fault };
        if bytes.len() > FRAME_BYTES_MAX {
            return Err(without_id(FrameFault::TooLarge));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| without_id(FrameFault::NotUtf8))?;
        Self::decode(text)
    }

    /// Writes the frame.
    ///
    /// # Panics
    /// Never: everything in a frame can be written as JSON.
    #[must_use]
    pub fn encode(&self) -> String {
        serde_json::to_string(&Outgoing::of(self)).expect("everything in a frame can be written as JSON")
    }
}

impl ClientBody {
    fn decode(frame: &mut RawFrame) -> Result<Self, FrameFault> {
        let kind = frame.kind()?;
        let Some(kind) = kind else {
            let missing = FrameFault::Field(JsonFault::at("type", "missing"));
            return Err(if frame.is_of_other_dialect() { FrameFault::OtherDialect } else { missing });
        };
        match kind.as_str() {
            "auth" => Ok(Self::Auth(Auth {
                pub_key: optional(frame.pub_key.as_deref(), "pub_key")?,
                message: optional(frame.message.as_deref(), "message")?,
                signature: optional(frame.signature.as_deref(), "signature")?,
                participant: optional(frame.participant.as_deref(), "participant")?,
            })),
            "subscribe" => Ok(Self::Subscribe {
                channel: frame.channel()?,
                after: optional_object(frame.data.as_deref(), "data")?,
            }),
            "unsubscribe" => Ok(Self::Unsubscribe { channel: frame.channel()? }),
            "publish" => Ok(Self::Publish { channel: frame.channel()?, data: deliverable(frame)? }),
            "ping" => Ok(Self::Ping),
            "rpc" => match frame.channel_if_any()? {
                None => Request::decode(&frame.data()?).map(Self::Rpc).map_err(in_data),
                Some(channel) => {
                    RoomCall::decode(channel, &deliverable(frame)?).map(Self::RoomRpc).map_err(in_data)
                }
            },
            _ => Err(FrameFault::UnknownType(JsonFault::at("type", "unknown"))),
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Auth(_) => "auth",
            Self::Subscribe { .. } => "subscribe",
            Self::Unsubscribe { .. } => "unsubscribe",
            Self::Publish { .. } => "publish",
            Self::Ping => "ping",
            Self::Rpc(_) | Self::RoomRpc(_) => "rpc",
        }
    }

    fn request_id(&self) -> Option<FrameId> {
        match self {
            Self::Rpc(request) => Some(request.id().into()),
            Self::Auth(_)
            | Self::Subscribe { .. }
            | Self::Unsubscribe { .. }
            | Self::Publish { .. }
            | Self::Ping
            | Self::RoomRpc(_) => None,
        }
    }
}

/// The data of a frame that is passed on.
fn deliverable(frame: &mut RawFrame) -> Result<Box<RawValue>, FrameFault> {
    let data = frame.data()?;
    if data.get().len() > MESSAGE_BYTES_MAX { Err(FrameFault::MessageTooLarge) } else { Ok(data) }
}

fn in_data(fault: JsonFault) -> FrameFault {
    FrameFault::Envelope(fault.within("data"))
}

/// A frame as it is written.
#[derive(Serialize)]
struct Outgoing<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a FrameId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<ChannelId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<OutgoingData<'a>>,
    #[serde(flatten)]
    auth: Option<&'a Auth>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum OutgoingData<'a> {
    Position(Position),
    Raw(&'a RawValue),
    Request(&'a Request),
}

impl<'a> Outgoing<'a> {
    fn of(ClientFrame { id, body }: &'a ClientFrame) -> Self {
        let (channel, data, auth) = match body {
            ClientBody::Auth(auth) => (None, None, Some(auth)),
            ClientBody::Subscribe { channel, after } => {
                (Some(*channel), after.map(OutgoingData::Position), None)
            }
            ClientBody::Unsubscribe { channel } => (Some(*channel), None, None),
            ClientBody::Publish { channel, data } => (Some(*channel), Some(OutgoingData::Raw(data)), None),
            ClientBody::Ping => (None, None, None),
            ClientBody::Rpc(request) => (None, Some(OutgoingData::Request(request)), None),
            ClientBody::RoomRpc(call) => (Some(call.channel()), Some(OutgoingData::Raw(call.data())), None),
        };
        Self { kind: body.kind(), id: id.as_ref(), channel, data, auth }
    }
}
