//! The one place that writes results: to stdout, for a reader or for a machine.

use std::fmt::Display;
use std::io::{self, Write as _};

use serde::Serialize;

/// Writes the outcome of a command: as JSON on one line if `is_json`, else as its text.
///
/// # Errors
/// What the system said when stdout could not be written.
pub(super) fn show(outcome: &(impl Display + Serialize), is_json: bool) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    if is_json {
        serde_json::to_writer(&mut stdout, outcome)?;
        writeln!(stdout)?;
    } else {
        write!(stdout, "{outcome}")?;
    }
    stdout.flush()
}
