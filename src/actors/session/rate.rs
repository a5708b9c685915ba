//! How fast the frames of one client may come.

use domain::primitives::Timestamp;
use domain::protocol::{FRAMES_AT_ONCE_MAX, FRAMES_PER_SECOND_MAX};

/// What one frame takes, in thousandths of a frame.
const FRAME: u64 = 1_000;

/// What a client may still send: is used up by frames, and grows with time.
#[derive(Debug)]
pub(super) struct Rate {
    /// In thousandths of a frame.
    left: u64,
    at: Timestamp,
}

impl Rate {
    /// As much as there may be.
    pub(super) const fn full(now: Timestamp) -> Self {
        Self { left: FRAMES_AT_ONCE_MAX * FRAME, at: now }
    }

    /// Counts a frame.
    ///
    /// # Errors
    /// In how many milliseconds the next one may come.
    pub(super) fn take(&mut self, now: Timestamp) -> Result<(), u64> {
        let grown = now.millis_since(self.at).saturating_mul(FRAMES_PER_SECOND_MAX);
        self.left = self.left.saturating_add(grown).min(FRAMES_AT_ONCE_MAX * FRAME);
        self.at = self.at.max(now);
        match self.left.checked_sub(FRAME) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err((FRAME - self.left).div_ceil(FRAMES_PER_SECOND_MAX)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn taken(rate: &mut Rate, now: Timestamp) -> u64 {
        std::iter::repeat_with(|| rate.take(now)).take_while(Result::is_ok).count() as u64
    }

    #[test]
    fn so_many_come_at_once_and_so_many_every_second() {
        let mut rate = Rate::full(NOW);
        assert_eq!(taken(&mut rate, NOW), FRAMES_AT_ONCE_MAX);
        assert_eq!(rate.take(NOW), Err(5));
        assert_eq!(rate.take(NOW.plus_millis(4)), Err(1));
        assert_eq!(rate.take(NOW.plus_millis(5)), Ok(()));
        assert_eq!(taken(&mut rate, NOW.plus_millis(1_005)), FRAMES_PER_SECOND_MAX);
        assert_eq!(taken(&mut rate, NOW.plus_millis(1_000_000)), FRAMES_AT_ONCE_MAX);
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing() {
        let mut rate = Rate::full(NOW);
        taken(&mut rate, NOW);
        assert!(rate.take(NOW.minus_millis(60_000)).is_err());
        assert!(rate.take(NOW).is_err());
    }
}
