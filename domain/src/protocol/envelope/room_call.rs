//! Requests and responses between the members of a room, which the broker only passes on.

use serde::Serialize;
use serde_json::value::RawValue;

use super::header::Header;
use super::request::RequestId;
use super::{Envelope, raw};
use crate::crypto::{RoomText, Signature};
use crate::primitives::{ChannelId, Timestamp};
use crate::protocol::json::{JsonFault, decode_object};
use crate::protocol::uint53::Uint53;

/// Which way a call inside a room goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RoomSide {
    /// It holds `req`: the Guest asks the Host.
    Request,
    /// It holds `res`: the Host answers the Guest.
    Response,
}

/// A request or a response inside a room.
///
/// Delivered is its JSON exactly as it came.
#[derive(Debug, Clone)]
pub struct RoomCall {
    channel: ChannelId,
    side: RoomSide,
    content: Box<RawValue>,
    signatures: Vec<Signature>,
    data: Box<RawValue>,
}

impl RoomCall {
    /// Asks the Host; nobody has signed it.
    #[must_use]
    pub fn request<P: Serialize>(
        channel: ChannelId,
        id: RequestId,
        method: &str,
        params: &P,
        at: Timestamp,
    ) -> Self {
        Self::new(channel, RoomSide::Request, raw(&(id, method, params, at)), Vec::new())
    }

    /// Answers the Guest; nobody has signed it.
    #[must_use]
    pub fn response<R: Serialize>(
        channel: ChannelId,
        id: RequestId,
        method: &str,
        result: &R,
        at: Timestamp,
    ) -> Self {
        Self::new(channel, RoomSide::Response, raw(&(id, method, result, at)), Vec::new())
    }

    fn new(channel: ChannelId, side: RoomSide, content: Box<RawValue>, signatures: Vec<Signature>) -> Self {
        let (req, res) = match side {
            RoomSide::Request => (Some(content.clone()), None),
            RoomSide::Response => (None, Some(content.clone())),
        };
        let data = raw(&Envelope { req, res, sig: signatures.clone(), states: Vec::new() });
        Self { channel, side, content, signatures, data }
    }

    /// Reads the `data` of an `rpc` frame with a channel. What `req` and `res` hold inside is the members' own.
    ///
    /// # Errors
    /// Where it is neither a request nor a response.
    pub fn decode(channel: ChannelId, data: &RawValue) -> Result<Self, JsonFault> {
        let Envelope { req, res, sig, states } = decode_object(data.get())?;
        if !states.is_empty() {
            return Err(JsonFault::at("states", "does not belong here"));
        }
        let (side, content) = match (req, res) {
            (Some(req), None) => {
                Header::<RequestId>::decode(&req, "req")?;
                (RoomSide::Request, req)
            }
            (None, Some(res)) => {
                Header::<Uint53>::decode(&res, "res")?;
                (RoomSide::Response, res)
            }
            (Some(_), Some(_)) => return Err(JsonFault::at("res", "does not belong beside req")),
            (None, None) => return Err(JsonFault::at("req", "missing")),
        };
        Ok(Self { channel, side, content, signatures: sig, data: data.to_owned() })
    }

    /// The same call with this signature.
    #[must_use]
    pub fn signed(self, signature: Signature) -> Self {
        Self::new(self.channel, self.side, self.content, vec![signature])
    }

    /// The room.
    #[must_use]
    pub const fn channel(&self) -> ChannelId {
        self.channel
    }

    /// Which way it goes.
    #[must_use]
    pub const fn side(&self) -> RoomSide {
        self.side
    }

    /// The text of `req` or `res` as it came.
    #[must_use]
    pub fn content(&self) -> &str {
        self.content.get()
    }

    /// What is said to be signatures over [`RoomCall::text`].
    #[must_use]
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Its JSON as it came: what is delivered.
    #[must_use]
    pub fn data(&self) -> &RawValue {
        &self.data
    }

    /// The text that its sender signs.
    #[must_use]
    pub fn text(&self) -> RoomText {
        RoomText::new(self.channel, self.content.get())
    }
}
