//! `clearnet deploy`: puts the custody contract and the adjudicator on a chain.

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use domain::primitives::{Address, ChainId};
use serde::Serialize;
use tokio::runtime::Runtime;

use super::output;
use crate::config::KeySource;
use crate::devnet::{Deployed, deploy};
use crate::signer::load_key;

#[derive(Debug, Args)]
pub(super) struct Deploy {
    /// A node of the chain: ws://… or wss://…
    #[arg(long, value_name = "URL", env = "CLEARNET_RPC_URL", hide_env_values = true)]
    rpc_url: String,
    /// The file that holds the key which pays, as `clearnet keygen` makes it.
    #[arg(long, value_name = "FILE")]
    key_file: PathBuf,
    /// Shows the outcome as JSON.
    #[arg(long)]
    json: bool,
}

/// What stands on the chain.
#[derive(Debug, Serialize)]
struct Outcome {
    chain_id: ChainId,
    custody: Address,
    adjudicator: Address,
    start_block: u64,
    /// What goes into `[[networks]]`; name, node and `confirmations` are the operator's to add.
    config: String,
}

impl Deploy {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let key = load_key(&KeySource::File(self.key_file))?;
        log::info!(payer:% = key.address(); "deploying");
        let deployed = Runtime::new()?.block_on(deploy(&self.rpc_url, key))?;
        Ok(output::show(&Outcome::of(deployed), self.json)?)
    }
}

impl Outcome {
    fn of(deployed: Deployed) -> Self {
        let config = format!("[[networks]]\n{}", deployed.config_lines());
        let Deployed { chain_id, custody, adjudicator, start_block } = deployed;
        Self { chain_id, custody, adjudicator, start_block, config }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { chain_id, custody, adjudicator, start_block, config } = self;
        writeln!(f, "chain        {chain_id}")?;
        writeln!(f, "custody      {custody}")?;
        writeln!(f, "adjudicator  {adjudicator}")?;
        writeln!(f, "block        {start_block}")?;
        writeln!(f, "\nFor config.toml; add name, rpc_url and confirmations:\n\n{config}")
    }
}
