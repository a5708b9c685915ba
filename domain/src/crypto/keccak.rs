//! The hash of EVM chains.

use sha3::{Digest as _, Keccak256};

use crate::primitives::Digest;

/// keccak-256 over the parts, one after another.
#[must_use]
pub fn keccak256(parts: &[&[u8]]) -> Digest {
    let mut hasher = Keccak256::new();
    for part in parts {
        hasher.update(part);
    }
    Digest::from_bytes(hasher.finalize().into())
}
