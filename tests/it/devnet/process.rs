//! Local chains do not outlive who started them.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use clearnet::devnet::{ChainPlan, LocalChain, TokenPlan, config_sections, deploy, dev_key};
use domain::primitives::{Amount, ChainId};
use evm::{Client, RpcLimits};
use tokio::net::TcpStream;
use tokio::time::interval;

use super::world::{CHAIN_ID, LIMITS, private_chain, shared_chain, soon};

/// Set for the child of a test: it starts a chain, says where, and waits to be killed.
const CHILD: &str = "CLEARNET_TEST_HOLDS_A_CHAIN";
const SAYS: &str = "chain on port ";

async fn is_gone(port: u16) {
    let mut ticks = interval(Duration::from_millis(10));
    while TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
        ticks.tick().await;
    }
}

#[tokio::test]
async fn a_chain_that_is_dropped_or_killed_ends() {
    let (dropped, killed) = (soon(private_chain(CHAIN_ID)).await, soon(private_chain(CHAIN_ID)).await);
    let ports = (dropped.port(), killed.port());
    assert_ne!(ports.0, ports.1);
    killed.kill();
    assert!(TcpStream::connect(("127.0.0.1", ports.1)).await.is_err());
    drop(dropped);
    soon(is_gone(ports.0)).await;
}

#[tokio::test]
async fn a_chain_ends_when_its_parent_is_killed() {
    if std::env::var_os(CHILD).is_some() {
        let anvil = private_chain(CHAIN_ID).await;
        eprintln!("{SAYS}{}", anvil.port());
        return std::future::pending().await;
    }
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "devnet::process::a_chain_ends_when_its_parent_is_killed"])
        .env(CHILD, "1")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let port = lines.filter_map(|line| line.strip_prefix(SAYS)?.parse::<u16>().ok()).next().unwrap();
    let client = Client::new(&format!("ws://127.0.0.1:{port}"), CHAIN_ID, LIMITS).unwrap();
    assert_eq!(client.head().await.unwrap().height, 0);
    child.kill().unwrap();
    child.wait().unwrap();
    soon(is_gone(port)).await;
}

#[tokio::test]
async fn deploying_with_any_key_gives_contracts_that_pass_the_check() {
    let anvil = shared_chain().await;
    let client = Client::new(&anvil.url(), CHAIN_ID, RpcLimits::STANDARD).unwrap();
    let key = dev_key("deploys");
    let poor = deploy(&anvil.url(), dev_key("has nothing")).await;
    assert!(poor.is_err());
    let cheats = clearnet::devnet::Cheats::new(client.rpc().clone());
    cheats.set_balance(key.address(), Amount::from(10_u128.pow(18))).await.unwrap();
    let deployed = deploy(&anvil.url(), key).await.unwrap();
    let head = client.head().await.unwrap();
    let before = client.block(deployed.start_block - 1).await.unwrap().unwrap();
    assert_eq!(deployed.chain_id, CHAIN_ID);
    assert_eq!(client.check_contracts(deployed.custody, deployed.adjudicator, head).await, Ok(()));
    assert_eq!(client.code_at(deployed.custody, before).await, Ok(Vec::new()));
}

#[tokio::test]
async fn two_chains_make_one_config_with_tokens_of_one_symbol_in_one_asset() {
    let other_id = ChainId::new(31_338);
    let (first, second) = (shared_chain().await, soon(private_chain(other_id)).await);
    let plan = |name: &str, symbols: [&str; 2]| ChainPlan {
        name: name.to_owned(),
        tokens: symbols.map(|symbol| TokenPlan { symbol: symbol.to_owned(), decimals: 18 }).to_vec(),
    };
    let client = |url: &str, id| Client::new(url, id, LIMITS).unwrap();
    let one = client(&first.url(), CHAIN_ID);
    let one = LocalChain::build(one, plan("one", ["SHIB", "usdc"]), dev_key("config/one")).await.unwrap();
    let two = client(&second.url(), other_id);
    let two = LocalChain::build(two, plan("two", ["PEPE", "usdc"]), dev_key("config/two")).await.unwrap();

    let text = config_sections(&[(&one, first.url()), (&two, second.url())]);
    let table: toml::Table = text.parse().unwrap();
    let networks = table["networks"].as_array().unwrap();
    let names: Vec<_> = networks.iter().map(|network| network["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["one", "two"]);
    assert_eq!(networks[1]["chain_id"].as_integer(), Some(31_338));
    assert_eq!(networks[1]["custody"].as_str(), Some(two.deployed().custody.to_string().as_str()));
    assert_eq!(networks[0]["rpc_url"].as_str(), Some(first.url().as_str()));
    let assets = table["assets"].as_array().unwrap();
    let tokens = |asset: &toml::Value| asset["tokens"].as_array().unwrap().len();
    let shape: Vec<_> = assets.iter().map(|a| (a["symbol"].as_str().unwrap(), tokens(a))).collect();
    assert_eq!(shape, [("PEPE", 1), ("SHIB", 1), ("usdc", 2)]);
    let of_two = &assets[2]["tokens"][1];
    assert_eq!(of_two["network"].as_str(), Some("two"));
    assert_eq!(of_two["address"].as_str(), Some(two.tokens()[1].address.to_string().as_str()));
}
