//! The broker is killed between the decision to send a transaction and the moment when its bytes are kept.

use std::time::Duration;

use domain::crypto::{DirectParams, Intent};
use domain::primitives::Amount;
use domain::protocol::ChannelTerms;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend};
use serde_json::json;
use tokio::time::{interval, timeout};

use super::field::{Field, LOCKED};
use super::line::Line;
use super::views;
use crate::harness::database::{Database, on_every_database};
use crate::session::ask::{Ask, Direct, fresh};
use crate::session::place::hands;

const PATIENCE: Duration = Duration::from_secs(60);

/// What is brought on chain.
const AMOUNT: u128 = 10;

on_every_database!(nothing_is_sent_to_a_chain_before_its_bytes_are_kept);

/// Refuses every row of the outbox that replaces an earlier one: the decision is kept, the signed bytes are not.
async fn keep_no_bytes(db: &DatabaseConnection) {
    let statements: &[&str] = match db.get_database_backend() {
        DbBackend::Sqlite => {
            &["CREATE TRIGGER no_room BEFORE UPDATE ON outbox BEGIN SELECT RAISE(ABORT, 'no room'); END"]
        }
        _ => &[
            "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = 'disk_full'; END $$",
            "CREATE TRIGGER no_room BEFORE UPDATE ON outbox FOR EACH ROW EXECUTE FUNCTION no_room()",
        ],
    };
    for sql in statements {
        db.execute_unprepared(sql).await.unwrap();
    }
}

async fn keep_bytes_again(db: &DatabaseConnection) {
    let sql = match db.get_database_backend() {
        DbBackend::Sqlite => "DROP TRIGGER no_room",
        _ => "DROP TRIGGER no_room ON outbox",
    };
    db.execute_unprepared(sql).await.unwrap();
}

async fn nothing_is_sent_to_a_chain_before_its_bytes_are_kept(database: Database) {
    let field = Field::lay_out(database, 1).await;
    let broker = hands(&field.chain, field.token, field.home.key(), 50).await;
    broker.approve(field.token.address, Amount::from(50_u64)).await.unwrap();
    broker.deposit(field.token.address, Amount::from(50_u64)).await.unwrap();
    let mut line = Line::new(&field, 0);
    let direct = field.members[0].direct.borrow().clone();
    let to_wallet = Ask::new(field.home.broker, "update_state", &json!({})).moving(&direct, LOCKED - 300);
    line.ask(&to_wallet.frame()).await;

    let db = field.database.connect().await;
    keep_no_bytes(&db).await;
    let before = sent(&field).await;
    let offered = offer(&direct);
    let settle = settle(&field, &offered).frame();
    let answer = line.ask_until_paid_for(&settle).await;
    let until_tried = async {
        let mut ticks = interval(Duration::from_millis(20));
        while !field.home.log().contains("the database is away")
            && !field.home.log().contains("a commit was refused")
        {
            ticks.tick().await;
        }
    };
    timeout(PATIENCE, until_tried).await.expect("the broker tries to keep what it is about to send");
    field.kill();
    assert_eq!(sent(&field).await, before, "nothing was sent that is not kept");
    keep_bytes_again(&db).await;
    field.start().await;
    assert_eq!(line.ask(&settle).await.1, answer, "it stays promised");
    let id = offered.id();
    let params = json!({"channel_id": id});
    let until_there = async {
        let mut ticks = interval(Duration::from_millis(20));
        loop {
            let ask = Ask::new(field.home.broker, "get_settlement", &params);
            let (answer, _) = line.ask(&ask.frame()).await;
            if answer["data"]["res"][2]["status"] == "confirmed" {
                return;
            }
            ticks.tick().await;
        }
    };
    timeout(PATIENCE, until_there).await.expect("it is sent after all");
    assert_eq!(sent(&field).await, before + 1, "once");
    views::check_audit(&field).await;
}

/// How many transactions of the broker the chain knows, in blocks or waiting.
async fn sent(field: &Field) -> u64 {
    field.chain.client().nonce_and_fees(field.home.broker).await.unwrap().nonce_pending
}

/// A channel for the broker to create.
fn offer(direct: &Direct) -> Direct {
    let params = DirectParams { nonce: fresh(), ..direct.params.clone() };
    Direct { params, locked: AMOUNT, part: AMOUNT, version: 0, ..direct.clone() }
}

fn settle(field: &Field, offered: &Direct) -> Ask {
    let channel = ChannelTerms::of(&offered.params).unwrap();
    let token = field.token;
    let params = json!({"chain_id": token.chain_id, "token": token.address, "amount": AMOUNT.to_string(),
        "channel": channel});
    let initialize = offered.state(Intent::Initialize, 0, Vec::new(), [AMOUNT, 0]);
    let ask = Ask::new(field.home.broker, "settle", &params).by(&offered.key);
    ask.carrying(offered.signed(&initialize))
}
