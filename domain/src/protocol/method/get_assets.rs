//! `get_assets`: which tokens the broker takes.

use serde::{Deserialize, Serialize};

use crate::primitives::{Address, Asset, ChainId};

/// Of which chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Only tokens of this chain; of all chains when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain_id: Option<ChainId>,
}

/// The tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// In the order of the configuration.
    pub assets: Vec<AssetToken>,
}

/// A token that the broker takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetToken {
    /// Its contract; the zero address is the chain's own coin.
    pub token: Address,
    /// The chain that it lives on.
    pub chain_id: ChainId,
    /// The asset that it belongs to.
    pub symbol: Asset,
    /// How many of its digits people see after the point.
    pub decimals: u8,
}

/// An example of [`Params`].
pub const PARAMS_EXAMPLE: &str = r#"{"chain_id":31337}"#;

/// An example of [`Reply`].
pub const REPLY_EXAMPLE: &str = r#"{"assets":[{"token":"0x00000000000000000000000000000000000000bb","chain_id":31337,"symbol":"usdc","decimals":6}]}"#;
