//! A participant, its direct channel and the chain together, in any order of events.
//!
//! Every step is bytes; what it should lead to is said by a naive [`model`] of plain numbers. After each step the
//! laws are checked on the book, the machines and what was signed.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::{Participant, ParticipantError, ParticipantEvent};
use crate::chain::{CustodyEvent, RecordedState};
use crate::channel::direct::tests::support::{
    ALICE_KEY, BROKER, DAY_SECS, MALLORY_KEY, NOW, OTHER, PEPE, REQUEST, SHIB, alice, amount, created_by,
    event_key, happened, mallory, params, request_cause, signed_by, state_of, terms,
};
use crate::channel::direct::{DirectChannel, DirectEffect, DirectError, DirectEvent};
use crate::channel::{Machine, PartMove, Transition};
use crate::crypto::{DirectParams, DirectState, Intent};
use crate::ledger::{AccountKey, AccountKind, Cause, Entry, Ledger, Side, Transfer, TransferKind};
use crate::primitives::{Address, Amount, ChannelId, Delta, Digest, Token};

use self::model::{Model, Stage};

mod model;

const BOB: Address = Address::from_bytes([0xb0; 20]);
const ROOM: ChannelId = ChannelId::from_bytes([0x66; 32]);
const TOKENS: [Token; 2] = [SHIB, PEPE];

type Step = [u8; 4];

/// Everything under test, and what it is compared with.
struct World {
    params: DirectParams,
    book: Ledger,
    channel: DirectChannel,
    alice: Participant,
    bob: Participant,
    model: Model,
    /// What the broker was told to sign, by version.
    cosigned: BTreeMap<u64, DirectState>,
}

impl World {
    fn new(challenge_secs: u64) -> Self {
        let model = Model::new(challenge_secs >= DAY_SECS);
        let purse = |wallet: [i64; 2]| TOKENS.into_iter().zip(wallet.map(from_model));
        let wallets = |who, wallet| purse(wallet).map(move |(t, a)| (AccountKey::wallet(who, t), a));
        let balances = wallets(alice(), model.alice)
            .chain(wallets(BOB, model.bob))
            .chain(purse(model.custody).map(|(token, a)| (AccountKey::custody(token), a)))
            .chain(purse(model.broker).map(|(token, a)| (AccountKey::broker(token), a)));
        let params = params(challenge_secs);
        Self {
            book: Ledger::with_balances(balances),
            channel: DirectChannel::new(params.channel_id(), terms()),
            alice: Participant::new(alice(), BROKER, purse(model.alice)),
            bob: Participant::new(BOB, BROKER, purse(model.bob)),
            params,
            model,
            cosigned: BTreeMap::new(),
        }
    }

    fn step(&mut self, [kind, a, b, c]: Step) {
        match kind % 24 {
            0..=2 => self.created(a, b, c),
            3 | 4 => self.opened(),
            5 => self.closed(a, b),
            6 => self.challenged(a),
            7 | 8 => self.checkpointed(a, b),
            9 => self.resized(a),
            10 | 11 => self.settles(a, b, c),
            12 => self.settlement_fails(),
            13..=15 => self.pays(a, b, c),
            16 | 17 => self.anchors(a, b),
            18 => self.finalizes(a, b),
            19 => self.bob_pays(a, b),
            20 => self.holds(a, b),
            21 => self.ends_hold(a, b),
            22 => self.garbage(a, b),
            _ => self.restarts(),
        }
        self.check_laws();
    }

    // --- the chain ---

