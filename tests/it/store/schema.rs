//! The schema: made, checked, taken back, and shown as a ledger.

use clearnet::store::{Batch, SqlStore, Store, StoreError, migrate};
use domain::ledger::{Cause, EventKey, Posting, Side, TransferKind};
use domain::primitives::{Amount, ChainId};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

use super::sample::{Writer, entry, full_batch, hash, token, transfer, wallet};
use crate::harness::database::{Database, on_every_database};
use crate::harness::digest::digest;

on_every_database!(
    going_up_down_and_up_again_makes_the_same_schema,
    migrating_again_changes_nothing,
    a_database_of_a_newer_program_is_left_alone,
    a_database_without_its_migrations_is_refused,
    the_ledger_view_shows_every_entry_once,
);

/// Tables with their columns, indexes and views, as the database itself tells them.
async fn schema(db: &DatabaseConnection) -> Vec<String> {
    let sql = match db.get_database_backend() {
        DbBackend::Sqlite => "SELECT coalesce(sql, name) AS line FROM sqlite_master ORDER BY line",
        _ => {
            "SELECT concat_ws(' ', table_name, ordinal_position, column_name, data_type, is_nullable) AS line \
             FROM information_schema.columns WHERE table_schema = 'public' \
             UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' \
             UNION ALL SELECT definition FROM pg_views WHERE schemaname = 'public' ORDER BY line"
        }
    };
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    rows.iter().map(|row| row.try_get("", "line").unwrap()).collect()
}

async fn going_up_down_and_up_again_makes_the_same_schema(database: Database) {
    let db = database.connect().await;
    let first = schema(&db).await;
    assert!(first.iter().any(|line| line.contains("states_due")), "{first:#?}");
    migration::down(&db).await.unwrap();
    let nothing = schema(&db).await;
    assert!(nothing.iter().all(|line| line.contains("seaql_migrations")), "{nothing:#?}");
    migration::up(&db).await.unwrap();
    assert_eq!(schema(&db).await, first);
}

async fn migrating_again_changes_nothing(database: Database) {
    let mut writer = Writer::open(&database).await;
    writer.write(&full_batch(writer.head, 1)).await.unwrap();
    let db = database.connect().await;
    let before = (digest(&*writer.store).await, schema(&db).await);
    migrate(&database.url()).await.unwrap();
    assert_eq!((digest(&*writer.store).await, schema(&db).await), before);
}

async fn a_database_of_a_newer_program_is_left_alone(database: Database) {
    let db = database.connect().await;
    db.execute_unprepared("INSERT INTO seaql_migrations VALUES ('m9999_later', 0)").await.unwrap();
    let before = schema(&db).await;
    for refused in [SqlStore::open(&database.url()).await.map(|_| ()), migrate(&database.url()).await] {
        let Err(StoreError::Schema { found, needed, advice }) = refused else { panic!("{refused:?}") };
        assert_eq!((found.as_str(), needed.as_str()), ("m9999_later", "m0001_book"));
        assert!(advice.contains("newer"), "{advice}");
    }
    assert_eq!(schema(&db).await, before);
}

async fn a_database_without_its_migrations_is_refused(database: Database) {
    let db = database.connect().await;
    migration::down(&db).await.unwrap();
    assert_advises_to_migrate(&database).await;
    migrate(&database.url()).await.unwrap();
    SqlStore::open(&database.url()).await.unwrap();
}

async fn assert_advises_to_migrate(database: &Database) {
    let refused = SqlStore::open(&database.url()).await;
    let Err(StoreError::Schema { found, needed, advice }) = refused else { panic!("{refused:?}") };
    assert_eq!((found.as_str(), needed.as_str()), ("none", "m0001_book"));
    assert!(advice.contains("clearnet migrate"), "{advice}");
}

#[tokio::test]
async fn opening_a_postgres_database_without_tables_makes_none() {
    let database = Database::empty_postgres().await;
    assert_advises_to_migrate(&database).await;
    assert_eq!(schema(&database.connect().await).await, [""; 0]);
}

