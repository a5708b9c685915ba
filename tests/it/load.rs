//! Several members hammer the real program at once, each on several connections: they pay each other, move their
//! channels, and open, update and close virtual channels; some requests come twice, some race with one version.
//!
//! Meanwhile nothing happens, or the program is killed again and again, or its database is away for a while. What was
//! not answered is sent again, as it was signed. At the end every answer that anybody holds is what the broker
//! answers to the same bytes, everybody's money is what the answers come to, and the audit holds.

mod field;
mod line;
mod member;
mod taken;
mod trouble;
mod unsent;
mod views;
mod wish;

use std::rc::Rc;

use futures::future::join_all;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use crate::harness::database::{Database, on_every_database};
use field::Field;

/// Names a seed to play instead of the usual one.
const SEED: &str = "CLEARNET_LOAD_SEED";

const MEMBERS: usize = 4;
const LINES_EACH: usize = 2;

/// How often the program is killed.
const KILLS: usize = 120;

on_every_database!(
    nothing_is_lost_or_doubled_when_all_ask_at_once,
    nothing_is_lost_or_doubled_however_often_the_broker_is_killed,
    nothing_is_lost_or_doubled_while_the_database_comes_and_goes,
);

async fn nothing_is_lost_or_doubled_when_all_ask_at_once(database: Database) {
    play(database, async |field, _| trouble::none(field).await).await;
}

async fn nothing_is_lost_or_doubled_however_often_the_broker_is_killed(database: Database) {
    play(database, async |field, rng| trouble::kills(field, rng, KILLS).await).await;
}

async fn nothing_is_lost_or_doubled_while_the_database_comes_and_goes(database: Database) {
    play(database, async |field, _| trouble::away(field).await).await;
}

#[actix::test]
async fn nothing_is_lost_or_doubled_while_postgres_is_restarted() {
    play(Database::cluster().await, async |field, _| trouble::away(field).await).await;
}

/// Lets all members ask for as long as the trouble lasts, and compares.
async fn play(database: Database, trouble: impl AsyncFnOnce(&Field, &mut StdRng)) {
    let seed: u64 = std::env::var(SEED).map_or(1, |seed| seed.parse().unwrap());
    eprintln!("a crowd with {SEED}={seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let field = Rc::new(Field::lay_out(database, MEMBERS).await);
    let lines = (0..MEMBERS * LINES_EACH).map(|number| {
        let rng = StdRng::from_rng(&mut rng);
        line::ask_until_over(&field, number % MEMBERS, rng)
    });
    let lines = join_all(lines.collect::<Vec<_>>());
    let troubled = async {
        trouble(&field, &mut rng).await;
        field.end_story();
    };
    tokio::join!(lines, troubled);
    views::compare(&field).await;
}
