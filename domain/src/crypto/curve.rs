//! The curve secp256k1: the context that signing and recovery share, and the address of a key.
//!
//! One context for the process, made at first use. The library blinds it with the system's randomness
//! then: a defence against side channels that changes no result. It is not blinded again at every
//! signature, which would double what a signature costs.

use std::sync::LazyLock;

use secp256k1::{All, Secp256k1};

use super::keccak::keccak256;
use crate::primitives::Address;

/// The context with which everything here signs and recovers.
pub(super) static CONTEXT: LazyLock<Secp256k1<All>> = LazyLock::new(Secp256k1::new);

/// The address of a public key: the last 20 bytes of the hash of its coordinates.
pub(super) fn address_of(key: &secp256k1::PublicKey) -> Address {
    let hash = keccak256(&[&key.serialize_uncompressed()[1..]]);
    let mut bytes = [0; 20];
    bytes.copy_from_slice(&hash.as_bytes()[12..]);
    Address::from_bytes(bytes)
}
