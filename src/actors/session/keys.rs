//! Session keys: who signs for whom. Looked up only where a signature is nobody's own.

use std::collections::BTreeMap;

use domain::crypto::{Delegates, Signers};
use domain::ledger::OwnerId;
use domain::participant::{KeyUse, ParticipantError, SessionKeys};
use domain::primitives::{Address, Timestamp};
use domain::protocol::{Code, Details, Refusal};

use super::refusal;
use crate::actors::request::Refused;
use crate::actors::services::Services;
use crate::store::StateKind;

/// The session keys of those who are expected to sign.
pub(super) struct Keys(BTreeMap<Address, SessionKeys>);

impl Keys {
    /// Those of these participants.
    ///
    /// # Errors
    /// `unavailable`.
    pub(super) async fn of(services: &Services, participants: &[Address]) -> Result<Self, Refusal> {
        let mut keys = BTreeMap::new();
        for participant in participants {
            keys.insert(*participant, of_one(services, *participant).await?);
        }
        Ok(Self(keys))
    }

    /// For whom each of them signs.
    pub(super) fn delegates(&self, now: Timestamp) -> Delegates {
        let pairs = self.0.iter().flat_map(|(participant, keys)| {
            keys.all_live(now).map(|(key, _)| (key, *participant)).collect::<Vec<_>>()
        });
        pairs.collect()
    }

    /// Whether the keys that signed may sign this; `None` is for participants alone.
    ///
    /// # Errors
    /// `session_key_forbidden`.
    pub(super) fn check(
        &self,
        signers: &Signers,
        usage: Option<&KeyUse>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        for (participant, by) in signers.each() {
            let Some(key) = by.key else { continue };
            let keys = self.0.get(&participant);
            let Some((usage, keys)) = usage.zip(keys) else {
                let details = Details { participant: Some(key), ..Details::default() };
                return Err(Refusal::new(Code::SessionKeyForbidden).with(details));
            };
            let checked = keys.check(key, usage, now).map(|_| ());
            checked.map_err(|error| refusal::of(&Refused::Participant(ParticipantError::Key(error))))?;
        }
        Ok(())
    }
}

/// The session keys of one participant.
///
/// # Errors
/// `unavailable`.
pub(super) async fn of_one(services: &Services, participant: Address) -> Result<SessionKeys, Refusal> {
    let unavailable = |error: &dyn std::fmt::Display| {
        log::warn!(participant:% = participant, error:%; "session keys cannot be read");
        Refusal::new(Code::Unavailable)
    };
    let stored = services.store.load(OwnerId::Participant(participant)).await;
    let state = stored.map_err(|error| unavailable(&error))?.state;
    match state.filter(|row| row.kind == StateKind::Participant) {
        Some(row) => SessionKeys::from_stored(&row.body).map_err(|error| unavailable(&error)),
        None => Ok(SessionKeys::default()),
    }
}