    fn created(&mut self, who: u8, part: u8, kind: u8) {
        let wallet = [alice(), BROKER, mallory()][usize::from(who % 3)];
        let token = usize::from(kind % 8 == 7);
        let part = u64::from(part % 21);
        let mut initial = initialize(&self.params, token, part);
        let (mut fits, mut key) = (true, &*ALICE_KEY);
        match kind % 16 {
            8 => (fits, initial.version) = (false, initial.version.next().unwrap()),
            9 => (fits, initial.data) = (false, vec![1]),
            10 => (fits, initial.allocations[1].amount) = (false, amount(1)),
            11 => (fits, key) = (false, &*MALLORY_KEY),
            _ => {}
        }
        let signatures = vec![key.sign(initial.hash()).as_bytes().to_vec()];
        let state = RecordedState { signatures, ..unsigned(initial) };
        self.model.created(fits, wallet == BROKER, token, part);
        let (channel_id, params) = (self.channel.id(), self.params.clone());
        self.chain(CustodyEvent::Created { channel_id, wallet, params, initial: state });
    }

    fn opened(&mut self) {
        self.model.opened();
        self.chain(CustodyEvent::Opened { channel_id: self.channel.id() });
    }

    fn closed(&mut self, what: u8, part: u8) {
        // Mostly the newest state, sometimes any other that pays no more than is locked.
        let part = if what.is_multiple_of(3) {
            u64::from(part) % (self.model.locked() + 1)
        } else {
            self.model.part()
        };
        let state = unsigned(self.operate(0, part));
        self.model.closed(part);
        self.chain(CustodyEvent::Closed { channel_id: self.channel.id(), state });
    }

    fn challenged(&mut self, number: u8) {
        let state = unsigned(self.operate(u64::from(number), 0));
        self.model.challenged();
        self.chain(CustodyEvent::Challenged { channel_id: self.channel.id(), state, expires_at_secs: 0 });
    }

    fn checkpointed(&mut self, kind: u8, back: u8) {
        let newest = self.channel.current();
        let number = self.model.version;
        let (state, is_known) = match (newest, kind % 4) {
            (Some(newest), 0 | 1) => (newest.state, true),
            (_, 2) => (self.operate(number + 1 + u64::from(back), 0), false),
            _ => {
                let number = number.saturating_sub(1 + u64::from(back));
                (self.operate(number, 0), number < self.model.version)
            }
        };
        self.model.checkpointed(is_known);
        let state = unsigned(state);
        self.chain(CustodyEvent::Checkpointed { channel_id: self.channel.id(), state });
    }

    fn resized(&mut self, by: u8) {
        // Rare: it ends all movement.
        if by < 64 {
            self.model.resized();
            let deltas = [Delta::more(amount(by.into())), Delta::Zero];
            self.chain(CustodyEvent::Resized { channel_id: self.channel.id(), deltas });
        }
    }

    fn chain(&mut self, event: CustodyEvent) {
        let transition = self.apply(happened(event)).unwrap();
        self.commit(&transition.transfers, &transition.effects);
    }

    // --- requests ---

    fn settles(&mut self, token: u8, value: u8, kind: u8) {
        let token = usize::from(token % 4 == 3);
        let value = u64::from(value % 24);
        let announced = if kind % 8 == 7 { value + 1 } else { value };
        let key = if kind % 8 == 6 { &MALLORY_KEY } else { &ALICE_KEY };
        let announcement = self.apply(DirectEvent::Announce {
            request_hash: REQUEST,
            token: TOKENS[token],
            amount: amount(announced),
            params: Box::new(self.params.clone()),
            initial: signed_by(key, initialize(&self.params, token, value)),
        });
        let fits = self.model.stage == Stage::Void && value > 0 && kind % 8 < 6;
        assert_eq!(announcement.is_ok(), fits);
        if announcement.is_err() {
            return;
        }
        let channel = self.channel.id();
        let (token_index, token) = (token, TOKENS[token]);
        let settle =
            ParticipantEvent::Settle { cause: request_cause(), token, amount: amount(value), channel };
        let outcome = apply_to(&mut self.alice, settle);
        assert_eq!(outcome.is_ok(), self.model.settles(token_index, value));
        self.end_hold_of_channel(outcome);
    }

    fn settlement_fails(&mut self) {
        self.model.settlement_failed();
        let event = DirectEvent::SettlementFailed { cause: Cause::Chain(event_key()) };
        let transition = self.apply(event).unwrap();
        self.commit(&transition.transfers, &transition.effects);
    }

