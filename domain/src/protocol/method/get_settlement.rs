//! `get_settlement`: how far a settlement of the requester has come.

use serde::{Deserialize, Serialize};

use crate::primitives::{Address, Amount, ChainId, ChannelId, Timestamp};

/// Which settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The channel that the money goes into, as `settle` said.
    pub channel_id: ChannelId,
}

/// How far it has come.
pub type Reply = Settlement;

/// Money on its way to the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// The channel that it goes into.
    pub channel_id: ChannelId,
    /// The chain.
    pub chain_id: ChainId,
    /// The token.
    pub token: Address,
    /// How much.
    pub amount: Amount,
    /// How far it has come.
    pub status: SettlementStatus,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// How far a settlement has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SettlementStatus {
    /// The money is set aside, and the broker is creating the channel.
    Requested,
    /// The channel counts: the money is in it.
    Confirmed,
    /// It can not happen any more: the money is back on the wallet account.
    Refunded,
}

/// An example of [`Params`].
pub const PARAMS_EXAMPLE: &str =
    r#"{"channel_id":"0x591c384d9836a58901ad512eb699950f38c3e516fecfa4b280da6ab4227e6241"}"#;

/// An example of [`Reply`].
pub const REPLY_EXAMPLE: &str = r#"{"channel_id":"0x591c384d9836a58901ad512eb699950f38c3e516fecfa4b280da6ab4227e6241","chain_id":31337,"token":"0x00000000000000000000000000000000000000bb","amount":"5000000","status":"requested","created_at":1700000060000,"updated_at":1700000061000}"#;
