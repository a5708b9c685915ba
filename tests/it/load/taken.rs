//! A broker that lost its claim on the store with its connections, while another came in between.

use std::time::Duration;

use serde_json::json;
use tokio::time::{interval, timeout};

use super::field::{Field, LOCKED};
use super::line::Line;
use super::views;
use crate::harness::database::Database;
use crate::session::ask::Ask;
use crate::session::socket::Socket;

const PATIENCE: Duration = Duration::from_secs(60);

#[actix::test]
async fn of_two_brokers_on_a_store_the_older_ends_at_its_next_write() {
    let field = Field::lay_out(Database::postgres().await, 1).await;
    let older = field.url().await;
    let direct = field.members[0].direct.borrow().clone();
    let mut on_older = Socket::connect(&older).await;
    on_older.log_in(&direct.key).await;
    let Database::Postgres(server) = &field.database else { unreachable!("made above") };
    // The older one may have claimed the store again by the time the newer one tries.
    let newer = async {
        loop {
            server.end_sessions().await;
            if let Ok(newer) = field.home.try_start().await {
                return newer;
            }
        }
    };
    let newer = timeout(PATIENCE, newer).await.expect("the claim was lost");
    // Kept so that it ends by itself.
    let _older = field.hand_over(newer);

    let ask = Ask::new(field.home.broker, "update_state", &json!({})).moving(&direct, LOCKED - 300);
    let answer = on_older.try_ask(&ask.frame()).await;
    assert!(
        answer.as_ref().is_ok_and(|it| it["data"]["code"] == "unavailable") || answer.is_err(),
        "{answer:?}"
    );
    let until_gone = async {
        let mut ticks = interval(Duration::from_millis(20));
        while Socket::try_connect(&older).await.is_ok() {
            ticks.tick().await;
        }
    };
    timeout(PATIENCE, until_gone).await.expect("the older one ends");
    let (answer, _) = Line::new(&field, 0).ask(&ask.frame()).await;
    assert_eq!(answer["type"], "rpc", "what nobody knew the outcome of is done by the newer one: {answer}");
    views::check_audit(&field).await;
}
