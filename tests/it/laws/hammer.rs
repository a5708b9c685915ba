//! Many ask for the same money at once, and everybody asks more than once.

use std::collections::{BTreeMap, BTreeSet};

use clearnet::actors::answer::{Answer, Outcome};
use domain::ledger::AccountKind;
use domain::primitives::Amount;
use futures::future::join_all;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};

use super::cast::{ADJUDICATOR, Ask, Draft, PEOPLE, TOKENS, carried, definition, person, terms, token};
use super::chain::chains;
use super::check::{assert_lawful, held};
use super::model::{Amounts, Channel, Life, Next, Part, Room};
use super::world::{Happening, Threads, World};
use crate::harness::database::{Database, on_every_database};

const LOCKED: u64 = 10_000;
const IN_ROOM: u64 = 500;
const COPIES: usize = 3;

/// A request, and what it does to whose money if it is taken.
struct Wish {
    ask: Ask,
    moves: Vec<(u8, i128)>,
    /// The state of the room that it hands in.
    next: Option<Next>,
}

struct Crowd {
    rng: StdRng,
    number: u64,
    channel: Channel,
    room: Room,
    wishes: Vec<Wish>,
}

impl Crowd {
    fn draft(&mut self) -> Draft {
        self.number += 1;
        Draft::new(self.number)
    }

    /// A state of the payer's channel with any version: most come too late.
    fn part(&mut self) -> Part {
        let (version, after) = (self.rng.random_range(2..=40), self.rng.random_range(3_000..=6_000));
        Part { channel: 0, version, after, flaw: None }
    }

    fn pay(&mut self, to: u8, amount: u64, is_carrying: bool) {
        let draft = self.draft();
        let part = is_carrying.then(|| self.part());
        let states = part.iter().map(|part| carried(&self.channel, part, draft.hash())).collect();
        let ask = draft.pay(0, Some(to), &[(0, amount)].into(), states);
        let moves = vec![(0, -i128::from(amount)), (to, i128::from(amount))];
        self.wishes.push(Wish { ask, moves, next: None });
    }

    fn anchor(&mut self) {
        let (draft, part) = (self.draft(), self.part());
        let states = vec![carried(&self.channel, &part, draft.hash())];
        let ask = draft.pay(0, None, &BTreeMap::new(), states);
        self.wishes.push(Wish { ask, moves: Vec::new(), next: None });
    }

    fn meet(&mut self, is_carrying: bool) {
        let (draft, part) = (self.draft(), self.part());
        let parts = if is_carrying { vec![part] } else { Vec::new() };
        let states = parts.iter().map(|part| carried(&self.channel, part, draft.hash())).collect();
        let room = Room {
            definition: definition(&[0, 2], self.number),
            members: vec![0, 2],
            amounts: [((0, 0), 10)].into(),
            version: 1,
            is_open: true,
            wanted: Amounts::new(),
            is_proposed: false,
        };
        self.wishes.push(Wish { ask: draft.open(0, &room, states), moves: Vec::new(), next: None });
    }

    /// A state of the room with this version, by one of the members, as an update or as a close.
    fn next(&mut self, version: u64, by: u8, is_close: bool) {
        let won = self.rng.random_range(0..=IN_ROOM);
        let amounts = Amounts::from([((0, 0), IN_ROOM - won), ((1, 0), won)]);
        let next = Next { room: 0, by, approvals: vec![0, 1], version, amounts };
        let (draft, part) = (self.draft(), self.part());
        let ask = if is_close {
            let states = vec![carried(&self.channel, &part, draft.hash())];
            draft.close(&self.room, &next, states)
        } else {
            draft.update(&self.room, &next)
        };
        self.wishes.push(Wish { ask, moves: Vec::new(), next: Some(next) });
    }
}

/// Everybody has a channel, the payer half of it in the wallet and some of that in a room.
async fn prepare(world: &World, seed: u64) -> Crowd {
    let channel = |owner: u8| Channel {
        params: terms(owner, owner, 1, ADJUDICATOR),
        owner,
        token: owner,
        locked: LOCKED,
        part: LOCKED,
        version: 0,
        life: Life::Active,
    };
    for owner in 0..PEOPLE {
        let happened = Happening::opened(1 + 2 * u64::from(owner), &channel(owner));
        assert!(world.happened(&happened).await);
    }
    let room = Room {
        definition: definition(&[0, 1], 1),
        members: vec![0, 1],
        amounts: [((0, 0), IN_ROOM)].into(),
        version: 1,
        is_open: true,
        wanted: Amounts::new(),
        is_proposed: false,
    };
    let rng = StdRng::seed_from_u64(seed);
    let mut crowd = Crowd { rng, number: 0, channel: channel(0), room, wishes: Vec::new() };
    let half = Part { channel: 0, version: 1, after: LOCKED / 2, flaw: None };
    let draft = crowd.draft();
    let states = vec![carried(&crowd.channel, &half, draft.hash())];
    world.ask(&draft.pay(0, None, &BTreeMap::new(), states)).await.unwrap();
    let draft = crowd.draft();
    world.ask(&draft.open(0, &crowd.room, Vec::new())).await.unwrap();
    crowd
}

