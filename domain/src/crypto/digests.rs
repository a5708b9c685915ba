//! What a signature may cover: the ways in which one thing is signed.

use super::custody_domain::CustodyDomain;
use super::direct_layout::DirectState;
use super::keccak::keccak256;
use super::recover::eip191_digest;
use crate::primitives::Digest;

/// The digests under any of which a signature counts, in the order in which they are tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digests {
    first: Digest,
    others: Vec<Digest>,
}

/// Something that is signed for one purpose.
///
/// Whoever implements it for a type of its own passes on the digests of the text or the state inside.
pub trait Signable {
    /// Its digests. No other purpose has any of them.
    fn digests(&self) -> Digests;
}

impl Digests {
    /// For bytes that software signs as they are and wallets as a message: keccak-256, then EIP-191.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self { first: keccak256(&[bytes]), others: vec![eip191_digest(bytes)] }
    }

    /// For typed data (EIP-712), which both sign alike.
    #[must_use]
    pub fn of_typed_data(digest: Digest) -> Self {
        Self { first: digest, others: Vec::new() }
    }

    /// For a state of a direct channel, all that its custody contract accepts: the packed bytes as
    /// [`Digests::of_bytes`], then the contract's own typed data.
    #[must_use]
    pub fn of_state_on(custody: &CustodyDomain, state: &DirectState) -> Self {
        let mut digests = state.digests();
        digests.others.push(custody.state_digest(state));
        digests
    }

    /// The digest that is tried first, and named when a signature fits none.
    #[must_use]
    pub fn first(&self) -> Digest {
        self.first
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = Digest> {
        std::iter::once(self.first).chain(self.others.iter().copied())
    }
}

impl Signable for DirectState {
    /// What every custody contract accepts: [`Digests::of_state_on`] adds the typed data of one.
    fn digests(&self) -> Digests {
        Digests::of_bytes(&self.packed())
    }
}
