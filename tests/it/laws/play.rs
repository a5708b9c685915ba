//! One random life of a broker: what people do next, and what must come of it.

use std::collections::BTreeMap;

use clearnet::actors::answer::Answer;
use clearnet::actors::journal::NoPermit;
use clearnet::actors::request::Refused;
use domain::ledger::OwnerId;
use domain::participant::ParticipantError;
use domain::primitives::Address;
use futures::future::join;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand::{Rng as _, SeedableRng as _};
use tokio::task::yield_now;

use super::cast::{ADJUDICATOR, Ask, Draft, PEOPLE, TOKENS, carried, definition, person, terms};
use super::check::Seen;
use super::model::{Amounts, Channel, Flaw, Life, Model, Next, Part, Room};
use super::world::{Happening, Threads, World};
use crate::harness::database::Database;

/// How often a credit that is on its way is waited for.
const TURNS: usize = 1_000;

/// How many requests were taken and how many refused.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Tally {
    pub(super) taken: usize,
    pub(super) refused: usize,
}

pub(super) struct Play<'a> {
    database: &'a Database,
    threads: &'a Threads,
    world: World,
    model: Model,
    seen: Seen,
    rng: StdRng,
    past: Vec<(Ask, Answer)>,
    told: Vec<Vec<Happening>>,
    /// Makes ids, nonces and events unique.
    number: u64,
    tally: Tally,
}

impl<'a> Play<'a> {
    pub(super) async fn begin(database: &'a Database, threads: &'a Threads, seed: u64) -> Self {
        Self {
            database,
            threads,
            world: World::open(database.open().await, threads).await,
            model: Model::default(),
            seen: Seen::default(),
            rng: StdRng::seed_from_u64(seed),
            past: Vec::new(),
            told: Vec::new(),
            number: 0,
            tally: Tally::default(),
        }
    }

