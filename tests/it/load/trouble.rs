//! What happens while all ask.

use std::time::Duration;

use rand::Rng as _;
use rand::rngs::StdRng;
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};

use super::field::Field;
use super::views;
use crate::harness::cluster::Stop;
use crate::harness::database::Database;

/// How often the book is audited when nothing else happens, and how many requests are answered before each.
const AUDITS: usize = 25;
const BETWEEN_AUDITS: usize = 50;

/// The most requests, or answers, between one start and the next kill.
const BETWEEN_KILLS: usize = 30;

/// When a broker is killed that has not come up yet: at the latest when it just has.
const START_MILLIS: u64 = 200;

/// After how many kills the book is audited while nobody writes.
const KILLS_AN_AUDIT: usize = 20;

/// How often the database goes away.
const AWAYS: usize = 2;

/// How many times somebody hears that the outcome is unknown before it comes back: in a file that is locked
/// everybody's request hangs first.
const UNKNOWN: usize = 6;

/// How many requests are answered while the database is there.
const BETWEEN_AWAYS: usize = 100;

/// Nothing: the laws are looked for in the book again and again, while all go on asking.
pub(super) async fn none(field: &Field) {
    let store = field.database.open().await;
    for _ in 0..AUDITS {
        field.until_more(&field.answered, BETWEEN_AUDITS).await;
        views::assert_lawful(store.as_ref()).await;
    }
}

/// The broker is killed so often, at moments that have nothing to do with what it does.
pub(super) async fn kills(field: &Field, rng: &mut StdRng, kills: usize) {
    let store = field.database.open().await;
    for kill in 1..=kills {
        let count = if rng.random() { &field.answered } else { &field.sent };
        field.until_more(count, rng.random_range(0..BETWEEN_KILLS)).await;
        field.kill();
        if kill % KILLS_AN_AUDIT == 0 {
            views::assert_lawful(store.as_ref()).await;
        }
        if rng.random_ratio(1, 4) {
            field.start_and_kill(Duration::from_millis(rng.random_range(0..START_MILLIS))).await;
        }
        field.start().await;
    }
    field.until_more(&field.answered, BETWEEN_KILLS).await;
}

/// The database is away for a while, and again.
pub(super) async fn away(field: &Field) {
    for time in 0..AWAYS {
        field.until_more(&field.answered, BETWEEN_AWAYS).await;
        match &field.database {
            Database::Postgres(server) if time % 2 == 0 => server.end_sessions().await,
            Database::Postgres(server) => {
                server.shut().await;
                field.until_more(&field.unknown, UNKNOWN).await;
                server.let_go().await;
            }
            Database::Sqlite { .. } => {
                // As another process does that keeps the file for itself.
                let other = field.database.connect().await;
                let keeping = other.begin().await.unwrap();
                keeping.execute_unprepared("UPDATE head SET seq = seq").await.unwrap();
                field.until_more(&field.unknown, UNKNOWN).await;
                keeping.rollback().await.unwrap();
            }
            Database::Cluster(cluster) => {
                let stop = if time % 2 == 0 { Stop::Fast } else { Stop::Kill };
                cluster.restart(stop).await;
            }
            Database::Memory(_) => unreachable!("the program keeps its book elsewhere"),
        }
    }
    field.until_more(&field.answered, BETWEEN_AWAYS).await;
}