    fn pays(&mut self, value: u8, part: u8, kind: u8) {
        let token = usize::from(kind.is_multiple_of(5));
        let value = u64::from(value % 24);
        let parts = if kind.is_multiple_of(3) { Some(vec![]) } else { self.proposed(part, kind) };
        let Some(parts) = parts else { return };
        let has_part = !parts.is_empty();
        let payments = BTreeMap::from([(TOKENS[token], amount(value))]);
        let moved = parts.first().map(|part| to_model(part.after));
        let pay = ParticipantEvent::Pay { cause: request_cause(), to: BOB, payments, parts };
        let outcome = apply_to(&mut self.alice, pay);
        assert_eq!(outcome.is_ok(), value > 0 && self.model.pays(token, value, moved));
        self.end_hold_of_channel_if(has_part, outcome);
        self.hear_of_payment(token);
    }

    fn anchors(&mut self, part: u8, kind: u8) {
        let Some(parts) = self.proposed(part, kind) else { return };
        let moved = parts.first().map(|part| to_model(part.after));
        let changes = moved.is_some_and(|after| after != i64::try_from(self.model.part()).unwrap());
        let outcome = apply_to(&mut self.alice, ParticipantEvent::Anchor { cause: request_cause(), parts });
        assert_eq!(outcome.is_ok(), changes && self.model.pays(0, 0, moved));
        self.end_hold_of_channel(outcome);
    }

    /// Asks the channel to hold a next state; `None` when it refused, as it should.
    fn proposed(&mut self, part: u8, kind: u8) -> Option<Vec<PartMove>> {
        let locked = self.model.locked();
        let part = u64::from(part) % (locked + 2);
        let number = match kind % 16 {
            14 => self.model.version,
            15 => self.model.version + 1001,
            step => self.model.version + 1 + u64::from(step) * 70,
        };
        let key = if kind % 32 == 13 { &MALLORY_KEY } else { &ALICE_KEY };
        let next = signed_by(key, self.operate(number, part));
        let held = self.apply(DirectEvent::Propose { request_hash: REQUEST, next });
        let fits = kind % 16 < 14 && kind % 32 != 13;
        assert_eq!(held.is_ok(), fits && self.model.proposes(part), "{held:?}");
        let [DirectEffect::Held(held)] = &held.ok()?.effects[..] else { panic!("no answer") };
        // Nothing else is taken in while it is held.
        let opened = happened(CustodyEvent::Opened { channel_id: self.channel.id() });
        assert_eq!(self.apply(opened), Err(DirectError::Busy));
        self.model.held = Some(number);
        Some(vec![held.part.unwrap()])
    }

    fn finalizes(&mut self, kind: u8, part: u8) {
        let right = self.model.part();
        let (number, part) = match kind % 4 {
            0 => (self.model.version + 2, right),
            1 => (self.model.version + 1, u64::from(part) % (self.model.locked() + 1)),
            _ => (self.model.version + 1, right),
        };
        let locked = self.model.locked();
        let parts = [amount(part), amount(locked - part)];
        let mut state = state_of(&self.params, Intent::Finalize, number, &[], parts);
        self.set_token(&mut state);
        let outcome = self.apply(DirectEvent::Finalize { state: signed_by(&ALICE_KEY, state) });
        let fits = number == self.model.version + 1 && part == right;
        assert_eq!(outcome.is_ok(), fits && self.model.finalizes(), "{outcome:?}");
        if let Ok(transition) = outcome {
            self.commit(&transition.transfers, &transition.effects);
        }
    }

    fn bob_pays(&mut self, token: u8, value: u8) {
        let token = usize::from(token % 2);
        let value = u64::from(value % 16);
        let payments = BTreeMap::from([(TOKENS[token], amount(value))]);
        let pay = ParticipantEvent::Pay { cause: request_cause(), to: alice(), payments, parts: vec![] };
        let outcome = apply_to(&mut self.bob, pay);
        assert_eq!(outcome.is_ok(), value > 0 && self.model.bob_pays(token, value));
        if let Ok(transition) = outcome {
            self.commit(&transition.transfers, &[]);
        }
    }

