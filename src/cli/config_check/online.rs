//! The checks that ask somebody: the key, the database, and per network the node, the contracts and the tokens.
//!
//! Each ends with one line, whatever happens to the others, and within a bounded time. Changes nothing.

use std::time::Duration;

use domain::primitives::Address;
use evm::{BlockRef, ChainError, Client, RpcLimits};
use futures::future::join_all;
use secrecy::ExposeSecret as _;
use serde::Serialize;
use tokio::time::timeout;

use crate::config::{AssetConfig, Config, NetworkConfig, TokenConfig};
use crate::store::{SchemaStanding, schema_of};

/// How long a node may take. Networks are asked at the same time, so this bounds the whole.
const NODE_WAIT: Duration = Duration::from_secs(20);

/// How long the database may take.
const DATABASE_WAIT: Duration = Duration::from_secs(20);

/// An operator waits for the outcome: less patience than a broker has.
const LIMITS: RpcLimits = RpcLimits {
    request_timeout: Duration::from_secs(8),
    connect_timeout: Duration::from_secs(8),
    ..RpcLimits::STANDARD
};

/// The decimals of every chain's own coin.
const COIN_DECIMALS: u8 = 18;

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub(super) struct Check {
    /// What.
    pub(super) check: String,
    /// Whether it is as it should be.
    pub(super) ok: bool,
    /// What was found, or why not. Holds no secrets.
    pub(super) reason: String,
}

impl Check {
    fn new<E: std::fmt::Display>(check: impl Into<String>, found: Result<String, E>) -> Self {
        let check = check.into();
        match found {
            Ok(reason) => Self { check, ok: true, reason },
            Err(error) => Self { check, ok: false, reason: error.to_string() },
        }
    }
}

/// Looks at everything; the order is that of the configuration.
pub(super) async fn check<E: std::fmt::Display>(config: &Config, key: Result<Address, E>) -> Vec<Check> {
    let networks = config.networks.iter().map(|network| check_network(network, &config.assets));
    let (database, networks) = futures::join!(check_database(config), join_all(networks));
    let mut checks = vec![Check::new("key", key.map(|address| format!("signs as {address}"))), database];
    checks.extend(networks.into_iter().flatten());
    checks
}

async fn check_database(config: &Config) -> Check {
    let url = config.database.store_url();
    let found = match timeout(DATABASE_WAIT, schema_of(url.expose_secret())).await {
        Ok(Ok(SchemaStanding::Current { schema })) => Ok(format!("its schema is {schema}, this program's")),
        Ok(Ok(SchemaStanding::None)) => Ok("there is no book yet: `clearnet serve` makes it".to_owned()),
        Ok(Ok(SchemaStanding::Older { schema, open })) => {
            Ok(format!("its schema is {schema}, open are {}: `clearnet serve` applies them", open.join(", ")))
        }
        Ok(Ok(SchemaStanding::Newer { schema })) => {
            Err(format!("its schema is {schema}, of a newer program: run that one"))
        }
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", DATABASE_WAIT.as_secs())),
    };
    Check::new("database", found)
}

/// The node, then what only it can tell of contracts and tokens.
async fn check_network(network: &NetworkConfig, assets: &[AssetConfig]) -> Vec<Check> {
    let name = |what: &str| format!("{}: {what}", network.name);
    let tokens: Vec<(String, &TokenConfig)> = assets
        .iter()
        .flat_map(|asset| asset.tokens.iter().map(move |token| (asset, token)))
        .filter(|(_, token)| token.token.chain_id == network.chain_id)
        .map(|(asset, token)| (name(&format!("{} {}", asset.symbol, token.token.address)), token))
        .collect();
    let asked = async {
        let client = Client::new(network.rpc_url.expose(), network.chain_id, LIMITS)?;
        let head = client.head().await?;
        Ok::<_, ChainError>((client, head))
    };
    let asked = timeout(NODE_WAIT, asked).await;
    let (client, head) = match asked {
        Ok(Ok(asked)) => asked,
        failed => {
            let reason = match failed {
                Ok(Err(error)) => error.to_string(),
                Ok(Ok(_)) | Err(_) => format!("no answer within {} s", NODE_WAIT.as_secs()),
            };
            let not_checked = |check| Check::new(check, Err("not looked at, since the node failed"));
            let mut checks = vec![Check::new(name("node"), Err(network.rpc_url.redact(&reason)))];
            checks.push(not_checked(name("contracts")));
            checks.extend(tokens.into_iter().map(|(name, _)| not_checked(name)));
            return checks;
        }
    };
    let found = format!("chain {}, block {}", network.chain_id, head.height);
    let contracts = bounded(client.check_contracts(network.custody, network.adjudicator, head));
    let decimals = join_all(tokens.iter().map(|(_, token)| check_token(&client, head, token)));
    let (contracts, decimals) = futures::join!(contracts, decimals);
    let contracts = contracts.map(|()| "custody and adjudicator are this program's".to_owned());
    let redacted = |found: Result<String, String>| found.map_err(|reason| network.rpc_url.redact(&reason));
    let mut checks = vec![
        Check::new(name("node"), Ok::<_, String>(found)),
        Check::new(name("contracts"), redacted(contracts)),
    ];
    let of_tokens = tokens.into_iter().zip(decimals);
    checks.extend(of_tokens.map(|((name, _), found)| Check::new(name, redacted(found))));
    checks
}

/// Whether the token counts as it is configured. A contract that does not answer `decimals` fails: what its amounts
/// are worth is a guess then, and it may be no token at all.
async fn check_token(client: &Client, head: BlockRef, token: &TokenConfig) -> Result<String, String> {
    let counted = if token.token.address.is_zero() {
        COIN_DECIMALS
    } else {
        bounded(client.token_decimals(token.token.address, head)).await?
    };
    if counted == token.decimals {
        Ok(format!("{counted} decimals"))
    } else {
        Err(format!("counts with {counted} decimals, configured are {}", token.decimals))
    }
}

async fn bounded<T, E: std::fmt::Display>(asked: impl Future<Output = Result<T, E>>) -> Result<T, String> {
    match timeout(NODE_WAIT, asked).await {
        Ok(answered) => answered.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {} s", NODE_WAIT.as_secs())),
    }
}
