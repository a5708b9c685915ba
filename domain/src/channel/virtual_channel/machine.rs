//! The machine: what an event does to a virtual channel.
//!
//! Every event is judged completely before anything changes.

use std::collections::BTreeMap;

use crate::channel::{Machine, Transition};
use crate::crypto::{Signed, VirtualIntent, VirtualState};
use crate::ledger::{Cause, Transfer, TransferKind};
use crate::primitives::{Address, Delta, Timestamp, Token};

use super::effect::{Change, VirtualChannelEffect};
use super::error::VirtualChannelError;
use super::event::{Close, Update, VirtualChannelEvent};
use super::next_state::{Versions, check_next};
use super::phase::{Phase, Step};
use super::plan::{Flow, Flows, Plan};
use super::quorum::check_quorum;
use super::state::{Allocations, VirtualChannel, approvals_of};
use super::transfers::{differences, transfers_of};

pub(super) type Applied = Transition<VirtualChannelEffect>;

impl Machine for VirtualChannel {
    type Event = VirtualChannelEvent;
    type Effect = VirtualChannelEffect;
    type Error = VirtualChannelError;

    /// Takes an event in. [`VirtualChannelEvent::Tick`] is refused only when the payment makes no transfer.
    ///
    /// # Errors
    /// First that applies, in the order of the variants of [`VirtualChannelError`].
    fn apply(&mut self, event: VirtualChannelEvent, now: Timestamp) -> Result<Applied, VirtualChannelError> {
        match event {
            VirtualChannelEvent::Accept(acceptance) => self.accept(acceptance, now),
            VirtualChannelEvent::Decline(request) => self.decline(request, now),
            VirtualChannelEvent::HostGone => self.host_gone(now),
            VirtualChannelEvent::Update(update) => self.update(update, now),
            VirtualChannelEvent::Close(close) => self.close(close, now),
            VirtualChannelEvent::Tick => self.tick(now),
        }
    }

    fn deadline(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::Proposed | Phase::Open => Some(self.expires_at),
            Phase::Expiring => Some(self.window_ends_at),
            Phase::Closed | Phase::Expired | Phase::Rejected | Phase::Cancelled | Phase::Lapsed => None,
        }
    }
}

/// Where a channel stands at a certain time, ticks that are due included.
#[derive(Debug, Clone, Copy)]
struct Standing {
    phase: Phase,
    window_ends_at: Timestamp,
}

impl VirtualChannel {
    /// What an acceptance, an update or a close would move in the members' wallets and direct channels, so that
    /// their owners can be asked to hold it. Nothing changes; the event is judged again when it is applied.
    ///
    /// # Errors
    /// Those of applying it.
    pub fn plan(&self, event: &VirtualChannelEvent, now: Timestamp) -> Result<Plan, VirtualChannelError> {
        match event {
            VirtualChannelEvent::Accept(acceptance) => self.judge_acceptance(acceptance, now),
            VirtualChannelEvent::Update(update) => Ok(self.judge_update(update, now)?.plan),
            VirtualChannelEvent::Close(close) => Ok(self.judge_close(close, now)?.plan),
            VirtualChannelEvent::Decline(_) | VirtualChannelEvent::HostGone | VirtualChannelEvent::Tick => {
                Plan::new(self.members(), Flows::new(), &[]).map_err(VirtualChannelError::from)
            }
        }
    }

    /// The broker is back from somewhere: a window that is open stays so until `until` at least, because nobody
    /// could hand a state in meanwhile. Without effect in every other phase. Memory only: whoever is away again
    /// says it again.
    pub fn keep_window_open(&mut self, until: Timestamp) {
        if self.phase == Phase::Expiring {
            self.window_ends_at = self.window_ends_at.max(until);
        }
    }

    /// Refuses a state for what is in it, whoever has approved of it.
    ///
    /// # Errors
    /// What an update or a close with it is refused with before anybody looks at its approvals.
    pub fn check_state(
        &self,
        state: &VirtualState,
        data: Option<&str>,
        now: Timestamp,
    ) -> Result<(), VirtualChannelError> {
        let intent = state.intent;
        let is_close = intent == VirtualIntent::Close;
        let (standing, _) = self.standing_for(if is_close { Step::Close } else { Step::Update }, now)?;
        self.check_intent(standing, intent)?;
        let versions = if is_close { Versions::Next } else { versions_of_update(standing.phase) };
        check_next(self, state, data, intent, versions)?;
        Ok(())
    }