#[tokio::test]
async fn a_missing_sqlite_file_is_made_by_migrating_only() {
    let database = Database::empty_sqlite();
    let url = database.url().replace("book.db", "a/b/book.db");
    let path = std::path::PathBuf::from(url.strip_prefix("sqlite://").unwrap());
    let refused = SqlStore::open(&url).await;
    assert!(matches!(refused, Err(StoreError::Schema { .. })), "{refused:?}");
    assert!(!path.parent().unwrap().exists());
    migrate(&url).await.unwrap();
    assert!(path.is_file());
    let store = SqlStore::open(&url).await.unwrap();
    assert_eq!(store.head().await.unwrap(), None);
}

#[tokio::test]
async fn a_refused_url_is_told_without_its_password() {
    let urls = [
        "mysql://broker:hunter2@localhost/book",
        "broker:hunter2@localhost/book",
        "postgres://broker:hunter2@localhost:port/book",
        "postgres://broker:hunter2@localhost/book?sslmode=hunter2",
        "postgres://broker:hunter2@localhost/book?host=/nowhere",
        "sqlite://book.db?mode=hunter2",
    ];
    for url in urls {
        for refused in [SqlStore::open(url).await.map(|_| ()), migrate(url).await] {
            let Err(StoreError::Unavailable { reason }) = refused else { panic!("{url}: {refused:?}") };
            assert!(!reason.is_empty() && !reason.contains("hunter2"), "{reason}");
        }
    }
}

async fn the_ledger_view_shows_every_entry_once(database: Database) {
    let mut writer = Writer::open(&database).await;
    let mut debit = entry(2, 2, Some(1));
    (debit.posting, debit.transfer) =
        (Posting::new(Side::Debit, Amount::MAX).unwrap(), clearnet::store::TransferId(1));
    let mut opened = transfer(1);
    opened.kind = TransferKind::ChannelOpened;
    let key = EventKey { chain_id: ChainId::new(5), block_hash: hash(1), tx_hash: hash(2), log_index: 6 };
    opened.cause = Cause::Chain(key);
    let batch = Batch {
        accounts: vec![wallet(1), wallet(2)],
        transfers: vec![opened],
        entries: vec![entry(1, 1, None), debit],
        ..writer.batch()
    };
    writer.write(&batch).await.unwrap();

    let db = database.connect().await;
    let sql = "SELECT * FROM ledger ORDER BY id";
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    let columns = [
        "id",
        "channel_id",
        "participant",
        "token_address",
        "credit",
        "debit",
        "created_at",
        "account_kind",
        "chain_id",
        "account_id",
        "transfer_id",
        "transfer_kind",
        "cause_kind",
        "cause",
    ];
    assert_eq!(rows[0].column_names(), columns);
    let mut cause = [5_u64.to_be_bytes(), 6_u64.to_be_bytes()].concat();
    cause.extend([hash(1), hash(2)].iter().flat_map(|hash| *hash.as_bytes()));
    let amounts = [(Amount::from(1_u64), Amount::ZERO), (Amount::ZERO, Amount::MAX)];
    assert_eq!(rows.len(), 2);
    for (place, (row, (credit, debit))) in rows.iter().zip(amounts).enumerate() {
        let (number, key) = (place as i64 + 1, batch.accounts[place].key);
        let bytes = |column| row.try_get::<Vec<u8>>("", column).unwrap();
        assert_eq!(row.try_get::<i64>("", "id").unwrap(), number);
        assert_eq!(bytes("channel_id"), key.channel().as_bytes());
        assert_eq!(bytes("participant"), key.participant().as_bytes());
        assert_eq!(bytes("token_address"), token().address.as_bytes());
        assert_eq!(bytes("credit"), credit.to_be_bytes());
        assert_eq!(bytes("debit"), debit.to_be_bytes());
        assert_eq!(row.try_get::<i64>("", "created_at").unwrap(), 1);
        assert_eq!(row.try_get::<i16>("", "account_kind").unwrap(), i16::from(key.kind().code()));
        assert_eq!(row.try_get::<i64>("", "chain_id").unwrap(), 1);
        assert_eq!(row.try_get::<i64>("", "account_id").unwrap(), number);
        assert_eq!(row.try_get::<i64>("", "transfer_id").unwrap(), 1);
        assert_eq!(row.try_get::<i16>("", "transfer_kind").unwrap(), 1);
        assert_eq!(row.try_get::<i16>("", "cause_kind").unwrap(), 2);
        assert_eq!(bytes("cause"), cause);
    }
}
