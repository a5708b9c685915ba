//! Local chains do not outlive who started them.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use clearnet::config::{AssetConfig, Flags, load};
use clearnet::devnet::{
    AnvilOptions, ChainPlan, Cheats, LocalWorld, TokenPlan, anvil_binary, deploy, dev_key,
};
use domain::primitives::{Amount, ChainId};
use evm::{Client, RpcLimits};
use tokio::net::TcpStream;
use tokio::time::interval;

use super::world::{CHAIN_ID, LIMITS, binary, private_chain, shared_chain, soon};

/// Set for the process that a test starts itself as.
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
    let cheats = Cheats::new(client.rpc().clone());
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
    let plan = |name: &str, id, symbols: [&str; 2]| {
        let tokens = symbols.map(|symbol| TokenPlan { symbol: symbol.to_owned(), decimals: 18 }).to_vec();
        let options = AnvilOptions { chain_id: ChainId::new(id), block_time_secs: None };
        (options, ChainPlan { name: name.to_owned(), tokens })
    };
    let plans = vec![plan("one", 31_338, ["SHIB", "usdc"]), plan("two", 31_339, ["PEPE", "usdc"])];
    let world = soon(LocalWorld::start(&binary().await, plans)).await.unwrap();
    let [(_, one), (anvil_of_two, two)] = world.chains() else { panic!("{world:?}") };

    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("config.toml");
    std::fs::write(&file, world.config_sections()).unwrap();
    let config = load(&file, [], &Flags::default()).unwrap();
    let [of_one, of_two] = config.networks.as_slice() else { panic!("{:?}", config.networks) };
    assert_eq!((of_one.name.as_str(), of_one.chain_id), ("one", ChainId::new(31_338)));
    assert_eq!((of_two.name.as_str(), of_two.chain_id), ("two", ChainId::new(31_339)));
    assert_eq!(of_two.rpc_url.expose(), anvil_of_two.url());
    assert_eq!((of_two.custody, of_two.adjudicator), (two.deployed().custody, two.deployed().adjudicator));
    assert_eq!(
        (of_two.start_block, of_two.confirmations, of_two.is_dev),
        (two.deployed().start_block, 0, true)
    );
    let tokens = |asset: &AssetConfig| asset.tokens.iter().map(|it| it.token.address).collect::<Vec<_>>();
    let assets: Vec<_> = config.assets.iter().map(|asset| (asset.symbol.as_str(), tokens(asset))).collect();
    let [shib, usdc_of_one] = [0, 1].map(|i: usize| one.tokens()[i].address);
    let [pepe, usdc_of_two] = [0, 1].map(|i: usize| two.tokens()[i].address);
    let expected = [("PEPE", vec![pepe]), ("SHIB", vec![shib]), ("usdc", vec![usdc_of_one, usdc_of_two])];
    assert_eq!(assets, expected);
}

#[test]
fn without_anvil_and_npm_it_is_said_what_to_do() {
    if std::env::var_os(CHILD).is_some() {
        let tools = tempfile::tempdir().unwrap();
        let error = anvil_binary(tools.path()).unwrap_err().to_string();
        let advice = "neither anvil nor npm is on PATH: install Foundry (getfoundry.sh) or Node.js with npm";
        assert_eq!(error, advice);
        return;
    }
    let nowhere = tempfile::tempdir().unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "devnet::process::without_anvil_and_npm_it_is_said_what_to_do"])
        .env(CHILD, "1")
        .env("PATH", nowhere.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}