    fn update(&mut self, update: Update, now: Timestamp) -> Result<Applied, VirtualChannelError> {
        let JudgedUpdate { standing, phase, next, plan } = self.judge_update(&update, now)?;
        let Update { request, state, data, .. } = update;
        let kind = match state.body().intent {
            VirtualIntent::Operate | VirtualIntent::Close => TransferKind::VirtualUpdated,
            VirtualIntent::Deposit => TransferKind::VirtualDeposited,
            VirtualIntent::Withdraw => TransferKind::VirtualWithdrawn,
        };
        let mut entries = differences(self.id, &self.allocations, &next);
        entries.extend(plan.entries());
        let transfers = transfers_of(kind, Cause::Request(request), now, entries)?;
        self.window_ends_at = standing.window_ends_at;
        self.adopt(&state, data, next);
        self.enter(phase, now);
        Ok(Transition { transfers, effects: vec![self.notice(Change::Updated)] })
    }

    fn close(&mut self, close: Close, now: Timestamp) -> Result<Applied, VirtualChannelError> {
        let JudgedClose { phase, outcome, plan } = self.judge_close(&close, now)?;
        let Close { request, state, data, .. } = close;
        let transfers = self.pay_out(TransferKind::VirtualClosed, Cause::Request(request), &plan, now)?;
        self.adopt(&state, data, outcome);
        self.enter(phase, now);
        Ok(Transition { transfers, effects: self.farewell(Change::Closed) })
    }

    fn tick(&mut self, now: Timestamp) -> Result<Applied, VirtualChannelError> {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return Ok(Transition::default());
        }
        if let Some(phase) = self.phase.after(Step::Lapse) {
            return self.give_back(phase, Cause::Timer(self.id, self.expires_at), Change::Lapsed, now);
        }
        if let Some(phase) = self.phase.after(Step::Expire) {
            self.window_ends_at = self.standing(now).window_ends_at;
            self.enter(phase, now);
            return Ok(Transition { transfers: Vec::new(), effects: vec![self.notice(Change::Expiring)] });
        }
        let phase = self.after(self.phase, Step::PayOut)?;
        let plan = Plan::new(self.members(), received(&self.allocations), &[])?;
        let cause = Cause::Timer(self.id, self.window_ends_at);
        let transfers = self.pay_out(TransferKind::VirtualExpired, cause, &plan, now)?;
        self.enter(phase, now);
        Ok(Transition { transfers, effects: self.farewell(Change::Expired) })
    }

    fn judge_update(&self, update: &Update, now: Timestamp) -> Result<JudgedUpdate, VirtualChannelError> {
        let Update { state, data, consents, parts, .. } = update;
        let intent = match state.body().intent {
            // A close is none: it is refused as an update of the wrong intent.
            VirtualIntent::Close => VirtualIntent::Operate,
            intent @ (VirtualIntent::Operate | VirtualIntent::Deposit | VirtualIntent::Withdraw) => intent,
        };
        let (standing, phase) = self.standing_for(Step::Update, now)?;
        self.check_intent(standing, intent)?;
        let next = self.judge(state, data.as_deref(), intent, versions_of_update(standing.phase))?;
        let flows = flows(intent, &self.allocations, &next);
        if let Some(member) = self.members().iter().copied().find(|member| {
            let pays =
                |((payer, _), flow): (&(Address, Token), &Flow)| payer == member && !flow.paid.is_zero();
            flows.iter().any(pays) && !consents.contains(*member)
        }) {
            return Err(VirtualChannelError::MissingConsent { member });
        }
        let plan = Plan::new(self.members(), flows, parts)?;
        Ok(JudgedUpdate { standing, phase, next, plan })
    }

    /// Past the lifetime money moves between members only, until the end.
    fn check_intent(&self, standing: Standing, intent: VirtualIntent) -> Result<(), VirtualChannelError> {
        match intent {
            VirtualIntent::Deposit | VirtualIntent::Withdraw if standing.phase == Phase::Expiring => {
                Err(VirtualChannelError::LifetimeOver { expires_at: self.expires_at })
            }
            VirtualIntent::Operate
            | VirtualIntent::Close
            | VirtualIntent::Deposit
            | VirtualIntent::Withdraw => Ok(()),
        }
    }

    fn judge_close(&self, close: &Close, now: Timestamp) -> Result<JudgedClose, VirtualChannelError> {
        let (_, phase) = self.standing_for(Step::Close, now)?;
        let data = close.data.as_deref();
        let outcome = self.judge(&close.state, data, VirtualIntent::Close, Versions::Next)?;
        let plan = Plan::new(self.members(), received(&outcome), &close.parts)?;
        Ok(JudgedClose { phase, outcome, plan })
    }

    fn judge(
        &self,
        state: &Signed<VirtualState>,
        data: Option<&str>,
        intent: VirtualIntent,
        versions: Versions,
    ) -> Result<Allocations, VirtualChannelError> {
        let next = check_next(self, state.body(), data, intent, versions)?;
        check_quorum(&self.definition, state.signers())?;
        Ok(next)
    }

    /// Where the channel stands when somebody hands in a state, and the phase that this leads to.
    fn standing_for(&self, step: Step, now: Timestamp) -> Result<(Standing, Phase), VirtualChannelError> {
        let standing = self.standing(now);
        let phase = self.after(standing.phase, step)?;
        if standing.phase == Phase::Expiring && now >= standing.window_ends_at {
            return Err(VirtualChannelError::WindowEnded { window_ends_at: standing.window_ends_at });
        }
        Ok((standing, phase))
    }

    /// A lifetime that is over opens the window, whether or not a tick has come; the window is as long as it
    /// was meant to be, however late it opens.
    fn standing(&self, now: Timestamp) -> Standing {
        let Self { phase, window_ends_at, expires_at, .. } = *self;
        match phase.after(Step::Expire) {
            Some(phase) if now >= expires_at => {
                let late = now.millis_since(expires_at);
                Standing { phase, window_ends_at: window_ends_at.plus_millis(late) }
            }
            Some(_) | None => Standing { phase, window_ends_at },
        }
    }

    pub(super) fn after(&self, phase: Phase, step: Step) -> Result<Phase, VirtualChannelError> {
        let refusal = if phase.is_end() {
            VirtualChannelError::Ended { phase }
        } else {
            VirtualChannelError::WrongPhase { phase }
        };
        phase.after(step).ok_or(refusal)
    }

    /// Empties the channel's accounts into what the plan says.
    fn pay_out(
        &self,
        kind: TransferKind,
        cause: Cause,
        plan: &Plan,
        now: Timestamp,
    ) -> Result<Vec<Transfer>, VirtualChannelError> {
        let mut entries = differences(self.id, &self.allocations, &BTreeMap::new());
        entries.extend(plan.entries());
        Ok(transfers_of(kind, cause, now, entries)?)
    }

    fn adopt(&mut self, state: &Signed<VirtualState>, data: Option<String>, allocations: Allocations) {
        self.version = state.body().version;
        self.intent = state.body().intent;
        self.allocations = allocations;
        self.data = data;
        self.approvals = approvals_of(state.signers());
    }

    pub(super) fn enter(&mut self, phase: Phase, now: Timestamp) {
        self.phase = phase;
        self.updated_at = now;
    }

    pub(super) fn farewell(&self, change: Change) -> Vec<VirtualChannelEffect> {
        vec![self.notice(change), VirtualChannelEffect::EndTopic]
    }
}

