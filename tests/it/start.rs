//! What the real program does not start on: a store whose broker lives, and a store of a newer program.

use std::time::Duration;

use sea_orm::{ConnectionTrait as _, DbBackend, Statement};

use crate::harness::database::{Database, on_every_database};
use crate::harness::digest::digest;
use crate::harness::home::{Home, NO_CHAIN};

/// Longer than a broker takes to notice what has happened to its connections.
const PATIENCE: Duration = Duration::from_secs(30);

on_every_database!(
    a_second_broker_is_refused_while_the_first_lives,
    a_schema_is_not_changed_under_a_broker_that_runs,
    a_broker_that_was_killed_keeps_nobody_out,
    a_store_of_a_newer_program_is_refused_by_every_command_and_left_as_it_is,
);

/// A second broker is refused, saying what to do.
async fn assert_taken(home: &Home) {
    let second = home.run(&["serve"]).await;
    let said = String::from_utf8_lossy(&second.stderr);
    assert_eq!(second.status.code(), Some(1), "{said}");
    assert!(second.stdout.is_empty());
    let last = said.lines().last().unwrap_or_default();
    let expected = "another broker runs on this store: stop it first, or give this one a store of its own";
    assert!(last.starts_with("error: ") && last.ends_with(expected), "{said}");
}

async fn fence(database: &Database) -> u64 {
    database.open().await.head().await.unwrap().unwrap().fence.0
}

async fn a_second_broker_is_refused_while_the_first_lives(database: Database) {
    let home = Home::new(&database, NO_CHAIN);
    let first = home.start().await;
    let before = fence(&database).await;
    assert_taken(&home).await;
    assert_eq!(fence(&database).await, before, "the first still is the one writer");
    drop(first);
    let second = home.start().await;
    assert_taken(&home).await;
    drop(second);
}

async fn a_schema_is_not_changed_under_a_broker_that_runs(database: Database) {
    let home = Home::new(&database, NO_CHAIN);
    let _running = home.start().await;
    // As a program sees it that knows one migration more.
    let db = database.connect().await;
    db.execute_unprepared("DELETE FROM seaql_migrations").await.unwrap();
    let refused = home.run(&["migrate"]).await;
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("another broker runs on this store"));
    assert_eq!(migrations(&database).await, [""; 0]);
}

/// The names of those that were applied.
async fn migrations(database: &Database) -> Vec<String> {
    let db = database.connect().await;
    let sql = "SELECT version FROM seaql_migrations ORDER BY version";
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    rows.iter().map(|row| row.try_get("", "version").unwrap()).collect()
}

async fn a_broker_that_was_killed_keeps_nobody_out(database: Database) {
    let home = Home::new(&database, NO_CHAIN);
    for _ in 0..5 {
        // Dropping it is SIGKILL; who starts next waits for what the kernel and the database still have to do.
        drop(home.start().await);
    }
}

async fn a_store_of_a_newer_program_is_refused_by_every_command_and_left_as_it_is(database: Database) {
    let home = Home::new(&database, NO_CHAIN);
    drop(home.start().await);
    let store = database.open().await;
    let before = (digest(store.as_ref()).await, store.head().await.unwrap());
    let db = database.connect().await;
    db.execute_unprepared("INSERT INTO seaql_migrations VALUES ('m9999_later', 0)").await.unwrap();
    let all = migrations(&database).await;
    for (command, code) in [("serve", 1), ("migrate", 1), ("audit", 2)] {
        let refused = home.run(&[command]).await;
        let said = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(code), "{command}: {said}");
        assert!(refused.stdout.is_empty(), "{command}: {refused:?}");
        let last = said.lines().last().unwrap_or_default();
        let expected = "the schema of the store is m9999_later, this program needs m0001_book: \
                        run the newer program that migrated it";
        assert!(last.starts_with("error: ") && last.ends_with(expected), "{command}: {said}");
    }
    assert_eq!(migrations(&database).await, all);
    assert_eq!((digest(store.as_ref()).await, store.head().await.unwrap()), before);
    // Without that migration the store is ours again.
    db.execute_unprepared("DELETE FROM seaql_migrations WHERE version = 'm9999_later'").await.unwrap();
    drop(home.start().await);
}

/// Whether some session of the database holds the lock of its broker.
async fn is_claimed(database: &Database) -> bool {
    let db = database.connect().await;
    let sql = "SELECT count(*) AS count FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database \
               WHERE locktype = 'advisory' AND granted AND datname = current_database()";
    let row = db.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap();
    row.unwrap().try_get::<i64>("", "count").unwrap() > 0
}

#[actix::test]
async fn a_broker_whose_connections_broke_claims_its_postgres_store_again() {
    let database = Database::postgres().await;
    let home = Home::new(&database, NO_CHAIN);
    let _first = home.start().await;
    let Database::Postgres(server) = &database else { unreachable!("made above") };
    server.shut().await;
    server.let_go().await;
    assert!(!is_claimed(&database).await, "the claim went with the connections");
    let claimed = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        while !is_claimed(&database).await {
            ticks.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, claimed).await.expect("the claim is taken again");
    assert_taken(&home).await;
}
