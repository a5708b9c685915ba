//! The machine of one direct channel.

use std::sync::Arc;

use crate::channel::{Machine, Transition};
use crate::crypto::DirectParams;
use crate::primitives::{Address, Amount, ChannelId, Timestamp, Token, Version};

use super::counting::IgnoreReason;
use super::effect::{DirectAlarm, DirectEffect, Held};
use super::error::DirectError;
use super::event::DirectEvent;
use super::phase::Phase;
use super::state::{AgreedState, Settlement, State};
use super::terms::Terms;

/// What comes of an event.
pub(super) type Outcome = Result<Transition<DirectEffect>, DirectError>;

/// One direct channel, from before anything is known of it until after its end.
///
/// The participant's part is always what the newest agreed state gives it, and equals the channel's `direct`
/// account (L11); what is set aside equals its `settling` account. Of each version at most one state is ever
/// agreed, and none of a version at or below a FINALIZE's after it (L4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectChannel {
    pub(super) id: ChannelId,
    pub(super) terms: Arc<Terms>,
    pub(super) state: State,
    pub(super) staging: Option<Staging>,
}

/// The next state while who asked for it commits it: memory only, never stored and never settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Staging {
    pub(super) held: Held,
    pub(super) next: State,
}

impl DirectChannel {
    /// A channel of which nothing is known.
    #[must_use]
    pub fn new(id: ChannelId, terms: Arc<Terms>) -> Self {
        Self { id, terms, state: State::VOID, staging: None }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> ChannelId {
        self.id
    }

    /// What the broker demands of it.
    #[must_use]
    pub fn terms(&self) -> &Arc<Terms> {
        &self.terms
    }

    /// Where in its life it is.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.state.phase
    }

    /// Why it never counts; `None` in every phase but `Ignored`.
    #[must_use]
    pub fn ignored(&self) -> Option<IgnoreReason> {
        self.state.ignored
    }

    /// Its immutable terms; `None` before it was seen on chain, and when it never counts.
    #[must_use]
    pub fn params(&self) -> Option<&DirectParams> {
        self.state.anchor.as_ref().map(|anchor| &anchor.params)
    }

    /// The participant; `None` when neither the chain nor a settlement has named one.
    #[must_use]
    pub fn owner(&self) -> Option<Address> {
        let settlement = self.state.settlement.map(|settlement| settlement.owner);
        self.params().map(|params| params.participants[0]).or(settlement)
    }

    /// Its token; `None` when neither the chain nor a settlement has named one.
    #[must_use]
    pub fn token(&self) -> Option<Token> {
        let settlement = self.state.settlement.map(|settlement| settlement.token);
        self.state.anchor.as_ref().map(|anchor| anchor.token).or(settlement)
    }

    /// Who paid for its creation on chain; `None` as for [`DirectChannel::params`].
    #[must_use]
    pub fn wallet(&self) -> Option<Address> {
        self.state.anchor.as_ref().map(|anchor| anchor.wallet)
    }

    /// How long an answer to a challenge may take, in seconds; `None` as for [`DirectChannel::params`].
    #[must_use]
    pub fn challenge_secs(&self) -> Option<u64> {
        self.params().map(|params| params.challenge_secs)
    }

    /// What the contract holds for both sides, as far as it counts.
    #[must_use]
    pub fn locked(&self) -> Amount {
        self.state.counted().map(|anchor| anchor.locked).unwrap_or_default()
    }

    /// The participant's part of that: the balance of the channel's `direct` account.
    #[must_use]
    pub fn part(&self) -> Amount {
        self.state.counted().map(|anchor| anchor.newest.parts[0]).unwrap_or_default()
    }

    /// What is on its way into it: the balance of the channel's `settling` account.
    #[must_use]
    pub fn settling(&self) -> Amount {
        self.state.settlement.map(|settlement| settlement.amount).unwrap_or_default()
    }

