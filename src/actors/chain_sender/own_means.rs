//! The broker's own means on one chain: deposits, withdrawals, and what can be promised to settlements.

use actix::prelude::*;
use domain::chain::CustodyEvent;
use domain::ledger::{AccountKey, Cause, Entry, EventKey, LedgerError, Side, Transfer, TransferKind};
use domain::primitives::{Address, Amount, Token};
use domain::protocol::SETTLEMENTS_MAX;

use super::creation::Creation;
use super::{ChainError, ChainSenderActor, Incarnation, OPEN_MAX, PrepareLiquidity, Refused, Waiting};
use crate::clock;
use crate::store::InboxRow;

impl ChainSenderActor {
    /// Posts a deposit or withdrawal of the broker's, and marks it as handled in the same commit.
    pub(super) fn happened(&mut self, row: &InboxRow, ctx: &mut Context<Self>) {
        let posted = match CustodyEvent::from_stored(&row.body) {
            Ok(event) => self.transfer_of(row.key, &event),
            Err(error) => {
                log::error!(chain_id:% = self.chain_id, inbox_id:% = row.id, error:%; "a kept event cannot be read");
                return;
            }
        };
        let mut commit = self.pen.begin();
        match posted {
            Ok(transfer) => commit.transfers.extend(transfer),
            Err(error) => {
                log::error!(chain_id:% = self.chain_id, inbox_id:% = row.id, error:%; "an event was refused");
                return;
            }
        }
        commit.handled.push(row.id);
        if self.pen.hand_over(commit, Waiting::Nothing).is_err() {
            ctx.stop();
        }
    }

    /// What an event means for the broker's own means. What it withdraws above its own was either in the contract
    /// without being in the book, or is owed to participants: it is an alarm and not posted, so that the audit
    /// compares the contract with what is owed.
    fn transfer_of(&mut self, key: EventKey, event: &CustodyEvent) -> Result<Option<Transfer>, LedgerError> {
        let (kind, token, amount) = match event {
            CustodyEvent::Deposited { token, amount, .. } => (TransferKind::BrokerDeposited, *token, *amount),
            CustodyEvent::Withdrawn { token, amount, .. } => (TransferKind::BrokerWithdrawn, *token, *amount),
            CustodyEvent::Created { .. }
            | CustodyEvent::Joined { .. }
            | CustodyEvent::Opened { .. }
            | CustodyEvent::Challenged { .. }
            | CustodyEvent::Checkpointed { .. }
            | CustodyEvent::Resized { .. }
            | CustodyEvent::Closed { .. } => return Ok(None),
        };
        let token = Token { chain_id: self.chain_id, address: token };
        if amount.is_zero() || !self.services.tokens.contains(&token) {
            return Ok(None);
        }
        let (broker, custody) = (AccountKey::broker(token), AccountKey::custody(token));
        let owned = self.balances.get(&token).copied().unwrap_or_default();
        let entries = if kind == TransferKind::BrokerDeposited {
            let after = owned.checked_add(amount).ok_or(LedgerError::Overflow { account: broker })?;
            self.balances.insert(token, after);
            vec![Entry::new(custody, Side::Debit, amount)?, Entry::new(broker, Side::Credit, amount)?]
        } else {
            let own = owned.min(amount);
            let (after, beyond) = (owned.checked_sub(own), amount.checked_sub(own));
            self.balances.insert(token, after.unwrap_or_default());
            if let Some(beyond) = beyond.filter(|beyond| !beyond.is_zero()) {
                log::error!(chain_id:% = self.chain_id, token:%, beyond:%; "the broker withdrew more than the book has for it: audit");
            }
            if own.is_zero() {
                return Ok(None);
            }
            vec![Entry::new(broker, Side::Debit, own)?, Entry::new(custody, Side::Credit, own)?]
        };
        Transfer::new(kind, Cause::Chain(key), clock::now(), entries).map(Some)
    }

    /// Whether another settlement of this participant can be taken.
    fn check_room(&self, participant: Address) -> Result<(), Refused> {
        let decided = self.open.values().map(Creation::participant);
        let all = decided.chain(self.holds.values().map(|promised| promised.participant));
        let own = all.filter(|whose| *whose == participant).count();
        if own >= SETTLEMENTS_MAX {
            return Err(Refused::TooMany { max: SETTLEMENTS_MAX });
        }
        if self.open.len() + self.holds.len() >= OPEN_MAX { Err(Refused::Overloaded) } else { Ok(()) }
    }

    /// Promises liquidity out of the available balance at confirmed depth, less what is decided or promised.
    pub(super) fn promise(
        &self,
        ask: PrepareLiquidity,
    ) -> ResponseActFuture<Self, Result<Incarnation, Refused>> {
        let (chain, broker) = (std::sync::Arc::clone(&self.chain), self.services.broker);
        let (confirmations, token, ended) = (self.confirmations, ask.token, self.ended);
        if let Err(refused) = self.services.read_chains.check(self.chain_id, clock::now()) {
            return Box::pin(actix::fut::err(refused));
        }
        let available = async move {
            let head = chain.head().await?;
            let Some(height) = head.height.checked_sub(confirmations) else { return Ok(Amount::ZERO) };
            match chain.block(height).await? {
                Some(block) => chain.available_at(broker, token.address, block).await,
                None => Ok::<_, ChainError>(Amount::ZERO),
            }
        };
        Box::pin(available.into_actor(self).map(move |available, act, ctx| {
            let available = available.map_err(|_| Refused::ChainUnavailable { chain_id: act.chain_id })?;
            act.check_room(ask.participant)?;
            // What was paid meanwhile is neither in what was read nor in what is bound any more.
            if !act.is_read || act.ended != ended {
                return Err(Refused::Overloaded);
            }
            let bound = act.bound(token).unwrap_or(Amount::MAX);
            let free = available.checked_sub(bound).unwrap_or_default();
            if free < ask.amount {
                return Err(Refused::LiquidityShort { token, available: free, requested: ask.amount });
            }
            act.holds.insert(ask.hold, ask);
            let pause = std::time::Duration::from_millis(super::HOLD_MILLIS_MAX);
            ctx.run_later(pause, move |act, _| {
                act.holds.remove(&ask.hold);
            });
            Ok(act.pen.incarnation())
        }))
    }
}
