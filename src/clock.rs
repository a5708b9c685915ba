//! The one place that reads the time.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::primitives::Timestamp;

/// The time now, by the machine's clock; the epoch if that clock stands before it.
#[expect(clippy::disallowed_methods, reason = "everything else gets the time passed in")]
#[must_use]
pub fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
}
