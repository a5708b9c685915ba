//! Our contracts, and tokens for everybody, on a local chain.

use anyhow::Result;
use domain::crypto::{SigningKey, keccak256};
use domain::primitives::{Address, Amount, Digest, Token};
use evm::{Call, Client, erc20};

use super::cheats::Cheats;
use super::deploy::{Deployed, contract, deploy_with};
use super::wallet::{Participant, Wallet};

/// What is to be put on a local chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainPlan {
    /// What the network is called in a config: lower-case letters, digits and dashes.
    pub name: String,
    /// The tokens to be made.
    pub tokens: Vec<TokenPlan>,
}

/// A token to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenPlan {
    /// Its symbol, which names the asset in a config.
    pub symbol: String,
    /// How many decimals it counts with.
    pub decimals: u8,
}

/// A token on a local chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalToken {
    /// What was planned.
    pub plan: TokenPlan,
    /// Its contract.
    pub address: Address,
}

/// Our contracts and tokens on a local chain, and a treasury that gives to everybody.
#[derive(Debug)]
pub struct LocalChain {
    name: String,
    client: Client,
    deployed: Deployed,
    tokens: Vec<LocalToken>,
    treasury: Wallet,
}

/// What the treasury starts with: a million coins of 18 decimals.
const TREASURY_COIN: u128 = 1_000_000_000_000_000_000_000_000;

/// The key that everybody knows under this label.
///
/// # Panics
/// Never in practice: only for a label whose hash is no key, one in 2^128.
#[must_use]
pub fn dev_key(label: &str) -> SigningKey {
    let secret = dev_secret(label);
    SigningKey::from_bytes(*secret.as_bytes()).expect("a hash is out of range once in 2^128 labels")
}

/// The secret behind [`dev_key`], to be shown to whoever wants to play with it.
#[must_use]
pub fn dev_secret(label: &str) -> Digest {
    keccak256(&[b"clearnet:devnet:", label.as_bytes()])
}

impl LocalChain {
    /// Deploys what is planned. Several worlds can stand on one chain when each has a treasury of its own.
    ///
    /// # Errors
    /// When the chain fails, or is none that lets itself be given coin.
    pub async fn build(client: Client, plan: ChainPlan, treasury: SigningKey) -> Result<Self> {
        let treasury = Wallet::new(client.clone(), treasury);
        let cheats = Cheats::new(client.rpc().clone());
        cheats.set_balance(treasury.address(), Amount::from(TREASURY_COIN)).await?;
        let deployed = deploy_with(&client, &treasury).await?;
        let mut tokens = Vec::with_capacity(plan.tokens.len());
        for plan in plan.tokens {
            let creation = evm::deploy::test_token(&plan.symbol, &plan.symbol, plan.decimals, Amount::MAX);
            let address = contract(&treasury.run(creation).await?)?;
            tokens.push(LocalToken { plan, address });
        }
        Ok(Self { name: plan.name, client, deployed, tokens, treasury })
    }

    /// What the network is called in a config.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The chain.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Our contracts.
    #[must_use]
    pub fn deployed(&self) -> Deployed {
        self.deployed
    }

    /// The tokens, in the order of the plan.
    #[must_use]
    pub fn tokens(&self) -> &[LocalToken] {
        &self.tokens
    }

    /// Gives an account coin, so that it can pay for transactions.
    ///
    /// # Errors
    /// As [`Wallet::run`].
    pub async fn give_coin(&self, to: Address, amount: Amount) -> Result<()> {
        self.treasury.run(Call { to: Some(to), value: amount, data: Vec::new() }).await?;
        Ok(())
    }

    /// Gives an account so much of a token.
    ///
    /// # Errors
    /// As [`Wallet::run`].
    pub async fn give_tokens(&self, token: Address, to: Address, amount: Amount) -> Result<()> {
        self.treasury.run(Call::of(token, erc20::mint(to, amount))).await?;
        Ok(())
    }

    /// The token of this symbol; `None` when none was planned.
    #[must_use]
    pub fn token(&self, symbol: &str) -> Option<Token> {
        let local = self.tokens.iter().find(|token| token.plan.symbol == symbol)?;
        Some(Token { chain_id: self.deployed.chain_id, address: local.address })
    }

    /// How much of a token an account holds itself, outside of our contract.
    ///
    /// # Errors
    /// When the chain fails.
    pub async fn balance(&self, account: Address, token: Address) -> Result<Amount> {
        let head = self.client.head().await?;
        Ok(self.client.balance(account, token, head).await?)
    }

    /// The owner of a key, dealing with our custody contract.
    #[must_use]
    pub fn participant(&self, key: SigningKey) -> Participant {
        Participant::new(Wallet::new(self.client.clone(), key), self.deployed.custody)
    }
}
