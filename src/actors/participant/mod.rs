//! The actor of one participant: what it has outside channels, and its sessions.
//!
//! A payment that moves direct channels asks them first and decides when they hold their next states;
//! what needs nobody else is decided at once. Deliberately absent: rules (the machine has them), and the
//! participant's channels themselves.

mod funding;
mod handlers;
mod keys;
mod messages;
mod requests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use domain::channel::Machine as _;
use domain::ledger::{OwnerId, Posting, Side};
use domain::participant::{Participant, ParticipantEffect, ParticipantEvent, SessionKeys};
use domain::primitives::{Address, Amount, Digest, Token};
use futures::channel::oneshot;

use super::answer::Answer;
use super::exit::ExitGuard;
use super::journal::{FromJournal, Permit, PostedAccount};
use super::pen::Pen;
use super::prepare::{HOLD_MILLIS_MAX, HoldId, Preparation, PrepareDebit, PreparedDebit};
use super::push::{Push, Tell};
use super::request::{Asked, Refused};
use super::services::Services;
use super::session::SessionId;
use super::supervisor::Birth;
use crate::clock;
use crate::store::Revision;

pub use messages::{
    Attach, ChangeKeys, Detach, FundWallet, Funding, HasSessions, KeyChange, MoveMoney, Movements, NextNonce,
    NotAttached, Settle, SettleWallet,
};

/// The most sessions of one participant: what one key can make the broker tell over and over.
pub const SESSIONS_MAX: usize = 16;

/// The most sessions of all its session keys together, beside its own: no key keeps its participant out.
pub const KEY_SESSIONS_MAX: usize = 8;

/// The most revocations that wait for a use of a key to be decided.
const REVOCATIONS_MAX: usize = 4;

/// How many messages may wait for the actor: what all its sessions may ask at a time, and a burst of news.
const MAILBOX: usize = 4_096;

/// The actor of one participant.
pub struct ParticipantActor {
    services: Arc<Services>,
    participant: Participant,
    /// Of the stored session keys; `None` before there were any.
    revision: Option<Revision>,
    pen: Pen<Waiting>,
    /// What is held for others: its name in the machine, and how much.
    holds: BTreeMap<HoldId, (Digest, BTreeMap<Token, Amount>)>,
    sessions: BTreeMap<SessionId, Listener>,
    /// Ends of session keys that wait until nobody holds for one; meanwhile no key is used.
    revocations: Vec<(Box<Asked<KeyChange>>, Reply)>,
    /// How many requests ask others to hold their share.
    asking: usize,
    _exit: ExitGuard,
}

/// A session that is told what happens.
#[derive(Debug)]
struct Listener {
    tell: Tell,
    /// The session key that logged in; `None` when the participant did itself.
    key: Option<Address>,
}

type Reply = oneshot::Sender<Result<Answer, Refused>>;

/// What waits until a commit is durable.
#[derive(Debug)]
struct Waiting {
    effects: Vec<ParticipantEffect>,
    reply: Reply,
    answer: Answer,
}

impl ParticipantActor {
    /// Starts the actor on the arbiter of the participant.
    pub(super) fn start(address: Address, keys: SessionKeys, birth: Birth) -> Addr<Self> {
        let pen = birth.pen(OwnerId::Participant(address));
        let Birth { services, registered, told, exit } = birth;
        let balances: Vec<_> =
            registered.stored.accounts.iter().map(|row| (row.key.token(), row.balance)).collect();
        let arbiter = services.arbiter_of(&address.to_word()).clone();
        Self::start_in_arbiter(&arbiter, move |ctx| {
            ctx.set_mailbox_capacity(MAILBOX);
            ctx.add_stream(told);
            Self {
                participant: Participant::new(address, services.broker, balances).with_keys(keys),
                revision: registered.stored.state.map(|state| state.revision),
                services,
                pen,
                holds: BTreeMap::new(),
                sessions: BTreeMap::new(),
                revocations: Vec::new(),
                asking: 0,
                _exit: exit,
            }
        })
    }

    /// Holds wallet money for somebody's commit.
    fn hold(&mut self, ask: PrepareDebit, ctx: &mut Context<Self>) -> Result<PreparedDebit, Refused> {
        let PrepareDebit { hold, request_hash, amounts, by_key } = ask;
        let event = ParticipantEvent::Hold { request_hash, amounts: amounts.clone() };
        let event = self.as_asked_by(by_key, &amounts, event)?;
        self.participant.apply(event, clock::now())?;
        self.holds.insert(hold, (request_hash, amounts));
        let pause = Duration::from_millis(HOLD_MILLIS_MAX);
        ctx.run_later(pause, move |act, ctx| act.release(hold, ctx));
        let state = self.participant.keys_after(request_hash).map(|keys| self.row_of(keys));
        Ok(PreparedDebit { incarnation: self.pen.incarnation(), state })
    }

