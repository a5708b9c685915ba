//! Everybody is asked to leave, over and over, while they are asked for things: nobody notices.

use std::cell::Cell;
use std::collections::BTreeMap;

use clearnet::actors::answer::Answer;
use clearnet::actors::participant::MoveMoney;
use clearnet::actors::request::Refused;
use clearnet::actors::virtual_channel::AskVirtualChannel;
use domain::ledger::AccountKey;
use futures::FutureExt as _;
use futures::future::{join, join_all};
use rand::Rng as _;
use tokio::task::yield_now;

use super::cast::{ADJUDICATOR, Ask, Draft, PEOPLE, carried, definition, person, terms, token};
use super::chain::chains;
use super::check::{assert_lawful, held};
use super::model::{Amounts, Channel, Life, Next, Part, Room};
use super::world::{Happening, Threads, World};
use crate::harness::database::Database;

const LOCKED: u64 = 100_000;
const IN_ROOM: u64 = 500;
/// How long somebody waits before it asks, and before it sends what it asks: about as long as leaving takes.
const TURNS_MAX: u32 = 3_000;

fn channel() -> Channel {
    let params = terms(0, 0, 1, ADJUDICATOR);
    Channel { params, owner: 0, token: 0, locked: LOCKED, part: LOCKED, version: 0, life: Life::Active }
}

fn room() -> Room {
    Room {
        definition: definition(&[0, 1], 1),
        members: vec![0, 1],
        amounts: [((0, 0), IN_ROOM)].into(),
        version: 1,
        is_open: true,
        wanted: Amounts::new(),
        is_proposed: false,
    }
}

/// What people ask for, one after another.
struct Asker {
    number: u64,
    channel: Channel,
    room: Room,
}

impl Asker {
    fn draft(&mut self) -> Draft {
        self.number += 1;
        Draft::new(self.number)
    }

    /// A payment with the next state of the payer's channel, which stays as it is.
    fn pay_carrying(&mut self, version: u64) -> Ask {
        let part = Part { channel: 0, version, after: LOCKED / 2, flaw: None };
        let draft = self.draft();
        let states = vec![carried(&self.channel, &part, draft.hash())];
        draft.pay(0, Some(1), &[(0, 1)].into(), states)
    }

    fn pay(&mut self, by: u8, to: u8) -> Ask {
        self.draft().pay(by, Some(to), &[(0, 1)].into(), Vec::new())
    }

    /// The next state of the room: the second member has won so much.
    fn deal(&mut self, version: u64) -> Ask {
        let won = version % IN_ROOM;
        let amounts = Amounts::from([((0, 0), IN_ROOM - won), ((1, 0), won)]);
        let next = Next { room: 0, by: 0, approvals: vec![0, 1], version, amounts };
        let draft = self.draft();
        draft.update(&self.room, &next)
    }
}

/// The first has half of the channel in the wallet, and some of that in a room and at the others'.
async fn prepare(world: &World) -> Asker {
    for owner in 0..PEOPLE {
        let channel =
            Channel { params: terms(owner, owner, 1, ADJUDICATOR), owner, token: owner, ..channel() };
        assert!(world.happened(&Happening::opened(1 + 2 * u64::from(owner), &channel)).await);
    }
    let mut asker = Asker { number: 0, channel: channel(), room: room() };
    let half = Part { channel: 0, version: 1, after: LOCKED / 2, flaw: None };
    let draft = asker.draft();
    let states = vec![carried(&asker.channel, &half, draft.hash())];
    world.ask(&draft.pay(0, None, &BTreeMap::new(), states)).await.unwrap();
    let open = asker.draft().open(0, &asker.room, Vec::new());
    world.ask(&open).await.unwrap();
    for to in [1, 2] {
        let pay = asker.draft().pay(0, Some(to), &[(0, 10_000)].into(), Vec::new());
        world.ask(&pay).await.unwrap();
    }
    asker
}

/// Puts it to whom it concerns: its address is found some time before and dropped right after.
async fn put(world: &World, ask: &Ask) -> Result<Answer, Refused> {
    pause().await;
    let answered = match ask {
        Ask::Move(asked) => {
            let addr = world.services.participant(asked.by).await?;
            pause().await;
            let sent = addr.send(MoveMoney { asked: Box::new(asked.clone()) });
            drop(addr);
            sent.await
        }
        Ask::Room(channel, asked) => {
            let addr = world.services.virtual_channel(*channel).await?;
            pause().await;
            let sent = addr.send(AskVirtualChannel { asked: Box::new(asked.clone()) });
            drop(addr);
            sent.await
        }
        other => panic!("nobody asks for that here: {other:?}"),
    };
    answered.unwrap_or(Err(Refused::Unavailable))
}

async fn pause() {
    for _ in 0..rand::rng().random_range(0..TURNS_MAX) {
        yield_now().await;
    }
}

async fn rounds(database: &Database, count: u64) {
    let threads = Threads::start();
    let world = World::open(database.open().await, &threads, &chains()).await;
    let mut asker = prepare(&world).await;
    let (mut left, mut asked) = (0, 0);
    for round in 0..count {
        let asks = [
            asker.pay_carrying(2 + round),
            asker.deal(2 + round),
            asker.pay(1, 0),
            asker.pay(1, 2),
            asker.pay(2, 1),
        ];
        // As sessions ask, which do not ask again by themselves: whoever is asked has to answer, at whatever moment.
        let is_over = Cell::new(false);
        let answered = join_all(asks.iter().map(|ask| put(&world, ask))).inspect(|_| is_over.set(true));
        let leaving = async {
            while !is_over.get() {
                left += world.let_leave().await;
            }
        };
        let (answered, ()) = join(answered, leaving).await;
        for (ask, answered) in asks.iter().zip(answered) {
            assert!(
                !matches!(answered, Err(Refused::Unavailable | Refused::Overloaded)),
                "{answered:?}: {ask:?}"
            );
            answered.unwrap();
            asked += 1;
        }
    }
    eprintln!("{asked} were answered while {left} left");
    assert!(left as u64 > count, "{left} have left in {count} rounds");
    let held = held(world.store.as_ref()).await;
    let wallet = |who| held[&AccountKey::wallet(person(who), token(0))].to_string();
    let payer = LOCKED / 2 - IN_ROOM - 20_000;
    // Each round the first pays one and gets one, the second gets two and pays two, the third one and one.
    assert_eq!([0, 1, 2].map(wallet), [payer, 10_000, 10_000].map(|amount| amount.to_string()));
    assert_lawful(world.store.as_ref(), None).await;
    world.end().await;
}

#[actix::test]
async fn whoever_is_asked_answers_however_often_all_are_told_to_leave_in_memory() {
    rounds(&Database::memory(), 400).await;
}

#[actix::test]
async fn whoever_is_asked_answers_however_often_all_are_told_to_leave_on_sqlite() {
    rounds(&Database::sqlite().await, 100).await;
}
