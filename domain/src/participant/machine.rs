//! The machine of one participant.

use std::collections::{BTreeMap, BTreeSet};

use crate::channel::{Machine, Movement, PartMove, Transition};
use crate::ledger::{AccountKey, Cause, Entry, Side, Transfer, TransferKind};
use crate::primitives::{Address, Amount, ChannelId, Delta, Digest, Timestamp, Token};

use super::effect::ParticipantEffect;
use super::error::ParticipantError;
use super::event::ParticipantEvent;
use super::session_key::{KEY_LIFETIME_SECS_MAX, KeyError, KeySpend, SessionKey, SessionKeys};

/// The most holds at a time: bounds what openings that are never finished can bind.
pub const HOLDS_MAX: usize = 64;

/// What comes of an event.
type Outcome = Result<Transition<ParticipantEffect>, ParticipantError>;

/// One participant: a replica of its wallet accounts to decide by, and what is held of them.
///
/// What is held never exceeds the balance (L2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    address: Address,
    broker: Address,
    balances: BTreeMap<Token, Amount>,
    holds: BTreeMap<Digest, BTreeMap<Token, Amount>>,
    keys: SessionKeys,
    /// A hold by a session key, and the keys once it is used. At most one: each replaces the keys as they are.
    key_hold: Option<(Digest, SessionKeys)>,
    last_nonce: u64,
}

impl Participant {
    /// The participant with these balances on its wallet accounts, of a broker with this address.
    #[must_use]
    pub fn new<I: IntoIterator<Item = (Token, Amount)>>(
        address: Address,
        broker: Address,
        balances: I,
    ) -> Self {
        let balances = balances.into_iter().filter(|(_, amount)| !amount.is_zero()).collect();
        Self {
            address,
            broker,
            balances,
            holds: BTreeMap::new(),
            keys: SessionKeys::default(),
            key_hold: None,
            last_nonce: 0,
        }
    }

    /// The same with these session keys.
    #[must_use]
    pub fn with_keys(self, keys: SessionKeys) -> Self {
        Self { keys, ..self }
    }

    /// Its session keys.
    #[must_use]
    pub fn keys(&self) -> &SessionKeys {
        &self.keys
    }

    /// The name of the hold by a session key; `None` when no key holds anything.
    #[must_use]
    pub fn key_hold(&self) -> Option<Digest> {
        self.key_hold.as_ref().map(|(hash, _)| *hash)
    }

    /// The session keys once this hold is used; `None` when no key holds it.
    #[must_use]
    pub fn keys_after(&self, request_hash: Digest) -> Option<&SessionKeys> {
        self.key_hold.as_ref().filter(|(hash, _)| *hash == request_hash).map(|(_, keys)| keys)
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> Address {
        self.address
    }

    /// What its wallet account of this token holds.
    #[must_use]
    pub fn balance(&self, token: Token) -> Amount {
        self.balances.get(&token).copied().unwrap_or_default()
    }

    /// What it can dispose of: the balance less what is held.
    #[must_use]
    pub fn available(&self, token: Token) -> Amount {
        self.available_without(token, None)
    }

    /// All wallet balances above zero, in the order of their tokens.
    pub fn balances(&self) -> impl Iterator<Item = (Token, Amount)> + '_ {
        self.balances.iter().map(|(token, amount)| (*token, *amount))
    }

    /// Whether something is held.
    #[must_use]
    pub fn is_holding(&self) -> bool {
        !self.holds.is_empty()
    }

    /// A nonce for the terms of a direct channel that the participant asks for: above every earlier one, and
    /// at least the time in milliseconds, so that none repeats after a restart either.
    pub fn next_nonce(&mut self, now: Timestamp) -> u64 {
        self.last_nonce = now.as_millis().max(self.last_nonce.saturating_add(1));
        self.last_nonce
    }

