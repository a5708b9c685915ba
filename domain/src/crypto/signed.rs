//! The proof that something was signed.
//!
//! Deliberately absent: who has to sign, and how many. Owners of money decide that by comparing addresses;
//! they never look at a curve.

use std::collections::BTreeMap;

use thiserror::Error;

use super::custody_domain::CustodyDomain;
use super::digests::{Digests, Signable};
use super::direct_layout::DirectState;
use super::recover::recover;
use super::signature::{Signature, SignatureError};
use super::texts::RequestText;
use crate::primitives::{Address, Digest};

/// How one of several signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedBy {
    /// The signature.
    pub signature: Signature,
    /// The session key that made it; `None` when the signer did itself.
    pub key: Option<Address>,
}

/// Session keys, and for whom each of them signs. Who may sign with which is for the caller to know.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Delegates(BTreeMap<Address, Address>);

impl Delegates {
    /// Nobody signs for anybody.
    #[must_use]
    pub const fn none() -> Self {
        Self(BTreeMap::new())
    }

    /// Whether nobody signs for anybody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(Address, Address)> for Delegates {
    /// Pairs of a key and for whom it signs. A key that would sign for two signs for nobody: which of them is meant
    /// cannot be told.
    fn from_iter<I: IntoIterator<Item = (Address, Address)>>(pairs: I) -> Self {
        let (mut delegates, mut ambiguous) = (BTreeMap::new(), Vec::new());
        for (key, participant) in pairs {
            if delegates.insert(key, participant).is_some_and(|other| other != participant) {
                ambiguous.push(key);
            }
        }
        delegates.retain(|key, _| !ambiguous.contains(key));
        Self(delegates)
    }
}

/// Those who signed something: at least one address, each with its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signers(BTreeMap<Address, SignedBy>);

impl Signers {
    /// Whether this address signed.
    #[must_use]
    pub fn contains(&self, address: Address) -> bool {
        self.0.contains_key(&address)
    }

    /// The addresses, in order.
    pub fn iter(&self) -> impl Iterator<Item = Address> {
        self.0.keys().copied()
    }

    /// The signature by which this address signed; `None` when it did not.
    #[must_use]
    pub fn signature_of(&self, address: Address) -> Option<Signature> {
        self.0.get(&address).map(|by| by.signature)
    }

    /// The session key by which this address signed; `None` when it signed itself, or not at all.
    #[must_use]
    pub fn key_of(&self, address: Address) -> Option<Address> {
        self.0.get(&address).and_then(|by| by.key)
    }

    /// The addresses, and how each signed, in order.
    pub fn each(&self) -> impl Iterator<Item = (Address, SignedBy)> {
        self.0.iter().map(|(signer, by)| (*signer, *by))
    }
}

/// A body that was signed by at least one of those who were expected to, and by nobody else.
///
/// It can be made only by verification: who holds one need not verify again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed<T> {
    body: T,
    signers: Signers,
}

/// Why a body does not count as signed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum VerifyError {
    /// Nobody signed it.
    #[error("no signature was given, expected one over {expected_digest}")]
    NoSignature {
        /// What should have been signed.
        expected_digest: Digest,
    },
    /// A signature that no key can have made.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// Somebody else signed, or something else was signed: the two cannot be told apart.
    #[error("signature {position} over {expected_digest} is by {recovered}, which is not expected to sign")]
    UnknownSigner {
        /// Which of the signatures, counted from 0; carried states follow the signatures.
        position: usize,
        /// Who has signed if the expected digest was.
        recovered: Address,
        /// What should have been signed.
        expected_digest: Digest,
    },
    /// One signed twice.
    #[error("{signer} signed more than once")]
    DuplicateSigner {
        /// Who did.
        signer: Address,
    },
}

impl<T> Signed<T> {
    /// What was signed.
    #[must_use]
    pub fn body(&self) -> &T {
        &self.body
    }

    /// Who signed it.
    #[must_use]
    pub fn signers(&self) -> &Signers {
        &self.signers
    }

    /// Both, without the proof.
    #[must_use]
    pub fn into_parts(self) -> (T, Signers) {
        (self.body, self.signers)
    }
}

impl<T: Signable> Signed<T> {
    /// Proves that each signature was made over `body` by one of `expected`, each by another one.
    ///
    /// A signature yields an address under any digest, so only comparing with `expected` proves anything. Not
    /// all of them need to have signed. Verification stops at the first mistake, so a long list costs no more
    /// than one signature of each of `expected` and one more.
    ///
    /// # Errors
    /// Of the first bad signature, the first that applies: [`VerifyError::Signature`],
    /// [`VerifyError::UnknownSigner`], [`VerifyError::DuplicateSigner`]. Without any,
    /// [`VerifyError::NoSignature`].
    pub fn verify(body: T, signatures: &[Signature], expected: &[Address]) -> Result<Self, VerifyError> {
        Self::verify_for(body, signatures, expected, &Delegates::none())
    }

