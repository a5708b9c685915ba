//! One random life of a broker: what people do next, and what must come of it.

use std::collections::BTreeMap;

use clearnet::actors::answer::Answer;
use clearnet::actors::journal::NoPermit;
use clearnet::actors::request::Refused;
use domain::ledger::OwnerId;
use domain::participant::ParticipantError;
use domain::primitives::Address;
use futures::future::join3;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand::{Rng as _, SeedableRng as _};
use tokio::task::yield_now;

use super::cast::{ADJUDICATOR, Ask, Draft, PEOPLE, TOKENS, definition, person, terms, token};
use super::chain::{chains, contracts};
use super::check::Seen;
use super::model::{Amounts, Channel, Flaw, Life, Model, Part, Room};
use super::world::{Chains, Happening, Threads, World};
use crate::harness::database::Database;

/// How often a credit that is on its way is waited for.
const TURNS: usize = 1_000;

/// What has happened in lives: how many requests were taken and how many refused.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Tally {
    pub(super) taken: usize,
    pub(super) refused: usize,
    /// How many settlements were paid, and how many came back.
    pub(super) executed: usize,
    pub(super) refunded: usize,
    /// How often somebody left.
    pub(super) left: usize,
}

pub(super) struct Play<'a> {
    database: &'a Database,
    threads: &'a Threads,
    pub(super) chains: Chains,
    pub(super) world: World,
    pub(super) model: Model,
    seen: Seen,
    pub(super) rng: StdRng,
    past: Vec<(Ask, Answer)>,
    pub(super) told: Vec<Vec<Happening>>,
    /// Makes ids, nonces and events unique.
    number: u64,
    pub(super) tally: Tally,
}

impl<'a> Play<'a> {
    pub(super) async fn begin(database: &'a Database, threads: &'a Threads, seed: u64) -> Self {
        let chains = chains();
        Self {
            database,
            threads,
            world: World::open(database.open().await, threads, &chains).await,
            chains,
            model: Model::default(),
            seen: Seen::default(),
            rng: StdRng::seed_from_u64(seed),
            past: Vec::new(),
            told: Vec::new(),
            number: 0,
            tally: Tally::default(),
        }
    }

    /// Everybody comes with a channel and brings half of it to the wallet, then anything may happen. The laws are
    /// checked after each step.
    pub(super) async fn steps(mut self, count: usize) -> Tally {
        for of in 0..TOKENS {
            self.endow(of).await;
        }
        self.check().await;
        for who in 0..PEOPLE {
            self.open_channel(who, who, Life::Active).await;
            self.check().await;
            self.bring_half(usize::from(who)).await;
            self.check().await;
        }
        for step in 0..count {
            let kind = self.rng.random_range(0..48);
            eprintln!("step {step} is of kind {kind}");
            match kind {
                0 => {
                    let (who, of) = (self.anybody(), self.rng.random_range(0..TOKENS));
                    let life = if self.rng.random_bool(0.7) { Life::Active } else { Life::Ignored };
                    self.open_channel(who, of, life).await;
                }
                1..=4 => self.pay(false).await,
                5 | 6 => self.anchor().await,
                7..=9 => self.open_room().await,
                10..=13 => self.update_room(false).await,
                14..=16 => self.close_room().await,
                17 => self.finalize().await,
                18 => self.end_on_chain().await,
                19 => self.repeat().await,
                20 => self.contradict().await,
                21 => self.pay(true).await,
                22 => self.update_room(true).await,
                23 | 24 => self.settle(false).await,
                25 => self.settle(true).await,
                26..=28 => self.chain_goes_on().await,
                29 | 30 => self.settle_together().await,
                31..=34 => self.reshape_room().await,
                35..=38 => self.propose_room().await,
                39 | 40 => self.fund().await,
                41 | 42 => self.change_key().await,
                43..=46 => self.use_keys().await,
                _ => self.restart().await,
            }
            self.check().await;
        }
        self.world.end().await;
        self.tally
    }

    pub(super) async fn check(&mut self) {
        self.seen.check(self.world.store.as_ref(), &self.model, &contracts(&self.chains)).await;
        for chain in self.chains.values() {
            chain.assert_faultless();
        }
    }

