//! How much of a token: an unsigned whole number, checked.

use std::fmt;
use std::str::FromStr;

use primitive_types::U256;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

/// The most digits an amount has: 2^256 − 1 is written with 78.
const DIGITS_MAX: usize = 78;

/// An amount of one token in its smallest unit, 0 … 2^256 − 1.
///
/// Arithmetic is checked only; there are no operators that could wrap or panic. On the wire an amount
/// is a decimal string without sign, leading zeros, fraction or exponent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Amount(U256);

/// Why a text is no amount.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AmountError {
    /// Not `0`, nor a digit 1–9 followed by at most 77 digits.
    #[error(
        "amount must be a decimal string of whole smallest units, without sign, exponent or leading zero"
    )]
    Malformed,
    /// Above 2^256 − 1.
    #[error("amount is above 2^256 - 1")]
    TooLarge,
}

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(U256::zero());
    /// 2^256 − 1, the largest amount there is.
    pub const MAX: Self = Self(U256::MAX);

    /// Makes an amount of 32 bytes, most significant first.
    #[must_use]
    pub fn from_be_bytes(bytes: [u8; 32]) -> Self {
        Self(U256::from_big_endian(&bytes))
    }

    /// Its 32 bytes, most significant first: compares and sorts like the number.
    #[must_use]
    pub fn to_be_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.0.to_big_endian(&mut bytes);
        bytes
    }

    /// Whether this is [`Amount::ZERO`].
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// The sum, or `None` above [`Amount::MAX`].
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, or `None` below zero.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The sum of all, or `None` above [`Amount::MAX`].
    #[must_use]
    pub fn checked_sum<I: IntoIterator<Item = Self>>(amounts: I) -> Option<Self> {
        amounts.into_iter().try_fold(Self::ZERO, Self::checked_add)
    }

    /// The same worth counted with `to` decimals in place of `from`, rounded up; `None` above [`Amount::MAX`].
    #[must_use]
    pub fn scaled_up(self, from: u8, to: u8) -> Option<Self> {
        let power = |exponent: u8| U256::from(10_u8).checked_pow(exponent.into());
        if to >= from {
            return self.0.checked_mul(power(to - from)?).map(Self);
        }
        // A divisor above every amount leaves the smallest unit of anything that is not nothing.
        let Some(divisor) = power(from - to) else {
            return Some(Self(U256::from(u8::from(!self.is_zero()))));
        };
        let (whole, rest) = self.0.div_mod(divisor);
        whole.checked_add(U256::from(u8::from(!rest.is_zero()))).map(Self)
    }

    /// The amount as a number with `decimals` digits after the point, trailing zeros left out: for
    /// people to read, never to compute with.
    #[must_use]
    pub fn to_units(self, decimals: u8) -> String {
        let digits = format!("{:0>width$}", self.0.to_string(), width = usize::from(decimals) + 1);
        let (whole, fraction) = digits.split_at(digits.len() - usize::from(decimals));
        match fraction.trim_end_matches('0') {
            "" => whole.to_owned(),
            fraction => format!("{whole}.{fraction}"),
        }
    }
}

impl From<u64> for Amount {
    fn from(value: u64) -> Self {
        Self(value.into())
    }
}

impl From<u128> for Amount {
    fn from(value: u128) -> Self {
        Self(value.into())
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        let digits = text.as_bytes();
        let leading_zero = digits.len() > 1 && digits[0] == b'0';
        if digits.is_empty() || leading_zero || !digits.iter().all(u8::is_ascii_digit) {
            return Err(AmountError::Malformed);
        }
        if digits.len() > DIGITS_MAX {
            return Err(AmountError::TooLarge);
        }
        U256::from_dec_str(text).map(Self).map_err(|_| AmountError::TooLarge)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parses_whole_decimal_strings_only() {
        for text in ["0", "1", "10", "5000000000000000000000000"] {
            assert_eq!(text.parse::<Amount>().unwrap().to_string(), text);
        }
        let malformed =
            ["", "-1", "+1", "1.0", "1e3", "01", "00", " 1", "1 ", "0x1", "1_000", "١", "NaN", "inf"];
        for text in malformed {
            assert_eq!(text.parse::<Amount>(), Err(AmountError::Malformed), "{text}");
        }
    }

    #[test]
    fn ends_at_two_to_the_256_minus_one() {
        let max = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
        assert_eq!(max.parse::<Amount>(), Ok(Amount::MAX));
        let above = max.replace("9935", "9936");
        assert_eq!(above.parse::<Amount>(), Err(AmountError::TooLarge));
        assert_eq!("9".repeat(78).parse::<Amount>(), Err(AmountError::TooLarge));
        assert_eq!("1".repeat(100_000).parse::<Amount>(), Err(AmountError::TooLarge));
        assert_eq!(Amount::MAX.checked_add(Amount::from(1_u64)), None);
        assert_eq!(Amount::ZERO.checked_sub(Amount::from(1_u64)), None);
        assert_eq!(Amount::checked_sum([Amount::MAX, Amount::ZERO]), Some(Amount::MAX));
        assert_eq!(Amount::checked_sum([Amount::MAX, Amount::from(1_u64)]), None);
    }

    #[test]
    fn is_a_string_in_json_and_nothing_else() {
        assert_eq!(serde_json::to_string(&Amount::from(7_u64)).unwrap(), "\"7\"");
        assert_eq!(serde_json::from_str::<Amount>("\"7\"").unwrap(), Amount::from(7_u64));
        for json in ["7", "7.0", "null", "[]", "\"-7\""] {
            assert!(serde_json::from_str::<Amount>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn shows_units_for_people() {
        let five = Amount::from(5_000_000_000_000_000_000_000_000_u128);
        assert_eq!(five.to_units(18), "5000000");
        assert_eq!(Amount::from(1_u64).to_units(6), "0.000001");
        assert_eq!(Amount::from(1_500_000_u64).to_units(6), "1.5");
        assert_eq!(Amount::ZERO.to_units(6), "0");
        assert_eq!(Amount::from(42_u64).to_units(0), "42");
    }

    proptest! {
        #[test]
        fn bytes_and_text_keep_the_value_and_its_order(a: [u8; 32], b: [u8; 32]) {
            let (x, y) = (Amount::from_be_bytes(a), Amount::from_be_bytes(b));
            prop_assert_eq!(x.to_be_bytes(), a);
            prop_assert_eq!(x.to_string().parse::<Amount>(), Ok(x));
            prop_assert_eq!(x.cmp(&y), a.cmp(&b));
        }
    }
}
