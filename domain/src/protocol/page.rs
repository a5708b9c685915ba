//! Lists in pages.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};

use super::json::Text;
use super::limits::{CURSOR_BYTES_MAX, PAGE_DEFAULT, PAGE_MAX};

/// Where the next page begins; only who made it knows what is in it.
pub type Cursor = Text<CURSOR_BYTES_MAX>;

/// How many items a page holds at most: 1 to [`PAGE_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct PageSize(u8);

impl PageSize {
    /// Makes a size, or `None` for 0 and above [`PAGE_MAX`].
    #[must_use]
    pub fn new(items: u8) -> Option<Self> {
        (1..=PAGE_MAX).contains(&items).then_some(Self(items))
    }

    /// How many items.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl Default for PageSize {
    fn default() -> Self {
        Self(PAGE_DEFAULT)
    }
}

impl fmt::Display for PageSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl<'de> Deserialize<'de> for PageSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items = u64::deserialize(deserializer)?;
        let size = u8::try_from(items).ok().and_then(Self::new);
        size.ok_or_else(|| de::Error::custom(format_args!("limit must be from 1 to {PAGE_MAX}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_1_to_100_items() {
        for items in ["1", "100"] {
            assert_eq!(serde_json::from_str::<PageSize>(items).unwrap().to_string(), items);
        }
        for items in ["0", "101", "257", "-1", "1.0", "\"1\"", "99999999999999999999"] {
            assert!(serde_json::from_str::<PageSize>(items).is_err(), "{items}");
        }
    }
}
