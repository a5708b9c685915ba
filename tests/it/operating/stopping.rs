//! The program is told to stop while clients are at work: what was answered is in the book, what was not can be asked
//! again, everybody is told why the connection ends, and the process ends by itself.

use std::time::Duration;

use clearnet::devnet::LocalBroker;
use domain::ledger::RequestKey;
use domain::primitives::Timestamp;
use futures::future::join_all;
use sea_orm::{ConnectionTrait as _, DatabaseConnection};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::get;
use crate::harness::database::{Database, on_every_database};
use crate::session::ask::Ask;
use crate::session::socket::Socket;
use crate::session::world::World;

/// The longest that the program may take to stop.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// The close code of who goes away (RFC 6455).
const GOING_AWAY: u16 = 1001;

const REASON: &str = "the broker is stopping";

/// What is in Alice's wallet, in payments of 1.
const WEALTH: u128 = 1_000_000;

/// A broker as a child, with all that Alice has in her wallet.
async fn start(database: Database) -> (World, LocalBroker) {
    let (world, broker) = World::start_program(database).await;
    let mut session = world.session("alice").await;
    let alice = world.open("alice", WEALTH, None).await;
    let ask = world.ask("update_state", &json!({})).moving(&alice, 0);
    world.done(&mut session, "to the wallet", &ask.frame()).await;
    (world, broker)
}

fn pay(world: &World) -> Ask {
    world.pay(world.address("bob"), "1").by(&world.key("alice"))
}

/// How much Bob was paid.
async fn paid(world: &World) -> u128 {
    let mut bob = world.session("bob").await;
    let ask = world.ask("get_ledger_balances", &json!({}));
    let answer = bob.ask(&ask.frame()).await;
    let balances =
        answer["data"]["res"][2]["ledger_balances"].as_array().unwrap_or_else(|| panic!("{answer}"));
    balances.iter().map(|line| line["amount"].as_str().unwrap().parse::<u128>().unwrap()).sum()
}

/// What one client has seen when its connection ends.
struct Seen {
    /// Payments that were answered.
    answered: Vec<Ask>,
    /// Payments of which nothing is known.
    unknown: Vec<Ask>,
    /// With which code and reason it ended.
    end: (Option<u16>, String),
}

/// Pays in bursts until the connection ends.
async fn work(world: &World, answers: &watch::Sender<usize>) -> Seen {
    const BURST: usize = 4;
    let mut socket = world.session("alice").await;
    let (mut answered, mut unknown) = (Vec::new(), Vec::new());
    loop {
        let burst: Vec<Ask> = (0..BURST).map(|_| pay(world)).collect();
        let mut waiting: Vec<(String, Ask)> = Vec::new();
        for ask in burst {
            let frame = ask.frame();
            let id: Value = serde_json::from_str(&frame).unwrap();
            waiting.push((id["id"].as_str().unwrap().to_owned(), ask));
            // A socket that is closed meanwhile says so when it is read.
            let _closed = socket.try_send(Message::Text(frame)).await;
        }
        while !waiting.is_empty() {
            let frame = match socket.next().await {
                Ok(frame) => frame,
                Err(reason) => {
                    unknown.extend(waiting.into_iter().map(|(_, ask)| ask));
                    return Seen { answered, unknown, end: (socket.close_code, reason) };
                }
            };
            let place = waiting.iter().position(|(id, _)| frame["id"] == id.as_str());
            let Some(place) = place else { continue };
            let (_, ask) = waiting.remove(place);
            match frame["data"]["code"].as_str() {
                None => {
                    answers.send_modify(|count| *count += 1);
                    answered.push(ask);
                }
                Some("rate_limited" | "overloaded") => {}
                Some("unavailable") => unknown.push(ask),
                Some(other) => panic!("{other}: {frame}"),
            }
        }
    }
}

on_every_database!(
    what_was_answered_is_kept_and_what_was_not_can_be_asked_again,
    a_broker_without_its_database_ends_in_time_too
);

