//! The sender of one network: the broker's own means there, and the transactions that were decided.
//!
//! A row is durable before anything of it leaves: first the decision, then the signed bytes with their nonce,
//! then they are sent, again and again, until their nonce is used up at confirmed depth. What happened to them
//! is read from the chain, so that a restart goes on where it was. Deliberately absent: raising fees, and
//! any decision about whom to pay.

mod contract;
mod creation;
mod handlers;
mod own_means;
mod pursue;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use domain::ledger::{Cause, OwnerId, RequestKey};
use domain::primitives::{Amount, ChainId, Token};

use super::direct_channel::SettlementFailed;
use super::exit::ExitGuard;
use super::journal::{FromJournal, Incarnation, NewOutbox, NewState};
use super::pen::Pen;
use super::prepare::{HOLD_MILLIS_MAX, HoldId, PrepareLiquidity, Release};
use super::request::Refused;
use super::services::Services;
use super::supervisor::Birth;
use crate::chain::{ChainClient, ChainError};
use crate::clock;
use crate::metrics::SettlementOutcome;
use crate::store::{OutboxId, OutboxRow, OutboxStatus, PAGE_ROWS_MAX, StateKind};
use creation::{Creation, Sent};
use pursue::{Fate, Place};

pub use contract::{OtherContract, kept_contract};
pub(super) use creation::creation;

/// How often the chain is asked what became of what was sent.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The most settlements that are not at their end: what is looked after every second.
const OPEN_MAX: usize = 1_000;

/// The sender of one network.
pub struct ChainSenderActor {
    services: Arc<Services>,
    chain: Arc<dyn ChainClient>,
    chain_id: ChainId,
    confirmations: u64,
    pen: Pen<Waiting>,
    /// What the broker owns here by the book.
    balances: BTreeMap<Token, Amount>,
    /// What was decided and is not at its end, in the order of the decisions.
    open: BTreeMap<OutboxId, Creation>,
    /// Those of them whose signed bytes are not durable: nothing of them may leave.
    unkept: BTreeSet<OutboxId>,
    /// Whether what was decided before has been read: until then it is unknown what is free to promise.
    is_read: bool,
    /// How many of them have come to their end: what was read of the chain before that may still hold their cost.
    ended: u64,
    /// What is promised to settlements that are being decided.
    holds: BTreeMap<HoldId, PrepareLiquidity>,
    /// The nonce after the last one that was given away.
    next_nonce: u64,
    is_looking: bool,
    _exit: ExitGuard,
}

/// What waits until a commit is durable.
#[derive(Debug)]
enum Waiting {
    /// The signed bytes are kept: send them.
    Send(OutboxId),
    /// Nothing more to do.
    Nothing,
}

impl ChainSenderActor {
    /// Starts the sender; `None` for a chain that is not configured.
    pub(super) fn start(chain_id: ChainId, birth: Birth) -> Option<Addr<Self>> {
        let pen = birth.pen(OwnerId::Network(chain_id));
        let Birth { services, registered, told, exit } = birth;
        let chain = Arc::clone(services.chains.get(&chain_id)?);
        let confirmations = *services.confirmations.get(&chain_id)?;
        let accounts = registered.stored.accounts.iter();
        let balances = accounts.map(|row| (row.key.token(), row.balance)).collect();
        let arbiter = services.arbiter_of(&chain_id.get().to_be_bytes()).clone();
        Some(Self::start_in_arbiter(&arbiter, move |ctx| {
            ctx.add_stream(told);
            let mut sender = Self {
                services,
                chain,
                chain_id,
                confirmations,
                pen,
                balances,
                open: BTreeMap::new(),
                unkept: BTreeSet::new(),
                is_read: false,
                ended: 0,
                holds: BTreeMap::new(),
                next_nonce: 0,
                is_looking: false,
                _exit: exit,
            };
            if registered.stored.state.is_none() {
                sender.keep_contract(ctx);
            }
            for event in registered.stored.inbox {
                sender.happened(&event, ctx);
            }
            sender
        }))
    }

