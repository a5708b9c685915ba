//! Which definitions `Clearnet/1` accepts.
//!
//! Deliberately absent: money, signatures, and the rules of other protocols.

use thiserror::Error;

use crate::crypto::Definition;
use crate::primitives::Address;

/// The protocol whose rules this machine follows.
pub const PROTOCOL: &str = "Clearnet/1";

/// The fewest members: nobody opens a channel with itself.
pub const PARTICIPANTS_MIN: usize = 2;

/// The most members: each update compares, stores and tells every one of them.
pub const PARTICIPANTS_MAX: usize = 16;

/// The longest name of an application: it is kept and shown with the channel.
pub const APPLICATION_BYTES_MAX: usize = 128;

/// The shortest lifetime, in seconds: one that ends as it begins would move money for nothing.
pub const LIFETIME_SECS_MIN: u64 = 1;

/// The longest lifetime, in seconds (365 days): money that members can no longer agree about is not locked
/// up for longer.
pub const LIFETIME_SECS_MAX: u64 = 365 * 24 * 60 * 60;

/// Why a definition is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DefinitionError {
    /// Another protocol than [`PROTOCOL`].
    #[error("protocol is not supported, expected {PROTOCOL}")]
    UnsupportedProtocol {
        /// The one that was named.
        protocol: String,
    },
    /// Fewer members than [`PARTICIPANTS_MIN`].
    #[error("a virtual channel needs at least {PARTICIPANTS_MIN} participants, got {count}")]
    TooFewParticipants {
        /// How many were named.
        count: usize,
    },
    /// More members than [`PARTICIPANTS_MAX`].
    #[error("a virtual channel has at most {PARTICIPANTS_MAX} participants, got {count}")]
    TooManyParticipants {
        /// How many were named.
        count: usize,
    },
    /// A member is the zero address.
    #[error("participant {position} is the zero address")]
    ZeroParticipant {
        /// Which one, counted from 0.
        position: usize,
    },
    /// The broker is a member.
    #[error("the broker cannot be a participant")]
    BrokerIsParticipant,
    /// A member is named twice; an opening with oneself is one of these.
    #[error("{participant} is a participant more than once")]
    DuplicateParticipant {
        /// Who is.
        participant: Address,
    },
    /// Not one weight for each member.
    #[error("{participants} participants need as many weights, got {weights}")]
    WeightsDoNotMatch {
        /// How many members were named.
        participants: usize,
        /// How many weights were given.
        weights: usize,
    },
    /// The weights sum to more than 2^64 − 1.
    #[error("weights sum to more than 2^64 - 1")]
    WeightsOverflow,
    /// A quorum that is reached without any signature.
    #[error("quorum must be at least 1")]
    ZeroQuorum,
    /// A quorum that can never be reached.
    #[error("quorum {quorum} is above the sum of weights {sum}")]
    QuorumAboveWeights {
        /// The quorum.
        quorum: u64,
        /// What all weights sum to.
        sum: u64,
    },
    /// The lifetime (`challenge`) is not within [`LIFETIME_SECS_MIN`] and [`LIFETIME_SECS_MAX`].
    #[error("lifetime must be {LIFETIME_SECS_MIN} to {LIFETIME_SECS_MAX} seconds, got {secs}")]
    LifetimeOutOfBounds {
        /// What was asked for, in seconds.
        secs: u64,
    },
    /// The nonce is zero, which is what a forgotten one looks like.
    #[error("nonce must not be zero")]
    ZeroNonce,
    /// The application's name is longer than [`APPLICATION_BYTES_MAX`].
    #[error("application has at most {APPLICATION_BYTES_MAX} bytes, got {bytes}")]
    ApplicationTooLong {
        /// How long it is, in bytes of UTF-8.
        bytes: usize,
    },
}

/// Checks a definition against the rules of [`PROTOCOL`], of a broker with this address.
///
/// # Errors
/// First that applies, in the order of the variants of [`DefinitionError`]; of the three about one
/// participant, the one about the first bad participant.
pub fn check_definition(definition: &Definition, broker: Address) -> Result<(), DefinitionError> {
    if definition.protocol != PROTOCOL {
        return Err(DefinitionError::UnsupportedProtocol { protocol: definition.protocol.clone() });
    }
    check_participants(&definition.participants, broker)?;
    check_weights(definition)?;
    if !(LIFETIME_SECS_MIN..=LIFETIME_SECS_MAX).contains(&definition.challenge) {
        return Err(DefinitionError::LifetimeOutOfBounds { secs: definition.challenge });
    }
    if definition.nonce == 0 {
        return Err(DefinitionError::ZeroNonce);
    }
    match definition.application.len() {
        0..=APPLICATION_BYTES_MAX => Ok(()),
        bytes => Err(DefinitionError::ApplicationTooLong { bytes }),
    }
}

fn check_participants(participants: &[Address], broker: Address) -> Result<(), DefinitionError> {
    let count = participants.len();
    if count < PARTICIPANTS_MIN {
        return Err(DefinitionError::TooFewParticipants { count });
    }
    if count > PARTICIPANTS_MAX {
        return Err(DefinitionError::TooManyParticipants { count });
    }
    for (position, participant) in participants.iter().enumerate() {
        if participant.is_zero() {
            return Err(DefinitionError::ZeroParticipant { position });
        }
        if *participant == broker {
            return Err(DefinitionError::BrokerIsParticipant);
        }
        if participants[..position].contains(participant) {
            return Err(DefinitionError::DuplicateParticipant { participant: *participant });
        }
    }
    Ok(())
}

fn check_weights(definition: &Definition) -> Result<(), DefinitionError> {
    let Definition { participants, weights, quorum, .. } = definition;
    if weights.len() != participants.len() {
        let (participants, weights) = (participants.len(), weights.len());
        return Err(DefinitionError::WeightsDoNotMatch { participants, weights });
    }
    let sum = weights.iter().try_fold(0_u64, |sum, weight| sum.checked_add(*weight));
    let sum = sum.ok_or(DefinitionError::WeightsOverflow)?;
    if *quorum == 0 {
        return Err(DefinitionError::ZeroQuorum);
    }
    if *quorum > sum {
        return Err(DefinitionError::QuorumAboveWeights { quorum: *quorum, sum });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
