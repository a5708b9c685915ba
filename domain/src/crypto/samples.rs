//! Keys and states that the tests share: those of the published test vectors.

use super::{Allocation, DirectParams, DirectState, Intent, SigningKey};
use crate::primitives::{Address, Amount, ChainId, Version};

/// The participant of the vectors.
pub(super) fn user() -> SigningKey {
    "0x0123456789012345678901234567890123456789012345678901234567890123".parse().unwrap()
}

/// The broker of the vectors.
pub(super) fn broker() -> SigningKey {
    "11".repeat(32).parse().unwrap()
}

/// The session key of the vectors.
pub(super) fn session_key() -> SigningKey {
    "22".repeat(32).parse().unwrap()
}

pub(super) fn small_address(last: u8) -> Address {
    let mut bytes = [0; 20];
    bytes[19] = last;
    Address::from_bytes(bytes)
}

pub(super) fn params() -> DirectParams {
    DirectParams {
        participants: [user().address(), broker().address()],
        adjudicator: small_address(0xaa),
        challenge_secs: 3600,
        nonce: 1_700_000_000_000,
        chain_id: ChainId::new(31337),
    }
}

/// The state that the channel begins with: nothing in it.
pub(super) fn initial_state() -> DirectState {
    let part = |of: &SigningKey| Allocation {
        destination: of.address(),
        token: small_address(0xbb),
        amount: Amount::ZERO,
    };
    DirectState {
        channel_id: params().channel_id(),
        intent: Intent::Initialize,
        version: Version::ZERO,
        data: Vec::new(),
        allocations: [part(&user()), part(&broker())],
    }
}