    /// [`Signed::verify`] where session keys of the expected may have signed for them.
    ///
    /// # Errors
    /// As [`Signed::verify`]. Who signed itself and by a key signed twice.
    pub fn verify_for(
        body: T,
        signatures: &[Signature],
        expected: &[Address],
        delegates: &Delegates,
    ) -> Result<Self, VerifyError> {
        let digests = body.digests();
        let mut signers = BTreeMap::new();
        collect(&mut signers, &digests, signatures, expected, delegates)?;
        Self::unless_empty(body, signers, &digests)
    }
}

impl Signed<DirectState> {
    /// [`Signed::verify`] for a state on a known custody contract: its typed data counts too.
    ///
    /// # Errors
    /// As [`Signed::verify`].
    pub fn verify_on(
        custody: &CustodyDomain,
        state: DirectState,
        signatures: &[Signature],
        expected: &[Address],
    ) -> Result<Self, VerifyError> {
        let digests = Digests::of_state_on(custody, &state);
        let mut signers = BTreeMap::new();
        // No session key signs a state of a direct channel: the contract knows none.
        collect(&mut signers, &digests, signatures, expected, &Delegates::none())?;
        Self::unless_empty(state, signers, &digests)
    }
}

impl<T: AsRef<RequestText>> Signed<T> {
    /// [`Signed::verify`] for a request that carries states: who signed a carried state whose data is the
    /// hash of the request has thereby signed the request.
    ///
    /// Carried states with other data prove nothing here and are passed over. Who signed the request and such
    /// a state counts once, with the signature under the request.
    ///
    /// # Errors
    /// As [`Signed::verify`], the signatures first, then the states.
    pub fn verify_carrying(
        body: T,
        signatures: &[Signature],
        states: &[Signed<DirectState>],
        expected: &[Address],
    ) -> Result<Self, VerifyError> {
        Self::verify_carrying_for(body, signatures, states, expected, &Delegates::none())
    }

    /// [`Signed::verify_carrying`] where session keys of the expected may have signed the request for them. Who signed
    /// a carried state itself has signed the request itself, whatever its key did.
    ///
    /// # Errors
    /// As [`Signed::verify_carrying`].
    pub fn verify_carrying_for(
        body: T,
        signatures: &[Signature],
        states: &[Signed<DirectState>],
        expected: &[Address],
        delegates: &Delegates,
    ) -> Result<Self, VerifyError> {
        let digests = body.as_ref().digests();
        let expected_digest = body.as_ref().hash();
        let mut signers = BTreeMap::new();
        collect(&mut signers, &digests, signatures, expected, delegates)?;
        for (position, state) in (signatures.len()..).zip(states) {
            if state.body.data != expected_digest.as_bytes() {
                continue;
            }
            for (signer, by) in state.signers.each() {
                if !expected.contains(&signer) {
                    return Err(VerifyError::UnknownSigner { position, recovered: signer, expected_digest });
                }
                let known = signers.entry(signer).or_insert(by);
                if known.key.is_some() {
                    *known = by;
                }
            }
        }
        Self::unless_empty(body, signers, &digests)
    }
}

impl<T> Signed<T> {
    fn unless_empty(
        body: T,
        signers: BTreeMap<Address, SignedBy>,
        digests: &Digests,
    ) -> Result<Self, VerifyError> {
        if signers.is_empty() {
            return Err(VerifyError::NoSignature { expected_digest: digests.first() });
        }
        Ok(Self { body, signers: Signers(signers) })
    }
}

/// Adds the signer of each signature, which must be one of `expected` and not have been added yet.
fn collect(
    signers: &mut BTreeMap<Address, SignedBy>,
    digests: &Digests,
    signatures: &[Signature],
    expected: &[Address],
    delegates: &Delegates,
) -> Result<(), VerifyError> {
    for (position, signature) in signatures.iter().enumerate() {
        let (signer, key) = signer_among((expected, delegates), digests, signature, position)?;
        if signers.insert(signer, SignedBy { signature: *signature, key }).is_some() {
            return Err(VerifyError::DuplicateSigner { signer });
        }
    }
    Ok(())
}

/// For whom a signature was made, and by which key if not by itself.
fn signer_among(
    (expected, delegates): (&[Address], &Delegates),
    digests: &Digests,
    signature: &Signature,
    position: usize,
) -> Result<(Address, Option<Address>), VerifyError> {
    let expected_digest = digests.first();
    let recovered = recover(expected_digest, signature)?;
    let others = digests.iter().skip(1).filter_map(|digest| recover(digest, signature).ok());
    let for_whom = |address: Address| {
        let itself = expected.contains(&address).then_some((address, None));
        let delegate = || delegates.0.get(&address).map(|participant| (*participant, Some(address)));
        itself.or_else(|| delegate().filter(|(participant, _)| expected.contains(participant)))
    };
    std::iter::once(recovered).chain(others).find_map(for_whom).ok_or(VerifyError::UnknownSigner {
        position,
        recovered,
        expected_digest,
    })
}

#[cfg(test)]
mod tests;
