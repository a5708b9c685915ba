//! Sums that may go below zero: what a book that is wrong comes to.

use domain::ledger::{Posting, Side};
use domain::primitives::{Amount, Delta};

/// The posting as a change of an account that grows on `side`.
pub(super) fn change(posting: Posting, side: Side) -> Delta {
    if posting.side() == side { Delta::more(posting.amount()) } else { Delta::less(posting.amount()) }
}

/// The sum of two, or `None` when it is farther from zero than 2^256 − 1.
pub(super) fn sum(a: Delta, b: Delta) -> Option<Delta> {
    Some(match (a, b) {
        (Delta::Zero, other) | (other, Delta::Zero) => other,
        (Delta::More(a), Delta::More(b)) => Delta::more(a.checked_add(b)?),
        (Delta::Less(a), Delta::Less(b)) => Delta::less(a.checked_add(b)?),
        (Delta::More(more), Delta::Less(less)) | (Delta::Less(less), Delta::More(more)) => {
            Delta::between(less, more)
        }
    })
}

/// The sum as a balance; `None` below zero.
pub(super) fn balance(sum: Delta) -> Option<Amount> {
    sum.apply(Amount::ZERO)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn delta(number: i64) -> Delta {
        let size = Amount::from(number.unsigned_abs());
        if number < 0 { Delta::less(size) } else { Delta::more(size) }
    }

    proptest! {
        #[test]
        fn sums_are_those_of_signed_numbers(a in -1_000_i64..1_000, b in -1_000_i64..1_000) {
            prop_assert_eq!(sum(delta(a), delta(b)), Some(delta(a + b)));
            prop_assert_eq!(balance(delta(a)), u64::try_from(a).ok().map(Amount::from));
        }
    }

    #[test]
    fn sums_end_at_two_to_the_256_on_either_side() {
        let one = Amount::from(1_u64);
        assert_eq!(sum(Delta::more(Amount::MAX), Delta::more(one)), None);
        assert_eq!(sum(Delta::less(Amount::MAX), Delta::less(one)), None);
        assert_eq!(sum(Delta::more(Amount::MAX), Delta::less(Amount::MAX)), Some(Delta::Zero));
    }
}
