//! What all typed data (EIP-712) has in common: the last step to the digest.

use super::keccak::keccak256;
use crate::primitives::Digest;

/// The digest that is signed for a struct in a domain.
pub(super) fn typed_digest(separator: Digest, struct_hash: Digest) -> Digest {
    keccak256(&[b"\x19\x01", separator.as_bytes(), struct_hash.as_bytes()])
}
