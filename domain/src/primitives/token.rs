//! What amounts are of.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

use super::address::Address;

/// The number of a chain (EIP-155).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChainId(u64);

impl ChainId {
    /// Makes a chain id.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number itself.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// One token on one chain; the zero address is the chain's coin.
///
/// The same symbol on two chains is two tokens, each solvent on its own chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Token {
    /// The chain that the token lives on.
    pub chain_id: ChainId,
    /// Its contract there.
    #[serde(rename = "token")]
    pub address: Address,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.chain_id, self.address)
    }
}

/// The longest symbol an asset may have.
const ASSET_CHARS_MAX: usize = 16;

/// A symbol that groups tokens and fixes the decimals shown to clients.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Asset(String);

/// Why a text is no symbol of an asset.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("asset symbol must have 1 to 16 letters, digits, dots, dashes or underscores")]
pub struct AssetError;

impl Asset {
    /// The symbol.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Asset {
    type Err = AssetError;

    fn from_str(text: &str) -> Result<Self, AssetError> {
        let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        let fits = (1..=ASSET_CHARS_MAX).contains(&text.len()) && text.bytes().all(is_allowed);
        if fits { Ok(Self(text.to_owned())) } else { Err(AssetError) }
    }
}

impl fmt::Display for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Asset {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Asset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asset_symbols_are_short_and_plain() {
        for text in ["usdc", "SHIB", "a", "USD.e", "x-y_z", "0123456789abcdef"] {
            assert_eq!(text.parse::<Asset>().unwrap().as_str(), text);
        }
        for text in ["", "0123456789abcdefg", "us dc", "usd€", "a/b", "a\0"] {
            assert_eq!(text.parse::<Asset>(), Err(AssetError), "{text}");
        }
    }
}
