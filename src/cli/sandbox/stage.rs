//! What a sandbox consists of: the chain, what stands on it, and who has money.
//!
//! Keys come from labels and transactions from one key in one order, so that every address is the same at every
//! start. `docs/sandbox.md` names them all; whoever changes something here changes them for everybody.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use domain::crypto::SigningKey;
use domain::primitives::{Address, Amount, ChainId, Digest};
use tokio::task::spawn_blocking;

use crate::devnet::{
    Anvil, AnvilOptions, ChainPlan, LocalChain, TOOLS_DIR, TokenPlan, anvil_binary, config_sections, dev_key,
    dev_secret,
};
use crate::signer::keep_known_key;

/// The number that wallets and tools give to a local chain.
pub(super) const CHAIN_ID: ChainId = ChainId::new(31_337);

/// How many accounts have money.
const ACCOUNTS: u8 = 10;

/// The tokens: symbol and decimals.
const TOKENS: [(&str, u8); 2] = [("usdc", 6), ("weth", 18)];

/// How many whole coins an account has, for transactions, and how many whole tokens of each kind.
pub(super) const COINS: u64 = 1_000;
pub(super) const WHOLE_TOKENS: u64 = 1_000_000;

/// How many whole tokens of each kind the broker has in the contract, to pay settlements.
pub(super) const BROKER_TOKENS: u64 = 100_000_000;

const COIN_DECIMALS: u8 = 18;
const BROKER: &str = "sandbox broker";

/// The broker's key.
pub(super) fn broker_key() -> SigningKey {
    dev_key(BROKER)
}

/// An account with money, and its key, which everybody knows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Account {
    pub(super) address: Address,
    pub(super) private_key: Digest,
}

pub(super) fn accounts() -> impl Iterator<Item = Account> {
    (1..=ACCOUNTS).map(|number| {
        let label = format!("sandbox account {number}");
        Account { address: dev_key(&label).address(), private_key: dev_secret(&label) }
    })
}

/// The chain with everything on it, and the configuration of the broker.
#[derive(Debug)]
pub(super) struct Stage {
    anvil: Anvil,
    chain: LocalChain,
    config: PathBuf,
}

impl Stage {
    /// Starts the chain, puts contracts and tokens on it, gives money to everybody, and writes the configuration of
    /// a broker that listens on `port` to `directory`.
    pub(super) async fn set(directory: &Path, chain_port: u16, port: u16) -> Result<Self> {
        keep_known_key(&directory.join("broker.key"), dev_secret(BROKER))?;
        let binary = spawn_blocking(|| anvil_binary(Path::new(TOOLS_DIR))).await??;
        let options = AnvilOptions { chain_id: CHAIN_ID, block_time_secs: None };
        let anvil = Anvil::start_at(&binary, options, chain_port).await?;
        let token = |(symbol, decimals): (&str, u8)| TokenPlan { symbol: symbol.to_owned(), decimals };
        let plan = ChainPlan { name: "sandbox".to_owned(), tokens: TOKENS.map(token).to_vec() };
        let chain = LocalChain::build(anvil.client().clone(), plan, dev_key("sandbox treasury")).await?;
        fund_accounts(&anvil, &chain).await?;
        fund_broker(&anvil, &chain).await?;
        let config = directory.join("config.toml");
        let text = format!(
            "[broker]\nmode = \"test\"\nkey_file = \"broker.key\"\n\n[database]\nurl = \"sqlite:clearnet.db\"\n\n\
             [server]\nlisten = \"127.0.0.1:{port}\"\n\n{}",
            config_sections(&[(&chain, anvil.url())])
        );
        std::fs::write(&config, text).with_context(|| format!("cannot write {}", config.display()))?;
        Ok(Self { anvil, chain, config })
    }

    pub(super) fn config(&self) -> &Path {
        &self.config
    }

    pub(super) fn chain(&self) -> &LocalChain {
        &self.chain
    }

    /// Where the chain is reached.
    pub(super) fn rpc_url(&self) -> String {
        self.anvil.url()
    }

    /// Ends the chain.
    pub(super) fn strike(self) {
        self.anvil.kill();
    }
}

async fn fund_accounts(anvil: &Anvil, chain: &LocalChain) -> Result<()> {
    for account in accounts() {
        anvil.cheats().set_balance(account.address, whole(COINS, COIN_DECIMALS)?).await?;
        for token in chain.tokens() {
            let amount = whole(WHOLE_TOKENS, token.plan.decimals)?;
            chain.give_tokens(token.address, account.address, amount).await?;
        }
    }
    Ok(())
}

/// Gives the broker coin, and what it pays settlements with.
async fn fund_broker(anvil: &Anvil, chain: &LocalChain) -> Result<()> {
    let broker = chain.participant(broker_key());
    anvil.cheats().set_balance(broker.address(), whole(COINS, COIN_DECIMALS)?).await?;
    for token in chain.tokens() {
        let amount = whole(BROKER_TOKENS, token.plan.decimals)?;
        chain.give_tokens(token.address, broker.address(), amount).await?;
        broker.approve(token.address, amount).await?;
        broker.deposit(token.address, amount).await?;
    }
    Ok(())
}

/// So many whole coins or tokens in the smallest unit.
fn whole(count: u64, decimals: u8) -> Result<Amount> {
    let unit = 10_u128.checked_pow(decimals.into()).context("a unit fits into 128 bits")?;
    let amount = unit.checked_mul(count.into()).context("an amount fits into 128 bits")?;
    Ok(Amount::from(amount))
}