fn make_wishes(crowd: &mut Crowd) {
    for round in 0..20 {
        crowd.pay(1, round % 7 + 1, false);
        crowd.pay(2, round % 5 + 1, true);
        crowd.next(2 + round / 2, u8::from(round % 2 == 0), false);
        if round % 2 == 0 {
            crowd.anchor();
            crowd.meet(round % 4 == 0);
        }
    }
    // More than there is: at most a few of these can be paid.
    for _ in 0..3 {
        crowd.pay(1, 4_000, false);
    }
    for version in 2..=12 {
        crowd.next(version, 0, true);
        crowd.next(version, 1, true);
    }
}

/// The one answer that the copies of a request got; `None` when all were refused.
fn answer_of(answers: &[Option<Answer>]) -> Option<Answer> {
    let mut given = answers.iter().flatten();
    let first = given.next()?;
    assert!(given.all(|answer| answer == first), "copies got different answers: {answers:?}");
    Some(first.clone())
}

async fn hammer(database: &Database, seed: u64) {
    eprintln!("a crowd with {}={seed}", super::SEED);
    let threads = Threads::start();
    let world = World::open(database.open().await, &threads, &chains()).await;
    let mut crowd = prepare(&world, seed).await;
    make_wishes(&mut crowd);
    let Crowd { mut rng, wishes, .. } = crowd;
    let mut order: Vec<usize> = (0..wishes.len()).flat_map(|place| [place; COPIES]).collect();
    order.shuffle(&mut rng);
    let asked = order.iter().map(|place| world.ask(&wishes[*place].ask));
    let mut answers = vec![Vec::new(); wishes.len()];
    for (place, answered) in order.iter().zip(join_all(asked).await) {
        answers[*place].push(answered.ok());
    }

    let mut totals = BTreeMap::from([((0, 0), i128::from(LOCKED))]);
    let (mut versions, mut closes) = (BTreeSet::new(), 0);
    let mut newest = None;
    let mut taken = 0;
    for (wish, answers) in wishes.iter().zip(&answers) {
        let Some(answer) = answer_of(answers) else { continue };
        taken += 1;
        for (who, delta) in &wish.moves {
            *totals.entry((*who, 0)).or_default() += delta;
        }
        closes += usize::from(matches!(answer.outcome, Outcome::Closed { .. }));
        if let Some(next) = &wish.next {
            assert!(versions.insert(next.version), "version {} was agreed on twice", next.version);
            if newest.is_none_or(|newest: &Next| newest.version < next.version) {
                newest = Some(next);
            }
        }
    }
    let newest = newest.expect("somebody was first in the room");
    assert!(versions.iter().copied().eq(2..=newest.version), "versions without gaps: {versions:?}");
    assert!(closes <= 1, "a room ends once");
    assert!(taken < wishes.len(), "not everything can be taken");
    let won = i128::from(newest.amounts[&(1, 0)]);
    *totals.entry((0, 0)).or_default() -= won;
    *totals.entry((1, 0)).or_default() += won;
    totals.extend((1..PEOPLE).map(|who| ((who, who), i128::from(LOCKED))));
    assert_totals(&world, &totals).await;
    world.end().await;
    eprintln!("{taken} of {} taken, {closes} closes, versions {versions:?}", wishes.len());
}

/// What people own together with the channels and rooms that they own it in; the contracts hold all of it.
async fn assert_totals(world: &World, totals: &BTreeMap<(u8, u8), i128>) {
    let held = held(world.store.as_ref()).await;
    for (who, of) in (0..PEOPLE).flat_map(|who| (0..TOKENS).map(move |of| (who, of))) {
        let theirs =
            held.iter().filter(|(key, _)| (key.participant(), key.token()) == (person(who), token(of)));
        let total = Amount::checked_sum(theirs.map(|(_, amount)| *amount)).unwrap();
        let expected = totals.get(&(who, of)).copied().unwrap_or_default();
        assert_eq!(total.to_string(), expected.to_string(), "person {who}, token {of}");
    }
    let custody = held.iter().filter(|(key, _)| key.kind() == AccountKind::Custody);
    assert!(custody.map(|(_, amount)| *amount).eq([Amount::from(LOCKED); 3]));
    assert_lawful(world.store.as_ref(), None).await;
}

on_every_database!(nothing_is_lost_or_doubled_when_many_ask_for_the_same_money);

async fn nothing_is_lost_or_doubled_when_many_ask_for_the_same_money(database: Database) {
    for seed in super::seeds().into_iter().take(3) {
        hammer(&database.another().await, seed).await;
    }
}
