//! Keys: the secret one that signs, and the public one that a participant names at login.

use std::fmt;
use std::str::FromStr;

use secp256k1::{Message, SecretKey};
use thiserror::Error;

use super::curve::{CONTEXT, address_of};
use super::signature::Signature;
use crate::primitives::{Address, Digest, HexError, decode_hex, encode_hex};

/// A secret key that signs digests.
///
/// It cannot be copied, and shows its address instead of itself.
pub struct SigningKey {
    secret: SecretKey,
    public: PublicKey,
}

/// Why bytes are no secret key. Never tells what was given.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SigningKeyError {
    /// The text is not hex digits.
    #[error(transparent)]
    Hex(#[from] HexError),
    /// Not 32 bytes.
    #[error("secret key must have 32 bytes, got {actual}")]
    WrongLength {
        /// How many bytes were given.
        actual: usize,
    },
    /// Zero, or not below the order of the curve.
    #[error("secret key is out of range")]
    OutOfRange,
}

impl SigningKey {
    /// Makes a key of its 32 bytes.
    ///
    /// # Errors
    /// [`SigningKeyError::OutOfRange`].
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, SigningKeyError> {
        let secret = SecretKey::from_byte_array(bytes).map_err(|_| SigningKeyError::OutOfRange)?;
        let public = PublicKey(secret.public_key(&CONTEXT));
        Ok(Self { secret, public })
    }

    /// The address it signs for.
    #[must_use]
    pub fn address(&self) -> Address {
        self.public.address()
    }

    /// The public key that belongs to it.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.public
    }

    /// Signs a digest: the same bytes every time (RFC 6979), in the form that the contract accepts.
    ///
    /// # Panics
    /// Never in practice: only when the nonce's point has an x above the curve order, which happens to one
    /// digest in 2^127.
    #[must_use]
    pub fn sign(&self, digest: Digest) -> Signature {
        let message = Message::from_digest(*digest.as_bytes());
        let (id, compact) = CONTEXT.sign_ecdsa_recoverable(message, &self.secret).serialize_compact();
        let mut bytes = [u8::MAX; 65];
        bytes[..64].copy_from_slice(&compact);
        bytes[64] = u8::try_from(i32::from(id)).unwrap_or(u8::MAX);
        Signature::from_slice(&bytes).expect("the library makes low s, and x overflows once in 2^127 digests")
    }
}

impl FromStr for SigningKey {
    type Err = SigningKeyError;

    /// Parses 64 hex digits with or without `0x`, as tools print keys.
    ///
    /// # Errors
    /// First that applies: [`SigningKeyError::Hex`], [`SigningKeyError::WrongLength`],
    /// [`SigningKeyError::OutOfRange`].
    fn from_str(text: &str) -> Result<Self, SigningKeyError> {
        let bytes = decode_tool_hex(text)?;
        let bytes =
            bytes.try_into().map_err(|b: Vec<u8>| SigningKeyError::WrongLength { actual: b.len() })?;
        Self::from_bytes(bytes)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.address())
    }
}

/// A point of the curve: the public key of an account.
///
/// Shown uncompressed, `0x04` and 128 digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(secp256k1::PublicKey);

/// Why a text is no public key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PublicKeyError {
    /// The text is not hex digits.
    #[error(transparent)]
    Hex(#[from] HexError),
    /// 64 bytes: the coordinates without the byte that says what follows.
    #[error("public key lacks its first byte, put 04 before the 64 bytes")]
    Bare,
    /// Neither 65 nor 33 bytes.
    #[error("public key must have 65 or 33 bytes, got {actual}")]
    WrongLength {
        /// How many bytes were given.
        actual: usize,
    },
    /// The first byte is not 04 for 65 bytes, or neither 02 nor 03 for 33.
    #[error("public key must begin with 04 (65 bytes), 02 or 03 (33 bytes), got {prefix:02x}")]
    WrongPrefix {
        /// The byte that was given.
        prefix: u8,
    },
    /// The coordinates are no point of the curve.
    #[error("public key is not on the curve")]
    NotOnCurve,
}

impl PublicKey {
    /// The address of the account.
    #[must_use]
    pub fn address(&self) -> Address {
        address_of(&self.0)
    }
}

impl FromStr for PublicKey {
    type Err = PublicKeyError;

    /// Parses 65 bytes (uncompressed) or 33 bytes (compressed) in hex, with or without `0x`.
    ///
    /// # Errors
    /// First that applies: [`PublicKeyError::Hex`], [`PublicKeyError::Bare`], [`PublicKeyError::WrongLength`],
    /// [`PublicKeyError::WrongPrefix`], [`PublicKeyError::NotOnCurve`].
    fn from_str(text: &str) -> Result<Self, PublicKeyError> {
        let bytes = decode_tool_hex(text)?;
        match (bytes.len(), bytes.first().copied()) {
            (65, Some(4)) | (33, Some(2 | 3)) => {}
            (64, _) => return Err(PublicKeyError::Bare),
            (65 | 33, Some(prefix)) => return Err(PublicKeyError::WrongPrefix { prefix }),
            (actual, _) => return Err(PublicKeyError::WrongLength { actual }),
        }
        secp256k1::PublicKey::from_slice(&bytes).map(Self).map_err(|_| PublicKeyError::NotOnCurve)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode_hex(&self.0.serialize_uncompressed()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Decodes hex that may lack its `0x`, as key tools print it.
fn decode_tool_hex(text: &str) -> Result<Vec<u8>, HexError> {
    if text.starts_with("0x") { decode_hex(text) } else { decode_hex(&format!("0x{text}")) }
}

#[cfg(test)]
mod tests;
