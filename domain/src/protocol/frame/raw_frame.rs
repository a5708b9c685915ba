//! The fields that frames have, before their type is looked at.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::fault::{FrameError, FrameFault};
use super::frame_id::FrameId;
use crate::protocol::json::{JsonFault, decode, decode_object, is_deeper_than};
use crate::protocol::limits::{FRAME_BYTES_MAX, FRAME_DEPTH_MAX};

/// A frame whose fields are not read yet. Other fields are ignored; `null` is as good as absent.
#[derive(Deserialize)]
pub(super) struct RawFrame {
    #[serde(rename = "type")]
    kind: Option<Box<RawValue>>,
    id: Option<Box<RawValue>>,
    channel: Option<Box<RawValue>>,
    pub(super) data: Option<Box<RawValue>>,
    pub(super) pub_key: Option<Box<RawValue>>,
    pub(super) message: Option<Box<RawValue>>,
    pub(super) signature: Option<Box<RawValue>>,
    pub(super) participant: Option<Box<RawValue>>,
    pub(super) seq: Option<Box<RawValue>>,
    pub(super) timestamp: Option<Box<RawValue>>,
    pub(super) sender: Option<Box<RawValue>>,
    req: Option<Box<RawValue>>,
    res: Option<Box<RawValue>>,
}

impl RawFrame {
    /// Reads the object that a frame is.
    ///
    /// # Errors
    /// First that applies: [`FrameFault::TooLarge`], [`FrameFault::TooDeep`], [`FrameFault::Malformed`].
    pub(super) fn decode(text: &str) -> Result<Self, FrameFault> {
        if text.len() > FRAME_BYTES_MAX {
            return Err(FrameFault::TooLarge);
        }
        if is_deeper_than(text, FRAME_DEPTH_MAX) {
            return Err(FrameFault::TooDeep);
        }
        decode_object(text).map_err(FrameFault::Malformed)
    }

    /// Its id; `None` when it has none or a wrong one.
    pub(super) fn id(&self) -> Option<FrameId> {
        self.id.as_ref().and_then(|id| FrameId::from_json(id.get()))
    }

    /// Its type; `None` when it has none, as messages of the other dialect have none.
    ///
    /// # Errors
    /// [`FrameFault::Field`] when the type is no string or the id cannot be one.
    pub(super) fn kind(&self) -> Result<Option<String>, FrameFault> {
        let kind = optional(self.kind.as_deref(), "type")?;
        if self.id.is_some() && self.id().is_none() {
            return Err(FrameFault::Field(JsonFault::at("id", "must be a short string or a whole number")));
        }
        Ok(kind)
    }

    /// Whether it looks like a message of the NitroRPC dialect.
    pub(super) fn is_of_other_dialect(&self) -> bool {
        self.req.is_some() || self.res.is_some()
    }

    /// The channel, which must be there.
    pub(super) fn channel<T: DeserializeOwned>(&self) -> Result<T, FrameFault> {
        required(self.channel.as_deref(), "channel")
    }

    /// The channel, if it is there.
    pub(super) fn channel_if_any<T: DeserializeOwned>(&self) -> Result<Option<T>, FrameFault> {
        optional(self.channel.as_deref(), "channel")
    }

    /// The data as it came, which must be there.
    pub(super) fn data(&mut self) -> Result<Box<RawValue>, FrameFault> {
        self.data.take().ok_or_else(|| missing("data"))
    }

    /// An error that repeats the frame's id.
    pub(super) fn error(&self, fault: FrameFault) -> FrameError {
        FrameError { id: self.id(), fault }
    }
}

/// Reads a field that must be there.
pub(super) fn required<T: DeserializeOwned>(field: Option<&RawValue>, name: &str) -> Result<T, FrameFault> {
    optional(field, name)?.ok_or_else(|| missing(name))
}

/// Reads a field if it is there.
pub(super) fn optional<T: DeserializeOwned>(
    field: Option<&RawValue>,
    name: &str,
) -> Result<Option<T>, FrameFault> {
    let value = field.map(|raw| decode(raw.get())).transpose();
    value.map_err(|fault| FrameFault::Field(fault.within(name)))
}

/// Reads a field that must be an object, if it is there.
pub(super) fn optional_object<T: DeserializeOwned>(
    field: Option<&RawValue>,
    name: &str,
) -> Result<Option<T>, FrameFault> {
    let value = field.map(|raw| decode_object(raw.get())).transpose();
    value.map_err(|fault| FrameFault::Field(fault.within(name)))
}

fn missing(name: &str) -> FrameFault {
    FrameFault::Field(JsonFault::at(name, "missing"))
}
