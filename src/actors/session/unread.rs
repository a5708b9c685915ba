//! What a client is known to have read: what was sent before a ping that it has repeated.
//! Deliberately absent: what happens to who reads too little.

use std::collections::VecDeque;

/// What a ping asks to be repeated: random, so that only who has read it can, and with it everything before.
pub(super) type PingText = [u8; 8];

/// Takes out the ping that was answered and those before it; returns the bytes that are read with them.
pub(super) fn read_by(unanswered: &mut VecDeque<(PingText, usize)>, text: &[u8]) -> usize {
    let answered = unanswered.iter().position(|(asked, _)| asked == text);
    answered.map_or(0, |place| unanswered.drain(..=place).map(|(_, bytes)| bytes).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_pong_that_repeats_a_ping_proves_that_something_was_read() {
        let pings = [([1; 8], 10), ([2; 8], 20), ([3; 8], 40)];
        let mut unanswered = VecDeque::from(pings);
        for unasked in [&b""[..], &[9; 8], &[1; 7]] {
            assert_eq!(read_by(&mut unanswered, unasked), 0);
        }
        assert_eq!(read_by(&mut unanswered, &[2; 8]), 30);
        assert_eq!(read_by(&mut unanswered, &[1; 8]), 0);
        assert_eq!(unanswered, [([3; 8], 40)]);
    }
}
