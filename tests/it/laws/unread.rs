//! A chain that the broker cannot see: what is anchored there does not move, everything else does.

use std::collections::BTreeMap;

use clearnet::actors::request::Refused;

use super::cast::{ADJUDICATOR, Draft, carried, terms, token};
use super::chain::chains;
use super::model::{Channel, Life, Part};
use super::world::{Happening, Threads, World};
use crate::harness::database::{Database, on_every_database};

const LOCKED: u64 = 100;

on_every_database!(what_is_anchored_on_a_chain_that_is_not_read_does_not_move);

async fn what_is_anchored_on_a_chain_that_is_not_read_does_not_move(database: Database) {
    let (threads, chains) = (Threads::start(), chains());
    let world = World::open(database.open().await, &threads, &chains).await;
    let params = terms(0, 0, 1, ADJUDICATOR);
    let life = Life::Active;
    let channel = Channel { params, owner: 0, token: 0, locked: LOCKED, part: LOCKED, version: 0, life };
    assert!(world.happened(&Happening::opened(1, &channel)).await);
    chains[&token(0).chain_id].deposit(token(0).address, LOCKED);
    let moving = |id, version, after| {
        let part = Part { channel: 0, version, after, flaw: None };
        let draft = Draft::new(id);
        let states = vec![carried(&channel, &part, draft.hash())];
        draft.pay(0, None, &BTreeMap::new(), states)
    };
    world.ask(&moving(1, 1, 50)).await.unwrap();

    world.forget_reading(token(0).chain_id);
    let refused = world.put(&moving(2, 2, 20)).await.unwrap_err();
    assert!(matches!(refused, Refused::ChainUnavailable { .. }), "{refused:?}");
    let offered = Channel {
        params: terms(0, 0, 2, ADJUDICATOR),
        locked: 10,
        part: 0,
        life: Life::Announced,
        ..channel.clone()
    };
    let refused = world.put(&Draft::new(3).settle(&offered, 10, 0)).await.unwrap_err();
    assert!(matches!(refused, Refused::ChainUnavailable { .. }), "{refused:?}");
    // Wallet money is the broker's word, which no chain can change.
    world.ask(&Draft::new(4).pay(0, Some(1), &[(0, 30)].into(), Vec::new())).await.unwrap();
    world.end().await;
}