/// Which versions an update may have.
fn versions_of_update(phase: Phase) -> Versions {
    match phase {
        Phase::Expiring => Versions::Higher,
        Phase::Proposed
        | Phase::Open
        | Phase::Closed
        | Phase::Expired
        | Phase::Rejected
        | Phase::Cancelled
        | Phase::Lapsed => Versions::Next,
    }
}

/// A close that is in order.
struct JudgedClose {
    phase: Phase,
    outcome: Allocations,
    plan: Plan,
}

/// An update that is in order.
struct JudgedUpdate {
    standing: Standing,
    phase: Phase,
    next: Allocations,
    plan: Plan,
}

/// What comes from and goes to members outside the channel; nothing for who keeps what it has.
fn flows(intent: VirtualIntent, current: &Allocations, next: &Allocations) -> Flows {
    if !matches!(intent, VirtualIntent::Deposit | VirtualIntent::Withdraw) {
        return Flows::new();
    }
    let mut flows = Flows::new();
    for whose in current.keys().chain(next.keys()) {
        let amount_in = |lines: &Allocations| lines.get(whose).copied().unwrap_or_default();
        let flow = match Delta::between(amount_in(current), amount_in(next)) {
            Delta::Zero => continue,
            Delta::More(paid) => Flow { paid, ..Flow::default() },
            Delta::Less(received) => Flow { received, ..Flow::default() },
        };
        flows.insert(*whose, flow);
    }
    flows
}

pub(super) fn received(allocations: &Allocations) -> Flows {
    let flow = |amount| Flow { received: amount, ..Flow::default() };
    allocations.iter().map(|(whose, amount)| (*whose, flow(*amount))).collect()
}

#[cfg(test)]
mod tests;
