//! Proposals: a room that the Host has paid its share into, and that the Guest may still accept.
//!
//! Deliberately absent: whether the Host is there (its sessions know), and its limit of proposals.

use crate::channel::Transition;
use crate::crypto::VirtualIntent;
use crate::ledger::{Cause, RequestKey, TransferKind};
use crate::primitives::{Address, Timestamp, Version};

use super::effect::Change;
use super::error::VirtualChannelError;
use super::event::Acceptance;
use super::machine::{Applied, received};
use super::opening::{
    FIRST, Opened, OpeningError, OpeningRequest, OpeningTerms, check_direct_channels, check_shares, millis,
    paid,
};
use super::phase::{Phase, Step};
use super::plan::Plan;
use super::quorum::check_signers;
use super::state::{Allocations, VirtualChannel, approvals_of};
use super::transfers::{differences, transfers_of};

/// The longest time in which a proposal can be accepted, in seconds: the Host's money waits as long.
pub const ACCEPT_SECS_MAX: u64 = 24 * 60 * 60;

/// Judges a proposal: the Host's share goes into the channel at once, and comes back unless the Guest accepts within
/// `accept_within_secs` from `now`.
///
/// # Errors
/// First that applies, in the order of the variants of [`OpeningError`].
pub fn propose(
    request: OpeningRequest,
    accept_within_secs: u64,
    terms: &OpeningTerms<'_>,
    now: Timestamp,
) -> Result<Opened, OpeningError> {
    let OpeningRequest { request, definition, allocations, data, signers, parts } = request;
    let allocations = check_shares(&definition, &allocations, data.as_deref(), terms)?;
    let [host, _guest] = *definition.participants.as_slice() else {
        return Err(OpeningError::NotARoom { members: definition.participants.len() });
    };
    if request.signer != host {
        return Err(OpeningError::NotTheHost { participant: request.signer });
    }
    if !(1..=ACCEPT_SECS_MAX).contains(&accept_within_secs) {
        return Err(OpeningError::AcceptanceOutOfBounds { secs: accept_within_secs });
    }
    check_signers(&[host], &signers)?;
    if !signers.contains(host) {
        return Err(OpeningError::MissingSignature { member: host });
    }
    check_direct_channels(&definition.participants, terms.with_direct_channel)
        .map_err(|member| OpeningError::NoDirectChannel { member })?;
    let share = share_of(host, &allocations);
    let plan = Plan::new(&[host], paid(&share), &parts)?;
    let id = definition.channel_id();
    let mut entries = plan.entries().to_vec();
    entries.extend(differences(id, &Allocations::new(), &share));
    let transfers = transfers_of(TransferKind::VirtualProposed, Cause::Request(request), now, entries)?;
    let accept_by = now.plus_millis(millis(accept_within_secs));
    let channel = VirtualChannel {
        id,
        broker: terms.broker,
        definition,
        phase: Phase::Proposed,
        version: Version::ZERO,
        intent: VirtualIntent::Operate,
        allocations,
        data,
        approvals: approvals_of(&signers),
        created_at: now,
        updated_at: now,
        expires_at: accept_by,
        window_ends_at: accept_by,
    };
    let effects = vec![channel.notice(Change::Proposed)];
    Ok(Opened { channel, transition: Transition { transfers, effects }, plan })
}

impl VirtualChannel {
    pub(super) fn accept(
        &mut self,
        acceptance: Acceptance,
        now: Timestamp,
    ) -> Result<Applied, VirtualChannelError> {
        let plan = self.judge_acceptance(&acceptance, now)?;
        let phase = self.after(self.phase, Step::Accept)?;
        let Acceptance { request, signers, expiry_window_secs, .. } = acceptance;
        let mut entries = plan.entries().to_vec();
        entries.extend(differences(self.id, &share_of(self.host(), &self.allocations), &self.allocations));
        let transfers = transfers_of(TransferKind::VirtualOpened, Cause::Request(request), now, entries)?;
        self.version = Version::new(FIRST).expect("1 is a version");
        self.approvals.extend(approvals_of(&signers));
        self.expires_at = now.plus_millis(millis(self.definition.challenge));
        self.window_ends_at = self.expires_at.plus_millis(millis(expiry_window_secs));
        self.enter(phase, now);
        Ok(Transition { transfers, effects: vec![self.notice(Change::Opened)] })
    }

    pub(super) fn decline(
        &mut self,
        request: RequestKey,
        now: Timestamp,
    ) -> Result<Applied, VirtualChannelError> {
        let (step, change) = if request.signer == self.host() {
            (Step::Cancel, Change::Cancelled)
        } else {
            (Step::Reject, Change::Rejected)
        };
        let phase = self.after(self.phase, step)?;
        self.give_back(phase, Cause::Request(request), change, now)
    }

    pub(super) fn host_gone(&mut self, now: Timestamp) -> Result<Applied, VirtualChannelError> {
        match self.phase.after(Step::Cancel) {
            Some(phase) => self.give_back(phase, Cause::Timer(self.id, now), Change::Cancelled, now),
            None => Ok(Transition::default()),
        }
    }

    /// What the Guest's acceptance moves, if it is in order.
    pub(super) fn judge_acceptance(
        &self,
        acceptance: &Acceptance,
        now: Timestamp,
    ) -> Result<Plan, VirtualChannelError> {
        self.after(self.phase, Step::Accept)?;
        let guest = self.guest();
        if acceptance.request.signer != guest {
            return Err(VirtualChannelError::NotTheGuest { participant: acceptance.request.signer });
        }
        if now >= self.expires_at {
            return Err(VirtualChannelError::ProposalOver { accept_by: self.expires_at });
        }
        let lines = acceptance.allocations.iter();
        let accepted: Allocations =
            lines.clone().map(|line| ((line.participant, line.token), line.amount)).collect();
        if accepted != self.allocations || lines.len() != accepted.len() {
            return Err(VirtualChannelError::TermsDiffer { field: "allocations" });
        }
        if acceptance.data != self.data {
            return Err(VirtualChannelError::TermsDiffer { field: "session_data" });
        }
        check_signers(&[guest], &acceptance.signers)?;
        if !acceptance.signers.contains(guest) {
            return Err(VirtualChannelError::MissingConsent { member: guest });
        }
        check_direct_channels(self.members(), &acceptance.with_direct_channel)
            .map_err(|member| VirtualChannelError::NoDirectChannel { member })?;
        Ok(Plan::new(&[guest], paid(&share_of(guest, &self.allocations)), &acceptance.parts)?)
    }

    /// Ends a proposal: the Host's share goes to its wallet.
    pub(super) fn give_back(
        &mut self,
        phase: Phase,
        cause: Cause,
        change: Change,
        now: Timestamp,
    ) -> Result<Applied, VirtualChannelError> {
        let share = share_of(self.host(), &self.allocations);
        let plan = Plan::new(self.members(), received(&share), &[])?;
        let mut entries = differences(self.id, &share, &Allocations::new());
        entries.extend(plan.entries());
        let transfers = transfers_of(TransferKind::VirtualReturned, cause, now, entries)?;
        self.allocations = share;
        self.enter(phase, now);
        Ok(Transition { transfers, effects: self.farewell(change) })
    }
}

/// What of it is this member's.
fn share_of(member: Address, allocations: &Allocations) -> Allocations {
    let lines = allocations.iter().filter(|((whose, _), _)| *whose == member);
    lines.map(|(whose, amount)| (*whose, *amount)).collect()
}

#[cfg(test)]
mod tests;
