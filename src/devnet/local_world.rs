//! Several local chains, each with our contracts and tokens, and the config that names them.

use std::path::Path;

use anyhow::Result;
use futures::future::try_join_all;

use super::anvil::{Anvil, AnvilOptions};
use super::config::config_sections;
use super::local_chain::{ChainPlan, LocalChain, dev_key};

/// Chains that end when this is dropped, and with this process.
#[derive(Debug)]
pub struct LocalWorld {
    chains: Vec<(Anvil, LocalChain)>,
}

impl LocalWorld {
    /// Starts chains with the program at `binary` and puts on each what is planned for it.
    ///
    /// # Errors
    /// As [`Anvil::start`] and [`LocalChain::build`]; chains that had started end.
    pub async fn start(binary: &Path, plans: Vec<(AnvilOptions, ChainPlan)>) -> Result<Self> {
        let starts = plans.into_iter().map(|(options, plan)| async move {
            // One key for both would make the same addresses on all chains.
            let treasury = dev_key(&format!("treasury of {}", plan.name));
            let anvil = Anvil::start(binary, options).await?;
            let chain = LocalChain::build(anvil.client().clone(), plan, treasury).await?;
            anyhow::Ok((anvil, chain))
        });
        Ok(Self { chains: try_join_all(starts).await? })
    }

    /// The chains, in the order of the plans.
    #[must_use]
    pub fn chains(&self) -> &[(Anvil, LocalChain)] {
        &self.chains
    }

    /// The sections `[[networks]]` and `[[assets]]` of a config for a broker in this world.
    #[must_use]
    pub fn config_sections(&self) -> String {
        let chains: Vec<_> = self.chains.iter().map(|(anvil, chain)| (chain, anvil.url())).collect();
        config_sections(&chains)
    }
}