    // --- what others hold ---

    fn holds(&mut self, token: u8, value: u8) {
        let token = usize::from(token % 2);
        let value = u64::from(value % 16);
        let name = Digest::from_bytes([value.to_be_bytes()[7]; 32]);
        let amounts = BTreeMap::from([(TOKENS[token], amount(value))]);
        let outcome = apply_to(&mut self.alice, ParticipantEvent::Hold { request_hash: name, amounts });
        assert_eq!(outcome.is_ok(), value > 0 && self.model.holds(token, value));
    }

    fn ends_hold(&mut self, value: u8, kind: u8) {
        let value = u64::from(value % 16);
        let request_hash = Digest::from_bytes([value.to_be_bytes()[7]; 32]);
        let spent = self.model.ends_hold(value, kind.is_multiple_of(2));
        let Some(token) = spent else {
            apply_to(&mut self.alice, ParticipantEvent::Release { request_hash }).unwrap();
            return;
        };
        let entries = vec![
            Entry::new(AccountKey::wallet(alice(), TOKENS[token]), Side::Debit, amount(value)).unwrap(),
            Entry::new(AccountKey::member(ROOM, alice(), TOKENS[token]), Side::Credit, amount(value))
                .unwrap(),
        ];
        let transfer = Transfer::new(TransferKind::VirtualOpened, request_cause(), NOW, entries).unwrap();
        self.book.post(&transfer).unwrap();
        let amounts = BTreeMap::from([(TOKENS[token], amount(value))]);
        apply_to(&mut self.alice, ParticipantEvent::Spent { request_hash, amounts }).unwrap();
    }

    // --- what must change nothing ---

    fn garbage(&mut self, kind: u8, value: u8) {
        let (wallet, token) = (mallory(), SHIB.address);
        let foreign = DirectError::WrongChannel { expected: self.channel.id() };
        let event = match kind % 4 {
            0 => happened(CustodyEvent::Deposited { wallet, token, amount: amount(value.into()) }),
            1 => happened(CustodyEvent::Opened { channel_id: OTHER }),
            2 => created_by(wallet, &params(DAY_SECS + 1), &initialize(&params(DAY_SECS + 1), 0, 5)),
            _ => DirectEvent::Adopt,
        };
        let expected = if event == DirectEvent::Adopt { DirectError::NothingHeld } else { foreign };
        assert_eq!(self.apply(event), Err(expected));
        let joined = happened(CustodyEvent::Joined { channel_id: self.channel.id(), side: value.into() });
        assert_eq!(self.apply(joined), Ok(Transition::default()));
        self.apply(DirectEvent::Release { request_hash: REQUEST }).unwrap();
    }

    /// The process starts again: memory comes back from what was stored.
    fn restarts(&mut self) {
        let body = self.channel.encode().body;
        let read = DirectChannel::decode(self.channel.id(), terms(), &body).unwrap();
        assert_eq!(read, self.channel);
        self.channel = read;
        let transition = self.apply(DirectEvent::Resume).unwrap();
        assert_eq!(transition.transfers, []);
        let owes = self.model.stage.is_counted() && (self.model.version > 0 || self.model.finalize);
        let signs = |effect: &DirectEffect| matches!(effect, DirectEffect::CoSign(_));
        assert_eq!(transition.effects.iter().any(signs), owes);
        self.commit(&[], &transition.effects);
    }

    // --- the parts of a step ---

    /// Applies an event to the channel; on an error nothing may have changed.
    fn apply(&mut self, event: DirectEvent) -> Result<Transition<DirectEffect>, DirectError> {
        let before = self.channel.clone();
        let outcome = self.channel.apply(event, NOW);
        if outcome.is_err() {
            assert_eq!(self.channel, before);
        }
        outcome
    }

