//! The figures for operators, with those that are looked up when somebody asks.

use std::time::Duration;

use super::journal::JournalHealth;
use super::services::Services;
use crate::clock;

/// The most unhandled events that are counted: beyond it the number says "far too many".
const UNHANDLED_MAX: u32 = 1_000;

/// How long the database may take to count them; afterwards the last count stands.
const COUNT_WAIT: Duration = Duration::from_secs(2);

impl Services {
    /// All figures as text.
    pub async fn scrape(&self) -> String {
        let (figures, now) = (self.journal.figures(), clock::now());
        let is_writing = matches!(*self.journal.health().borrow(), JournalHealth::Writing { .. });
        figures.journal_writing.set(i64::from(is_writing));
        figures.journal_in_flight.set(i64::try_from(self.journal.permits().in_flight()).unwrap_or(i64::MAX));
        for (kind, alive) in self.directory.alive() {
            figures.set_owners_alive(kind, alive);
        }
        let checked = self.checked_chains.all();
        for chain_id in self.chains.keys().copied() {
            let read_at = self.read_chains.last(chain_id);
            figures.set_chain_read(chain_id, checked.contains(&chain_id), read_at, now);
            let counted = self.store.unhandled(chain_id, None, UNHANDLED_MAX);
            if let Ok(Ok(unhandled)) = tokio::time::timeout(COUNT_WAIT, counted).await {
                figures.set_unhandled_events(chain_id, unhandled.len());
            }
        }
        figures.text(now)
    }
}
