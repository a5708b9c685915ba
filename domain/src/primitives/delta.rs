//! The signed difference between two amounts.

use std::fmt;

use super::amount::Amount;

/// By how much an amount of one token changes: more, less, or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Delta {
    /// Nothing changes.
    Zero,
    /// It grows by an amount above zero.
    More(Amount),
    /// It shrinks by an amount above zero.
    Less(Amount),
}

impl Delta {
    /// Growth by `amount`; nothing when it is zero.
    #[must_use]
    pub fn more(amount: Amount) -> Self {
        if amount.is_zero() { Self::Zero } else { Self::More(amount) }
    }

    /// Shrinkage by `amount`; nothing when it is zero.
    #[must_use]
    pub fn less(amount: Amount) -> Self {
        if amount.is_zero() { Self::Zero } else { Self::Less(amount) }
    }

    /// What has to be added to `from` to get `to`.
    #[must_use]
    pub fn between(from: Amount, to: Amount) -> Self {
        match (to.checked_sub(from), from.checked_sub(to)) {
            (Some(more), _) => Self::more(more),
            (None, less) => Self::less(less.unwrap_or_default()),
        }
    }

    /// The amount changed by this, or `None` when that leaves 0 … 2^256 − 1.
    #[must_use]
    pub fn apply(self, amount: Amount) -> Option<Amount> {
        match self {
            Self::Zero => Some(amount),
            Self::More(more) => amount.checked_add(more),
            Self::Less(less) => amount.checked_sub(less),
        }
    }
}

impl fmt::Display for Delta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zero => f.write_str("0"),
            Self::More(amount) => write!(f, "+{amount}"),
            Self::Less(amount) => write!(f, "-{amount}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn applying_the_difference_leads_from_one_to_the_other(a: [u8; 32], b: [u8; 32]) {
            let (a, b) = (Amount::from_be_bytes(a), Amount::from_be_bytes(b));
            prop_assert_eq!(Delta::between(a, b).apply(a), Some(b));
            prop_assert_eq!(Delta::between(a, a), Delta::Zero);
        }
    }

    #[test]
    fn refuses_to_leave_the_range() {
        let one = Amount::from(1_u64);
        assert_eq!(Delta::less(one).apply(Amount::ZERO), None);
        assert_eq!(Delta::more(one).apply(Amount::MAX), None);
        assert_eq!(Delta::less(Amount::ZERO), Delta::Zero);
    }
}