    fn end_hold_of_channel(
        &mut self,
        outcome: Result<Transition<super::super::ParticipantEffect>, ParticipantError>,
    ) {
        self.end_hold_of_channel_if(true, outcome);
    }

    /// Commits what the participant decided together with what the channel holds, or releases it.
    fn end_hold_of_channel_if(
        &mut self,
        is_held: bool,
        outcome: Result<Transition<super::super::ParticipantEffect>, ParticipantError>,
    ) {
        let Ok(transition) = outcome else {
            self.model.held = None;
            self.apply(DirectEvent::Release { request_hash: REQUEST }).unwrap();
            return;
        };
        let effects = if is_held {
            let next = self.channel.held().unwrap().next.clone();
            let adopted = self.apply(DirectEvent::Adopt).unwrap();
            assert_eq!(self.channel.encode(), next);
            adopted.effects
        } else {
            Vec::new()
        };
        self.commit(&transition.transfers, &effects);
    }

    /// Posts transfers, tells the participants what others credited, and notes what is signed.
    fn commit(&mut self, transfers: &[Transfer], effects: &[DirectEffect]) {
        for transfer in transfers {
            self.book.post(transfer).unwrap();
            for entry in transfer.entries().iter().filter(|entry| !entry.takes()) {
                // What a participant decided itself is in its memory already.
                let by_itself = matches!(transfer.cause(), Cause::Request(_));
                let token = entry.account.token();
                let credit = ParticipantEvent::Credited { token, amount: entry.posting.amount() };
                match (entry.account.kind(), entry.account.participant()) {
                    (AccountKind::Wallet, who) if who == alice() => {
                        let is_news = !by_itself || self.is_from_bob(transfer);
                        if is_news {
                            apply_to(&mut self.alice, credit).unwrap();
                        }
                    }
                    _ => {}
                }
            }
        }
        for effect in effects {
            if let DirectEffect::CoSign(agreed) = effect {
                let number = agreed.state.version.get();
                let first = self.cosigned.entry(number).or_insert_with(|| agreed.state.clone());
                assert_eq!(*first, agreed.state, "two states of one version (L4)");
                let (newest, _) = self.cosigned.last_key_value().unwrap();
                assert_eq!(*newest, number, "an older state is signed after a newer one (L4)");
            }
        }
    }

    fn is_from_bob(&self, transfer: &Transfer) -> bool {
        transfer.entries().iter().any(|entry| entry.takes() && entry.account.participant() == BOB)
    }

    /// Tells Bob what Alice paid.
    fn hear_of_payment(&mut self, token: usize) {
        let after = self.book.balance(AccountKey::wallet(BOB, TOKENS[token]));
        let more = after.checked_sub(self.bob.balance(TOKENS[token])).unwrap();
        let credit = ParticipantEvent::Credited { token: TOKENS[token], amount: more };
        apply_to(&mut self.bob, credit).unwrap();
    }

    fn operate(&self, number: u64, part: u64) -> DirectState {
        let rest = self.model.locked().saturating_sub(part);
        let parts = [amount(part), amount(rest)];
        let mut state = state_of(&self.params, Intent::Operate, number, REQUEST.as_bytes(), parts);
        self.set_token(&mut state);
        state
    }

    fn set_token(&self, state: &mut DirectState) {
        let token = TOKENS[self.model.token].address;
        state.allocations.iter_mut().for_each(|allocation| allocation.token = token);
    }

