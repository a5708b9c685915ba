//! Why something asked for did not happen, or is not known to have happened.

use domain::crypto::VerifyError;
use domain::primitives::{Address, Amount, ChainId, ChannelId};
use domain::protocol::{Code, FrameError, JsonFault, Refusal};
use thiserror::Error;
use tokio_tungstenite::tungstenite;

/// What can go wrong between a participant and the broker.
///
/// After [`ClientError::Refused`] the connection is as good as before, unless the code says otherwise. After
/// [`ClientError::Closed`], [`ClientError::Socket`] and [`ClientError::TimedOut`] the outcome of a signed request
/// is unknown: connect again and [`send`](crate::Client::send) the same request. All others but
/// [`ClientError::PartTooLarge`] and [`ClientError::UnknownNetwork`] mean that the broker does not keep to the
/// protocol.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The broker refused; nothing has happened, unless the code is `unavailable`.
    #[error("refused with {}: {}", .0.code.name(), .0.message)]
    Refused(Box<Refusal>),
    /// The connection has ended.
    #[error("the connection is closed{}{}", if code.is_some() { ", " } else { "" }, code.map_or("", Code::name))]
    Closed {
        /// Why the broker ended it; `None` when it did not say.
        code: Option<Code>,
    },
    /// Nothing came in time.
    #[error("nothing came in time")]
    TimedOut,
    /// The connection failed.
    #[error("the connection failed: {0}")]
    Socket(#[source] Box<tungstenite::Error>),
    /// The broker sent a frame that cannot be read.
    #[error("the broker sent a bad frame: {0}")]
    Frame(#[from] FrameError),
    /// The broker answered with something else than was asked for.
    #[error("the broker sent a bad answer: {0}")]
    Answer(#[from] JsonFault),
    /// The broker answered with a frame of another type.
    #[error("the broker answered with a frame of another type")]
    OtherType,
    /// Somebody else is at the other end.
    #[error("the broker is {actual}, not {expected}")]
    OtherBroker {
        /// Whom we meant.
        expected: Address,
        /// Who is there.
        actual: Address,
    },
    /// The text of the challenge is none that may be signed.
    #[error("the challenge is no login text")]
    BadChallenge,
    /// Something is not signed by who should have signed it.
    #[error("not signed as it should be: {0}")]
    BadSignature(#[from] VerifyError),
    /// The broker gave a state of our channel that we never signed, or that is not of this channel.
    #[error("the broker gave a state of channel {channel_id} that was not asked for")]
    OtherState {
        /// The channel.
        channel_id: ChannelId,
    },
    /// The broker carried a request out and did not countersign a state that was part of it.
    #[error("the broker did not countersign the state of channel {channel_id}")]
    NotCountersigned {
        /// The channel.
        channel_id: ChannelId,
    },
    /// More should be ours in a channel than is locked in it, or it has no versions left.
    #[error("channel {channel_id} has no next state in which {part} of {locked} are ours")]
    PartTooLarge {
        /// The channel.
        channel_id: ChannelId,
        /// What should be ours.
        part: Amount,
        /// What is locked.
        locked: Amount,
    },
    /// The broker is not on this chain.
    #[error("the broker is not on chain {chain_id}")]
    UnknownNetwork {
        /// The chain.
        chain_id: ChainId,
    },
}

impl ClientError {
    /// The code of a refusal; `None` for everything else.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        if let Self::Refused(refusal) = self { Some(refusal.code) } else { None }
    }
}

impl From<tungstenite::Error> for ClientError {
    fn from(error: tungstenite::Error) -> Self {
        match error {
            tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed => {
                Self::Closed { code: None }
            }
            other => Self::Socket(Box::new(other)),
        }
    }
}