    /// Keeps which contract the book of this chain belongs to.
    fn keep_contract(&mut self, ctx: &mut Context<Self>) {
        let Some(terms) = self.services.terms_of(self.chain_id) else { return };
        let mut commit = self.pen.begin();
        commit.states.push(NewState {
            owner: OwnerId::Network(self.chain_id),
            replaces: None,
            kind: StateKind::Sender,
            phase: 0,
            due_at: None,
            body: contract::encode(&terms.custody),
        });
        if self.pen.hand_over(commit, Waiting::Nothing).is_err() {
            ctx.stop();
        }
    }

    /// Reads what was decided before; what is decided from now on comes by the stream.
    fn read_open(&mut self, ctx: &mut Context<Self>) {
        let (store, chain_id) = (Arc::clone(&self.services.store), self.chain_id);
        let read = async move {
            let (mut rows, mut after) = (Vec::new(), None);
            loop {
                let page = store.open_outbox(chain_id, after, PAGE_ROWS_MAX).await?;
                let Some(last) = page.last() else { return Ok::<_, crate::store::StoreError>(rows) };
                after = Some(last.id);
                rows.extend(page);
            }
        };
        ctx.spawn(read.into_actor(self).map(|rows, act, ctx| match rows {
            Ok(rows) => {
                for row in rows {
                    act.decided(&row);
                }
                act.is_read = true;
                act.look(ctx);
            }
            Err(error) => {
                log::warn!(chain_id:% = act.chain_id, error:%; "cannot read what is to be sent");
                ctx.run_later(LOOK_INTERVAL, Self::read_open);
            }
        }));
    }

    /// Takes a decided transaction in. Without effect when it is known.
    fn decided(&mut self, row: &OutboxRow) {
        if row.status != OutboxStatus::Open || self.open.contains_key(&row.id) {
            return;
        }
        match Creation::decode(row) {
            Ok(creation) => {
                // What was promised for it is now counted as decided.
                let channel = creation.channel();
                self.holds.retain(|_, promised| promised.channel != channel);
                self.open.insert(row.id, creation);
            }
            Err(error) => {
                log::error!(chain_id:% = self.chain_id, outbox_id:% = row.id.0, error:%; "a kept transaction cannot be read")
            }
        }
    }

    /// What is decided or promised of a token and may not be on chain yet.
    fn bound(&self, token: Token) -> Option<Amount> {
        let decided = self.open.values().map(Creation::cost).filter(|(of, _)| *of == token);
        let promised = self.holds.values().filter(|promised| promised.token == token);
        Amount::checked_sum(decided.map(|(_, amount)| amount).chain(promised.map(|promised| promised.amount)))
    }

    /// Asks the chain what became of the first thing that is open, and does what follows.
    ///
    /// Not before everything that was decided is known, or a place would be given away twice.
    fn look(&mut self, ctx: &mut Context<Self>) {
        self.services.journal.figures().set_outbox_open(self.chain_id, self.open.len());
        let kept = self.open.iter().filter(|(id, _)| !self.unkept.contains(id));
        let open: BTreeMap<OutboxId, Creation> = kept.map(|(id, creation)| (*id, creation.clone())).collect();
        if self.is_looking || !self.is_read || open.is_empty() {
            return;
        }
        self.is_looking = true;
        let (chain, confirmations) = (Arc::clone(&self.chain), self.confirmations);
        let broker = self.services.broker;
        let looked = async move { pursue::look(chain.as_ref(), broker, confirmations, open).await };
        ctx.spawn(looked.into_actor(self).map(|looked, act, ctx| {
            act.is_looking = false;
            match looked {
                Ok(found) => act.follow(found, ctx),
                Err(error) => log::warn!(chain_id:% = act.chain_id, error:%; "cannot follow what was sent"),
            }
        }));
    }

    /// Does what follows from what the chain said.
    fn follow(&mut self, found: pursue::Found, ctx: &mut Context<Self>) {
        self.next_nonce = self.next_nonce.max(found.next_nonce);
        for (id, fate) in found.fates {
            match fate {
                Fate::Waiting => {}
                Fate::Succeeded => self.finish(id, ctx),
                Fate::Failed { cause } => self.fail(id, &cause, ctx),
                Fate::Unsigned(place) => self.sign(id, place, ctx),
            }
        }
    }

