//! What is said when something is refused.

use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};

use super::code::Code;
use super::envelope::CallError;
use super::frame::{AuthError, FrameFault};
use super::json::JsonFault;
use super::limits::{FRAME_BYTES_MAX, FRAME_DEPTH_MAX, MESSAGE_BYTES_MAX};
use super::method::get_app_sessions::AppSession;
use super::state::CosignedState;
use crate::crypto::{VerifyError, VirtualAllocationsError};
use crate::primitives::{Address, Amount, Asset, ChainId, ChannelId, Digest, Timestamp, Version};

/// A refusal: what the `data` of an `error` frame says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Refusal {
    /// Why.
    pub code: Code,
    /// Why, for people; its words may change.
    pub message: String,
    /// How long to wait before trying again, in milliseconds; `None` when nothing is known.
    pub retry_after_ms: Option<u64>,
    /// The figures; `None` when the code says it all.
    pub details: Option<Box<Details>>,
}

/// The figures of a refusal. Which ones a code has is in [`Code::details`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Details {
    /// The path to what is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What should have been signed: the digest that software signs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_digest: Option<Digest>,
    /// Who has signed if the expected digest was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovered: Option<Address>,
    /// Which signature, from 0; carried states follow the signatures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<usize>,
    /// Whom it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub participant: Option<Address>,
    /// The channel it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<ChannelId>,
    /// The chain it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain_id: Option<ChainId>,
    /// The token on that chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<Address>,
    /// The asset it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asset: Option<Asset>,
    /// How much there is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available: Option<Amount>,
    /// How much is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested: Option<Amount>,
    /// The newest state of a direct channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<CosignedState>,
    /// The newest version of a virtual channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_version: Option<Version>,
    /// The newest state of a virtual channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_session: Option<AppSession>,
    /// The weights of those who signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reached: Option<u64>,
    /// The quorum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required: Option<u64>,
    /// The least there may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<u64>,
    /// The most there may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
    /// The broker's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<Timestamp>,
}

impl Refusal {
    /// A refusal that says of itself what its code means.
    #[must_use]
    pub fn new(code: Code) -> Self {
        Self { code, message: code.meaning().to_owned(), retry_after_ms: None, details: None }
    }

    /// The same with other words.
    #[must_use]
    pub fn saying(self, message: impl ToString) -> Self {
        Self { message: message.to_string(), ..self }
    }

    /// The same with figures.
    #[must_use]
    pub fn with(self, details: Details) -> Self {
        Self { details: Some(Box::new(details)), ..self }
    }

    /// The same with the time to wait, in milliseconds.
    #[must_use]
    pub fn retry_after_ms(self, millis: u64) -> Self {
        Self { retry_after_ms: Some(millis), ..self }
    }

    /// Says that signatures prove nothing over a body whose digest, for software, is `expected_digest`.
    #[must_use]
    pub fn of_signatures(error: &VerifyError, expected_digest: Digest) -> Self {
        let details = Details { expected_digest: Some(expected_digest), ..Details::default() };
        let (code, details) = match error {
            VerifyError::NoSignature { .. } => (Code::MissingSignature, details),
            VerifyError::Signature(_) => (Code::BadSignature, details),
            VerifyError::UnknownSigner { position, recovered, .. } => {
                let (position, recovered) = (Some(*position), Some(*recovered));
                (Code::UnknownSigner, Details { position, recovered, ..details })
            }
            VerifyError::DuplicateSigner { signer } => {
                (Code::DuplicateSigner, Details { participant: Some(*signer), ..Details::default() })
            }
        };
        Self::new(code).saying(error).with(details)
    }

    fn of_json(code: Code, fault: &JsonFault) -> Self {
        let refusal = Self::new(code).saying(fault);
        let is_known = !fault.path.is_empty();
        if is_known {
            refusal.with(Details { field: Some(fault.path.clone()), ..Details::default() })
        } else {
            refusal
        }
    }
}

impl Serialize for Refusal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Refusal", 5)?;
        object.serialize_field("code", &self.code)?;
        object.serialize_field("message", &self.message)?;
        object.serialize_field("retryable", &self.code.is_retryable())?;
        if let Some(millis) = self.retry_after_ms {
            object.serialize_field("retry_after_ms", &millis)?;
        }
        if let Some(details) = &self.details {
            object.serialize_field("details", details)?;
        }
        object.end()
    }
}

impl From<&FrameFault> for Refusal {
    fn from(fault: &FrameFault) -> Self {
        let at_most = |code, max: usize| {
            let max = u64::try_from(max).ok();
            Self::new(code).saying(fault).with(Details { max, ..Details::default() })
        };
        match fault {
            FrameFault::TooLarge => at_most(Code::FrameTooLarge, FRAME_BYTES_MAX),
            FrameFault::TooDeep => at_most(Code::FrameTooDeep, FRAME_DEPTH_MAX),
            FrameFault::MessageTooLarge => at_most(Code::MessageTooLarge, MESSAGE_BYTES_MAX),
            FrameFault::NotUtf8 => Self::new(Code::MalformedFrame).saying(fault),
            FrameFault::Malformed(json) => Self::of_json(Code::MalformedFrame, json),
            FrameFault::OtherDialect => Self::new(Code::UnsupportedDialect),
            FrameFault::UnknownType(json) => Self::of_json(Code::UnknownType, json),
            FrameFault::Field(json) => Self::of_json(Code::InvalidFrame, json),
            FrameFault::Envelope(json) => Self::of_json(Code::InvalidEnvelope, json),
        }
    }
}

impl From<&CallError> for Refusal {
    fn from(error: &CallError) -> Self {
        match error {
            CallError::UnknownMethod => Self::new(Code::UnknownMethod),
            CallError::Params(json) => Self::of_json(Code::InvalidParams, json),
        }
    }
}

impl From<&AuthError> for Refusal {
    fn from(error: &AuthError) -> Self {
        match error {
            AuthError::PublicKey(_) => Self::new(Code::InvalidPublicKey).saying(error),
            AuthError::Signature { expected_digest, .. } => {
                let expected_digest = Some(*expected_digest);
                let details = Details { expected_digest, ..Details::default() };
                Self::new(Code::BadSignature).saying(error).with(details)
            }
            AuthError::OtherSigner { expected_digest, recovered } => {
                let (expected_digest, recovered) = (Some(*expected_digest), Some(*recovered));
                let details = Details { expected_digest, recovered, ..Details::default() };
                Self::new(Code::BadSignature).saying(error).with(details)
            }
        }
    }
}

impl From<&VirtualAllocationsError> for Refusal {
    fn from(error: &VirtualAllocationsError) -> Self {
        match error {
            VirtualAllocationsError::NotAMember { participant } => {
                let participant = Some(*participant);
                let details = Details { participant, ..Details::default() };
                Self::new(Code::NotAMember).saying(error).with(details)
            }
            VirtualAllocationsError::Repeated { .. } => {
                let field = Some("allocations".to_owned());
                let details = Details { field, ..Details::default() };
                Self::new(Code::InvalidAmount).saying(error).with(details)
            }
        }
    }
}
