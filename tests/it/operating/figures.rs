//! `/metrics` over a real socket: the figures move with what happens, and are those of the document.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::get;
use crate::harness::database::{Database, on_every_database};
use crate::session::settle::{offer, settle, told};
use crate::session::world::World;

const DOCUMENT: &str = include_str!("../../../docs/operating.md");

/// Every series with its value.
async fn scrape(world: &World) -> BTreeMap<String, f64> {
    let (status, text) = get(&world.url, "/metrics").await;
    assert_eq!(status, 200);
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (series, value) = line.rsplit_once(' ').unwrap();
            (series.to_owned(), value.parse().unwrap())
        })
        .collect()
}

on_every_database!(
    figures_move_with_what_happens,
    a_client_that_is_gone_is_no_session,
    the_document_has_every_figure_as_it_is,
    strange_frames_make_no_series
);

async fn figures_move_with_what_happens(database: Database) {
    let world = World::start(database, 3_600).await;
    world.give_to_broker(1_000).await;
    let before = scrape(&world).await;
    let mut alice = world.open("alice", 100, None).await;
    let mut session = world.session("alice").await;
    let bob = world.address("bob");
    let pay = world.pay(bob, "1000000").by(&world.key("alice"));
    world.refused(&mut session, "more than there is", &pay.frame(), "insufficient_balance").await;
    let pay = world.pay(bob, "40").moving(&alice, 60);
    world.done(&mut session, "a payment", &pay.frame()).await;
    alice.moved(60);
    session.send(Message::Text("no json".to_owned())).await;
    assert_eq!(session.reply().await["data"]["code"], "malformed_frame");
    let ask = world.ask("update_state", &json!({})).moving(&alice, 50);
    world.done(&mut session, "to the wallet", &ask.frame()).await;
    let offered = offer(&world, 10);
    world.done(&mut session, "a settlement", &settle(&world, &offered, 10).frame()).await;
    told(&mut session, &offered, "open").await;
    let _bob = world.session("bob").await;
    world.settle_down().await;
    let after = scrape(&world).await;
    let moved = |series: &str| after[series] - before.get(series).copied().unwrap_or_default();
    for (series, by) in [
        ("clearnet_requests_total{method=\"transfer\",outcome=\"ok\"}", 1.0),
        ("clearnet_requests_total{method=\"transfer\",outcome=\"insufficient_balance\"}", 1.0),
        ("clearnet_requests_total{method=\"settle\",outcome=\"ok\"}", 1.0),
        ("clearnet_request_seconds_count{method=\"transfer\"}", 2.0),
        ("clearnet_refusals_total{code=\"insufficient_balance\"}", 1.0),
        ("clearnet_refusals_total{code=\"malformed_frame\"}", 1.0),
        ("clearnet_slow_consumers_total", 0.0),
        ("clearnet_journal_commits_refused_total", 0.0),
        ("clearnet_direct_channels_opened_total", 2.0),
        ("clearnet_direct_channels_closed_total", 0.0),
        ("clearnet_transactions_sent_total{chain_id=\"137\"}", 1.0),
        ("clearnet_settlements_total{chain_id=\"137\",outcome=\"executed\"}", 1.0),
        ("clearnet_settlements_total{chain_id=\"137\",outcome=\"failed\"}", 0.0),
    ] {
        assert!((moved(series) - by).abs() < f64::EPSILON, "{series}: {}", moved(series));
    }
    for series in [
        "clearnet_sessions_total",
        "clearnet_frames_received_total",
        "clearnet_received_bytes_total",
        "clearnet_frames_sent_total",
        "clearnet_sent_bytes_total",
        "clearnet_journal_commits_total",
        "clearnet_journal_batch_commits_count",
        "clearnet_journal_write_seconds_count",
        "clearnet_chain_head_height{chain_id=\"137\"}",
        "clearnet_chain_read_height{chain_id=\"137\"}",
    ] {
        assert!(moved(series) > 0.0, "{series} has not moved");
    }
    for (series, value) in [
        ("clearnet_chain_watched{chain_id=\"137\"}", 1.0),
        ("clearnet_chain_unhandled_events{chain_id=\"137\"}", 0.0),
        ("clearnet_journal_writing", 1.0),
        ("clearnet_journal_in_flight", 0.0),
        ("clearnet_owners_alive{kind=\"participant\"}", 2.0),
        ("clearnet_owners_alive{kind=\"direct_channel\"}", 2.0),
        ("clearnet_owners_alive{kind=\"sender\"}", 1.0),
    ] {
        assert!((after[series] - value).abs() < f64::EPSILON, "{series}: {}", after[series]);
    }
    assert!(after["clearnet_sessions_open"] >= 2.0);
    assert!(after["clearnet_chain_read_lag_seconds{chain_id=\"137\"}"] < 60.0);
    assert!(after["clearnet_uptime_seconds"] > 0.0);
    world.finish_cases();
}

