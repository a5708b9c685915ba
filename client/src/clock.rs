//! The one place that reads the time.

use std::time::{SystemTime, UNIX_EPOCH};

/// The machine's clock in milliseconds since 1970; 0 if it stands before that.
#[expect(clippy::disallowed_methods, reason = "everything else gets the time passed in")]
pub(crate) fn now_millis() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}
