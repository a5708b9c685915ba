//! What the real program does not start on: a store of a newer program.

use sea_orm::{ConnectionTrait as _, Statement};

use crate::harness::database::{Database, on_every_database};
use crate::harness::digest::digest;
use crate::harness::home::{Home, NO_CHAIN};

on_every_database!(a_store_of_a_newer_program_is_refused_by_every_command_and_left_as_it_is);

/// The names of those that were applied.
async fn migrations(database: &Database) -> Vec<String> {
    let db = database.connect().await;
    let sql = "SELECT version FROM seaql_migrations ORDER BY version";
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    rows.iter().map(|row| row.try_get("", "version").unwrap()).collect()
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
