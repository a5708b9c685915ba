//! `get_ledger_balances`: how much the requester has, account by account.

use serde::{Deserialize, Serialize};

use crate::ledger::{AccountKey, AccountKind};
use crate::primitives::{Address, Amount, ChainId, ChannelId};
use crate::protocol::page::{Cursor, PageSize};

/// Which accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Only those of this channel, or of the wallet (the address, left-padded); all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<ChannelId>,
    /// How many at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<PageSize>,
    /// Where to go on: what the page before said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
}

/// The accounts that are not empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The wallet first, then by channel; of each by chain and token.
    pub ledger_balances: Vec<Balance>,
    /// Where to go on; `None` after the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
}

/// What the money on a participant's account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BalanceKind {
    /// The participant's part in a direct channel: enforceable on chain by the participant alone.
    Direct,
    /// The participant's money in a virtual channel: a claim on the broker.
    Virtual,
    /// Money outside any channel: a claim on the broker.
    Wallet,
    /// Money on its way to the chain.
    Settling,
}

/// What is on one account of a participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// What the money is.
    pub kind: BalanceKind,
    /// The channel; of wallet accounts the participant's address, left-padded.
    pub account_id: ChannelId,
    /// The chain of the token.
    pub chain_id: ChainId,
    /// The token.
    pub token: Address,
    /// How much, in the token's smallest unit.
    pub amount: Amount,
}

impl Balance {
    /// What is on an account; `None` for the accounts that are no participant's.
    #[must_use]
    pub fn of(account: &AccountKey, amount: Amount) -> Option<Self> {
        let kind = match account.kind() {
            AccountKind::Direct => BalanceKind::Direct,
            AccountKind::Virtual => BalanceKind::Virtual,
            AccountKind::Wallet => BalanceKind::Wallet,
            AccountKind::Settling => BalanceKind::Settling,
            AccountKind::Broker | AccountKind::Custody | AccountKind::Shortfall | AccountKind::Faucet => {
                return None;
            }
        };
        let token = account.token();
        let (chain_id, token) = (token.chain_id, token.address);
        Some(Self { kind, account_id: account.channel(), chain_id, token, amount })
    }
}

/// An example of [`Params`].
pub const PARAMS_EXAMPLE: &str = "{}";

/// An example of [`Reply`].
pub const REPLY_EXAMPLE: &str = r#"{"ledger_balances":[{"kind":"direct","account_id":"0x6067e046cd5b7cdc7931b1c3897254ca2eb7e50c1a654c039a613fcb29fbfcd8","chain_id":31337,"token":"0x00000000000000000000000000000000000000bb","amount":"15000000"},{"kind":"wallet","account_id":"0x00000000000000000000000014791697260e4c9a71f18484c9f997b308e59325","chain_id":31337,"token":"0x00000000000000000000000000000000000000bb","amount":"5000000"}]}"#;
