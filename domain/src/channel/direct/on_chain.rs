//! What the custody contract's log means for a direct channel, and what is posted for it.

use crate::chain::{CustodyEvent, RecordedState};
use crate::channel::Transition;
use crate::crypto::{DirectParams, Intent};
use crate::ledger::{AccountKey, Cause, Entry, EventKey, LedgerError, Posting, Side, Transfer, TransferKind};
use crate::primitives::{Address, Amount, ChannelId, Delta, Timestamp, Token, Version};

use super::counting::{IgnoreReason, judge_recorded};
use super::effect::{DirectAlarm, DirectEffect, SettlementEnd};
use super::error::DirectError;
use super::machine::{DirectChannel, Outcome, effects};
use super::phase::Step;
use super::state::{Agreed, Anchor, State};

impl DirectChannel {
    pub(super) fn happened(&mut self, key: EventKey, event: &CustodyEvent, now: Timestamp) -> Outcome {
        if channel_of(event) != Some(self.id) {
            return Err(DirectError::WrongChannel { expected: self.id });
        }
        self.check_idle()?;
        let occasion = Occasion { cause: Cause::Chain(key), at: now };
        match event {
            CustodyEvent::Created { wallet, params, initial, .. } => {
                Ok(self.created(*wallet, params, initial))
            }
            CustodyEvent::Opened { .. } => self.opened(&occasion),
            CustodyEvent::Challenged { .. } => Ok(self.freeze(Step::Challenge, DirectAlarm::Challenged)),
            CustodyEvent::Checkpointed { state, .. } => Ok(self.checkpointed(state)),
            CustodyEvent::Resized { .. } => Ok(self.freeze(Step::Halt, DirectAlarm::Halted)),
            CustodyEvent::Closed { state, .. } => self.closed(state.allocations[0].amount, &occasion),
            CustodyEvent::Joined { .. } | CustodyEvent::Deposited { .. } | CustodyEvent::Withdrawn { .. } => {
                Ok(Transition::default())
            }
        }
    }

    /// Posts what was set aside back to the wallet.
    pub(super) fn settlement_failed(&mut self, cause: Cause, now: Timestamp) -> Outcome {
        self.check_idle()?;
        let Some(refund) = self.refund(&Occasion { cause, at: now })? else {
            return Ok(Transition::default());
        };
        // From any other phase the failure leads nowhere: what is on chain is there.
        if let Some(next) = self.state.after(Step::Abandon) {
            self.state = next;
        }
        self.state.settlement = None;
        let ended = DirectEffect::SettlementEnded(SettlementEnd::Refunded);
        Ok(Transition { transfers: vec![refund], effects: vec![ended] })
    }

    fn created(
        &mut self,
        wallet: Address,
        params: &DirectParams,
        initial: &RecordedState,
    ) -> Transition<DirectEffect> {
        let Some(next) = self.state.after(Step::Create) else {
            return Transition::default();
        };
        let signature = match judge_recorded(&self.terms, self.id, params, initial) {
            Ok(signature) => signature,
            Err(reason) => return self.ignore(reason),
        };
        let locked = initial.allocations[0].amount;
        let token = Token { chain_id: self.terms.chain_id, address: initial.allocations[0].token };
        let newest = Agreed {
            intent: Intent::Initialize,
            version: Version::ZERO,
            data: Vec::new(),
            parts: [locked, Amount::ZERO],
            signature,
        };
        let anchor = Anchor { params: params.clone(), wallet, token, locked, newest, finalize: None };
        self.state = State { anchor: Some(anchor), ..next };
        Transition::default()
    }

    fn opened(&mut self, occasion: &Occasion) -> Outcome {
        let (Some(next), Some(anchor)) = (self.state.after(Step::Open), &self.state.anchor) else {
            return Ok(self.ignore(IgnoreReason::NeverCreated));
        };
        let direct = AccountKey::direct(self.id, anchor.owner(), anchor.token);
        let transition = if anchor.wallet == self.terms.broker {
            // The broker's own money is in it: that must be what was set aside.
            let is_it = |settled: Token, amount| (settled, amount) == (anchor.token, anchor.locked);
            if !self.state.settlement.is_some_and(|settlement| is_it(settlement.token, settlement.amount)) {
                return Ok(self.ignore(IgnoreReason::Unannounced));
            }
            let settling = AccountKey::settling(self.id, anchor.owner(), anchor.token);
            let ended = DirectEffect::SettlementEnded(SettlementEnd::Executed);
            let executed =
                occasion.transfer(TransferKind::SettlementExecuted, settling, direct, anchor.locked)?;
            Transition {
                transfers: executed.into_iter().collect(),
                effects: vec![DirectEffect::ChannelChanged, ended],
            }
        } else {
            // The id is taken: the broker's own creation cannot happen any more.
            let custody = AccountKey::custody(anchor.token);
            let paid = occasion.transfer(TransferKind::ChannelOpened, custody, direct, anchor.locked)?;
            let refund = self.refund(occasion)?;
            let ended = refund.is_some().then_some(DirectEffect::SettlementEnded(SettlementEnd::Refunded));
            Transition {
                transfers: paid.into_iter().chain(refund).collect(),
                effects: std::iter::once(DirectEffect::ChannelChanged).chain(ended).collect(),
            }
        };
        self.state = State { settlement: None, ..next };
        Ok(transition)
    }

