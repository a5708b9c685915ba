//! `balances`: money of the participant has moved.

use serde::{Deserialize, Serialize};

use crate::protocol::method::get_ledger_balances::Balance;

/// The participant's accounts that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// What is on them, zero too.
    pub balances: Vec<Balance>,
}

/// An example of [`Content`].
pub const EXAMPLE: &str = r#"{"balances":[{"kind":"wallet","account_id":"0x0000000000000000000000001563915e194d8cfba1943570603f7606a3115508","chain_id":31337,"token":"0x00000000000000000000000000000000000000bb","amount":"5000000"}]}"#;
