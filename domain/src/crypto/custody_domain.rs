//! The typed data (EIP-712) that the custody contract accepts beside the packed state.
//!
//! It is **not** what wallets make of the same types: the contract hashes the list of allocations as one
//! ABI-encoded blob instead of struct by struct. Only software that knows this can sign it.

use std::sync::LazyLock;

use super::abi::{WORD, Words};
use super::direct_layout::DirectState;
use super::keccak::keccak256;
use super::typed_data::{TYPED_BYTES, typed_bytes};
use crate::primitives::{Address, ChainId, Digest};

static DOMAIN_TYPE: LazyLock<Digest> = LazyLock::new(|| {
    keccak256(&[b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"])
});
static STATE_TYPE: LazyLock<Digest> = LazyLock::new(|| state_type("AllowStateHash"));
static CHALLENGE_TYPE: LazyLock<Digest> = LazyLock::new(|| state_type("AllowChallengeStateHash"));

fn state_type(name: &str) -> Digest {
    const FIELDS: &[u8] = b"(bytes32 channelId,uint8 intent,uint256 version,bytes data,\
        Allocation[] allocations)Allocation(address destination,address token,uint256 amount)";
    keccak256(&[name.as_bytes(), FIELDS])
}

/// A custody contract on its chain, as the domain of typed data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CustodyDomain {
    separator: Digest,
}

impl CustodyDomain {
    /// The domain of the contract at this address.
    #[must_use]
    pub fn new(chain_id: ChainId, custody: Address) -> Self {
        let separator = Words::default()
            .hash(*DOMAIN_TYPE)
            .hash(keccak256(&[b"Nitrolite:Custody"]))
            .hash(keccak256(&[b"0.3.0"]))
            .number(chain_id.get())
            .address(custody)
            .keccak();
        Self { separator }
    }

    /// The domain separator.
    #[must_use]
    pub fn separator(&self) -> Digest {
        self.separator
    }

    /// The digest that stands for a state.
    #[must_use]
    pub fn state_digest(&self, state: &DirectState) -> Digest {
        keccak256(&[&self.typed_state(state)])
    }

    /// The digest that stands for a challenge with a state.
    #[must_use]
    pub fn challenge_digest(&self, state: &DirectState) -> Digest {
        keccak256(&[&self.typed_challenge(state)])
    }

    /// The bytes behind [`CustodyDomain::state_digest`].
    pub(super) fn typed_state(&self, state: &DirectState) -> [u8; TYPED_BYTES] {
        typed_bytes(self.separator, struct_hash(*STATE_TYPE, state))
    }

    /// The bytes behind [`CustodyDomain::challenge_digest`].
    pub(super) fn typed_challenge(&self, state: &DirectState) -> [u8; TYPED_BYTES] {
        typed_bytes(self.separator, struct_hash(*CHALLENGE_TYPE, state))
    }
}

fn struct_hash(type_hash: Digest, state: &DirectState) -> Digest {
    let allocations = Words::default().length(WORD).words(&state.packed_allocations()).keccak();
    Words::default()
        .hash(type_hash)
        .word(state.channel_id.as_bytes())
        .number(state.intent.number().into())
        .number(state.version.get())
        .hash(keccak256(&[&state.data]))
        .hash(allocations)
        .keccak()
}

#[cfg(test)]
mod tests;
