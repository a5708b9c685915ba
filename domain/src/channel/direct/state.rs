//! What a direct channel is between two events.

use crate::crypto::{Allocation, DirectParams, DirectState, Intent, Signature};
use crate::primitives::{Address, Amount, ChannelId, Token, Version};

use super::counting::IgnoreReason;
use super::error::DirectError;
use super::phase::{Phase, Step};

/// Money that is on its way into a channel which the broker creates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settlement {
    /// Whose money it is.
    pub owner: Address,
    /// Of which token.
    pub token: Token,
    /// How much, above zero.
    pub amount: Amount,
}

/// A state that the participant has signed and the broker has agreed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgreedState {
    /// The state, made of the broker's own values.
    pub state: DirectState,
    /// The participant's signature under it.
    pub participant_signature: Signature,
}

/// All that is stored of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    pub(super) phase: Phase,
    /// Set if and only if the phase is `Ignored`.
    pub(super) ignored: Option<IgnoreReason>,
    /// What stands on the channel's `settling` account.
    pub(super) settlement: Option<Settlement>,
    /// What is on chain; set from `Created` on, unless the channel never counts.
    pub(super) anchor: Option<Anchor>,
}

/// What a channel is in the contract, and the newest states that both sides agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Anchor {
    pub(super) params: DirectParams,
    /// Who sent and paid for its creation.
    pub(super) wallet: Address,
    pub(super) token: Token,
    /// What the contract holds for both sides together.
    pub(super) locked: Amount,
    /// The newest state that the contract would enforce: the INITIALIZE or an OPERATE.
    pub(super) newest: Agreed,
    /// The FINALIZE, once it is agreed: one version above `newest`, with the same parts.
    pub(super) finalize: Option<Agreed>,
}

/// What of an agreed state does not follow from the channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Agreed {
    pub(super) intent: Intent,
    pub(super) version: Version,
    pub(super) data: Vec<u8>,
    /// The participant's part and the broker's; they sum to what is locked.
    pub(super) parts: [Amount; 2],
    pub(super) signature: Signature,
}

impl State {
    pub(super) const VOID: Self = Self { phase: Phase::Void, ignored: None, settlement: None, anchor: None };

    /// What is on chain, while it counts.
    pub(super) fn counted(&self) -> Option<&Anchor> {
        self.anchor.as_ref().filter(|_| self.phase.is_counted())
    }

    /// What is on chain, while parts may move and the end may be agreed.
    ///
    /// # Errors
    /// [`DirectError::Frozen`] while it counts but is frozen, else [`DirectError::NotActive`].
    pub(super) fn open(&self) -> Result<&Anchor, DirectError> {
        let phase = self.phase;
        match (&self.anchor, phase) {
            (Some(anchor), Phase::Active) => Ok(anchor),
            _ if phase.is_counted() => Err(DirectError::Frozen { phase }),
            _ => Err(DirectError::NotActive { phase }),
        }
    }

    /// The state after a step that changes nothing but the phase; `None` when there is no such step.
    pub(super) fn after(&self, step: Step) -> Option<Self> {
        Some(Self { phase: self.phase.after(step)?, ..self.clone() })
    }

    /// Why the parts of this state do not belong together; `None` when they do.
    pub(super) fn contradiction(&self, id: ChannelId) -> Option<&'static str> {
        let needs_anchor = self.phase == Phase::Created || self.phase.is_counted();
        let may_have_anchor = needs_anchor || self.phase == Phase::Closed;
        let may_settle = !self.phase.is_counted() && !matches!(self.phase, Phase::Void | Phase::Abandoned);
        let finalize = self.anchor.as_ref().and_then(|anchor| anchor.finalize.as_ref());
        let may_finalize = !matches!(self.phase, Phase::Created | Phase::Active);
        let rules = [
            (self.ignored.is_some() == (self.phase == Phase::Ignored), "reason to ignore it"),
            (self.anchor.is_some() || !needs_anchor, "terms are missing"),
            (self.anchor.is_none() || may_have_anchor, "terms in this phase"),
            (self.settlement.is_some() || self.phase != Phase::Announced, "settlement is missing"),
            (self.settlement.is_none() || may_settle, "settlement in this phase"),
            (finalize.is_some() || self.phase != Phase::Closing, "FINALIZE is missing"),
            (finalize.is_none() || may_finalize, "FINALIZE in this phase"),
            (self.anchor.as_ref().is_none_or(|anchor| anchor.is_whole(id)), "terms or agreed states"),
        ];
        rules.into_iter().find(|(holds, _)| !holds).map(|(_, what)| what)
    }
}

impl Anchor {
    pub(super) fn owner(&self) -> Address {
        self.params.participants[0]
    }

    /// Makes an agreed state whole again, of the channel's own values.
    pub(super) fn rebuild(&self, id: ChannelId, agreed: &Agreed) -> AgreedState {
        let side = |side: usize| Allocation {
            destination: self.params.participants[side],
            token: self.token.address,
            amount: agreed.parts[side],
        };
        let state = DirectState {
            channel_id: id,
            intent: agreed.intent,
            version: agreed.version,
            data: agreed.data.clone(),
            allocations: [side(0), side(1)],
        };
        AgreedState { state, participant_signature: agreed.signature }
    }

    /// The newest state that the broker owes its signature under: the FINALIZE, else the newest OPERATE.
    pub(super) fn owed(&self, id: ChannelId) -> Option<AgreedState> {
        let operate = Some(&self.newest).filter(|newest| newest.intent == Intent::Operate);
        self.finalize.as_ref().or(operate).map(|agreed| self.rebuild(id, agreed))
    }

    /// Checks that allocations go to the right places and sum to what is locked.
    ///
    /// # Errors
    /// First that applies: [`DirectError::WrongAllocations`], [`DirectError::TotalDiffers`].
    pub(super) fn check_allocations(&self, allocations: &[Allocation; 2]) -> Result<(), DirectError> {
        let (destinations, token) = (self.params.participants, self.token.address);
        let fits = |(allocation, destination): (&Allocation, Address)| {
            allocation.destination == destination && allocation.token == token
        };
        if !allocations.iter().zip(destinations).all(fits) {
            return Err(DirectError::WrongAllocations { destinations, token });
        }
        let proposed = allocations.map(|allocation| allocation.amount);
        if Amount::checked_sum(proposed) != Some(self.locked) {
            return Err(DirectError::TotalDiffers { locked: self.locked, proposed });
        }
        Ok(())
    }

    fn is_whole(&self, id: ChannelId) -> bool {
        let fits = |agreed: &Agreed| Amount::checked_sum(agreed.parts) == Some(self.locked);
        let is_first = self.newest.version == Version::ZERO;
        let intent = if is_first { Intent::Initialize } else { Intent::Operate };
        let finalize_fits = self.finalize.as_ref().is_none_or(|finalize| {
            finalize.intent == Intent::Finalize
                && Some(finalize.version) == self.newest.version.next()
                && finalize.parts == self.newest.parts
        });
        self.params.channel_id() == id && fits(&self.newest) && self.newest.intent == intent && finalize_fits
    }
}
