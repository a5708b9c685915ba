//! Whole numbers that every JSON reader keeps exactly.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};

/// A whole number from 0 to 2^53 − 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(transparent)]
pub struct Uint53(u64);

impl Uint53 {
    /// 2^53 − 1.
    pub const MAX: Self = Self((1 << 53) - 1);

    /// Makes one, or `None` above [`Uint53::MAX`].
    #[must_use]
    pub fn new(number: u64) -> Option<Self> {
        (number <= Self::MAX.0).then_some(Self(number))
    }

    /// The number itself.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Uint53 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl<'de> Deserialize<'de> for Uint53 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(deserializer)?;
        Self::new(number).ok_or_else(|| de::Error::custom("number is above 2^53 - 1"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_whole_numbers_up_to_2_to_the_53_minus_1() {
        assert_eq!(serde_json::from_str::<Uint53>("9007199254740991").unwrap(), Uint53::MAX);
        for json in ["9007199254740992", "18446744073709551616", "-1", "1.0", "1e3", "\"1\"", "null", "[]"] {
            assert!(serde_json::from_str::<Uint53>(json).is_err(), "{json}");
        }
    }
}
