//! The login.

use serde::Serialize;
use thiserror::Error;

use crate::crypto::{
    LoginText, PublicKey, PublicKeyError, Signable, Signature, SignatureError, Signed, SigningKey,
    VerifyError,
};
use crate::primitives::{Address, Digest};

/// What an `auth` frame says. Every field may be missing: who knows no challenge yet has nothing to sign.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Auth {
    /// The public key, compressed or not, in hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pub_key: Option<String>,
    /// The text of a challenge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The signature over it, in hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// For whom a session key logs in; who signs itself when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub participant: Option<Address>,
}

/// Why an answer to a challenge proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AuthError {
    /// The public key is none.
    #[error(transparent)]
    PublicKey(#[from] PublicKeyError),
    /// The signature is none.
    #[error("{error}")]
    Signature {
        /// Why.
        error: SignatureError,
        /// What should have been signed.
        expected_digest: Digest,
    },
    /// Somebody else signed, or something else was signed.
    #[error("signature over {expected_digest} is by {recovered}, not by the public key")]
    OtherSigner {
        /// What should have been signed.
        expected_digest: Digest,
        /// Who has signed if it was.
        recovered: Address,
    },
}

impl Auth {
    /// Answers a challenge.
    #[must_use]
    pub fn answer(text: &LoginText, key: &SigningKey) -> Self {
        Self {
            pub_key: Some(key.public_key().to_string()),
            message: Some(text.to_string()),
            signature: Some(key.sign(text.digests().first()).to_string()),
            participant: None,
        }
    }

    /// The same as a session key of this participant.
    #[must_use]
    pub fn for_participant(self, participant: Address) -> Self {
        Self { participant: Some(participant), ..self }
    }

    /// The challenge that it answers; `None` when its message is none that a broker would have written.
    #[must_use]
    pub fn text(&self) -> Option<LoginText> {
        self.message.as_ref().and_then(|message| message.parse().ok())
    }

    /// Proves who answers `text`, which the caller has found to be open: the address of the public key.
    ///
    /// A missing field counts as an empty one.
    ///
    /// # Errors
    /// First that applies: [`AuthError::PublicKey`], [`AuthError::Signature`], [`AuthError::OtherSigner`].
    pub fn prove(&self, text: LoginText) -> Result<Address, AuthError> {
        let key: PublicKey = self.pub_key.as_deref().unwrap_or_default().parse()?;
        let expected_digest = text.digests().first();
        let of_signature = |error| AuthError::Signature { error, expected_digest };
        let signature: Signature =
            self.signature.as_deref().unwrap_or_default().parse().map_err(of_signature)?;
        match Signed::verify(text, &[signature], &[key.address()]) {
            Ok(_) => Ok(key.address()),
            Err(VerifyError::Signature(error)) => Err(of_signature(error)),
            Err(VerifyError::UnknownSigner { recovered, .. }) => {
                Err(AuthError::OtherSigner { expected_digest, recovered })
            }
            Err(VerifyError::NoSignature { .. } | VerifyError::DuplicateSigner { .. }) => {
                unreachable!("exactly one signature is given")
            }
        }
    }
}
