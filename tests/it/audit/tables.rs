//! Books in databases, changed by SQL as somebody with access to them could: one row at a time.

use clearnet::audit::{Law, Problem, Report, Verdict, audit};
use clearnet::store::{AccountId, EntryRow};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend};

use super::rows::Rows;
use super::writing::{Step, write, write_by};
use crate::harness::database::{Database, on_every_database};

/// One change: the table, what is done to it, whose rows are put back afterwards, and what is found first
/// against which law; `$e`, `$t` and `$a` stand for an entry, its transfer and
/// its account, `$b` for what the account held after it.
struct Spoiling {
    table: &'static str,
    sql: &'static str,
    finds: (Law, Problem),
    names_account: bool,
}

const fn spoiling(table: &'static str, sql: &'static str, law: Law, problem: Problem) -> Spoiling {
    Spoiling { table, sql, finds: (law, problem), names_account: true }
}

const fn nameless(table: &'static str, sql: &'static str, law: Law, problem: Problem) -> Spoiling {
    Spoiling { table, sql, finds: (law, problem), names_account: false }
}

const SPOILINGS: [Spoiling; 24] = [
    spoiling("entries", "UPDATE entries SET amount = $one WHERE id = $e", Law::Replay, Problem::WrongBalance),
    nameless(
        "entries",
        "UPDATE entries SET amount = $one WHERE id = $e",
        Law::Conservation,
        Problem::Unbalanced,
    ),
    spoiling(
        "entries",
        "UPDATE entries SET side = 3 - side WHERE id = $e",
        Law::Replay,
        Problem::WrongBalance,
    ),
    spoiling(
        "entries",
        "UPDATE entries SET previous = $e WHERE id = $e",
        Law::Replay,
        Problem::WrongPrevious,
    ),
    spoiling(
        "entries",
        "UPDATE entries SET previous = NULL WHERE id = $e",
        Law::Replay,
        Problem::WrongPrevious,
    ),
    spoiling(
        "entries",
        "UPDATE entries SET account_id = 999 WHERE id = $e",
        Law::Replay,
        Problem::WrongPrevious,
    ),
    spoiling(
        "entries",
        "UPDATE entries SET transfer_id = $t + 5 WHERE id = $e",
        Law::Conservation,
        Problem::WrongTransfer,
    ),
    spoiling(
        "entries",
        "UPDATE entries SET transfer_id = 999 WHERE id = $e",
        Law::Conservation,
        Problem::WrongTransfer,
    ),
    spoiling("entries", "DELETE FROM entries WHERE id = $e", Law::Replay, Problem::WrongPrevious),
    nameless("entries", "DELETE FROM entries WHERE id = $e", Law::Replay, Problem::MissingNumber),
    nameless(
        "entries",
        "DELETE FROM entries WHERE transfer_id = $t",
        Law::Conservation,
        Problem::TooFewEntries,
    ),
    spoiling(
        "entries",
        "INSERT INTO entries SELECT 9999, transfer_id, account_id, side, amount, previous FROM entries WHERE id = $e",
        Law::Replay,
        Problem::BeyondHead,
    ),
    spoiling(
        "entries",
        "UPDATE entries SET amount = $zero WHERE id = $e",
        Law::Replay,
        Problem::WrongPrevious,
    ),
    nameless("entries", "UPDATE entries SET side = 3 WHERE id = $e", Law::Replay, Problem::DamagedRow),
    spoiling("transfers", "DELETE FROM transfers WHERE id = $t", Law::Conservation, Problem::WrongTransfer),
    nameless("transfers", "UPDATE transfers SET kind = 99 WHERE id = $t", Law::Replay, Problem::DamagedRow),
    spoiling(
        "accounts",
        "UPDATE accounts SET balance = $one WHERE id = $a",
        Law::Replay,
        Problem::WrongBalance,
    ),
    spoiling(
        "accounts",
        "UPDATE accounts SET credit_no = 9999 WHERE id = $a",
        Law::Replay,
        Problem::TooManyCredits,
    ),
    spoiling(
        "accounts",
        "UPDATE accounts SET last_entry = 9999 WHERE id = $a",
        Law::Replay,
        Problem::WrongLastEntry,
    ),
    spoiling(
        "accounts",
        "UPDATE accounts SET last_entry = 1 WHERE id = $a",
        Law::Replay,
        Problem::WrongLastEntry,
    ),
    // As it was earlier, with nothing in the row itself that would be wrong.
    spoiling(
        "accounts",
        "UPDATE accounts SET last_entry = $e, balance = $b, credit_no = 1 WHERE id = $a",
        Law::Replay,
        Problem::StaleAccount,
    ),
    spoiling("accounts", "DELETE FROM accounts WHERE id = $a", Law::Replay, Problem::NoSuchAccount),
    nameless("head", "UPDATE head SET last_entry = last_entry + 1", Law::Replay, Problem::EndsBeforeHead),
    nameless("head", "UPDATE head SET last_transfer = last_transfer - 1", Law::Replay, Problem::BeyondHead),
];

on_every_database!(finds_what_was_changed, finds_nothing_while_a_journal_writes);

