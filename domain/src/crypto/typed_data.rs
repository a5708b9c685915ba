//! What all typed data (EIP-712) has in common: the bytes that are hashed in the end.

use crate::primitives::Digest;

/// How many bytes typed data comes down to, whatever its type.
pub(super) const TYPED_BYTES: usize = 66;

/// The bytes whose hash is signed for a struct in a domain.
pub(super) fn typed_bytes(separator: Digest, struct_hash: Digest) -> [u8; TYPED_BYTES] {
    let mut bytes = [0; TYPED_BYTES];
    bytes[..2].copy_from_slice(b"\x19\x01");
    bytes[2..34].copy_from_slice(separator.as_bytes());
    bytes[34..].copy_from_slice(struct_hash.as_bytes());
    bytes
}
