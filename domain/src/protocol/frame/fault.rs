//! Why a frame is refused before anything is done with it.

use thiserror::Error;

use super::frame_id::FrameId;
use crate::protocol::json::JsonFault;

/// A frame that cannot be understood, and the id to answer it with.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{fault}")]
pub struct FrameError {
    /// Its id; `None` when it has none or none can be made out.
    pub id: Option<FrameId>,
    /// What is wrong.
    pub fault: FrameFault,
}

/// What is wrong with a frame.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FrameFault {
    /// More bytes than a frame may have.
    #[error("the frame is too large")]
    TooLarge,
    /// Its bytes are no text.
    #[error("the frame is not utf-8")]
    NotUtf8,
    /// Nested too deep.
    #[error("the frame is nested too deep")]
    TooDeep,
    /// Not one JSON object, or a field twice.
    #[error(transparent)]
    Malformed(JsonFault),
    /// A bare NitroRPC envelope.
    #[error("the frame is a bare NitroRPC message")]
    OtherDialect,
    /// No frame has this type.
    #[error(transparent)]
    UnknownType(JsonFault),
    /// A field that is missing or wrong.
    #[error(transparent)]
    Field(JsonFault),
    /// The `data` of an `rpc` frame is wrong.
    #[error(transparent)]
    Envelope(JsonFault),
    /// What should be delivered has too many bytes.
    #[error("the message is too large")]
    MessageTooLarge,
}
