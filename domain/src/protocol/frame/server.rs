//! Frames that the broker sends.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::client::Position;
use super::fault::{FrameError, FrameFault};
use super::frame_id::FrameId;
use super::raw_frame::{RawFrame, required};
use crate::primitives::{Address, ChannelId, Timestamp};
use crate::protocol::envelope::{Response, RoomCall};
use crate::protocol::json::{JsonFault, decode_object};
use crate::protocol::refusal::Refusal;

/// A frame that the broker sends.
#[derive(Debug, Clone)]
pub struct ServerFrame {
    /// The id of the frame that it answers; `None` when that had none, and when nothing is answered.
    pub id: Option<FrameId>,
    /// What it is.
    pub body: ServerBody,
}

/// What the broker can send.
#[derive(Debug, Clone)]
pub enum ServerBody {
    /// What to sign to log in.
    AuthChallenge {
        /// The exact text.
        message: String,
        /// Until when.
        expires_at: Timestamp,
    },
    /// The session belongs to a participant.
    AuthSuccess {
        /// The participant.
        address: Address,
        /// The broker, whose signatures the session will see.
        broker_address: Address,
        /// The session key that logged in for it; `None` when it did itself.
        session_key: Option<Address>,
    },
    /// The messages of a channel will come.
    Subscribed {
        /// The channel.
        channel: ChannelId,
        /// The newest message there is.
        newest: Position,
        /// Whether everything said after the client's position follows; false when it gave none.
        recovered: bool,
    },
    /// The messages of a channel will not come any more.
    Unsubscribed {
        /// The channel.
        channel: ChannelId,
    },
    /// A message is on its way to the other subscribers.
    Published {
        /// The channel.
        channel: ChannelId,
        /// The number of the message.
        seq: u64,
        /// When the broker took it.
        timestamp: Timestamp,
    },
    /// A message of another member.
    Message {
        /// The channel.
        channel: ChannelId,
        /// Who said it, and when.
        stamp: Stamp,
        /// What, exactly as it was published.
        data: Box<RawValue>,
    },
    /// The answer to `ping`.
    Pong {
        /// The broker's clock.
        timestamp: Timestamp,
    },
    /// A response or a notification of the broker.
    Rpc(Response),
    /// A request or a response of another member of a room.
    RoomRpc {
        /// Who said it, and when.
        stamp: Stamp,
        /// What.
        call: RoomCall,
    },
    /// Something is refused.
    Error(Refusal),
}

/// What the broker says about what it delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The number of the message in the channel, without gaps.
    pub seq: u64,
    /// When the broker took it; never earlier than that of the message before.
    pub timestamp: Timestamp,
    /// Who said it, by its session.
    pub sender: Address,
}

