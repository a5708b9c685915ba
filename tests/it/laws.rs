//! The laws of the book under random lives: the real journal, supervisor and owners, asked as sessions ask them.
//!
//! After every step the store is held against the audit, a naive model of everybody's money, and what was seen
//! before. Deliberately absent: sockets and real chains, which the other scenarios have.

mod cast;
mod chain;
mod check;
mod choice;
mod hammer;
mod keys;
mod leaving;
mod many;
mod model;
mod play;
mod rooms;
mod settlement;
mod unread;
mod world;

use play::{Play, Tally};
use world::Threads;

use crate::harness::database::{Database, on_every_database};

/// Names a seed to play instead of the usual ones.
const SEED: &str = "CLEARNET_LAWS_SEED";

const LIVES: u64 = 10;
const STEPS: usize = 40;

fn seeds() -> Vec<u64> {
    match std::env::var(SEED) {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => (1..=LIVES).collect(),
    }
}

async fn live(database: &Database, seed: u64, all: &mut Tally) {
    eprintln!("a life with {SEED}={seed}");
    let threads = Threads::start();
    let tally = Play::begin(database, &threads, seed).await.steps(STEPS).await;
    all.taken += tally.taken;
    all.refused += tally.refused;
    all.executed += tally.executed;
    all.refunded += tally.refunded;
    all.left += tally.left;
}

fn assert_all_happened(all: Tally) {
    eprintln!("{all:?}");
    if std::env::var(SEED).is_ok() {
        return;
    }
    let Tally { taken, refused, executed, refunded, left } = all;
    assert!(taken > refused && refused > 0, "lives are to be full of both: {all:?}");
    assert!(left > 0, "owners are to leave: {all:?}");
    assert!(executed > 0 && refunded > 0, "settlements are to end in both ways: {all:?}");
}

on_every_database!(every_law_holds_after_every_step_of_random_lives);

async fn every_law_holds_after_every_step_of_random_lives(database: Database) {
    let mut all = Tally::default();
    for seed in seeds() {
        live(&database.another().await, seed, &mut all).await;
    }
    assert_all_happened(all);
}
