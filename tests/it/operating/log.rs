//! One request can be followed through the log by its ids, from the frame to the transaction on chain.

use std::time::Duration;

use serde_json::json;

use crate::harness::database::{Database, on_every_database};
use crate::session::settle::{offer, settle, told};
use crate::session::world::World;

/// Longer than a line takes to be written.
const LIMIT: Duration = Duration::from_secs(20);

/// The lines of the program so far.
fn lines(world: &World) -> Vec<String> {
    let log = std::fs::read_to_string(world.directory().join("broker.log")).unwrap();
    log.lines().map(str::to_owned).collect()
}

/// The one line that says this and has all of these ids.
async fn line(world: &World, says: &str, ids: &[(&str, &str)]) -> String {
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    let found = async {
        loop {
            let has = |line: &&String| {
                line.contains(&format!("] {says} ")) && ids.iter().all(|(key, id)| value(line, key) == *id)
            };
            let lines = lines(world);
            let found: Vec<&String> = lines.iter().filter(has).collect();
            match found.as_slice() {
                [] => ticks.tick().await,
                [one] => return (*one).clone(),
                more => panic!("{says} is said more than once: {more:#?}"),
            };
        }
    };
    let found = tokio::time::timeout(LIMIT, found).await;
    found.unwrap_or_else(|_| panic!("nobody says {says} of {ids:?}:\n{}", lines(world).join("\n")))
}

/// What a line has under a key; nothing when it has none.
fn value(line: &str, key: &str) -> String {
    let rest = line.split_once(&format!(" {key}=")).map_or("", |(_, rest)| rest);
    rest.split(' ').next().unwrap_or_default().to_owned()
}

on_every_database!(a_settlement_is_followed_from_its_frame_to_its_transaction);

async fn a_settlement_is_followed_from_its_frame_to_its_transaction(database: Database) {
    let (world, _broker) = World::start_program(database).await;
    world.give_to_broker(100).await;
    let mut session = world.session("alice").await;
    let alice = world.open("alice", 50, None).await;
    let ask = world.ask("update_state", &json!({})).moving(&alice, 20);
    world.done(&mut session, "to the wallet", &ask.frame()).await;
    let offered = offer(&world, 10);
    let settle = settle(&world, &offered, 10);
    world.done(&mut session, "a settlement", &settle.frame()).await;
    told(&mut session, &offered, "open").await;
    let id = |id: &str| id.to_owned();
    let (request, participant) = (settle.id().to_string(), world.address("alice").to_string());
    let of_request = [("request_id", request.as_str()), ("participant", participant.as_str())];

    let asked = line(&world, "asked", &of_request).await;
    assert_eq!(value(&asked, "method"), "settle");
    let session_id = value(&asked, "session_id");
    line(&world, "a participant logged in", &[("session_id", &session_id), of_request[1]]).await;
    line(&world, "decided", &of_request).await;
    let commit = value(&line(&world, "a request is durable", &of_request).await, "commit");
    let answered = line(&world, "answered", &of_request).await;
    assert_eq!((value(&answered, "outcome"), value(&answered, "session_id")), (id("ok"), session_id));
    let decided = line(&world, "a transaction was decided", &[("commit", &commit)]).await;
    let (outbox_id, channel_id) = (value(&decided, "outbox_id"), value(&decided, "channel_id"));
    assert_eq!((value(&decided, "chain_id"), &channel_id), (id("137"), &offered.id().to_string()));
    let of_row = [("outbox_id", outbox_id.as_str()), ("chain_id", "137")];
    let tx_hash = value(&line(&world, "a transaction is signed", &of_row).await, "tx_hash");
    line(&world, "a transaction is sent", &[of_row[0], ("tx_hash", &tx_hash)]).await;
    line(&world, "a settlement was executed", &[of_row[0], ("channel_id", &channel_id)]).await;
    let lines = lines(&world);
    let taken_in =
        lines.iter().filter(|line| line.contains("] an event is taken in ") && line.contains(&tx_hash));
    assert!(
        taken_in.clone().count() > 0 && taken_in.clone().all(|line| value(line, "channel_id") == channel_id)
    );
    // Neither keys nor signatures nor frames.
    let key = std::fs::read_to_string(world.directory().join("broker.key")).unwrap();
    let signature = &settle.frame()[settle.frame().find("\"sig\":[\"").unwrap() + 8..][..40];
    for secret in [key.trim().trim_start_matches("0x"), signature, "\"req\""] {
        assert!(!lines.iter().any(|line| line.contains(secret)), "{secret}");
    }
}
