//! What a valid configuration comes to, without secrets.

use std::fmt;
use std::path::{Path, PathBuf};

use domain::primitives::{Address, Asset, ChainId};
use serde::Serialize;

use crate::config::{AssetConfig, Config, KeySource, NetworkConfig};

/// What a valid configuration comes to, without secrets.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    config: PathBuf,
    broker: BrokerSummary,
    database: String,
    listen: String,
    networks: Vec<NetworkSummary>,
    assets: Vec<AssetSummary>,
}

#[derive(Debug, Serialize)]
struct BrokerSummary {
    /// `None` when there is no key, which a check says.
    address: Option<Address>,
    /// `None` when the key came from the environment.
    key_file: Option<PathBuf>,
    mode: &'static str,
}

#[derive(Debug, Serialize)]
struct NetworkSummary {
    name: String,
    chain_id: ChainId,
    rpc_url: String,
    custody: Address,
    adjudicator: Address,
    confirmations: u32,
    dev: bool,
    min_challenge_secs: u64,
    max_challenge_secs: u64,
    start_block: u64,
}

#[derive(Debug, Serialize)]
struct AssetSummary {
    symbol: Asset,
    decimals: u8,
    tokens: Vec<TokenSummary>,
}

#[derive(Debug, Serialize)]
struct TokenSummary {
    chain_id: ChainId,
    address: Address,
    decimals: u8,
}

impl Summary {
    pub(super) fn new(path: &Path, config: &Config, address: Option<Address>) -> Self {
        let key_file = match &config.broker.key {
            KeySource::File(path) => Some(path.clone()),
            KeySource::Environment(_) => None,
        };
        Self {
            config: path.to_owned(),
            broker: BrokerSummary { address, key_file, mode: config.broker.mode.name() },
            database: config.database.to_string(),
            listen: config.server.listen.to_string(),
            networks: config.networks.iter().map(NetworkSummary::new).collect(),
            assets: config.assets.iter().map(AssetSummary::new).collect(),
        }
    }
}

impl NetworkSummary {
    fn new(network: &NetworkConfig) -> Self {
        Self {
            name: network.name.to_string(),
            chain_id: network.chain_id,
            rpc_url: network.rpc_url.to_string(),
            custody: network.custody,
            adjudicator: network.adjudicator,
            confirmations: network.confirmations,
            dev: network.is_dev,
            min_challenge_secs: network.min_challenge_secs,
            max_challenge_secs: network.max_challenge_secs,
            start_block: network.start_block,
        }
    }
}

impl AssetSummary {
    fn new(asset: &AssetConfig) -> Self {
        let tokens = asset.tokens.iter().map(|it| TokenSummary {
            chain_id: it.token.chain_id,
            address: it.token.address,
            decimals: it.decimals,
        });
        Self { symbol: asset.symbol.clone(), decimals: asset.decimals, tokens: tokens.collect() }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} is valid", self.config.display())?;
        writeln!(f)?;
        if let Some(address) = self.broker.address {
            writeln!(f, "broker    {address}")?;
        }
        match &self.broker.key_file {
            Some(path) => writeln!(f, "key       {}", path.display())?,
            None => writeln!(f, "key       CLEARNET__BROKER__PRIVATE_KEY")?,
        }
        writeln!(f, "mode      {}", self.broker.mode)?;
        writeln!(f, "database  {}", self.database)?;
        writeln!(f, "listen    {}", self.listen)?;
        for network in &self.networks {
            write!(f, "\n{network}")?;
        }
        for asset in &self.assets {
            writeln!(f, "\nasset {}, {} decimals", asset.symbol, asset.decimals)?;
            for token in &asset.tokens {
                let TokenSummary { chain_id, address, decimals } = token;
                writeln!(f, "  chain {chain_id}  {address}  {decimals} decimals")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for NetworkSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dev = if self.dev { " (dev)" } else { "" };
        writeln!(f, "network {}, chain {}{dev}", self.name, self.chain_id)?;
        writeln!(f, "  node           {}", self.rpc_url)?;
        writeln!(f, "  custody        {}", self.custody)?;
        writeln!(f, "  adjudicator    {}", self.adjudicator)?;
        writeln!(f, "  confirmations  {}", self.confirmations)?;
        writeln!(f, "  challenge      {} to {} seconds", self.min_challenge_secs, self.max_challenge_secs)?;
        writeln!(f, "  logs from      block {}", self.start_block)
    }
}