    fn checkpointed(&mut self, state: &RecordedState) -> Transition<DirectEffect> {
        let Some(anchor) = self.state.counted() else {
            return Transition::default();
        };
        let newest = anchor.rebuild(self.id, &anchor.newest).state;
        let is_older = state.version.is_some_and(|version| version < newest.version);
        if !is_older && state.to_direct(self.id).as_ref() != Some(&newest) {
            return self.freeze(Step::Halt, DirectAlarm::Halted);
        }
        let step = if anchor.finalize.is_some() { Step::ReopenClosing } else { Step::Reopen };
        let Some(next) = self.state.after(step) else {
            return Transition::default();
        };
        self.state = next;
        effects([DirectEffect::ChannelChanged])
    }

    fn closed(&mut self, paid: Amount, occasion: &Occasion) -> Outcome {
        let Some(next) = self.state.after(Step::Close) else {
            return Ok(Transition::default());
        };
        let Some(anchor) = self.state.counted() else {
            // What was never opened pays back to who created it.
            self.state = next;
            return Ok(Transition::default());
        };
        let (part, owner, token) = (anchor.newest.parts[0], anchor.owner(), anchor.token);
        let mut effects = vec![DirectEffect::ChannelChanged];
        // The contract paid less than was agreed: the rest is still owed. It paid more: the broker bears it.
        let rest = match Delta::between(paid, part) {
            Delta::Zero => None,
            Delta::More(owed) => Some(Entry::new(AccountKey::wallet(owner, token), Side::Credit, owed)?),
            Delta::Less(excess) => {
                effects.push(DirectEffect::Alarm(DirectAlarm::Shortfall(excess)));
                Some(Entry::new(AccountKey::shortfall(token), Side::Debit, excess)?)
            }
        };
        let from_part = entry(AccountKey::direct(self.id, owner, token), Side::Debit, part);
        let to_custody = entry(AccountKey::custody(token), Side::Credit, paid);
        let entries: Vec<Entry> = from_part.into_iter().chain(to_custody).chain(rest).collect();
        let transfers = if entries.is_empty() {
            Vec::new()
        } else {
            vec![Transfer::new(TransferKind::ChannelClosed, occasion.cause, occasion.at, entries)?]
        };
        self.state = next;
        Ok(Transition { transfers, effects })
    }

    /// Takes a step into a frozen phase; without effect where there is none.
    fn freeze(&mut self, step: Step, alarm: DirectAlarm) -> Transition<DirectEffect> {
        let Some(next) = self.state.after(step) else {
            return Transition::default();
        };
        self.state = next;
        effects([DirectEffect::ChannelChanged, DirectEffect::Alarm(alarm)])
    }

    /// Makes it a channel that never counts; without effect where that is decided otherwise.
    fn ignore(&mut self, reason: IgnoreReason) -> Transition<DirectEffect> {
        let Some(next) = self.state.after(Step::Ignore) else {
            return Transition::default();
        };
        self.state = State { ignored: Some(reason), anchor: None, ..next };
        effects([DirectEffect::NotCounted(reason)])
    }

    /// The transfer of what is set aside back to the wallet; `None` when nothing is.
    fn refund(&self, occasion: &Occasion) -> Result<Option<Transfer>, LedgerError> {
        let Some(settlement) = self.state.settlement else {
            return Ok(None);
        };
        let (owner, token) = (settlement.owner, settlement.token);
        let settling = AccountKey::settling(self.id, owner, token);
        let wallet = AccountKey::wallet(owner, token);
        occasion.transfer(TransferKind::SettlementRefunded, settling, wallet, settlement.amount)
    }
}

/// What transfers are posted under.
struct Occasion {
    cause: Cause,
    at: Timestamp,
}

impl Occasion {
    /// A transfer from one account to another; `None` when there is nothing to transfer.
    fn transfer(
        &self,
        kind: TransferKind,
        from: AccountKey,
        to: AccountKey,
        amount: Amount,
    ) -> Result<Option<Transfer>, LedgerError> {
        let taken = entry(from, Side::Debit, amount);
        let entries: Vec<Entry> = taken.into_iter().chain(entry(to, Side::Credit, amount)).collect();
        if entries.is_empty() {
            return Ok(None);
        }
        Transfer::new(kind, self.cause, self.at, entries).map(Some)
    }
}

/// An entry; `None` when the amount is zero.
fn entry(account: AccountKey, side: Side, amount: Amount) -> Option<Entry> {
    Posting::new(side, amount).map(|posting| Entry { account, posting })
}

/// The channel that an event is about; `None` when it is about none.
fn channel_of(event: &CustodyEvent) -> Option<ChannelId> {
    match event {
        CustodyEvent::Created { channel_id, .. }
        | CustodyEvent::Joined { channel_id, .. }
        | CustodyEvent::Opened { channel_id }
        | CustodyEvent::Challenged { channel_id, .. }
        | CustodyEvent::Checkpointed { channel_id, .. }
        | CustodyEvent::Resized { channel_id, .. }
        | CustodyEvent::Closed { channel_id, .. } => Some(*channel_id),
        CustodyEvent::Deposited { .. } | CustodyEvent::Withdrawn { .. } => None,
    }
}
