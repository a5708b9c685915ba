//! `get_state`: the newest co-signed state of one of the requester's direct channels.
//!
//! With it the participant can leave by a challenge on chain, without the broker.

use serde::{Deserialize, Serialize};

use crate::crypto::Signature;
use crate::primitives::{ChainId, ChannelId};
use crate::protocol::state::{ChannelTerms, State};

/// Of which channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// A direct channel of the requester.
    pub channel_id: ChannelId,
}

/// The state, and the terms that the contract asks for beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The channel.
    pub channel_id: ChannelId,
    /// The chain that it is on.
    pub chain_id: ChainId,
    /// Its terms.
    pub channel: ChannelTerms,
    /// The newest state that both have signed.
    pub state: State,
    /// The participant's signature and the broker's, in this order.
    pub signatures: [Signature; 2],
}

/// An example of [`Params`].
pub const PARAMS_EXAMPLE: &str =
    r#"{"channel_id":"0x6067e046cd5b7cdc7931b1c3897254ca2eb7e50c1a654c039a613fcb29fbfcd8"}"#;

/// An example of [`Reply`].
pub const REPLY_EXAMPLE: &str = r#"{"channel_id":"0x6067e046cd5b7cdc7931b1c3897254ca2eb7e50c1a654c039a613fcb29fbfcd8","chain_id":31337,"channel":{"participants":["0x14791697260E4c9A71f18484C9f997B308e59325","0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"],"adjudicator":"0x00000000000000000000000000000000000000AA","challenge":3600,"nonce":1700000000000},"state":{"intent":0,"version":3,"data":"0x19a0b0d811167e14ed0cac202edc3c3e240ea475e215ac517f583aa8cb504288","allocations":[{"destination":"0x14791697260E4c9A71f18484C9f997B308e59325","token":"0x00000000000000000000000000000000000000bb","amount":"15000000"},{"destination":"0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A","token":"0x00000000000000000000000000000000000000bb","amount":"5000000"}]},"signatures":["0x458c4b949ec285c387971fbda5fa5e5db41935b82c9b499084fe15d5f7481f8e5090f32ea032fb2ff06d0de5ebe35c894d66c22f665035c49ba8b758655f8f501c","0x5cb8dce5a8efb1357b54376af62656ff9f77a21c50dc75e294466a575141d1303907c7367176ceabbee911ab50779b9175c49b226349a346061292b1dba10d731b"]}"#;
