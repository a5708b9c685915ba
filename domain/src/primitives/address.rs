//! An account on a chain: a participant, the broker, a contract or a token.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha3::{Digest as _, Keccak256};
use thiserror::Error;

use super::hex_bytes::{HexError, decode_array};

/// An address on a chain, 20 bytes, shown with its checksum (EIP-55).
///
/// Only this module and the `evm` crate know how many bytes an address has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Address([u8; 20]);

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AddressError {
    /// Not `0x` and 40 hex digits.
    #[error(transparent)]
    Hex(#[from] HexError),
    /// Mixed case whose capitals do not match the checksum of EIP-55: most likely a typing error.
    #[error("address checksum does not match, expected {expected}")]
    WrongChecksum {
        /// The address as its checksum would have it.
        expected: Address,
    },
}

impl Address {
    /// The zero address: as a token, the chain's own coin.
    pub const ZERO: Self = Self([0; 20]);

    /// Makes an address of its 20 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// Its bytes, most significant first.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// Whether this is [`Address::ZERO`].
    #[must_use]
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }

    /// The address left-padded to a word of 32 bytes, as ABI encoding and wallet accounts have it.
    #[must_use]
    pub fn to_word(&self) -> [u8; 32] {
        let mut word = [0; 32];
        word[12..].copy_from_slice(&self.0);
        word
    }
}

impl FromStr for Address {
    type Err = AddressError;

    /// Parses `0x` and 40 hex digits: all lower case, all upper case, or with a right checksum.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let address = Self(decode_array(text)?);
        let digits = &text[2..];
        let has_lower = digits.bytes().any(|b| b.is_ascii_lowercase());
        let has_upper = digits.bytes().any(|b| b.is_ascii_uppercase());
        if has_lower && has_upper && address.to_string() != text {
            return Err(AddressError::WrongChecksum { expected: address });
        }
        Ok(address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lower = hex::encode(self.0);
        let hash = Keccak256::digest(lower.as_bytes());
        f.write_str("0x")?;
        for (i, c) in lower.chars().enumerate() {
            let nibble = if i % 2 == 0 { hash[i / 2] >> 4 } else { hash[i / 2] & 0x0f };
            let c = if nibble >= 8 { c.to_ascii_uppercase() } else { c };
            fmt::Write::write_char(f, c)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of EIP-55.
    const CHECKSUMMED: [&str; 4] = [
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ];

    #[test]
    fn shows_the_checksum_of_eip_55() {
        for text in CHECKSUMMED {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
            assert_eq!(text.to_lowercase().parse::<Address>().unwrap().to_string(), text);
            let upper = format!("0x{}", text[2..].to_uppercase());
            assert_eq!(upper.parse::<Address>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn refuses_a_wrong_checksum_and_says_the_right_one() {
        let wrong = CHECKSUMMED[0].replace('B', "b");
        let expected = CHECKSUMMED[0].parse().unwrap();
        assert_eq!(wrong.parse::<Address>(), Err(AddressError::WrongChecksum { expected }));
    }

    #[test]
    fn refuses_other_lengths_prefixes_and_digits() {
        let short = AddressError::Hex(HexError::WrongLength { expected: 20, actual: 1 });
        assert_eq!("0x00".parse::<Address>(), Err(short));
        assert_eq!("0x000".parse::<Address>(), Err(AddressError::Hex(HexError::Malformed)));
        let bare = CHECKSUMMED[0][2..].parse::<Address>();
        assert_eq!(bare, Err(AddressError::Hex(HexError::MissingPrefix)));
        let odd = format!("0x{}zz", "0".repeat(38)).parse::<Address>();
        assert_eq!(odd, Err(AddressError::Hex(HexError::Malformed)));
        let accented = format!("0x{}é", "0".repeat(38)).parse::<Address>();
        assert_eq!(accented, Err(AddressError::Hex(HexError::Malformed)));
    }
}