    /// Whether a nonce of this time or a later one was given: what forgets that must wait.
    #[must_use]
    pub fn has_given_nonce_of(&self, now: Timestamp) -> bool {
        self.last_nonce >= now.as_millis()
    }

    fn pay(
        &mut self,
        occasion: (Cause, Timestamp),
        to: Address,
        payments: &BTreeMap<Token, Amount>,
        parts: &[PartMove],
    ) -> Outcome {
        self.check_payee(to)?;
        if to == self.address {
            return Err(ParticipantError::PaysItself);
        }
        check_paid(payments)?;
        let (mut entries, balances) = self.moved(payments, parts)?;
        for (token, amount) in payments {
            entries.push(Entry::new(AccountKey::wallet(to, *token), Side::Credit, *amount)?);
        }
        self.post(TransferKind::Payment, occasion, entries, balances)
    }

    fn fund(
        &mut self,
        occasion: (Cause, Timestamp),
        to: Address,
        amounts: &BTreeMap<Token, Amount>,
    ) -> Outcome {
        self.check_payee(to)?;
        check_paid(amounts)?;
        let (mut entries, mut balances) = (Vec::new(), BTreeMap::new());
        for (token, amount) in amounts {
            entries.push(Entry::new(AccountKey::faucet(*token), Side::Debit, *amount)?);
            entries.push(Entry::new(AccountKey::wallet(to, *token), Side::Credit, *amount)?);
            if to == self.address {
                balances.insert(*token, self.after(*token, Delta::more(*amount))?);
            }
        }
        self.post(TransferKind::TestFunded, occasion, entries, balances)
    }

    /// Refuses whom nobody can pay.
    fn check_payee(&self, to: Address) -> Result<(), ParticipantError> {
        if to.is_zero() {
            return Err(ParticipantError::PaysNobody);
        }
        if to == self.broker { Err(ParticipantError::PaysBroker) } else { Ok(()) }
    }

    fn anchor(&mut self, occasion: (Cause, Timestamp), parts: &[PartMove]) -> Outcome {
        if parts.iter().all(|part| part.delta() == Delta::Zero) {
            return Err(ParticipantError::NoEffect);
        }
        let (entries, balances) = self.moved(&BTreeMap::new(), parts)?;
        self.post(TransferKind::Anchor, occasion, entries, balances)
    }

    fn settle(
        &mut self,
        occasion: (Cause, Timestamp),
        token: Token,
        amount: Amount,
        channel: ChannelId,
    ) -> Outcome {
        if amount.is_zero() {
            return Err(ParticipantError::NothingSettled);
        }
        let after = self.after(token, Delta::less(amount))?;
        let settling = AccountKey::settling(channel, self.address, token);
        let entries = vec![
            Entry::new(AccountKey::wallet(self.address, token), Side::Debit, amount)?,
            Entry::new(settling, Side::Credit, amount)?,
        ];
        let balances = BTreeMap::from([(token, after)]);
        self.post(TransferKind::SettlementRequested, occasion, entries, balances)
    }

    /// The entries on the participant's own accounts, and the wallet balances after them.
    fn moved(
        &self,
        payments: &BTreeMap<Token, Amount>,
        parts: &[PartMove],
    ) -> Result<(Vec<Entry>, BTreeMap<Token, Amount>), ParticipantError> {
        let tokens: BTreeSet<Token> =
            payments.keys().copied().chain(parts.iter().map(|part| part.token)).collect();
        let (mut entries, mut balances) = (Vec::new(), BTreeMap::new());
        for token in tokens {
            let movement = Movement {
                participant: self.address,
                token,
                received: Amount::ZERO,
                paid: payments.get(&token).copied().unwrap_or_default(),
                parts: parts.iter().filter(|part| part.token == token).copied().collect(),
            };
            entries.extend(movement.entries()?);
            balances.insert(token, self.after(token, movement.wallet_delta()?)?);
        }
        Ok((entries, balances))
    }