    /// Asks, and holds the outcome against the model's: `None` is to be refused.
    pub(super) async fn expect(&mut self, ask: Ask, expected: Option<Model>, usurped: Option<OwnerId>) {
        let usurping = async {
            if let Some(owner) = usurped {
                self.world.usurp(owner).await;
            }
        };
        // Now and then whoever is idle is asked to leave meanwhile, be it the one who is asked.
        let leaving = async { if self.number.is_multiple_of(3) { self.world.let_leave().await } else { 0 } };
        let (mut answered, (), left) = join3(self.world.ask(&ask), usurping, leaving).await;
        self.tally.left += left;
        for _ in 0..TURNS {
            // A credit reaches its owner a moment after the payer's answer.
            let is_short =
                matches!(answered, Err(Refused::Participant(ParticipantError::InsufficientBalance { .. })));
            if !is_short || expected.is_none() {
                break;
            }
            yield_now().await;
            answered = self.world.ask(&ask).await;
        }
        match (answered, expected) {
            (Ok(answer), Some(model)) => self.taken(ask, answer, model).await,
            (Err(refused), None) => {
                eprintln!("  refused: {refused}");
                self.tally.refused += 1;
            }
            (Ok(answer), None) => panic!("taken with {answer:?}, to be refused: {ask:?}"),
            (Err(refused), Some(_)) => panic!("refused with {refused:?}, to be taken: {ask:?}"),
        }
    }

    /// A request was answered as it was to be.
    pub(super) async fn taken(&mut self, ask: Ask, answer: Answer, model: Model) {
        assert_eq!(self.world.kept(&ask).await, answer, "what is kept is what was answered");
        self.model = model;
        self.past.push((ask, answer));
        self.tally.taken += 1;
    }

    pub(super) async fn open_channel(&mut self, owner: u8, token: u8, life: Life) {
        let is_ignored = life == Life::Ignored;
        let adjudicator = if is_ignored { Address::from_bytes([0xEE; 20]) } else { ADJUDICATOR };
        let params = terms(owner, token, self.next(), adjudicator);
        let locked = self.rng.random_range(50..=200);
        let channel = Channel { params, owner, token, locked, part: locked, version: 0, life };
        let channel = if is_ignored { Channel { part: 0, ..channel } } else { channel };
        let chain = &self.chains[&channel.params.chain_id];
        chain.create(channel.params.clone(), super::cast::token(token).address, locked);
        let happened = Happening::opened(self.next(), &channel);
        self.next();
        assert!(self.world.happened(&happened).await, "an event is news");
        self.told.push(happened.to_vec());
        self.model = self.model.opened(channel);
    }

    /// The broker puts money of its own into the contract.
    async fn endow(&mut self, of: u8) {
        let amount = self.rng.random_range(10..=40);
        let happened = vec![Happening::endowed(self.next(), of, amount)];
        let token = token(of);
        self.chains[&token.chain_id].deposit(token.address, amount);
        assert!(self.world.happened(&happened).await, "an event is news");
        self.told.push(happened);
        self.model = self.model.endowed(of, amount);
    }

    /// The owner of a new channel brings half of it to the wallet.
    async fn bring_half(&mut self, channel: usize) {
        let Channel { owner, locked, .. } = self.model.channels[channel];
        let parts = [Part { channel, version: 1, after: locked / 2, flaw: None }];
        let expected = self.model.anchor(owner, &parts);
        let draft = Draft::new(self.next());
        let states = self.states(&draft, &parts);
        self.expect(draft.pay(owner, None, &BTreeMap::new(), states), expected, None).await;
    }

    async fn pay(&mut self, is_interrupted: bool) {
        let by = self.anybody();
        let to = if self.rng.random_bool(0.95) { (by + 1) % PEOPLE } else { self.anybody() };
        let payments = self.payments(by);
        let parts = if is_interrupted { Vec::new() } else { self.parts(&[by], &payments) };
        let expected = self.model.pay(by, to, &payments, &parts);
        let draft = Draft::new(self.next());
        let states = self.states(&draft, &parts);
        let usurped = is_interrupted.then_some(OwnerId::Participant(person(by)));
        self.expect(draft.pay(by, Some(to), &payments, states), expected, usurped).await;
    }

    /// Somebody gives somebody money from nothing.
    async fn fund(&mut self) {
        let (by, to, of) = (self.anybody(), self.anybody(), self.rng.random_range(0..TOKENS));
        let amount = if self.rng.random_bool(0.9) { self.rng.random_range(1..=30) } else { 0 };
        let expected = self.model.fund(to, (of, amount));
        let draft = Draft::new(self.next());
        self.expect(draft.fund(by, to, (of, amount)), expected, None).await;
    }

    async fn anchor(&mut self) {
        let by = self.anybody();
        let mut parts = self.parts(&[by], &BTreeMap::new());
        if parts.is_empty() {
            parts = self.parts(&[by], &BTreeMap::new());
        }
        let expected = self.model.anchor(by, &parts);
        let draft = Draft::new(self.next());
        let states = self.states(&draft, &parts);
        self.expect(draft.pay(by, None, &BTreeMap::new(), states), expected, None).await;
    }

