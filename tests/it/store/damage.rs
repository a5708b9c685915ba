//! Rows that somebody, or the disk, has changed: named, never believed, never a panic.

use clearnet::store::{Store, StoreError};
use domain::ledger::OwnerId;
use sea_orm::{ConnectionTrait, DbBackend};

use super::sample::{CHAIN, Writer, address, at, broker, channel, full_batch};
use crate::harness::database::{Database, on_every_database};

on_every_database!(names_the_damaged_row_and_its_table);

#[derive(Debug, Clone, Copy)]
enum Read {
    Head,
    OpenWriter,
    Accounts,
    Transfers,
    Entries,
    States,
    Due,
    Load,
    Answers,
    Channels,
    Cursor,
    Unhandled,
    Outbox,
}

async fn read(store: &dyn Store, read: Read) -> Result<(), StoreError> {
    match read {
        Read::Head => store.head().await.map(|_| ()),
        Read::OpenWriter => store.open_writer(broker()).await.map(|_| ()),
        Read::Accounts => store.account_page(None, 9).await.map(|_| ()),
        Read::Transfers => store.transfer_page(None, 9).await.map(|_| ()),
        Read::Entries => store.entry_page(None, 9).await.map(|_| ()),
        Read::States => store.state_page(None, 9).await.map(|_| ()),
        Read::Due => store.due(at(9), None, 9).await.map(|_| ()),
        Read::Load => store.load(OwnerId::Channel(channel(1))).await.map(|_| ()),
        Read::Answers => store.answers(at(0), None, 9).await.map(|_| ()),
        Read::Channels => store.channels_of(address(1), None, 9).await.map(|_| ()),
        Read::Cursor => store.cursor(CHAIN).await.map(|_| ()),
        Read::Unhandled => store.unhandled(CHAIN, None, 9).await.map(|_| ()),
        Read::Outbox => store.open_outbox(CHAIN, None, 9).await.map(|_| ()),
    }
}

/// What is put into which column, `$short` being two bytes; who notices, and how the row is called.
const DAMAGES: [(&str, &str, &str, Read, &str); 42] = [
    ("head", "broker", "$short", Read::Head, "1"),
    ("head", "fence", "-1", Read::Head, "1"),
    ("head", "seq", "-1", Read::Head, "1"),
    ("head", "last_account", "-1", Read::OpenWriter, "1"),
    ("head", "last_transfer", "-1", Read::Head, "1"),
    ("head", "last_entry", "-1", Read::Head, "1"),
    ("head", "last_inbox", "-1", Read::Head, "1"),
    ("head", "last_outbox", "-1", Read::Head, "1"),
    ("accounts", "channel_id", "$short", Read::Accounts, "1"),
    ("accounts", "kind", "0", Read::Accounts, "1"),
    ("accounts", "kind", "1000", Read::Accounts, "1"),
    // A wallet's name under another kind that has no participant.
    ("accounts", "kind", "5", Read::Accounts, "1"),
    ("accounts", "participant", "$short", Read::Accounts, "1"),
    ("accounts", "chain_id", "-1", Read::Accounts, "1"),
    ("accounts", "token_address", "$short", Read::Accounts, "1"),
    ("accounts", "balance", "$short", Read::Accounts, "1"),
    ("accounts", "credit_no", "-1", Read::Accounts, "1"),
    ("accounts", "last_entry", "-1", Read::Accounts, "1"),
    ("transfers", "kind", "99", Read::Transfers, "1"),
    ("transfers", "cause_kind", "0", Read::Transfers, "1"),
    ("transfers", "cause", "$short", Read::Transfers, "1"),
    ("transfers", "created_at", "-1", Read::Transfers, "1"),
    ("entries", "transfer_id", "-1", Read::Entries, "1"),
    ("entries", "account_id", "-1", Read::Entries, "1"),
    ("entries", "side", "3", Read::Entries, "1"),
    ("entries", "amount", "$short", Read::Entries, "1"),
    ("entries", "amount", "$zero", Read::Entries, "1"),
    ("entries", "previous", "-1", Read::Entries, "1"),
    ("states", "owner_kind", "9", Read::States, "9 0x$one"),
    ("states", "owner_id", "$short", Read::Due, "1 0x0102"),
    ("states", "revision", "-1", Read::Load, "1 0x$one"),
    ("states", "kind", "9", Read::Load, "1 0x$one"),
    ("states", "phase", "256", Read::Load, "1 0x$one"),
    ("requests", "signer", "$short", Read::Answers, "1 0x0102 1"),
    ("requests", "body_hash", "$short", Read::Answers, "1 0x$address 1"),
    ("members", "channel_id", "$short", Read::Channels, "0x$address 0x0102"),
    ("inbox", "block_hash", "$short", Read::Unhandled, "1"),
    ("inbox", "owner_id", "$short", Read::Unhandled, "1"),
    ("inbox", "height", "-1", Read::Load, "1"),
    ("cursors", "hash", "$short", Read::Cursor, "1 1"),
    ("outbox", "owner_kind", "0", Read::Outbox, "1"),
    ("outbox", "owner_id", "$short", Read::Outbox, "1"),
];

async fn names_the_damaged_row_and_its_table(database: Database) {
    let mut writer = Writer::open(&database).await;
    writer.write(&full_batch(writer.head, 1)).await.unwrap();
    let db = database.connect().await;
    let bytes = |hex: &str| match db.get_database_backend() {
        DbBackend::Postgres => format!("decode('{hex}', 'hex')"),
        _ => format!("x'{hex}'"),
    };
    for (table, column, value, by, row) in DAMAGES {
        let value = value.replace("$short", &bytes("0102")).replace("$zero", &bytes(&"00".repeat(32)));
        let row = row.replace("$one", &"01".repeat(32)).replace("$address", &"01".repeat(20));
        let execute = async |sql: String| db.execute_unprepared(&sql).await.unwrap();
        execute(format!("CREATE TABLE saved AS SELECT * FROM {table}")).await;
        execute(format!("UPDATE {table} SET {column} = {value}")).await;
        let damaged = read(&*writer.store, by).await;
        let Err(StoreError::Damaged { table: in_table, row: in_row, reason }) = damaged else {
            panic!("{table}.{column} = {value}: {damaged:?}");
        };
        assert_eq!((in_table, in_row.as_str()), (table, row.as_str()), "{column} = {value}: {reason}");
        execute(format!("DELETE FROM {table}")).await;
        execute(format!("INSERT INTO {table} SELECT * FROM saved")).await;
        execute("DROP TABLE saved".to_owned()).await;
        read(&*writer.store, by).await.unwrap();
    }
}

/// Only SQLite lets a column hold a value of another type.
#[tokio::test]
async fn a_value_of_another_type_is_damage_too() {
    let database = Database::sqlite().await;
    let mut writer = Writer::open(&database).await;
    writer.write(&full_batch(writer.head, 1)).await.unwrap();
    let db = database.connect().await;
    for (table, column, by) in [
        ("accounts", "credit_no", Read::Accounts),
        ("entries", "previous", Read::Entries),
        ("states", "phase", Read::States),
    ] {
        db.execute_unprepared(&format!("UPDATE {table} SET {column} = 'text'")).await.unwrap();
        let damaged = read(&*writer.store, by).await;
        let Err(StoreError::Damaged { table: in_table, row, .. }) = damaged else { panic!("{damaged:?}") };
        assert_eq!(in_table, table);
        assert!(row.contains(column), "{row}");
    }
}
