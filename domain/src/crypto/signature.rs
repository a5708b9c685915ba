//! An ECDSA signature in the one form that the custody contract accepts.
//!
//! Deliberately absent: other kinds of signatures (contract wallets). Money is bound by keys only.

use std::fmt;
use std::str::FromStr;

use secp256k1::constants::CURVE_ORDER;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

use crate::primitives::{HexError, decode_hex, encode_hex};

/// How many bytes a signature has: r, s and v.
const BYTES: usize = 65;

/// Half the order of the curve, rounded down: the largest s that counts as low.
const HALF_ORDER: [u8; 32] = [
    0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, //
    0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0,
];

/// A signature of 65 bytes, r ‖ s ‖ v, with r and s in range, s low and v 27 or 28.
///
/// For one message and one key no second form of a signature passes here, so bytes can be compared.
/// In JSON it is `0x` and 130 lower-case digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature([u8; BYTES]);

/// Why bytes are no signature, or a signature yields no signer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SignatureError {
    /// The text is not `0x` and hex digits.
    #[error(transparent)]
    Hex(#[from] HexError),
    /// Not 65 bytes.
    #[error("signature must have 65 bytes, got {actual}")]
    WrongLength {
        /// How many bytes were given.
        actual: usize,
    },
    /// The last byte, v, is none of 0, 1, 27 and 28.
    #[error("last byte of a signature must be 0, 1, 27 or 28, got {v}")]
    WrongV {
        /// What was given.
        v: u8,
    },
    /// r or s is zero, or not below the order of the curve.
    #[error("signature has r or s out of range")]
    OutOfRange,
    /// s is above half the order of the curve: the mirror image of a signature, which the contract refuses.
    #[error("signature has s above half the curve order")]
    HighS,
    /// r is no point of the curve, or the key would be the point at infinity.
    #[error("no key can have made this signature")]
    Unrecoverable,
}

impl Signature {
    /// Takes 65 bytes r ‖ s ‖ v; v may be 0 or 1 and is kept as 27 or 28.
    ///
    /// # Errors
    /// First that applies: [`SignatureError::WrongLength`], [`SignatureError::WrongV`],
    /// [`SignatureError::OutOfRange`], [`SignatureError::HighS`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, SignatureError> {
        let mut kept: [u8; BYTES] =
            bytes.try_into().map_err(|_| SignatureError::WrongLength { actual: bytes.len() })?;
        let (r, s, v) = (&kept[..32], &kept[32..64], kept[64]);
        let v = match v {
            0 | 1 => v + 27,
            27 | 28 => v,
            v => return Err(SignatureError::WrongV { v }),
        };
        let is_in_range = |word: &[u8]| word.iter().any(|b| *b != 0) && word < &CURVE_ORDER[..];
        if !is_in_range(r) || !is_in_range(s) {
            return Err(SignatureError::OutOfRange);
        }
        if s > &HALF_ORDER[..] {
            return Err(SignatureError::HighS);
        }
        kept[64] = v;
        Ok(Self(kept))
    }

    /// Its 65 bytes, r ‖ s ‖ v with v 27 or 28, as the contract takes them.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; BYTES] {
        &self.0
    }
}

impl FromStr for Signature {
    type Err = SignatureError;

    fn from_str(text: &str) -> Result<Self, SignatureError> {
        Self::from_slice(&decode_hex(text)?)
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode_hex(&self.0))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