    /// The settlement that is on its way into it; `None` when nothing is.
    #[must_use]
    pub fn settlement(&self) -> Option<Settlement> {
        self.state.settlement
    }

    /// The version of the newest state that the contract would enforce; zero before there is one.
    #[must_use]
    pub fn version(&self) -> Version {
        self.state.anchor.as_ref().map(|anchor| anchor.newest.version).unwrap_or_default()
    }

    /// The newest state that the contract would enforce; `None` unless the channel counts.
    #[must_use]
    pub fn current(&self) -> Option<AgreedState> {
        self.state.counted().map(|anchor| anchor.rebuild(self.id, &anchor.newest))
    }

    /// The FINALIZE that was agreed; `None` unless the channel counts and there is one.
    #[must_use]
    pub fn finalize(&self) -> Option<AgreedState> {
        let anchor = self.state.counted()?;
        anchor.finalize.as_ref().map(|agreed| anchor.rebuild(self.id, agreed))
    }

    /// What is held at the moment; `None` when nothing is.
    #[must_use]
    pub fn held(&self) -> Option<&Held> {
        self.staging.as_ref().map(|staging| &staging.held)
    }

    /// Refuses while something is held.
    ///
    /// # Errors
    /// [`DirectError::Busy`].
    pub(super) fn check_idle(&self) -> Result<(), DirectError> {
        if self.staging.is_some() { Err(DirectError::Busy) } else { Ok(()) }
    }

    fn adopt(&mut self) -> Outcome {
        let staging = self.staging.take().ok_or(DirectError::NothingHeld)?;
        self.state = staging.next;
        // An announcement is agreed to by the transaction that executes it: nothing is owed here.
        let owed = self.state.counted().and_then(|anchor| anchor.owed(self.id));
        Ok(effects(owed.map(DirectEffect::CoSign)))
    }

    fn resume(&self) -> Outcome {
        let owed = self.state.counted().and_then(|anchor| anchor.owed(self.id));
        let alarm = match self.state.phase {
            Phase::Disputed => Some(DirectAlarm::Challenged),
            Phase::Halted => Some(DirectAlarm::Halted),
            Phase::Void
            | Phase::Announced
            | Phase::Abandoned
            | Phase::Created
            | Phase::Active
            | Phase::Closing
            | Phase::Closed
            | Phase::Ignored => None,
        };
        Ok(effects(owed.map(DirectEffect::CoSign).into_iter().chain(alarm.map(DirectEffect::Alarm))))
    }
}

impl Machine for DirectChannel {
    type Event = DirectEvent;
    type Effect = DirectEffect;
    type Error = DirectError;

    fn apply(&mut self, event: DirectEvent, now: Timestamp) -> Outcome {
        match event {
            DirectEvent::Happened { key, event } => self.happened(key, &event, now),
            DirectEvent::Propose { request_hash, next } => self.propose(request_hash, &next),
            DirectEvent::Announce { request_hash, token, amount, params, initial } => {
                let settlement = Settlement { owner: params.participants[0], token, amount };
                self.announce(request_hash, settlement, &params, &initial)
            }
            DirectEvent::Adopt => self.adopt(),
            DirectEvent::Release { request_hash } => {
                self.staging.take_if(|staging| staging.held.request_hash == request_hash);
                Ok(Transition::default())
            }
            DirectEvent::Finalize { state } => self.agree_to_end(&state),
            DirectEvent::SettlementFailed { cause } => self.settlement_failed(cause, now),
            DirectEvent::Resume => self.resume(),
        }
    }

    /// Always `None`: holds are ended by who asked for them, and nothing else of a direct channel runs out.
    fn deadline(&self) -> Option<Timestamp> {
        None
    }
}

/// A transition that moves nothing.
pub(super) fn effects<I: IntoIterator<Item = DirectEffect>>(effects: I) -> Transition<DirectEffect> {
    Transition { transfers: Vec::new(), effects: effects.into_iter().collect() }
}
