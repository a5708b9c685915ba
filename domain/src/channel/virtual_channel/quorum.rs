//! Whether enough members have signed.
//!
//! Deliberately absent: what they signed, and verification: [`Signers`] exist only by verification.

use thiserror::Error;

use crate::crypto::{Definition, Signers};
use crate::primitives::Address;

/// Why signatures do not count as an agreement.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum QuorumError {
    /// Somebody signed who is no member.
    #[error("{signer} signed and is no member")]
    SignedByStranger {
        /// Who did.
        signer: Address,
    },
    /// The weights of those who signed do not reach the quorum.
    #[error("quorum not reached: {sum} / {quorum}")]
    QuorumNotReached {
        /// What their weights sum to.
        sum: u64,
        /// What they have to reach.
        quorum: u64,
    },
}

/// Checks that all signers are members and that their weights together reach the quorum.
///
/// The definition is one that was accepted.
///
/// # Errors
/// First that applies: [`QuorumError::SignedByStranger`], [`QuorumError::QuorumNotReached`].
pub(super) fn check_quorum(definition: &Definition, signers: &Signers) -> Result<(), QuorumError> {
    check_signers(&definition.participants, signers)?;
    let weights = definition.participants.iter().zip(&definition.weights);
    let signed = weights.filter(|(member, _)| signers.contains(**member)).map(|(_, weight)| *weight);
    // The sum of all weights fits: the definition was accepted.
    let sum = signed.fold(0_u64, u64::saturating_add);
    let quorum = definition.quorum;
    if sum < quorum { Err(QuorumError::QuorumNotReached { sum, quorum }) } else { Ok(()) }
}

/// Checks that all signers are members.
///
/// # Errors
/// [`QuorumError::SignedByStranger`] with the first by address.
pub(super) fn check_signers(members: &[Address], signers: &Signers) -> Result<(), QuorumError> {
    match signers.iter().find(|signer| !members.contains(signer)) {
        Some(signer) => Err(QuorumError::SignedByStranger { signer }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
