//! Session keys: what the participant lets them do, and what they spend.

use std::collections::BTreeMap;

use actix::prelude::*;
use domain::channel::Machine as _;
use domain::ledger::OwnerId;
use domain::participant::{KeyError, KeySpend, KeyUse, ParticipantError, ParticipantEvent, SessionKeys};
use domain::primitives::{Address, Amount, Timestamp, Token};

use super::{Answer, Asked, KeyChange, ParticipantActor, Preparation, Refused, Reply};
use crate::actors::answer::Outcome;
use crate::actors::journal::NewState;
use crate::clock;
use crate::store::{StateKind, StateRow};

/// The one phase of a participant.
const PHASE: u8 = 1;

impl ParticipantActor {
    /// Lets a key sign for the participant, or ends one. An end goes before every further use of a key: it waits for no
    /// more than the one that is being decided.
    pub(super) fn change_keys(
        &mut self,
        asked: Box<Asked<KeyChange>>,
        reply: Reply,
        ctx: &mut Context<Self>,
    ) {
        let is_revocation = matches!(asked.params, KeyChange::Revoke { .. });
        if is_revocation
            && self.participant.key_hold().is_some()
            && self.revocations.len() < super::REVOCATIONS_MAX
        {
            self.revocations.push((asked, reply));
            return;
        }
        self.decide_change(&asked, reply, ctx);
    }

    /// Decides what has waited for the use of a key to be decided.
    pub(super) fn revoke_waiting(&mut self, ctx: &mut Context<Self>) {
        if self.participant.key_hold().is_none() {
            for (asked, reply) in std::mem::take(&mut self.revocations) {
                self.decide_change(&asked, reply, ctx);
            }
        }
    }

    fn decide_change(&mut self, asked: &Asked<KeyChange>, reply: Reply, ctx: &mut Context<Self>) {
        let decided = self.check(asked).and_then(|()| {
            let now = clock::now();
            let permit = asked.permit(self.pen.journal().permits(), now)?;
            let (event, outcome) = match &asked.params {
                KeyChange::Delegate { key, session_key } => (
                    ParticipantEvent::Delegate { key: *key, session_key: session_key.clone() },
                    Outcome::Delegated { key: *key, expires_at: session_key.expires_at },
                ),
                KeyChange::Revoke { key } => {
                    (ParticipantEvent::Revoke { key: *key }, Outcome::Revoked { key: *key })
                }
            };
            let transition = self.participant.apply(event, now)?;
            Ok((transition, permit, Answer::new(now, outcome, [])))
        });
        match decided {
            Ok(decided) => self.hand_over(decided, Preparation::begin(), |_| {}, reply, ctx),
            Err(refused) => self.refuse(asked, refused, reply),
        }
    }

    /// The event as a session key may ask for it, if one has signed.
    pub(super) fn as_asked_by(
        &self,
        signer: Option<(Address, KeyUse)>,
        amounts: &BTreeMap<Token, Amount>,
        event: ParticipantEvent,
    ) -> Result<ParticipantEvent, Refused> {
        let Some((key, usage)) = signer else { return Ok(event) };
        if !self.revocations.is_empty() {
            return Err(ParticipantError::Key(KeyError::Busy).into());
        }
        // Every token that the broker keeps a book of belongs to an asset.
        let spent = self.services.assets.count(amounts).ok_or(Refused::Unavailable)?;
        let (spend, event) = (KeySpend { key, usage, spent }, Box::new(event));
        Ok(ParticipantEvent::ByKey { spend, event })
    }

    /// The row of the session keys that replaces the newest.
    pub(super) fn row_of(&self, keys: &SessionKeys) -> NewState {
        NewState {
            owner: OwnerId::Participant(self.participant.address()),
            replaces: self.revision,
            kind: StateKind::Participant,
            phase: PHASE,
            due_at: None,
            body: keys.to_stored(),
        }
    }

    /// Somebody's commit for which a key held money is durable: that is what the keys have left.
    pub(super) fn adopt(&mut self, row: &StateRow, ctx: &mut Context<Self>) {
        match SessionKeys::from_stored(&row.body) {
            Ok(keys) => {
                self.revision = Some(row.revision);
                // Never refused.
                let _adopted = self.participant.apply(ParticipantEvent::Adopt { keys }, clock::now());
                self.revoke_waiting(ctx);
            }
            Err(error) => self.end(&error, ctx),
        }
    }

    /// Whether a key may have a session now.
    pub(super) fn has_key(&self, key: Address, now: Timestamp) -> bool {
        self.participant.keys().live(key, now).is_some()
    }
}
