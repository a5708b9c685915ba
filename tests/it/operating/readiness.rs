//! `/readyz` says of each part whether it is there, and `/healthz` only whether requests can be decided.

use clearnet::app::App;
use clearnet::config::{Flags, load};
use clearnet::signer::create_key_file;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::get;
use crate::harness::database::{Database, on_every_database};
use crate::session::world::World;

on_every_database!(a_broker_that_has_everything_is_ready);

async fn a_broker_that_has_everything_is_ready(database: Database) {
    let world = World::start(database, 3_600).await;
    let (status, body) = get(&world.url, "/readyz").await;
    let ready: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &ready["ok"]), (200, &json!(true)), "{body}");
    let parts: Vec<&str> =
        ready["parts"].as_array().unwrap().iter().map(|it| it["part"].as_str().unwrap()).collect();
    assert_eq!(parts, ["requests", "database", "key", "chain"]);
    assert_eq!(ready["parts"][2]["reason"], format!("signs as {}", world.broker.address()));
    assert_eq!(ready["parts"][3]["chain_id"], 137);
    assert!(ready["parts"][3]["reason"].as_str().unwrap().starts_with("last read "), "{body}");
    assert_eq!(get(&world.url, "/healthz").await.0, 200);
}

/// One chain that does not answer is named; the broker serves all the same, and says that it lives.
#[actix::test]
async fn a_broker_without_one_of_its_chains_is_alive_and_not_ready() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let directory = TempDir::new().unwrap();
    let key = create_key_file(&directory.path().join("broker.key")).unwrap();
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[[networks]]\nname = \"gone\"\nchain_id = 99\n\
         rpc_url = \"ws://{closed}\"\ncustody = \"0x1000000000000000000000000000000000000001\"\n\
         adjudicator = \"0x1000000000000000000000000000000000000002\"\nconfirmations = 1\n\
         [[assets]]\nsymbol = \"coin\"\ndecimals = 18\n[[assets.tokens]]\nnetwork = \"gone\"\n\
         address = \"0x0000000000000000000000000000000000000000\"\ndecimals = 18\n"
    );
    let path = directory.path().join("config.toml");
    std::fs::write(&path, config).unwrap();
    let config = load(&path, [], &Flags::default()).unwrap();
    let app = App::build(&config, key).await.unwrap();
    let url = format!("ws://{}/ws", app.addr());
    tokio::task::spawn_local(async move { app.run_until_stopped().await.unwrap() });
    let (status, body) = get(&url, "/readyz").await;
    let ready: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &ready["ok"]), (503, &json!(false)), "{body}");
    for part in ready["parts"].as_array().unwrap() {
        assert_eq!(part["ok"], part["part"] != "chain", "{body}");
    }
    assert_eq!(ready["parts"][3]["chain_id"], 99);
    assert!(ready["parts"][3]["reason"].as_str().unwrap().starts_with("not watched"), "{body}");
    assert_eq!(get(&url, "/healthz").await.0, 200);
    let (_, figures) = get(&url, "/metrics").await;
    assert!(figures.contains("clearnet_chain_watched{chain_id=\"99\"} 0\n"), "{figures}");
}