    fn check_laws(&self) {
        let (model, id) = (&self.model, self.channel.id());
        let balance = |key: AccountKey| to_model(self.book.balance(key));
        for (index, token) in TOKENS.into_iter().enumerate() {
            let here = |index_of: usize, value: i64| if index_of == index { value } else { 0 };
            let direct = balance(AccountKey::direct(id, alice(), token));
            let settling = balance(AccountKey::settling(id, alice(), token));
            let part = i64::try_from(model.part()).unwrap();
            assert_eq!(direct, here(model.token, part));
            assert_eq!(settling, model.settling.map_or(0, |(of, value)| here(of, value)));
            assert_eq!(balance(AccountKey::wallet(alice(), token)), model.alice[index]);
            assert_eq!(balance(AccountKey::wallet(BOB, token)), model.bob[index]);
            assert_eq!(balance(AccountKey::member(ROOM, alice(), token)), model.room[index]);
            assert_eq!(balance(AccountKey::custody(token)), model.custody[index]);
            assert_eq!(balance(AccountKey::shortfall(token)), model.shortfall[index]);
            // L7: what the machines remember is what is posted.
            assert_eq!(to_model(self.alice.balance(token)), model.alice[index]);
            assert_eq!(to_model(self.bob.balance(token)), model.bob[index]);
            // L2: what is held never exceeds the balance.
            let held: i64 = model.held_for_others.values().map(|(of, value)| here(*of, *value)).sum();
            assert_eq!(to_model(self.alice.available(token)), model.alice[index] - held);
            // L1: credits equal debits.
            let owed = balance(AccountKey::broker(token)) + direct + settling + model.alice[index];
            let has = model.custody[index] + model.shortfall[index];
            assert_eq!(owed + model.bob[index] + model.room[index], has);
        }
        assert_eq!(Stage::of(self.channel.phase()), model.stage);
        assert_eq!(
            self.channel.version().get(),
            if self.channel.params().is_some() { model.version } else { 0 }
        );
        assert_eq!(to_model(self.channel.locked()), if model.stage.is_counted() { model.locked } else { 0 });
        assert_eq!(to_model(self.channel.settling()), model.settling.map_or(0, |(_, value)| value));
        // L11: the account is the part in the newest state that the contract would enforce.
        let enforced = self.channel.current().map(|agreed| agreed.state.allocations[0].amount);
        assert_eq!(enforced.unwrap_or_default(), self.channel.part());
        assert_eq!(to_model(self.channel.part()), i64::try_from(model.part()).unwrap());
        assert_eq!(self.channel.held(), None);
    }
}

/// Applies an event to a participant; on an error nothing may have changed.
fn apply_to(
    participant: &mut Participant,
    event: ParticipantEvent,
) -> Result<Transition<super::super::ParticipantEffect>, ParticipantError> {
    let before = participant.clone();
    let outcome = participant.apply(event, NOW);
    if outcome.is_err() {
        assert_eq!(*participant, before);
    }
    outcome
}

fn initialize(params: &DirectParams, token: usize, part: u64) -> DirectState {
    let mut state = state_of(params, Intent::Initialize, 0, &[], [amount(part), Amount::ZERO]);
    state.allocations.iter_mut().for_each(|allocation| allocation.token = TOKENS[token].address);
    state
}

/// The state as the contract keeps it; its signatures are looked at when a channel is created only.
fn unsigned(state: DirectState) -> RecordedState {
    let DirectState { channel_id: _, intent, version, data, allocations } = state;
    RecordedState { intent, version: Some(version), data, allocations, signatures: Vec::new() }
}

fn from_model(value: i64) -> Amount {
    Amount::from(u64::try_from(value).unwrap())
}

fn to_model(amount: Amount) -> i64 {
    amount.to_string().parse().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]

    #[test]
    fn the_laws_hold_after_every_step(
        is_short in prop::bool::weighted(0.2),
        starts_open in prop::bool::weighted(0.6),
        steps in proptest::collection::vec(any::<Step>(), 1..24),
    ) {
        let mut world = World::new(if is_short { 3600 } else { DAY_SECS });
        // Left to chance alone, too few channels would open at all.
        let opening: &[Step] = if starts_open { &[[0, 0, 20, 0], [3, 0, 0, 0]] } else { &[] };
        for step in opening.iter().chain(&steps) {
            world.step(*step);
        }
        world.restarts();
    }
}