    fn hold(&mut self, request_hash: Digest, amounts: BTreeMap<Token, Amount>) -> Outcome {
        match self.holds.get(&request_hash) {
            Some(held) if *held == amounts => return Ok(Transition::default()),
            Some(_) => return Err(ParticipantError::HeldDifferently),
            None => {}
        }
        if amounts.is_empty() || amounts.values().any(|amount| amount.is_zero()) {
            return Err(ParticipantError::NothingHeld);
        }
        if self.holds.len() >= HOLDS_MAX {
            return Err(ParticipantError::TooManyHolds { max: HOLDS_MAX });
        }
        for (token, amount) in &amounts {
            self.after(*token, Delta::less(*amount))?;
        }
        self.holds.insert(request_hash, amounts);
        Ok(Transition::default())
    }

    fn by_key(&mut self, spend: &KeySpend, event: ParticipantEvent, now: Timestamp) -> Outcome {
        let held =
            if let ParticipantEvent::Hold { request_hash, .. } = &event { Some(*request_hash) } else { None };
        let is_held = held.is_some_and(|hash| self.keys_after(hash).is_some());
        if self.key_hold.is_some() && !is_held {
            return Err(KeyError::Busy.into());
        }
        let keys = self.keys.after(spend, now)?;
        let mut transition = self.apply(event, now)?;
        match held {
            Some(hash) => self.key_hold = Some((hash, keys)),
            None => {
                self.keys = keys;
                transition.effects.push(ParticipantEffect::KeysChanged);
            }
        }
        Ok(transition)
    }

    fn delegate(&mut self, key: Address, session_key: SessionKey, now: Timestamp) -> Outcome {
        if key.is_zero() || key == self.address || key == self.broker {
            return Err(KeyError::NoKey { key }.into());
        }
        let latest = now.plus_millis(KEY_LIFETIME_SECS_MAX * 1_000);
        if !session_key.is_live(now) || session_key.expires_at > latest {
            return Err(KeyError::LifetimeOutOfBounds.into());
        }
        self.check_keys_are_free()?;
        self.keys = self.keys.with(key, session_key, now)?;
        Ok(Transition { effects: vec![ParticipantEffect::KeysChanged], ..Transition::default() })
    }

    fn revoke(&mut self, key: Address, now: Timestamp) -> Outcome {
        self.check_keys_are_free()?;
        self.keys = self.keys.without(key, now)?;
        let effects = vec![ParticipantEffect::KeysChanged, ParticipantEffect::KeyRevoked { key }];
        Ok(Transition { effects, ..Transition::default() })
    }

    /// Whoever holds the keys may replace them.
    fn check_keys_are_free(&self) -> Result<(), KeyError> {
        if self.key_hold.is_some() { Err(KeyError::Busy) } else { Ok(()) }
    }

    fn spent(&mut self, request_hash: Digest, amounts: &BTreeMap<Token, Amount>) -> Outcome {
        let mut balances = BTreeMap::new();
        for (token, requested) in amounts {
            let available = self.available_without(*token, Some(request_hash));
            let after = self.balance(*token).checked_sub(*requested).filter(|_| *requested <= available);
            let short =
                ParticipantError::InsufficientBalance { token: *token, available, requested: *requested };
            balances.insert(*token, after.ok_or(short)?);
        }
        self.holds.remove(&request_hash);
        Ok(self.set(balances))
    }

    fn credited(&mut self, token: Token, amount: Amount) -> Outcome {
        let after = self.after(token, Delta::more(amount))?;
        Ok(self.set(BTreeMap::from([(token, after)])))
    }

