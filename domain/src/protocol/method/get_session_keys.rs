//! `get_session_keys`: the keys that may sign for the requester.

use serde::{Deserialize, Serialize};

use super::delegate_session_key::{Application, Scope};
use crate::participant::CAPS_MAX;
use crate::primitives::{Address, Amount, Asset, Timestamp};
use crate::protocol::json::objects;

/// Nothing to choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {}

/// The keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Those that live, in the order of their addresses.
    pub session_keys: Vec<Key>,
}

/// A session key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// The key.
    pub session_key: Address,
    /// What it may sign.
    pub scope: Vec<Scope>,
    /// The only application in whose virtual channels it signs; all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application: Option<Application>,
    /// How much it may spend, and has.
    #[serde(deserialize_with = "objects::<_, _, CAPS_MAX>")]
    pub caps: Vec<Cap>,
    /// When it was delegated to.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// How much of an asset a key may spend, and has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cap {
    /// The asset.
    pub asset: Asset,
    /// The most, in its smallest unit.
    pub amount: Amount,
    /// How much of it is spent.
    pub used: Amount,
}

/// An example of [`Params`].
pub const PARAMS_EXAMPLE: &str = "{}";

/// An example of [`Reply`].
pub const REPLY_EXAMPLE: &str = r#"{"session_keys":[{"session_key":"0x5CbDd86a2FA8Dc4bDdd8a8f69dBa48572EeC07FB","scope":["transfer","rooms"],"application":"tic-tac-toe","caps":[{"asset":"usdc","amount":"50000000","used":"5000000"}],"created_at":1700000060000,"expires_at":1700086400000}]}"#;
