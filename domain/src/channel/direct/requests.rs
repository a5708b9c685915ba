//! What is asked of a direct channel: next states, announcements, and the end.

use crate::channel::{PartMove, Transition};
use crate::crypto::{DirectParams, DirectState, Intent, Signature, Signed};
use crate::primitives::{Address, Digest, Version};

use super::counting::judge;
use super::effect::{DirectEffect, Held};
use super::error::DirectError;
use super::machine::{DirectChannel, Outcome, Staging, effects};
use super::phase::{Phase, Step};
use super::state::{Agreed, Anchor, Settlement, State};
use super::stored::encode;

/// How far a proposed version may be above the newest: versions must not run out by one request.
pub const VERSION_STEP_MAX: u64 = 1000;

impl DirectChannel {
    pub(super) fn propose(&mut self, request_hash: Digest, next: &Signed<DirectState>) -> Outcome {
        let state = next.body();
        self.check_channel(state)?;
        let anchor = self.state.open()?;
        let newest = &anchor.newest;
        let [part, rest] = state.allocations.map(|allocation| allocation.amount);
        let (min_secs, actual_secs) = (self.terms.debit_challenge_secs_min, anchor.params.challenge_secs);
        if part < newest.parts[0] && actual_secs < min_secs {
            return Err(DirectError::ChallengeTooShort { min_secs, actual_secs });
        }
        check_content(state, Intent::Operate, Some(request_hash))?;
        check_version(state.version, newest.version, VERSION_STEP_MAX)?;
        anchor.check_allocations(&state.allocations)?;
        let signature = signature_of(next, anchor.owner())?;
        self.check_idle()?;
        let agreed = Agreed {
            intent: Intent::Operate,
            version: state.version,
            data: request_hash.as_bytes().to_vec(),
            parts: [part, rest],
            signature,
        };
        let moved = PartMove {
            channel: self.id,
            participant: anchor.owner(),
            token: anchor.token,
            before: newest.parts[0],
            after: part,
        };
        let anchor = Anchor { newest: agreed, ..anchor.clone() };
        let next = State { anchor: Some(anchor), ..self.state.clone() };
        Ok(self.hold(request_hash, Some(moved), next))
    }

    pub(super) fn announce(
        &mut self,
        request_hash: Digest,
        settlement: Settlement,
        params: &DirectParams,
        initial: &Signed<DirectState>,
    ) -> Outcome {
        let phase = self.state.phase;
        let mut next = self.state.after(Step::Announce).ok_or(DirectError::AlreadyKnown { phase })?;
        judge(&self.terms, self.id, params, initial.body()).map_err(DirectError::NeverCounts)?;
        let allocation = initial.body().allocations[0];
        let is_settled = (allocation.token, allocation.amount)
            == (settlement.token.address, settlement.amount)
            && settlement.token.chain_id == self.terms.chain_id
            && !settlement.amount.is_zero();
        if !is_settled {
            return Err(DirectError::NotTheSettlement);
        }
        signature_of(initial, settlement.owner)?;
        self.check_idle()?;
        next.settlement = Some(settlement);
        Ok(self.hold(request_hash, None, next))
    }

    pub(super) fn agree_to_end(&mut self, finalize: &Signed<DirectState>) -> Outcome {
        let state = finalize.body();
        self.check_channel(state)?;
        if self.state.phase == Phase::Closing
            && let Some(agreed) = self.finalize().filter(|agreed| agreed.state == *state)
        {
            signature_of(finalize, state.allocations[0].destination)?;
            self.check_idle()?;
            return Ok(effects([DirectEffect::CoSign(agreed)]));
        }
        let anchor = self.state.open()?;
        let newest = &anchor.newest;
        check_content(state, Intent::Finalize, None)?;
        check_version(state.version, newest.version, 1)?;
        anchor.check_allocations(&state.allocations)?;
        let (part, proposed) = (newest.parts[0], state.allocations[0].amount);
        if part != proposed {
            return Err(DirectError::PartDiffers { part, proposed });
        }
        let signature = signature_of(finalize, anchor.owner())?;
        self.check_idle()?;
        let agreed = Agreed {
            intent: Intent::Finalize,
            version: state.version,
            data: Vec::new(),
            parts: newest.parts,
            signature,
        };
        let anchor = Anchor { finalize: Some(agreed), ..anchor.clone() };
        let owed = anchor.owed(self.id).map(DirectEffect::CoSign);
        let phase = self.state.phase;
        let next = self.state.after(Step::Finalize).ok_or(DirectError::NotActive { phase })?;
        self.state = State { anchor: Some(anchor), ..next };
        Ok(effects(owed))
    }

    fn hold(
        &mut self,
        request_hash: Digest,
        part: Option<PartMove>,
        next: State,
    ) -> Transition<DirectEffect> {
        let held = Held { request_hash, part, next: encode(self.terms.chain_id, &next) };
        self.staging = Some(Staging { held: held.clone(), next });
        effects([DirectEffect::Held(held)])
    }

    fn check_channel(&self, state: &DirectState) -> Result<(), DirectError> {
        let is_ours = state.channel_id == self.id;
        if is_ours { Ok(()) } else { Err(DirectError::WrongChannel { expected: self.id }) }
    }
}

fn check_content(state: &DirectState, expected: Intent, data: Option<Digest>) -> Result<(), DirectError> {
    if state.intent != expected {
        return Err(DirectError::WrongIntent { expected, proposed: state.intent });
    }
    let bytes = data.as_ref().map_or(&[][..], |hash| hash.as_bytes());
    if state.data == bytes { Ok(()) } else { Err(DirectError::WrongData { expected: data }) }
}

fn check_version(proposed: Version, current: Version, step_max: u64) -> Result<(), DirectError> {
    if proposed <= current {
        return Err(DirectError::StaleVersion { current, proposed });
    }
    let max = Version::new(current.get() + step_max).unwrap_or(Version::MAX);
    if proposed <= max { Ok(()) } else { Err(DirectError::VersionTooHigh { max, proposed }) }
}

fn signature_of(state: &Signed<DirectState>, owner: Address) -> Result<Signature, DirectError> {
    state.signers().signature_of(owner).ok_or(DirectError::NotSignedByOwner { owner })
}
