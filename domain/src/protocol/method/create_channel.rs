//! `create_channel`: asks for the broker's signature under the first state of a direct channel.
//!
//! It binds the broker to nothing: the channel counts when the participant has brought it on chain.

use serde::{Deserialize, Serialize};

use crate::crypto::Signature;
use crate::primitives::{Address, Amount, ChainId, ChannelId};
use crate::protocol::state::{ChannelTerms, State};
use crate::protocol::uint53::Uint53;

/// What should be locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The chain.
    pub chain_id: ChainId,
    /// The token.
    pub token: Address,
    /// How much; may be zero.
    pub amount: Amount,
    /// The challenge in seconds; the network's least when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub challenge: Option<Uint53>,
}

/// What to bring on chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The id that the channel will have.
    pub channel_id: ChannelId,
    /// Its terms; the broker has chosen the nonce.
    pub channel: ChannelTerms,
    /// INITIALIZE [amount, 0].
    pub state: State,
    /// The broker's signature over the state.
    pub server_signature: Signature,
}

/// An example of [`Params`].
pub const PARAMS_EXAMPLE: &str =
    r#"{"chain_id":31337,"token":"0x00000000000000000000000000000000000000bb","amount":"20000000"}"#;

/// An example of [`Reply`].
pub const REPLY_EXAMPLE: &str = r#"{"channel_id":"0x6067e046cd5b7cdc7931b1c3897254ca2eb7e50c1a654c039a613fcb29fbfcd8","channel":{"participants":["0x14791697260E4c9A71f18484C9f997B308e59325","0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"],"adjudicator":"0x00000000000000000000000000000000000000AA","challenge":3600,"nonce":1700000000000},"state":{"intent":1,"version":0,"data":"0x","allocations":[{"destination":"0x14791697260E4c9A71f18484C9f997B308e59325","token":"0x00000000000000000000000000000000000000bb","amount":"20000000"},{"destination":"0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A","token":"0x00000000000000000000000000000000000000bb","amount":"0"}]},"server_signature":"0x3f892a534ef69297f3deb00abbe2b8b3b7ef59410508877ba2fbbd51eb32a0721e4e3521ddf887ce3714cbda34e2fb3d05f698033cc99deb399497429bd63b681c"}"#;
