//! The one place that draws numbers.

use domain::protocol::{RequestId, Uint53};

/// A number from 1 to 2^53 − 1: large enough that no two devices ever draw the same.
fn draw() -> u64 {
    rand::random_range(1..=Uint53::MAX.get())
}

/// The id of a request or of a frame.
pub(crate) fn request_id() -> RequestId {
    RequestId::new(draw()).expect("drawn from 1 to 2^53 - 1")
}

/// A nonce that was never used.
pub(crate) fn nonce() -> Uint53 {
    Uint53::new(draw()).expect("drawn from 1 to 2^53 - 1")
}