async fn finds_what_was_changed(database: Database) {
    let store = database.open().await;
    write(std::sync::Arc::clone(&store), &Step::some(3, 150)).await;
    let honest = Rows::of(store.as_ref()).await;
    let report = audit(store.as_ref(), None).await.unwrap();
    assert!(report.is_clean(), "{report:#?}");
    assert_eq!(report.entries, honest.entries.len() as u64);

    // In the middle of the book, on an account that had entries before and gets more.
    let has_more = |id: AccountId| honest.entries.iter().filter(|row| row.account == id).count() > 6;
    let mut middle = honest.entries.iter().skip(honest.entries.len() / 2);
    let entry = middle.find(|row| row.previous.is_some() && has_more(row.account)).unwrap();
    let db = database.connect().await;
    for Spoiling { table, sql, finds: (law, problem), names_account } in SPOILINGS {
        let sql = filled(sql, &db)
            .replace("$e", &entry.id.to_string())
            .replace("$t", &entry.transfer.to_string())
            .replace("$a", &entry.account.to_string())
            .replace("$b", &bytes(&db, held_after(&honest, entry)));
        let execute = async |sql: &str| db.execute_unprepared(sql).await.unwrap().rows_affected();
        execute(&format!("CREATE TABLE saved AS SELECT * FROM {table}")).await;
        assert!(execute(&sql).await > 0, "{sql}");
        let report = audit(store.as_ref(), None).await.unwrap();
        assert!(finds(&report, law, problem, names_account.then_some(entry.account)), "{sql}: {report:#?}");
        execute(&format!("DELETE FROM {table}")).await;
        execute(&format!("INSERT INTO {table} SELECT * FROM saved")).await;
        execute("DROP TABLE saved").await;
    }
    assert_eq!(Rows::of(store.as_ref()).await, honest);
    assert!(audit(store.as_ref(), None).await.unwrap().is_clean());
}

/// Only SQLite lets a column hold a value of another type, and then cannot say in which row.
#[actix::test]
async fn passes_over_rows_that_cannot_be_named() {
    let database = Database::sqlite().await;
    let store = database.open().await;
    write(std::sync::Arc::clone(&store), &Step::some(3, 150)).await;
    let db = database.connect().await;
    let entries = store.head().await.unwrap().unwrap().entry.0;
    for (sql, rows) in [
        ("UPDATE entries SET previous = 'text' WHERE id = 1", 1),
        ("UPDATE entries SET previous = 'text' WHERE id IN (20, 21, 40)", 4),
        // What stands in the place of the missing row is met there and in its own place.
        ("DELETE FROM entries WHERE id = 19", 5),
    ] {
        db.execute_unprepared(sql).await.unwrap();
        let report = audit(store.as_ref(), None).await.unwrap();
        let Verdict::Broken(findings) = &report.laws[&Law::Replay] else { panic!("{sql}: not found") };
        let count = |problem| findings.kept().iter().filter(|it| it.problem == problem).count();
        assert_eq!(count(Problem::DamagedRow), rows, "{sql}: {findings:#?}");
        assert!(report.entries >= entries - 5, "{sql}: {} of {entries} were read", report.entries);
    }
}

async fn finds_nothing_while_a_journal_writes(database: Database) {
    let (store, steps) = (database.open().await, Step::some(7, 500));
    let mut seen = std::collections::BTreeSet::new();
    let audits = async {
        loop {
            let report = audit(store.as_ref(), None).await.unwrap();
            assert!(report.is_clean() && report.is_complete(), "{report:#?}");
            seen.insert(report.entries);
        }
    };
    tokio::select! {
        () = write_by(std::sync::Arc::clone(&store), &steps, 1) => {}
        () = audits => {}
    }
    assert!(seen.len() > 10, "the audit saw the book at {} points", seen.len());
}

/// Bytes as the database writes them: an amount that no entry has, and nothing.
fn filled(sql: &str, db: &DatabaseConnection) -> String {
    sql.replace("$one", &bytes(db, 1 << 41)).replace("$zero", &bytes(db, 0))
}

/// An amount as the database writes it.
fn bytes(db: &DatabaseConnection, amount: u128) -> String {
    match db.get_database_backend() {
        DbBackend::Postgres => format!("decode('{amount:064x}', 'hex')"),
        _ => format!("x'{amount:064x}'"),
    }
}

/// What an entry's account held once it was posted.
fn held_after(rows: &Rows, entry: &EntryRow) -> u128 {
    let account = rows.accounts.iter().find(|row| row.id == entry.account).unwrap();
    let own = rows.entries.iter().filter(|row| row.account == entry.account && row.id <= entry.id);
    let amount = |row: &EntryRow| -> i128 { row.posting.amount().to_string().parse().unwrap() };
    let sign = |row: &EntryRow| if row.posting.side() == account.key.kind().normal_side() { 1 } else { -1 };
    u128::try_from(own.map(|row| sign(row) * amount(row)).sum::<i128>()).unwrap()
}

/// Whether this was found against the law, on this account if one is given.
fn finds(report: &Report, law: Law, problem: Problem, account: Option<AccountId>) -> bool {
    let Verdict::Broken(findings) = &report.laws[&law] else { return false };
    let mut found = findings.kept().iter().filter(|finding| finding.problem == problem);
    found.any(|finding| account.is_none_or(|id| finding.account.is_some_and(|named| named.id == id)))
}