#[derive(Serialize, Deserialize)]
struct ChallengeData {
    message: String,
    expires_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct SuccessData {
    address: Address,
    broker_address: Address,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_key: Option<Address>,
}

#[derive(Serialize, Deserialize)]
struct SubscribedData {
    epoch: u64,
    seq: u64,
    recovered: bool,
}

#[derive(Serialize, Deserialize)]
struct PublishedData {
    seq: u64,
    timestamp: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct PongData {
    timestamp: Timestamp,
}

impl ServerFrame {
    /// Reads a frame; `None` for one without a type, and for one of a type that this version does not know.
    ///
    /// # Errors
    /// What a client can do nothing with. [`FrameError::id`] tells which of its frames was answered by it.
    pub fn decode(text: &str) -> Result<Option<Self>, FrameError> {
        let mut frame = RawFrame::decode(text).map_err(|fault| FrameError { id: None, fault })?;
        let body = ServerBody::decode(&mut frame).map_err(|fault| frame.error(fault))?;
        Ok(body.map(|body| Self { id: frame.id(), body }))
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

impl ServerBody {
    fn decode(frame: &mut RawFrame) -> Result<Option<Self>, FrameFault> {
        let Some(kind) = frame.kind()? else { return Ok(None) };
        let body = match kind.as_str() {
            "auth_challenge" => {
                let ChallengeData { message, expires_at } = data(frame)?;
                Self::AuthChallenge { message, expires_at }
            }
            "auth_success" => {
                let SuccessData { address, broker_address, session_key } = data(frame)?;
                Self::AuthSuccess { address, broker_address, session_key }
            }
            "subscribed" => {
                let SubscribedData { epoch, seq, recovered } = data(frame)?;
                let newest = Position { epoch, seq };
                Self::Subscribed { channel: frame.channel()?, newest, recovered }
            }
            "unsubscribed" => Self::Unsubscribed { channel: frame.channel()? },
            "published" => {
                let PublishedData { seq, timestamp } = data(frame)?;
                Self::Published { channel: frame.channel()?, seq, timestamp }
            }
            "message" => {
                Self::Message { channel: frame.channel()?, stamp: stamp(frame)?, data: frame.data()? }
            }
            "pong" => {
                let PongData { timestamp } = data(frame)?;
                Self::Pong { timestamp }
            }
            "rpc" => match frame.channel_if_any()? {
                None => Self::Rpc(Response::decode(&frame.data()?).map_err(in_data)?),
                Some(channel) => {
                    let call = RoomCall::decode(channel, &frame.data()?).map_err(in_data)?;
                    Self::RoomRpc { stamp: stamp(frame)?, call }
                }
            },
            "error" => Self::Error(data(frame)?),
            _ => return Ok(None),
        };
        Ok(Some(body))
    }
}

fn data<T: serde::de::DeserializeOwned>(frame: &mut RawFrame) -> Result<T, FrameFault> {
    let data = frame.data()?;
    decode_object(data.get()).map_err(|fault| FrameFault::Field(fault.within("data")))
}

fn stamp(frame: &RawFrame) -> Result<Stamp, FrameFault> {
    Ok(Stamp {
        seq: required(frame.seq.as_deref(), "seq")?,
        timestamp: required(frame.timestamp.as_deref(), "timestamp")?,
        sender: required(frame.sender.as_deref(), "sender")?,
    })
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
    #[serde(flatten)]
    stamp: Option<Stamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<OutgoingData<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum OutgoingData<'a> {
    Challenge(ChallengeData),
    Success(SuccessData),
    Subscribed(SubscribedData),
    Published(PublishedData),
    Pong(PongData),
    Raw(&'a RawValue),
    Response(&'a Response),
    Refusal(&'a Refusal),
}

impl<'a> Outgoing<'a> {
    fn of(ServerFrame { id, body }: &'a ServerFrame) -> Self {
        use OutgoingData as Data;
        let (kind, channel, stamp, data) = match body {
            ServerBody::AuthChallenge { message, expires_at } => {
                let data = ChallengeData { message: message.clone(), expires_at: *expires_at };
                ("auth_challenge", None, None, Some(Data::Challenge(data)))
            }
            ServerBody::AuthSuccess { address, broker_address, session_key } => {
                let (address, broker_address, session_key) = (*address, *broker_address, *session_key);
                let data = SuccessData { address, broker_address, session_key };
                ("auth_success", None, None, Some(Data::Success(data)))
            }
            ServerBody::Subscribed { channel, newest: Position { epoch, seq }, recovered } => {
                let data = SubscribedData { epoch: *epoch, seq: *seq, recovered: *recovered };
                ("subscribed", Some(*channel), None, Some(Data::Subscribed(data)))
            }
            ServerBody::Unsubscribed { channel } => ("unsubscribed", Some(*channel), None, None),
            ServerBody::Published { channel, seq, timestamp } => {
                let data = PublishedData { seq: *seq, timestamp: *timestamp };
                ("published", Some(*channel), None, Some(Data::Published(data)))
            }
            ServerBody::Message { channel, stamp, data } => {
                ("message", Some(*channel), Some(*stamp), Some(Data::Raw(data)))
            }
            ServerBody::Pong { timestamp } => {
                ("pong", None, None, Some(Data::Pong(PongData { timestamp: *timestamp })))
            }
            ServerBody::Rpc(response) => ("rpc", None, None, Some(Data::Response(response))),
            ServerBody::RoomRpc { stamp, call } => {
                ("rpc", Some(call.channel()), Some(*stamp), Some(Data::Raw(call.data())))
            }
            ServerBody::Error(refusal) => ("error", None, None, Some(Data::Refusal(refusal))),
        };
        Self { kind, id: id.as_ref(), channel, stamp, data }
    }
}