/// However it went: with a word of farewell, or without one.
async fn a_client_that_is_gone_is_no_session(database: Database) {
    let world = World::start(database, 3_600).await;
    let session = world.session("alice").await;
    assert!((scrape(&world).await["clearnet_sessions_open"] - 1.0).abs() < f64::EPSILON);
    drop(session);
    let gone = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        while scrape(&world).await["clearnet_sessions_open"] > 0.0 {
            ticks.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone).await.expect("the session goes on");
    let refused = scrape(&world).await;
    assert!(refused.get("clearnet_refusals_total{code=\"malformed_frame\"}").is_none_or(|it| *it < 1.0));
}

/// The table of `docs/operating.md`: name, kind, labels and meaning of every figure, and of none that is not there.
async fn the_document_has_every_figure_as_it_is(database: Database) {
    let world = World::start(database, 3_600).await;
    let (_, text) = get(&world.url, "/metrics").await;
    let mut shown = BTreeSet::new();
    let families = text.split("# HELP ").skip(1);
    for family in families {
        let (first, rest) = family.split_once('\n').unwrap();
        let (name, meaning) = first.split_once(' ').unwrap();
        let kind = rest.lines().next().unwrap().rsplit(' ').next().unwrap();
        let sample = rest.lines().nth(1).unwrap();
        let labels = sample.split_once('{').map_or("", |(_, rest)| rest.split_once('}').unwrap().0);
        let labels =
            labels.split(',').filter_map(|label| Some(label.split_once('=')?.0)).filter(|it| *it != "le");
        let labels: Vec<String> = labels.map(|label| format!("`{label}`")).collect();
        shown.insert(format!("| `{name}` | {kind} | {} | {meaning} |", labels.join(", ")));
    }
    let table = DOCUMENT.split_once("## Metrics").unwrap().1.split_once("### What to watch").unwrap().0;
    let told: BTreeSet<String> =
        table.lines().filter(|line| line.starts_with("| `clearnet_")).map(str::to_owned).collect();
    assert!(shown.len() >= 24, "{}", shown.len());
    let (untold, gone): (Vec<_>, Vec<_>) =
        (shown.difference(&told).collect(), told.difference(&shown).collect());
    assert!(untold.is_empty() && gone.is_empty(), "to be told:\n{untold:#?}\nno longer there:\n{gone:#?}");
}

/// What a client writes never becomes a label.
async fn strange_frames_make_no_series(database: Database) {
    let world = World::start(database, 3_600).await;
    let mut session = world.session("mallory").await;
    let before: BTreeSet<String> = scrape(&world).await.into_keys().collect();
    for strange in ["zzz", "transfer\"} 1", "clearnet"] {
        let ask = world.ask(strange, &json!({})).by(&world.key("mallory"));
        let answer = session.ask(&ask.frame()).await;
        assert_eq!(answer["type"], "error", "{answer}");
        let answer = session.ask(&json!({"type": strange}).to_string()).await;
        assert_eq!(answer["type"], "error", "{answer}");
    }
    let after: BTreeSet<String> = scrape(&world).await.into_keys().collect();
    assert_eq!(after, before);
}
