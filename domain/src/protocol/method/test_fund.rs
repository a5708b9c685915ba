//! `test_fund`: gives somebody wallet money from nothing. Only in test mode.

use serde::{Deserialize, Serialize};

use super::get_ledger_balances::Balance;
use crate::primitives::{Address, Amount};
use crate::protocol::amounts::TokenAmount;
use crate::protocol::json::objects;
use crate::protocol::limits::ALLOCATIONS_MAX;

/// Who gets how much.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Who; any address but the broker's and zero.
    pub participant: Address,
    /// How much, one line per token, each above zero and at most [`amount_max`].
    #[serde(deserialize_with = "objects::<_, _, ALLOCATIONS_MAX>")]
    pub allocations: Vec<TokenAmount>,
}

/// The most of a token that one request makes, 2^128 − 1: no number of requests makes the sums overflow.
#[must_use]
pub fn amount_max() -> Amount {
    Amount::from(u128::MAX)
}

/// What the requester has now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The requester's accounts that were moved, afterwards; none when somebody else got the money.
    pub balances: Vec<Balance>,
}

/// An example of [`Params`].
pub const PARAMS_EXAMPLE: &str = r#"{"participant":"0x14791697260E4c9A71f18484C9f997B308e59325","allocations":[{"chain_id":31337,"token":"0x00000000000000000000000000000000000000bb","amount":"5000000"}]}"#;

/// An example of [`Reply`].
pub const REPLY_EXAMPLE: &str = r#"{"balances":[{"kind":"wallet","account_id":"0x00000000000000000000000014791697260e4c9a71f18484c9f997b308e59325","chain_id":31337,"token":"0x00000000000000000000000000000000000000bb","amount":"5000000"}]}"#;
