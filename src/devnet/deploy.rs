//! Putting our contracts on a chain.

use anyhow::{Context as _, Result};
use domain::crypto::SigningKey;
use domain::primitives::{Address, ChainId};
use evm::{Client, Receipt, RpcLimits};

use super::wallet::Wallet;

/// Our contracts on a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deployed {
    /// The chain.
    pub chain_id: ChainId,
    /// The custody contract.
    pub custody: Address,
    /// The adjudicator that serves it.
    pub adjudicator: Address,
    /// The block that holds the custody contract's deployment: nothing of it is in an earlier one.
    pub start_block: u64,
}

impl Deployed {
    /// The lines of a `[[networks]]` section that follow from the deployment; what is for the operator to judge is
    /// left out.
    #[must_use]
    pub fn config_lines(&self) -> String {
        let Self { chain_id, custody, adjudicator, start_block } = self;
        format!(
            "chain_id = {chain_id}\ncustody = \"{custody}\"\nadjudicator = \"{adjudicator}\"\n\
             start_block = {start_block}\n"
        )
    }
}

/// Deploys custody contract and adjudicator on the chain that a node serves, paid by `key`, and checks
/// what then stands there.
///
/// # Errors
/// When the node cannot be asked, the key cannot pay, or a transaction fails; what was deployed until then
/// stays, without use or harm.
pub async fn deploy(rpc_url: &str, key: SigningKey) -> Result<Deployed> {
    let client = Client::discover(rpc_url, RpcLimits::STANDARD).await?;
    deploy_with(&client, &Wallet::new(client.clone(), key)).await
}

/// Deploys over a client and a wallet that are there already.
pub(super) async fn deploy_with(client: &Client, wallet: &Wallet) -> Result<Deployed> {
    let receipt = wallet.run(evm::deploy::custody()).await.context("the custody contract")?;
    let custody = contract(&receipt)?;
    let start_block = receipt.height;
    let receipt = wallet.run(evm::deploy::adjudicator(custody)).await.context("the adjudicator")?;
    let adjudicator = contract(&receipt)?;
    client.check_contracts(custody, adjudicator, client.head().await?).await?;
    Ok(Deployed { chain_id: client.chain_id(), custody, adjudicator, start_block })
}

/// The contract that a transaction made.
pub(super) fn contract(receipt: &Receipt) -> Result<Address> {
    receipt.contract.context("the node names no contract for a deployment")
}