async fn what_was_answered_is_kept_and_what_was_not_can_be_asked_again(database: Database) {
    const CLIENTS: usize = 8;
    const ENOUGH: usize = 300;
    let (mut world, mut broker) = start(database).await;
    let (answers, mut answered) = watch::channel(0);
    let clients = join_all((0..CLIENTS).map(|_| work(&world, &answers)));
    let stop = async {
        answered.wait_for(|count| *count >= ENOUGH).await.unwrap();
        broker.terminate().unwrap();
        timeout(STOP_LIMIT, broker.ended()).await.expect("it does not end").unwrap()
    };
    let (seen, code) = futures::join!(clients, stop);
    assert_eq!(code, 0);
    for client in &seen {
        assert_eq!(client.end, (Some(GOING_AWAY), REASON.to_owned()));
    }
    let by = world.address("alice");
    let answered: Vec<&Ask> = seen.iter().flat_map(|client| &client.answered).collect();
    for ask in &answered {
        let key = RequestKey { at: Timestamp::from_millis(ask.at_millis()), signer: by, id: ask.id() };
        assert!(
            world.store().answer(key).await.unwrap().is_some(),
            "{key:?} was answered and is not in the book"
        );
    }
    // Whatever became of the others: the same bytes make each happen once.
    let unknown: Vec<&Ask> = seen.iter().flat_map(|client| &client.unknown).collect();
    assert!(!unknown.is_empty(), "nobody was interrupted");
    let _broker = world.run_program().await;
    let mut socket = world.session("alice").await;
    for ask in &unknown {
        let answer = insist(&mut socket, ask).await;
        assert_eq!(answer["type"], "rpc", "{answer}");
    }
    assert_eq!(paid(&world).await, (answered.len() + unknown.len()) as u128);
}

/// Asks until the answer is one.
async fn insist(socket: &mut Socket, ask: &Ask) -> Value {
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    loop {
        let answer = socket.ask(&ask.frame()).await;
        match answer["data"]["code"].as_str() {
            Some("rate_limited" | "overloaded" | "unavailable") => ticks.tick().await,
            _ => return answer,
        };
    }
}

/// While the database keeps it from ending: nobody new comes in, nothing new is taken, and a second word ends it.
#[actix::test]
async fn a_stopping_broker_takes_nothing_and_a_second_word_ends_it_at_once() {
    let (mut world, mut broker) = start(Database::sqlite().await).await;
    let (mut alice, mut idle) = (world.session("alice").await, world.session("carol").await);
    let lock = Lock::take(&world).await;
    let first = pay(&world);
    alice.send(Message::Text(first.frame())).await;
    until(&world, "/metrics", "clearnet_journal_in_flight 1\n").await;
    broker.terminate().unwrap();
    until(&world, "/readyz", "the broker is stopping").await;
    assert_eq!(get(&world.url, "/readyz").await.0, 503);
    match connect_async(&world.url).await {
        Err(Error::Http(answer)) => assert_eq!(answer.status(), 503),
        other => panic!("{other:?}"),
    }
    assert_eq!(idle.closed().await, REASON);
    assert_eq!(idle.close_code, Some(GOING_AWAY));
    let answer = alice.ask(&pay(&world).frame()).await;
    assert_eq!(answer["data"]["code"], "unavailable", "{answer}");
    broker.terminate().unwrap();
    let code =
        timeout(Duration::from_secs(2), broker.ended()).await.expect("it does not end at once").unwrap();
    assert_eq!(code, 1);
    lock.release().await;
    let _broker = world.run_program().await;
    let mut alice = world.session("alice").await;
    let answer = insist(&mut alice, &first).await;
    assert_eq!(answer["type"], "rpc", "{answer}");
    assert_eq!(paid(&world).await, 1);
}

/// A database that does not answer does not keep the process from ending in time.
async fn a_broker_without_its_database_ends_in_time_too(database: Database) {
    let (mut world, mut broker) = start(database).await;
    let mut alice = world.session("alice").await;
    let lock = Lock::take(&world).await;
    let ask = pay(&world);
    alice.send(Message::Text(ask.frame())).await;
    until(&world, "/metrics", "clearnet_journal_in_flight 1\n").await;
    broker.terminate().unwrap();
    let code = timeout(STOP_LIMIT, broker.ended()).await.expect("it does not end").unwrap();
    assert_eq!(code, 0);
    assert_eq!(alice.closed().await, REASON);
    lock.release().await;
    let _broker = world.run_program().await;
    let mut alice = world.session("alice").await;
    assert_eq!(insist(&mut alice, &ask).await["type"], "rpc");
    assert_eq!(paid(&world).await, 1);
}

/// Asks for a page until it holds this text.
async fn until(world: &World, path: &str, text: &str) {
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    let found = async {
        while !get(&world.url, path).await.1.contains(text) {
            ticks.tick().await;
        }
    };
    timeout(STOP_LIMIT, found).await.unwrap_or_else(|_| panic!("{path} never says {text}"));
}

/// Keeps everybody else from writing to the book.
struct Lock(DatabaseConnection);

impl Lock {
    async fn take(world: &World) -> Self {
        let connection = world.database.connect().await;
        connection.execute_unprepared("BEGIN").await.unwrap();
        connection.execute_unprepared("UPDATE head SET seq = seq").await.unwrap();
        Self(connection)
    }

    async fn release(self) {
        self.0.execute_unprepared("ROLLBACK").await.unwrap();
        self.0.close().await.unwrap();
    }
}
