//! The book: accounts, transfers and entries, states, requests, and what goes to and comes from chains.
//!
//! No foreign keys and no index over random keys on `transfers` and `entries`: the journal is the only
//! writer and numbers them itself, and the audit checks what a foreign key would.

use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::sea_query::{
    ColumnDef, ConditionalStatement, Expr, Index, IndexCreateStatement, Table, TableCreateStatement,
};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

pub(crate) struct Book;

impl MigrationName for Book {
    fn name(&self) -> &'static str {
        "m0001_book"
    }
}

#[sea_orm_migration::async_trait::async_trait]
impl MigrationTrait for Book {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in book_tables().into_iter().chain(owner_tables()).chain(chain_tables()) {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        let view = ledger_view(manager.get_database_backend());
        manager.get_connection().execute_unprepared(&view).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("DROP VIEW ledger").await?;
        for name in TABLES.into_iter().rev() {
            manager.drop_table(Table::drop().table(name).to_owned()).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

const TABLES: [&str; 10] = [
    "head",
    "accounts",
    "transfers",
    "entries",
    "states",
    "members",
    "requests",
    "inbox",
    "cursors",
    "outbox",
];

/// The book itself.
fn book_tables() -> [TableCreateStatement; 4] {
    let head = table(
        "head",
        [
            small("id").primary_key().take(),
            bytes("broker"),
            number("fence"),
            number("seq"),
            number("last_account"),
            number("last_transfer"),
            number("last_entry"),
            number("last_inbox"),
            number("last_outbox"),
        ],
    );
    let accounts = table(
        "accounts",
        [
            row_number(),
            bytes("channel_id"),
            small("kind"),
            bytes("participant"),
            number("chain_id"),
            bytes("token_address"),
            bytes("balance"),
            number("credit_no"),
            number("last_entry"),
        ],
    );
    let transfers = table(
        "transfers",
        [row_number(), small("kind"), small("cause_kind"), bytes("cause"), number("created_at")],
    );
    let entries = table(
        "entries",
        [
            row_number(),
            number("transfer_id"),
            number("account_id"),
            small("side"),
            bytes("amount"),
            optional_number("previous"),
        ],
    );
    [head, accounts, transfers, entries]
}

/// What owners keep and what was answered.
fn owner_tables() -> [TableCreateStatement; 3] {
    let states = table(
        "states",
        [
            small("owner_kind"),
            bytes("owner_id"),
            number("revision"),
            small("kind"),
            small("phase"),
            optional_number("due_at"),
            bytes("body"),
        ],
    )
    .primary_key(&mut columns(["owner_kind", "owner_id"]))
    .take();
    let members = table("members", [bytes("participant"), bytes("channel_id")])
        .primary_key(&mut columns(["participant", "channel_id"]))
        .take();
    let requests = table(
        "requests",
        [number("at"), bytes("signer"), number("request_id"), bytes("body_hash"), bytes("answer")],
    )
    .primary_key(&mut columns(["at", "signer", "request_id"]))
    .take();
    [states, members, requests]
}

/// What comes from chains and goes to them.
fn chain_tables() -> [TableCreateStatement; 3] {
    let inbox = table(
        "inbox",
        [
            row_number(),
            number("chain_id"),
            bytes("block_hash"),
            bytes("tx_hash"),
            number("log_index"),
            number("height"),
            small("owner_kind"),
            bytes("owner_id"),
            bytes("body"),
            ColumnDef::new("handled").boolean().not_null().take(),
        ],
    );
    let cursors = table("cursors", [number("chain_id"), number("height"), bytes("hash")])
        .primary_key(&mut columns(["chain_id", "height"]))
        .take();
    let outbox = table(
        "outbox",
        [
            row_number(),
            number("chain_id"),
            small("owner_kind"),
            bytes("owner_id"),
            small("status"),
            bytes("body"),
        ],
    );
    [inbox, cursors, outbox]
}

fn indexes() -> [IndexCreateStatement; 6] {
    let unhandled = || Expr::cust("handled = FALSE");
    [
        columns(["channel_id", "kind", "participant", "chain_id", "token_address"])
            .table("accounts")
            .name("accounts_key")
            .unique()
            .take(),
        columns(["due_at"])
            .table("states")
            .name("states_due")
            .cond_where(Expr::cust("due_at IS NOT NULL"))
            .take(),
        columns(["chain_id", "block_hash", "tx_hash", "log_index"])
            .table("inbox")
            .name("inbox_key")
            .unique()
            .take(),
        columns(["chain_id", "id"]).table("inbox").name("inbox_unhandled").cond_where(unhandled()).take(),
        columns(["owner_kind", "owner_id", "id"])
            .table("inbox")
            .name("inbox_unhandled_by_owner")
            .cond_where(unhandled())
            .take(),
        columns(["chain_id", "id"])
            .table("outbox")
            .name("outbox_open")
            .cond_where(Expr::cust("status = 1"))
            .take(),
    ]
}

/// The book as a table of its entries. Amounts and ids are blobs, as they are stored.
fn ledger_view(backend: DbBackend) -> String {
    let nothing = match backend {
        DbBackend::Postgres => "decode(repeat('00', 32), 'hex')",
        _ => "zeroblob(32)",
    };
    format!(
        "CREATE VIEW ledger AS SELECT \
         entries.id AS id, \
         accounts.channel_id AS channel_id, \
         accounts.participant AS participant, \
         accounts.token_address AS token_address, \
         CASE WHEN entries.side = 1 THEN entries.amount ELSE {nothing} END AS credit, \
         CASE WHEN entries.side = 2 THEN entries.amount ELSE {nothing} END AS debit, \
         transfers.created_at AS created_at, \
         accounts.kind AS account_kind, \
         accounts.chain_id AS chain_id, \
         entries.account_id AS account_id, \
         entries.transfer_id AS transfer_id, \
         transfers.kind AS transfer_kind, \
         transfers.cause_kind AS cause_kind, \
         transfers.cause AS cause \
         FROM entries \
         JOIN transfers ON transfers.id = entries.transfer_id \
         JOIN accounts ON accounts.id = entries.account_id"
    )
}

fn table<const N: usize>(name: &'static str, columns: [ColumnDef; N]) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(name);
    for mut column in columns {
        table.col(&mut column);
    }
    table
}

fn columns<const N: usize>(names: [&'static str; N]) -> IndexCreateStatement {
    let mut index = Index::create();
    for name in names {
        index.col(name);
    }
    index
}

/// The integer primary key of rows that the journal numbers.
fn row_number() -> ColumnDef {
    number("id").primary_key().take()
}

fn number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().take()
}

fn optional_number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().null().take()
}

fn small(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).small_integer().not_null().take()
}

fn bytes(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).blob().not_null().take()
}