    async fn open_room(&mut self) {
        let mut members: Vec<u8> = (0..PEOPLE).collect();
        members.shuffle(&mut self.rng);
        members.truncate(self.rng.random_range(2..=members.len()));
        let (mut amounts, mut paid) = (Amounts::new(), BTreeMap::new());
        for member in &members {
            let is_there = |channel: &Channel| channel.owner == *member && channel.life == Life::Active;
            if !self.model.channels.iter().any(is_there) && self.rng.random_bool(0.9) {
                self.open_channel(*member, *member, Life::Active).await;
            }
            if self.rng.random_bool(0.6) {
                let (of, amount) = self.sum_of(*member);
                amounts.insert((*member, of), amount);
                paid.insert(of, amount);
            }
        }
        let parts = self.parts(&members, &paid);
        let definition = definition(&members, self.next());
        let room = Room {
            definition,
            members,
            amounts,
            version: 1,
            is_open: true,
            wanted: Amounts::new(),
            is_proposed: false,
        };
        let expected = self.model.open(room.clone(), &parts);
        let draft = Draft::new(self.next());
        let states = self.states(&draft, &parts);
        self.expect(draft.open(room.members[0], &room, states), expected, None).await;
    }

    async fn update_room(&mut self, is_interrupted: bool) {
        let Some(next) = self.next_of_room() else { return };
        let expected = self.model.update(&next);
        let room = self.model.rooms[next.room].clone();
        let usurped = is_interrupted.then_some(OwnerId::Channel(room.definition.channel_id()));
        let draft = Draft::new(self.next());
        self.expect(draft.update(&room, &next), expected, usurped).await;
    }

    async fn close_room(&mut self) {
        let Some(next) = self.next_of_room() else { return };
        let room = self.model.rooms[next.room].clone();
        let parts = self.parts(&room.members, &BTreeMap::new());
        let expected = self.model.close(&next, &parts);
        let draft = Draft::new(self.next());
        let states = self.states(&draft, &parts);
        self.expect(draft.close(&room, &next, states), expected, None).await;
    }

    async fn finalize(&mut self) {
        let Some(mut part) = self.any_part() else { return };
        let channel = self.model.channels[part.channel].clone();
        // Mostly what the channel itself says.
        if self.rng.random_bool(0.7) {
            part = Part { version: channel.version + 1, after: channel.part, flaw: None, ..part };
        }
        part.flaw = part.flaw.filter(|flaw| *flaw == Flaw::Total);
        let by = if self.rng.random_bool(0.8) { channel.owner } else { self.anybody() };
        let expected = self.model.finalize(by, &part);
        let draft = Draft::new(self.next());
        self.expect(draft.finalize(by, &channel, &part), expected, None).await;
    }

    /// A channel ends on chain: as agreed, or with any older state.
    async fn end_on_chain(&mut self) {
        let Some(part) = self.any_part() else { return };
        let channel = self.model.channels[part.channel].clone();
        let is_agreed = self.rng.random_bool(0.5);
        let after = if is_agreed { channel.part } else { part.after };
        let state = Part { version: channel.version + 1, after, flaw: None, ..part };
        let happened = vec![Happening::closed(self.next(), &channel, &state)];
        if channel.life == Life::Announced || channel.life == Life::Abandoned {
            return;
        }
        self.chains[&channel.params.chain_id].close(channel.params.channel_id(), after);
        assert!(self.world.happened(&happened).await, "an event is news");
        self.told.push(happened);
        self.model = self.model.ended(part.channel, after);
    }

    /// What was asked or told before comes again: the first answer, and no effect.
    async fn repeat(&mut self) {
        if let Some((ask, first)) = self.past.choose(&mut self.rng) {
            let again = self.world.ask(ask).await.unwrap();
            assert_eq!(again, *first, "a repeat gets the first answer");
        }
        if let Some(happened) = self.told.choose(&mut self.rng) {
            assert!(!self.world.happened(happened).await, "an event is news once");
        }
    }

    /// Another request under the time and id of an earlier one.
    async fn contradict(&mut self) {
        let Some((earlier, _)) = self.past.choose(&mut self.rng) else { return };
        let key = earlier.key();
        let by = (0..PEOPLE).find(|who| person(*who) == key.signer).unwrap();
        let other = Draft::under(key, "other").pay(by, Some((by + 1) % PEOPLE), &[(0, 1)].into(), Vec::new());
        let refused = self.world.ask(&other).await;
        assert!(matches!(refused, Err(Refused::NoPermit(NoPermit::Conflict))), "{refused:?}");
    }

    /// Another broker takes over from the store alone.
    pub(super) async fn restart(&mut self) {
        self.world.end().await;
        self.world = World::open(self.database.open().await, self.threads, &self.chains).await;
    }

    pub(super) fn next(&mut self) -> u64 {
        self.number += 1;
        self.number
    }
}
