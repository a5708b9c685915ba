//! `get_config`: who the broker is and on which chains.

use serde::{Deserialize, Serialize};

use crate::primitives::{Address, Asset, ChainId};

/// Nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {}

/// Who the broker is and on which chains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The broker's address on every chain.
    pub broker_address: Address,
    /// The chains, in the order of the configuration.
    pub networks: Vec<Network>,
    /// The assets that tokens are grouped in, in the order of the configuration.
    pub assets: Vec<AssetInfo>,
}

/// An asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetInfo {
    /// What it is called.
    pub symbol: Asset,
    /// How many decimals amounts of it have; those of its tokens may have others.
    pub decimals: u8,
}

/// A chain that the broker is on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// The chain.
    pub chain_id: ChainId,
    /// What the operator calls it.
    pub name: String,
    /// The contract that holds the money.
    pub custody_address: Address,
    /// The contract that direct channels must name.
    pub adjudicator_address: Address,
    /// The least challenge of a channel whose money can be spent by co-signed states, in seconds.
    pub challenge_min: u64,
    /// The longest challenge of a channel that counts, in seconds.
    pub challenge_max: u64,
    /// How many blocks must follow before money that came in counts.
    pub confirmations: u64,
}

/// An example of [`Params`].
pub const PARAMS_EXAMPLE: &str = "{}";

/// An example of [`Reply`].
pub const REPLY_EXAMPLE: &str = r#"{"broker_address":"0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A","networks":[{"chain_id":31337,"name":"local","custody_address":"0x00000000000000000000000000000000000000cc","adjudicator_address":"0x00000000000000000000000000000000000000AA","challenge_min":3600,"challenge_max":2592000,"confirmations":0}],"assets":[{"symbol":"usdc","decimals":6}]}"#;
