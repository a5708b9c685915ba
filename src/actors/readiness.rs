//! Whether everything that the broker needs is there, part by part: for whoever sends it clients.

use std::time::Duration;

use domain::primitives::{ChainId, Timestamp};
use serde::Serialize;
use tokio::time::timeout;

use super::journal::JournalHealth;
use super::services::Services;

/// How long ago a chain may have been read: far longer than between two looks, far shorter than until its channels
/// move no more, so that an operator hears of it first.
const UNREAD_MILLIS_MAX: u64 = 60 * 1_000;

/// How long the database may take to answer: whoever asks this does not wait for long.
const DATABASE_WAIT: Duration = Duration::from_secs(2);

/// Whether clients can be served in full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// Whether every part is.
    pub ok: bool,
    /// Each part, whatever the others are.
    pub parts: Vec<PartReadiness>,
}

/// One thing that the broker needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartReadiness {
    /// `requests`, `database`, `key` or `chain`.
    pub part: &'static str,
    /// Which chain; `None` for other parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain_id: Option<ChainId>,
    /// Whether it is as it should be.
    pub ok: bool,
    /// Why.
    pub reason: String,
}

impl Services {
    /// Looks at every part. Asks the database, for a while at most; of chains is told what was last seen.
    pub async fn readiness(&self, now: Timestamp) -> Readiness {
        let mut parts = vec![self.requests(), self.database().await, self.signing()];
        parts.extend(self.chains.keys().map(|chain_id| self.chain(*chain_id, now)));
        Readiness { ok: parts.iter().all(|part| part.ok), parts }
    }

    fn requests(&self) -> PartReadiness {
        let is_stopping = self.stop.has_begun();
        part("requests", !is_stopping, if is_stopping { "the broker is stopping" } else { "taken" })
    }

    /// Whether it answers: what cannot be read now is not noticed by the journal before something is to be written.
    async fn database(&self) -> PartReadiness {
        let health = *self.journal.health().borrow();
        match health {
            JournalHealth::Writing { .. } => match timeout(DATABASE_WAIT, self.store.head()).await {
                Ok(Ok(_)) => part("database", true, "answers, and is written to"),
                Ok(Err(_)) => part("database", false, "cannot be read"),
                Err(_) => part("database", false, "does not answer"),
            },
            JournalHealth::Away => part("database", false, "away: what was taken is kept and retried"),
            JournalHealth::Fenced => part("database", false, "another broker has taken over the store"),
        }
    }

    fn signing(&self) -> PartReadiness {
        let (signs_as, broker) = (self.key.address(), self.broker);
        part("key", signs_as == broker, &format!("signs as {signs_as}"))
    }

    fn chain(&self, chain_id: ChainId, now: Timestamp) -> PartReadiness {
        let read_at = self.read_chains.last(chain_id);
        let lag = read_at.map(|at| now.millis_since(at));
        let (ok, reason) = match lag {
            _ if !self.checked_chains.all().contains(&chain_id) => (
                false,
                "not watched: its node does not answer, or its contracts are not ours; the log says which"
                    .to_owned(),
            ),
            None => (false, "not read to its end yet".to_owned()),
            Some(lag) => (lag <= UNREAD_MILLIS_MAX, format!("last read {} s ago", lag / 1_000)),
        };
        PartReadiness { chain_id: Some(chain_id), ..part("chain", ok, &reason) }
    }
}

fn part(part: &'static str, ok: bool, reason: &str) -> PartReadiness {
    PartReadiness { part, chain_id: None, ok, reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actors::samples;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    #[actix::test]
    async fn a_database_that_does_not_answer_is_noticed_before_anything_is_written() {
        let (services, store) = samples::services(NOW).await;
        store.set_away(true);
        let readiness = services.readiness(NOW).await;
        let database = &readiness.parts[1];
        assert_eq!((readiness.ok, database.ok, database.reason.as_str()), (false, false, "cannot be read"));
        store.set_away(false);
        assert!(services.readiness(NOW).await.ok);
    }

    #[actix::test]
    async fn what_is_not_watched_or_not_read_lately_is_named() {
        let (services, _) = samples::services(NOW).await;
        let chain_id = ChainId::new(7);
        let of_chain = |now| {
            let PartReadiness { ok, reason, chain_id, .. } = services.chain(ChainId::new(7), now);
            assert_eq!(chain_id, Some(ChainId::new(7)));
            (ok, reason)
        };
        assert!(services.readiness(NOW).await.ok);
        let (ok, reason) = of_chain(NOW);
        assert!(!ok && reason.starts_with("not watched"), "{reason}");
        services.checked_chains.insert(chain_id);
        assert_eq!(of_chain(NOW), (false, "not read to its end yet".to_owned()));
        services.read_chains.insert(chain_id, NOW);
        assert_eq!(of_chain(NOW.plus_millis(60_000)), (true, "last read 60 s ago".to_owned()));
        assert_eq!(of_chain(NOW.plus_millis(60_001)), (false, "last read 60 s ago".to_owned()));
        services.stop.begin();
        let stopping = services.readiness(NOW).await;
        assert!(!stopping.ok);
        assert_eq!(stopping.parts[0].reason, "the broker is stopping");
    }
}