    /// Signs a decided transaction at the next nonce, and keeps the bytes before they leave.
    fn sign(&mut self, id: OutboxId, place: Place, ctx: &mut Context<Self>) {
        let Some(mut creation) = self.open.remove(&id) else { return };
        let nonce = self.next_nonce;
        self.next_nonce += 1;
        let call = self.chain.encode(&creation.call(&self.services.key));
        let signed = place.transaction(self.chain_id, nonce, call).sign(&self.services.key);
        creation.sent = Some(Sent::new(nonce, signed.hash, &signed.raw));
        let (chain_id, channel_id, tx_hash) = (self.chain_id, creation.channel(), signed.hash);
        log::info!(chain_id:%, outbox_id:% = id.0, channel_id:%, tx_hash:%, nonce:%; "a transaction is signed");
        self.change(id, &creation, OutboxStatus::Open, Waiting::Send(id), ctx);
        self.open.insert(id, creation);
        self.unkept.insert(id);
    }

    /// The channel is on chain at confirmed depth: its log has told or will tell the channel.
    fn finish(&mut self, id: OutboxId, ctx: &mut Context<Self>) {
        if let Some(creation) = self.open.remove(&id) {
            self.ended += 1;
            self.services.journal.figures().settled(self.chain_id, SettlementOutcome::Executed);
            let (chain_id, channel_id) = (self.chain_id, creation.channel());
            log::info!(chain_id:%, outbox_id:% = id.0, channel_id:%; "a settlement was executed");
            self.change(id, &creation, OutboxStatus::Done, Waiting::Nothing, ctx);
        }
    }

    /// It finally cannot happen. The channel refunds first: a crash in between asks it again.
    fn fail(&mut self, id: OutboxId, cause: &str, ctx: &mut Context<Self>) {
        let Some(creation) = self.open.get(&id).cloned() else { return };
        let channel = creation.channel();
        log::error!(chain_id:% = self.chain_id, outbox_id:% = id.0, channel_id:% = channel, cause:%; "a settlement failed");
        let (services, broker) = (Arc::clone(&self.services), self.services.broker);
        let refunded = async move {
            let channel = services.direct_channel(channel).await?;
            let key = RequestKey { at: clock::now(), signer: broker, id: id.0 };
            let ask = SettlementFailed { cause: Cause::Operator(key) };
            channel.send(ask).await.map_err(|_| Refused::Unavailable)?
        };
        ctx.spawn(refunded.into_actor(self).map(move |refunded, act, ctx| match refunded {
            Ok(()) => {
                act.services.journal.figures().settled(act.chain_id, SettlementOutcome::Failed);
                act.open.remove(&id);
                act.change(id, &creation, OutboxStatus::Done, Waiting::Nothing, ctx);
            }
            Err(refused) => log::warn!(channel_id:% = channel, refused:%; "a refund has to wait"),
        }));
    }

    fn change(
        &mut self,
        id: OutboxId,
        creation: &Creation,
        status: OutboxStatus,
        waiting: Waiting,
        ctx: &mut Context<Self>,
    ) {
        let mut commit = self.pen.begin();
        commit.outbox.push(NewOutbox {
            changes: Some(id),
            chain_id: self.chain_id,
            owner: OwnerId::Channel(creation.channel()),
            status,
            body: creation.encode(),
        });
        if self.pen.hand_over(commit, waiting).is_err() {
            ctx.stop();
        }
    }

    /// Sends what is kept. Whether it arrived is read from the chain; it is sent again until then.
    fn send(&mut self, id: OutboxId, ctx: &mut Context<Self>) {
        self.unkept.remove(&id);
        let Some(sent) = self.open.get(&id).and_then(|creation| creation.sent.clone()) else { return };
        let (chain, chain_id) = (Arc::clone(&self.chain), self.chain_id);
        self.services.journal.figures().transaction_sent(chain_id);
        log::info!(chain_id:%, outbox_id:% = id.0, tx_hash:% = sent.hash; "a transaction is sent");
        let sending = async move {
            match chain.send_raw(&sent.raw()).await {
                Ok(_) | Err(ChainError::NonceTooLow) => {}
                Err(error) => {
                    log::warn!(chain_id:% = chain_id, tx_hash:% = sent.hash, error:%; "not sent yet")
                }
            }
        };
        ctx.spawn(sending.into_actor(self));
    }
}
