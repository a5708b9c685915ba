//! `clearnet audit` and `clearnet migrate`, run as an operator runs them.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use clearnet::store::SqlStore;
use sea_orm::ConnectionTrait as _;
use serde_json::Value;

use super::writing::{Step, write};
use crate::harness::database::{Database, on_every_database};

fn clearnet(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clearnet"));
    command.current_dir(directory).env_clear().args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A migrated database with a book in it, that nobody else has open.
async fn book(database: Database) -> Database {
    let url = database.url();
    let store = Arc::new(SqlStore::open(&url).await.unwrap());
    write(store as _, &Step::some(5, 60)).await;
    database
}

on_every_database!(tells_an_honest_book_from_a_changed_one, migrate_says_what_it_did);

async fn tells_an_honest_book_from_a_changed_one(database: Database) {
    let directory = tempfile::tempdir().unwrap();
    let database = book(database).await;
    let url = database.url();
    let arguments = ["audit", "--database-url", &url];
    let honest = clearnet(directory.path(), &arguments);
    assert_eq!(honest.status.code(), Some(0), "{honest:?}");
    let shown = text(&honest.stdout);
    assert!(shown.contains("L7        holds        the entries come to the stored balances\n"), "{shown}");
    assert!(shown.contains("L1_chain  not checked  "), "{shown}");
    assert!(shown.contains("only the book was read, no chain was asked\n"), "{shown}");
    assert!(shown.ends_with("\nNothing is broken in what was checked.\n"), "{shown}");
    let honest = clearnet(directory.path(), &[&arguments[..], &["--json"]].concat());
    let outcome = json(&honest);
    assert_eq!(outcome["ok"], true);
    for law in ["L1", "L2", "L3", "L7", "L11", "virtual"] {
        assert_eq!(outcome["laws"][law]["ok"], true, "{law}");
    }
    assert_eq!(outcome["laws"]["L1_chain"]["ok"], Value::Null);
    assert_eq!(outcome["laws"]["L1_chain"]["not_checked"], "only the book was read, no chain was asked");

    let db = database.connect().await;
    db.execute_unprepared("UPDATE accounts SET credit_no = 9999 WHERE id = 2").await.unwrap();
    db.close().await.unwrap();
    let changed = clearnet(directory.path(), &arguments);
    assert_eq!(changed.status.code(), Some(1), "{changed:?}");
    let shown = text(&changed.stdout);
    assert!(shown.contains("L7        BROKEN       "), "{shown}");
    assert!(shown.contains(": account 2 ("), "{shown}");
    assert!(shown.ends_with("\nThe book is BROKEN.\n"), "{shown}");
    let changed = clearnet(directory.path(), &[&arguments[..], &["--json"]].concat());
    assert_eq!(changed.status.code(), Some(1), "{changed:?}");
    let outcome = json(&changed);
    assert_eq!((&outcome["ok"], &outcome["laws"]["L7"]["ok"]), (&false.into(), &false.into()));
    assert_eq!(outcome["laws"]["L7"]["found"], 1);
    let finding = &outcome["laws"]["L7"]["findings"][0];
    assert_eq!(finding["account_id"], 2);
    assert_eq!(finding["actual"], "9999");
}

#[test]
fn what_cannot_be_audited_ends_with_two() {
    let directory = tempfile::tempdir().unwrap();
    let missing = clearnet(directory.path(), &["audit", "--database-url", "sqlite:nothing.db"]);
    assert_eq!(missing.status.code(), Some(2), "{missing:?}");
    assert!(missing.stdout.is_empty());
    assert!(text(&missing.stderr).contains("run `clearnet migrate`"), "{missing:?}");
    assert!(!directory.path().join("nothing.db").exists());
    let no_config = clearnet(directory.path(), &["audit"]);
    assert_eq!(no_config.status.code(), Some(2), "{no_config:?}");
    assert!(text(&no_config.stderr).starts_with("error: cannot read config.toml"), "{no_config:?}");
}

#[test]
fn a_password_is_not_shown() {
    let directory = tempfile::tempdir().unwrap();
    for url in [
        "postgres://me:correcthorse@127.0.0.1:1/book",
        "postgres://me:correcthorse@/book?host=/nowhere",
        "mysql://me:correcthorse@127.0.0.1/book",
        "postgres://me:correcthorse@127.0.0.1:port/book",
    ] {
        for command in ["audit", "migrate"] {
            let output = clearnet(directory.path(), &[command, "--database-url", url]);
            assert!(!output.status.success());
            assert!(!output.stderr.is_empty());
            assert!(!format!("{output:?}").contains("correcthorse"), "{output:?}");
        }
    }
}

async fn migrate_says_what_it_did(database: Database) {
    let directory = tempfile::tempdir().unwrap();
    let database = database.another_empty().await;
    let url = database.url();
    let arguments = ["migrate", "--database-url", &url, "--json"];
    let first = clearnet(directory.path(), &arguments);
    assert_eq!(first.status.code(), Some(0), "{first:?}");
    let outcome = json(&first);
    let shown_as = outcome["database"].as_str().unwrap();
    assert!(url.replace("sqlite://", "sqlite:").starts_with(shown_as), "{shown_as}");
    assert_eq!((&outcome["migrated"], &outcome["from"]), (&true.into(), &Value::Null));
    let newest = outcome["to"].as_str().unwrap().to_owned();
    assert!(newest.starts_with("m0"), "{newest}");
    let again = clearnet(directory.path(), &arguments);
    assert_eq!(json(&again)["migrated"], false);
    let shown = clearnet(directory.path(), &arguments[..3]);
    let expected = format!("{shown_as}: the schema is the one of this program, nothing was done\n");
    assert_eq!(text(&shown.stdout), expected);
    let empty = clearnet(directory.path(), &["audit", "--database-url", &url]);
    assert_eq!(empty.status.code(), Some(0), "{empty:?}");
}

#[tokio::test]
async fn the_configuration_names_the_database_too() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("config.toml"), include_str!("../../../config.toml")).unwrap();
    let made = clearnet(directory.path(), &["migrate"]);
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    assert!(directory.path().join("data/clearnet.db").exists());
    // The chains of the sample cannot be reached: the book is checked, and the rest was not done.
    let key = clearnet(directory.path(), &["keygen"]);
    assert!(key.status.success());
    let output = clearnet(directory.path(), &["audit", "--json"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let outcome = json(&output);
    assert_eq!(outcome["laws"]["L7"]["ok"], true);
    assert_eq!(outcome["laws"]["L1_chain"]["not_checked"], "the book has read nothing of chain 137 yet");
}
