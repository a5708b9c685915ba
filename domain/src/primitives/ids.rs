//! Names of channels, versions of their states, and the hashes that get signed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::address::Address;
use super::hex_bytes::{HexError, decode_array, encode_hex};

/// A value of 32 bytes that is written as `0x` and 64 lower-case hex digits.
macro_rules! word {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 32]);

        impl $name {
            /// Makes it of its 32 bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// Its 32 bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = HexError;

            fn from_str(text: &str) -> Result<Self, HexError> {
                decode_array(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&encode_hex(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    };
}

word! {
    /// The name of a channel: the hash of its immutable terms.
    ///
    /// For a direct channel the id that the custody contract computes, for a virtual channel the hash
    /// of its definition, for a wallet account the participant's address, left-padded.
    ChannelId
}

word! {
    /// A keccak-256 hash, usually one that is or was signed.
    Digest
}

impl ChannelId {
    /// Stands where an account belongs to no channel (`broker`, `custody`, `shortfall`, `faucet`).
    pub const NONE: Self = Self([0; 32]);

    /// The id under which the wallet accounts of a participant stand.
    #[must_use]
    pub fn of_wallet(participant: Address) -> Self {
        Self(participant.to_word())
    }
}

/// Counts the states of a channel; grows strictly (L4).
///
/// At most 2^53 − 1, so that every JSON reader keeps it exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(transparent)]
pub struct Version(u64);

impl Version {
    /// The version of the state that a channel begins with.
    pub const ZERO: Self = Self(0);
    /// 2^53 − 1.
    pub const MAX: Self = Self((1 << 53) - 1);

    /// Makes a version, or `None` above [`Version::MAX`].
    #[must_use]
    pub fn new(number: u64) -> Option<Self> {
        (number <= Self::MAX.0).then_some(Self(number))
    }

    /// The number itself.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }

    /// The following version, or `None` after [`Version::MAX`].
    #[must_use]
    pub fn next(self) -> Option<Self> {
        Self::new(self.0 + 1)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(deserializer)?;
        Self::new(number).ok_or_else(|| de::Error::custom("version is above 2^53 - 1"))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_lower_case_hex_of_exact_length() {
        let text = format!("0x{}", "0A".repeat(32));
        assert_eq!(text.parse::<ChannelId>().unwrap().to_string(), text.to_lowercase());
        let wrong = HexError::WrongLength { expected: 32, actual: 1 };
        assert_eq!("0x0a".parse::<ChannelId>(), Err(wrong));
        assert_eq!("0a".parse::<Digest>(), Err(HexError::MissingPrefix));
    }

    #[test]
    fn versions_end_where_json_numbers_do() {
        assert_eq!(Version::new(1 << 53), None);
        assert_eq!(Version::MAX.next(), None);
        assert_eq!(Version::ZERO.next().map(Version::get), Some(1));
        assert!(serde_json::from_str::<Version>("9007199254740992").is_err());
        assert_eq!(serde_json::from_str::<Version>("9007199254740991").unwrap(), Version::MAX);
        for json in ["1.0", "-1", "\"1\"", "1e3"] {
            assert!(serde_json::from_str::<Version>(json).is_err(), "{json}");
        }
    }
}