    /// Everybody comes with a channel, then anything may happen. The laws are checked after each step.
    pub(super) async fn steps(mut self, count: usize) -> Tally {
        for who in 0..PEOPLE {
            self.open_channel(who, who, Life::Active).await;
            self.check().await;
        }
        for step in 0..count {
            let kind = self.rng.random_range(0..24);
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
                _ => self.restart().await,
            }
            self.check().await;
        }
        self.tally
    }

    async fn check(&mut self) {
        self.seen.check(self.world.store.as_ref(), &self.model).await;
    }

    /// Asks, and holds the outcome against the model's: `None` is to be refused.
    async fn expect(&mut self, ask: Ask, expected: Option<Model>, usurped: Option<OwnerId>) {
        let usurping = async {
            if let Some(owner) = usurped {
                self.world.usurp(owner).await;
            }
        };
        let (mut answered, ()) = join(self.world.ask(&ask), usurping).await;
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
            (Ok(answer), Some(model)) => {
                assert_eq!(self.world.kept(&ask).await, answer, "what is kept is what was answered");
                self.model = model;
                self.past.push((ask, answer));
                self.tally.taken += 1;
            }
            (Err(refused), None) => {
                eprintln!("  refused: {refused}");
                self.tally.refused += 1;
            }
            (Ok(answer), None) => panic!("taken with {answer:?}, to be refused: {ask:?}"),
            (Err(refused), Some(_)) => panic!("refused with {refused:?}, to be taken: {ask:?}"),
        }
    }

    async fn open_channel(&mut self, owner: u8, token: u8, life: Life) {
        let is_ignored = life == Life::Ignored;
        let adjudicator = if is_ignored { Address::from_bytes([0xEE; 20]) } else { ADJUDICATOR };
        let params = terms(owner, token, self.next(), adjudicator);
        let locked = self.rng.random_range(50..=200);
        let channel = Channel { params, owner, token, locked, part: locked, version: 0, life };
        let channel = if is_ignored { Channel { part: 0, ..channel } } else { channel };
        let happened = Happening::opened(self.next(), &channel);
        self.next();
        assert!(self.world.happened(&happened).await, "an event is news");
        self.told.push(happened.to_vec());
        self.model = self.model.opened(channel);
    }

    async fn pay(&mut self, is_interrupted: bool) {
        let (by, to) = (self.anybody(), self.anybody());
        let mut payments = BTreeMap::new();
        for _ in 0..self.rng.random_range(1..=2) {
            payments.insert(self.rng.random_range(0..TOKENS), self.rng.random_range(1..=60));
        }
        let parts = if is_interrupted { Vec::new() } else { self.parts(&[by], &payments) };
        let expected = self.model.pay(by, to, &payments, &parts);
        let draft = Draft::new(self.next());
        let states = self.states(&draft, &parts);
        let usurped = is_interrupted.then_some(OwnerId::Participant(person(by)));
        self.expect(draft.pay(by, Some(to), &payments, states), expected, usurped).await;
    }

    async fn anchor(&mut self) {
        let by = self.anybody();
        let parts = self.parts(&[by], &BTreeMap::new());
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
            if self.rng.random_bool(0.6) {
                let (of, amount) = (self.rng.random_range(0..TOKENS), self.rng.random_range(1..=40));
                amounts.insert((*member, of), amount);
                paid.insert(of, amount);
            }
        }
        let parts = self.parts(&members, &paid);
        let definition = definition(&members, self.next());
        let room = Room { definition, members, amounts, version: 1, is_open: true };
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
    async fn restart(&mut self) {
        self.world = World::open(self.database.open().await, self.threads).await;
    }

    fn next(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    fn anybody(&mut self) -> u8 {
        self.rng.random_range(0..PEOPLE)
    }

    fn any_part(&mut self) -> Option<Part> {
        let counted: Vec<usize> = (0..self.model.channels.len())
            .filter(|place| self.model.channels[*place].life != Life::Ignored)
            .collect();
        let channel = *counted.choose(&mut self.rng)?;
        let Channel { locked, version, .. } = self.model.channels[channel];
        let version = match self.rng.random_range(0..12) {
            0 => version,
            1 => version + 1_001,
            _ => version + self.rng.random_range(1..=3),
        };
        let flaw = match self.rng.random_range(0..24) {
            0 => Some(Flaw::Total),
            1 => Some(Flaw::Hash),
            2 => Some(Flaw::Signer),
            _ => None,
        };
        Some(Part { channel, version, after: self.rng.random_range(0..=locked), flaw })
    }

    /// Next states of up to two channels, mostly of these people, often just enough to pay this much.
    fn parts(&mut self, owners: &[u8], paid: &BTreeMap<u8, u64>) -> Vec<Part> {
        let mut parts: Vec<Part> = Vec::new();
        for _ in 0..self.rng.random_range(0..=8) {
            let Some(mut part) = self.any_part() else { break };
            let Channel { owner, token, part: before, life, .. } = self.model.channels[part.channel];
            let is_likely = owners.contains(&owner) && life == Life::Active;
            let is_there = parts.iter().any(|other| other.channel == part.channel);
            if is_there || parts.len() >= 2 || !(is_likely || self.rng.random_bool(0.03)) {
                continue;
            }
            let rest = paid.get(&token).and_then(|amount| before.checked_sub(*amount));
            if let (Some(rest), true) = (rest, self.rng.random_bool(0.7)) {
                part.after = rest;
            }
            parts.push(part);
        }
        parts
    }

    fn states(
        &self,
        draft: &Draft,
        parts: &[Part],
    ) -> Vec<domain::crypto::Signed<domain::crypto::DirectState>> {
        let state = |part: &Part| carried(&self.model.channels[part.channel], part, draft.hash());
        parts.iter().map(state).collect()
    }

    /// What the members of some room might agree on next: money goes around, now and then out of nothing.
    fn next_of_room(&mut self) -> Option<Next> {
        let all = 0..self.model.rooms.len();
        let open: Vec<usize> = all.clone().filter(|room| self.model.rooms[*room].is_open).collect();
        let among = if self.rng.random_bool(0.9) { open } else { all.collect() };
        let room = *among.choose(&mut self.rng)?;
        let Room { members, version, mut amounts, .. } = self.model.rooms[room].clone();
        for ((_, of), amount) in amounts.clone() {
            let (from, to) = (*members.choose(&mut self.rng)?, *members.choose(&mut self.rng)?);
            let there = amounts.get(&(from, of)).copied().unwrap_or_default();
            let moved = self.rng.random_range(0..=amount).min(there);
            *amounts.entry((from, of)).or_default() -= moved;
            *amounts.entry((to, of)).or_default() += moved;
        }
        if self.rng.random_bool(0.05) {
            *amounts.entry((members[0], 0)).or_default() += 1;
        }
        let version = match self.rng.random_range(0..16) {
            0 => version,
            1 => version + 2,
            _ => version + 1,
        };
        let mut approvals = members.clone();
        approvals.shuffle(&mut self.rng);
        approvals.truncate(if self.rng.random_bool(0.95) { 2 } else { 1 });
        let by = if self.rng.random_bool(0.9) { members[0] } else { self.anybody() };
        Some(Next { room, by, approvals, version, amounts })
    }
}
