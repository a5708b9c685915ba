//! `update_state`: moves money between the requester's wallet and direct channels.
//!
//! The carried states say everything. More for the participant *anchors* wallet money, so that it can be
//! enforced on chain; less brings it back to the wallet.

use serde::{Deserialize, Serialize};

use super::get_ledger_balances::Balance;

/// Nothing: the carried states say it all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {}

/// What is where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The requester's accounts that were moved, afterwards.
    pub balances: Vec<Balance>,
}

/// An example of [`Params`].
pub const PARAMS_EXAMPLE: &str = "{}";

/// An example of [`Reply`].
pub const REPLY_EXAMPLE: &str = r#"{"balances":[{"kind":"direct","account_id":"0x6067e046cd5b7cdc7931b1c3897254ca2eb7e50c1a654c039a613fcb29fbfcd8","chain_id":31337,"token":"0x00000000000000000000000000000000000000bb","amount":"20000000"},{"kind":"wallet","account_id":"0x00000000000000000000000014791697260e4c9a71f18484c9f997b308e59325","chain_id":31337,"token":"0x00000000000000000000000000000000000000bb","amount":"0"}]}"#;
