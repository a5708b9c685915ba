//! What a sandbox says when it is ready: one line of JSON, or a page to read.

use std::fmt;
use std::net::SocketAddr;

use domain::primitives::{Address, ChainId, Digest};
use serde::Serialize;

use super::stage::{BROKER_TOKENS, CHAIN_ID, COINS, Stage, WHOLE_TOKENS, accounts, broker_key};

/// Everything that a front end needs to know. Which fields there are, and their order, is documented.
#[derive(Debug, Serialize)]
pub(super) struct Ready {
    ws_url: String,
    rpc_url: String,
    chain_id: ChainId,
    custody: Address,
    adjudicator: Address,
    broker: Address,
    tokens: Vec<Token>,
    accounts: Vec<Account>,
}

#[derive(Debug, Serialize)]
struct Token {
    asset: String,
    address: Address,
    decimals: u8,
}

#[derive(Debug, Serialize)]
struct Account {
    address: Address,
    private_key: Digest,
}

impl Ready {
    pub(super) fn new(stage: &Stage, listens: SocketAddr) -> Self {
        let deployed = stage.chain().deployed();
        let tokens = stage.chain().tokens().iter().map(|token| Token {
            asset: token.plan.symbol.clone(),
            address: token.address,
            decimals: token.plan.decimals,
        });
        Self {
            ws_url: format!("ws://{listens}/ws"),
            rpc_url: stage.rpc_url(),
            chain_id: CHAIN_ID,
            custody: deployed.custody,
            adjudicator: deployed.adjudicator,
            broker: broker_key().address(),
            tokens: tokens.collect(),
            accounts: accounts()
                .map(|it| Account { address: it.address, private_key: it.private_key })
                .collect(),
        }
    }
}

impl fmt::Display for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nThe sandbox is ready. Ctrl-C ends it, and everything in it is gone.\n")?;
        let mut line = |what: &str, is: &dyn fmt::Display| writeln!(f, "  {what:12}  {is}");
        line("broker", &self.ws_url)?;
        line("chain", &format_args!("{} (http too), chain id {}", self.rpc_url, self.chain_id))?;
        line("custody", &self.custody)?;
        line("adjudicator", &self.adjudicator)?;
        line("broker is", &self.broker)?;
        writeln!(f, "\nTokens, of which the broker has {BROKER_TOKENS} each in the custody contract:\n")?;
        for Token { asset, address, decimals } in &self.tokens {
            writeln!(f, "  {asset:12}  {address}  {decimals:2} decimals")?;
        }
        writeln!(
            f,
            "\nAccounts, each with {COINS} coins and {WHOLE_TOKENS} of each token, and their private keys:\n"
        )?;
        for (number, Account { address, private_key }) in self.accounts.iter().enumerate() {
            writeln!(f, "  {:2}  {address}  {private_key}", number + 1)?;
        }
        writeln!(f, "\nEverybody knows these keys: never use them where money is worth something.")
    }
}