    /// Gives up what is held for a preparation that ended without a commit.
    fn release(&mut self, hold: HoldId, ctx: &mut Context<Self>) {
        let released = self.holds.remove(&hold).map(|(request_hash, _)| request_hash);
        // A hold of the same amounts may have ended in its place.
        for request_hash in released.into_iter().chain(self.participant.key_hold()) {
            let is_named = self.holds.values().any(|(other, _)| *other == request_hash);
            if !is_named {
                // Releasing never fails: what is not held is not released.
                let _released =
                    self.participant.apply(ParticipantEvent::Release { request_hash }, clock::now());
            }
        }
        self.revoke_waiting(ctx);
    }

    /// Takes in what somebody else's commit posted to the wallet accounts.
    fn posted(&mut self, accounts: &[PostedAccount], by_key: bool, ctx: &mut Context<Self>) {
        let (mut tokens, mut debits) = (BTreeSet::new(), BTreeMap::new());
        for posted in accounts {
            match self.pen.counts(posted) {
                Ok(true) => {}
                Ok(false) => continue,
                Err(gap) => return self.end(&gap, ctx),
            }
            let token = posted.account.token();
            tokens.insert(token);
            for posting in &posted.postings {
                match posting.side() {
                    Side::Debit => {
                        let debit: &mut Amount = debits.entry(token).or_default();
                        *debit = debit.checked_add(posting.amount()).unwrap_or(Amount::MAX);
                    }
                    Side::Credit => self.credited(token, *posting, ctx),
                }
            }
        }
        if !debits.is_empty() {
            self.spent(debits, by_key, ctx);
        }
        self.tell_balances(&tokens);
    }

    fn credited(&mut self, token: Token, posting: Posting, ctx: &mut Context<Self>) {
        let event = ParticipantEvent::Credited { token, amount: posting.amount() };
        if let Err(error) = self.participant.apply(event, clock::now()) {
            self.end(&error, ctx);
        }
    }

    /// The commit that was held for is durable: that of a session key, or that of the participant itself.
    fn spent(&mut self, amounts: BTreeMap<Token, Amount>, by_key: bool, ctx: &mut Context<Self>) {
        let of_key = self.participant.key_hold();
        let is_it = |hash: Digest, held: &BTreeMap<Token, Amount>| {
            *held == amounts && (of_key == Some(hash)) == by_key
        };
        let hold = self.holds.iter().find(|(_, (hash, held))| is_it(*hash, held)).map(|(hold, _)| *hold);
        let held = hold.and_then(|hold| self.holds.remove(&hold));
        // A hold that has run out is gone from the machine too: then nothing is held under any name.
        let request_hash = held.map_or(Digest::from_bytes([0; 32]), |(request_hash, _)| request_hash);
        if let Err(error) =
            self.participant.apply(ParticipantEvent::Spent { request_hash, amounts }, clock::now())
        {
            self.end(&error, ctx);
        }
    }

    /// Memory and store have come apart: the participant is loaded again with the next need of it.
    fn end(&self, reason: &dyn std::fmt::Display, ctx: &mut Context<Self>) {
        log::error!(participant:% = self.participant.address(), reason:%; "a participant is rebuilt");
        ctx.stop();
    }

    fn perform(&mut self, effects: &[ParticipantEffect]) {
        for effect in effects {
            match effect {
                ParticipantEffect::BalancesChanged { tokens } => self.tell_balances(tokens),
                // They went with the commit.
                ParticipantEffect::KeysChanged => {}
                ParticipantEffect::KeyRevoked { key } => self.tell(&Push::KeyRevoked { key: *key }),
            }
        }
    }

    fn tell_balances(&mut self, tokens: &BTreeSet<Token>) {
        let wallet = tokens.iter().map(|token| (*token, self.participant.balance(*token))).collect();
        let participant = self.participant.address();
        self.tell(&Push::Balances { participant, wallet, at: clock::now() });
    }

    /// Passes something on to every session. Who cannot take it is let go: it closes as slow, or is gone.
    fn tell(&mut self, push: &Push) {
        self.sessions.retain(|_, listener| listener.tell.tell(push.clone()));
    }
}

/// However the actor ends, its sessions hear of it.
impl Drop for ParticipantActor {
    fn drop(&mut self) {
        self.tell(&Push::ParticipantEnded);
    }
}

#[cfg(test)]
mod tests;
