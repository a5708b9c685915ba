//! Databases that fail while they write: what the writer is told is what it can rely on.

use std::time::Duration;

use clearnet::store::{Batch, StoreError, WriteError};
use futures::FutureExt;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement, TransactionTrait};

use tokio::time::timeout;

use super::sample::{Writer, full_batch};
use crate::harness::database::{Database, on_every_database};
use crate::harness::digest::digest;

/// How long a test waits for what the database does in a moment.
const PATIENCE: Duration = Duration::from_secs(30);

on_every_database!(an_error_of_commit_is_in_doubt_and_the_head_ends_it);

/// Makes every COMMIT fail whose transaction has inserted a transfer.
async fn refuse_commits(db: &DatabaseConnection) {
    let trigger = match db.get_database_backend() {
        DbBackend::Sqlite => {
            "CREATE TRIGGER refuse AFTER INSERT ON transfers BEGIN INSERT INTO refused VALUES (1); END"
        }
        _ => {
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN INSERT INTO refused VALUES (1); RETURN NULL; END $$; \
             CREATE TRIGGER refuse AFTER INSERT ON transfers FOR EACH ROW EXECUTE FUNCTION refuse()"
        }
    };
    for sql in [
        "CREATE TABLE nobody (id INTEGER PRIMARY KEY)",
        "CREATE TABLE refused (id INTEGER REFERENCES nobody (id) DEFERRABLE INITIALLY DEFERRED)",
        trigger,
    ] {
        db.execute_unprepared(sql).await.unwrap();
    }
}

async fn an_error_of_commit_is_in_doubt_and_the_head_ends_it(database: Database) {
    let mut writer = Writer::open(&database).await;
    writer.write(&full_batch(writer.head, 1)).await.unwrap();
    let before = digest(&*writer.store).await;
    let db = database.connect().await;
    refuse_commits(&db).await;
    for _ in 0..3 {
        let failed = writer.write(&full_batch(writer.head, 2)).await;
        assert!(matches!(failed, Err(WriteError::Unknown { .. })), "{failed:?}");
        assert_eq!(writer.store.head().await.unwrap(), Some(writer.head));
        assert_eq!(digest(&*writer.store).await, before);
    }
    // The connection is fit for the next batch.
    let without_transfers = Batch { transfers: vec![], ..full_batch(writer.head, 2) };
    writer.write(&without_transfers).await.unwrap();
    assert_eq!(database.open().await.head().await.unwrap(), Some(writer.head));
}

#[tokio::test]
async fn while_the_database_is_away_writes_are_down_and_pass_later() {
    let database = Database::postgres().await;
    let mut writer = Writer::open(&database).await;
    writer.write(&full_batch(writer.head, 1)).await.unwrap();
    let before = digest(&*writer.store).await;
    let Database::Postgres(server) = &database else { unreachable!("made above") };
    server.shut().await;
    for _ in 0..3 {
        let failed = writer.write(&full_batch(writer.head, 2)).await;
        assert!(matches!(failed, Err(WriteError::Down { .. })), "{failed:?}");
        let failed = writer.store.head().await;
        assert!(matches!(failed, Err(StoreError::Unavailable { .. })), "{failed:?}");
        let failed = writer.store.account_page(None, 1).await;
        assert!(matches!(failed, Err(StoreError::Unavailable { .. })), "{failed:?}");
    }
    server.let_go().await;
    assert_eq!(digest(&*writer.store).await, before);
    writer.write(&full_batch(writer.head, 2)).await.unwrap();
}

async fn count(db: &DatabaseConnection, from: &str) -> i64 {
    let sql = format!("SELECT count(*) AS count {from}");
    let row = db.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap();
    row.unwrap().try_get("", "count").unwrap()
}

/// Else a writer whose COMMIT got lost on the way back could be told that it was not written, just
/// before it is.
#[tokio::test]
async fn the_head_waits_for_a_transaction_that_is_moving_it() {
    let database = Database::postgres().await;
    let mut writer = Writer::open(&database).await;
    writer.write(&full_batch(writer.head, 1)).await.unwrap();
    let db = database.connect().await;
    let other = database.connect().await;
    let moving = other.begin().await.unwrap();
    moving.execute_unprepared("UPDATE head SET seq = seq + 1").await.unwrap();
    let mut asking = writer.store.head();
    let waiting = "FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let is_waiting = async {
        while count(&db, waiting).await == 0 {
            assert!(asking.as_mut().now_or_never().is_none());
        }
    };
    timeout(PATIENCE, is_waiting).await.unwrap();
    assert!(asking.as_mut().now_or_never().is_none());
    moving.commit().await.unwrap();
    assert_eq!(asking.await.unwrap().unwrap().seq, writer.head.seq.next());
}
