//! `transfer`: pays another participant.
//!
//! The money comes from the wallet account and from what the carried states give up; the payee gets it on its
//! wallet account.

use serde::{Deserialize, Serialize};

use super::get_ledger_balances::Balance;
use crate::primitives::Address;
use crate::protocol::amounts::TokenAmount;
use crate::protocol::json::objects;
use crate::protocol::limits::ALLOCATIONS_MAX;

/// Whom and how much.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Whom; any address but the requester's own, the broker's and zero.
    pub destination: Address,
    /// How much, one line per token, each above zero.
    #[serde(deserialize_with = "objects::<_, _, ALLOCATIONS_MAX>")]
    pub allocations: Vec<TokenAmount>,
}

/// What the requester has left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The requester's accounts that the payment moved, after it.
    pub balances: Vec<Balance>,
}

/// An example of [`Params`].
pub const PARAMS_EXAMPLE: &str = r#"{"destination":"0x1563915e194D8CfBA1943570603F7606A3115508","allocations":[{"chain_id":31337,"token":"0x00000000000000000000000000000000000000bb","amount":"5000000"}]}"#;

/// An example of [`Reply`].
pub const REPLY_EXAMPLE: &str = r#"{"balances":[{"kind":"direct","account_id":"0x6067e046cd5b7cdc7931b1c3897254ca2eb7e50c1a654c039a613fcb29fbfcd8","chain_id":31337,"token":"0x00000000000000000000000000000000000000bb","amount":"15000000"}]}"#;