    /// The wallet balance after a change.
    ///
    /// # Errors
    /// [`ParticipantError::InsufficientBalance`] when it would take what is not there or is held,
    /// [`ParticipantError::Overflow`].
    fn after(&self, token: Token, delta: Delta) -> Result<Amount, ParticipantError> {
        let available = self.available(token);
        match delta {
            Delta::Less(requested) if requested > available => {
                Err(ParticipantError::InsufficientBalance { token, available, requested })
            }
            Delta::Zero | Delta::Less(_) | Delta::More(_) => {
                delta.apply(self.balance(token)).ok_or(ParticipantError::Overflow { token })
            }
        }
    }

    /// The balance less all holds but one.
    fn available_without(&self, token: Token, except: Option<Digest>) -> Amount {
        let others = self.holds.iter().filter(|(name, _)| Some(**name) != except);
        let held = others.filter_map(|(_, amounts)| amounts.get(&token).copied());
        let held = Amount::checked_sum(held).unwrap_or(Amount::MAX);
        self.balance(token).checked_sub(held).unwrap_or_default()
    }

    fn post(
        &mut self,
        kind: TransferKind,
        (cause, now): (Cause, Timestamp),
        entries: Vec<Entry>,
        balances: BTreeMap<Token, Amount>,
    ) -> Outcome {
        let transfer = Transfer::new(kind, cause, now, entries)?;
        Ok(Transition { transfers: vec![transfer], ..self.set(balances) })
    }

    /// Sets wallet balances; those of zero are left out.
    fn set(&mut self, balances: BTreeMap<Token, Amount>) -> Transition<ParticipantEffect> {
        let tokens: BTreeSet<Token> = balances.keys().copied().collect();
        self.balances.extend(balances);
        self.balances.retain(|_, amount| !amount.is_zero());
        if tokens.is_empty() {
            return Transition::default();
        }
        Transition { transfers: Vec::new(), effects: vec![ParticipantEffect::BalancesChanged { tokens }] }
    }
}

impl Machine for Participant {
    type Event = ParticipantEvent;
    type Effect = ParticipantEffect;
    type Error = ParticipantError;

    fn apply(&mut self, event: ParticipantEvent, now: Timestamp) -> Outcome {
        match event {
            ParticipantEvent::Pay { cause, to, payments, parts } => {
                self.pay((cause, now), to, &payments, &parts)
            }
            ParticipantEvent::Anchor { cause, parts } => self.anchor((cause, now), &parts),
            ParticipantEvent::Settle { cause, token, amount, channel } => {
                self.settle((cause, now), token, amount, channel)
            }
            ParticipantEvent::Fund { cause, to, amounts } => self.fund((cause, now), to, &amounts),
            ParticipantEvent::Hold { request_hash, amounts } => self.hold(request_hash, amounts),
            ParticipantEvent::Release { request_hash } => {
                self.holds.remove(&request_hash);
                self.key_hold.take_if(|(hash, _)| *hash == request_hash);
                Ok(Transition::default())
            }
            ParticipantEvent::ByKey { spend, event } => self.by_key(&spend, *event, now),
            ParticipantEvent::Delegate { key, session_key } => self.delegate(key, session_key, now),
            ParticipantEvent::Revoke { key } => self.revoke(key, now),
            ParticipantEvent::Adopt { keys } => {
                (self.keys, self.key_hold) = (keys, None);
                Ok(Transition::default())
            }
            ParticipantEvent::Spent { request_hash, amounts } => self.spent(request_hash, &amounts),
            ParticipantEvent::Credited { token, amount } => self.credited(token, amount),
        }
    }

    /// Always `None`: holds are ended by who asked for them.
    fn deadline(&self) -> Option<Timestamp> {
        None
    }
}

/// Refuses payments of nothing.
fn check_paid(payments: &BTreeMap<Token, Amount>) -> Result<(), ParticipantError> {
    if payments.is_empty() {
        return Err(ParticipantError::NothingPaid);
    }
    match payments.iter().find(|(_, amount)| amount.is_zero()) {
        Some((token, _)) => Err(ParticipantError::ZeroPayment { token: *token }),
        None => Ok(()),
    }
}
