//! Where the story is played: two chains with contracts and tokens, a broker, and money in the players' hands.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use domain::primitives::{Address, Amount, ChainId, Token};
use tokio::task::spawn_blocking;
use tokio::try_join;

use super::progress::Progress;
use crate::devnet::{
    AnvilOptions, ChainPlan, LocalBroker, LocalChain, LocalWorld, TOOLS_DIR, TokenPlan, anvil_binary,
    dev_key, dev_secret,
};
use crate::signer::create_key_file;

/// A whole token of 18 decimals in its smallest unit.
const WHOLE: u128 = 1_000_000_000_000_000_000;

/// A million whole tokens of 18 decimals, so many times.
pub(super) fn millions(count: u128) -> Amount {
    Amount::from(count * 1_000_000 * WHOLE)
}

/// The chains, the broker, and who plays.
pub(super) struct Stage {
    world: LocalWorld,
    broker: LocalBroker,
    pub(super) broker_address: Address,
    pub(super) alice: Address,
    pub(super) charlie: Address,
    pub(super) shib: Token,
    pub(super) pepe: Token,
    directory: PathBuf,
}

impl Stage {
    /// Starts everything. Alice has 20 million SHIB on the first chain, Charlie 100 million PEPE on the second, and
    /// whoever sends transactions has coin to pay for them.
    pub(super) async fn set(directory: &Path, progress: &mut Progress) -> Result<Self> {
        let broker_address = create_key_file(&directory.join("broker.key"))?.address();
        let (alice, charlie) = (dev_key("alice").address(), dev_key("charlie").address());
        let world = progress.step("two chains run, with contracts and tokens", chains()).await?;
        let [first, second] = pair(&world);
        let shib = first.token("SHIB").context("SHIB was planned")?;
        let pepe = second.token("PEPE").context("PEPE was planned")?;
        let giving = async {
            let coin = Amount::from(WHOLE);
            let on_first = async {
                for who in [broker_address, alice, charlie] {
                    first.give_coin(who, coin).await?;
                }
                first.give_tokens(shib.address, alice, millions(20)).await
            };
            let on_second = async {
                for who in [broker_address, charlie] {
                    second.give_coin(who, coin).await?;
                }
                second.give_tokens(pepe.address, charlie, millions(100)).await
            };
            try_join!(on_first, on_second)
        };
        progress.step("Alice has 20 M SHIB on polygon, Charlie 100 M PEPE on celo", giving).await?;
        let broker = start_broker(directory, &world);
        let broker = progress.step("the broker runs", broker).await?;
        let directory = directory.to_owned();
        Ok(Self { world, broker, broker_address, alice, charlie, shib, pepe, directory })
    }

    /// The chain that stands for Polygon, and the one that stands for Celo.
    pub(super) fn chains(&self) -> [&LocalChain; 2] {
        pair(&self.world)
    }

    /// Where the nodes of the chains are reached, in the same order.
    pub(super) fn rpc_urls(&self) -> Vec<String> {
        self.world.chains().iter().map(|(anvil, _)| anvil.url()).collect()
    }

    /// Where clients connect.
    pub(super) fn ws_url(&self) -> &str {
        self.broker.ws_url()
    }

    /// The broker's configuration.
    pub(super) fn config(&self) -> PathBuf {
        self.directory.join("config.toml")
    }

    /// The broker's database, as other programs name it.
    pub(super) fn database(&self) -> String {
        format!("sqlite://{}", self.directory.join(DATABASE).display())
    }

    /// What a guest can try while everything runs.
    pub(super) fn invitation(&self) -> String {
        let mut text = format!("\nEverything runs until Ctrl-C.\n\nclients connect to  {}\n", self.ws_url());
        let mut line = |what: &str, value: &dyn std::fmt::Display| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{what:18}  {value}");
        };
        for ((anvil, chain), token) in self.world.chains().iter().zip(["SHIB", "PEPE"]) {
            line(chain.name(), &anvil.url());
            line("  custody", &chain.deployed().custody);
            if let Some(at) = chain.token(token) {
                line(&format!("  {token}"), &at.address);
            }
        }
        line("broker", &self.broker_address);
        for (who, label, address) in [("Alice", "alice", self.alice), ("Charlie", "charlie", self.charlie)] {
            line(who, &address);
            line("  key", &dev_secret(label));
        }
        line("broker's files", &self.directory.display());
        line("check the book", &format!("clearnet audit --config {}", self.config().display()));
        text.push_str("\nThe keys of Alice and Charlie are known to everybody: use them here only.\n");
        text
    }
}

const DATABASE: &str = "clearnet.db";

fn pair(world: &LocalWorld) -> [&LocalChain; 2] {
    let [(_, first), (_, second)] = world.chains() else { unreachable!("two chains were started") };
    [first, second]
}

async fn chains() -> Result<LocalWorld> {
    let binary = spawn_blocking(|| anvil_binary(Path::new(TOOLS_DIR))).await??;
    let plan = |name: &str, chain_id, symbol: &str| {
        let token = TokenPlan { symbol: symbol.to_owned(), decimals: 18 };
        let options = AnvilOptions { chain_id: ChainId::new(chain_id), block_time_secs: None };
        (options, ChainPlan { name: name.to_owned(), tokens: vec![token] })
    };
    LocalWorld::start(&binary, vec![plan("polygon", 137, "SHIB"), plan("celo", 42_220, "PEPE")]).await
}

async fn start_broker(directory: &Path, world: &LocalWorld) -> Result<LocalBroker> {
    let config = directory.join("config.toml");
    let text = format!(
        "[broker]\nkey_file = \"broker.key\"\n\n[database]\nurl = \"sqlite:{DATABASE}\"\n\n\
         [server]\nlisten = \"127.0.0.1:0\"\n\n{}",
        world.config_sections()
    );
    std::fs::write(&config, text).with_context(|| format!("cannot write {}", config.display()))?;
    let program = std::env::current_exe().context("cannot find this program")?;
    LocalBroker::start(&program, &config, &directory.join("broker.log")).await
}
