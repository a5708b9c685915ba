//! `channel`: a direct channel of the participant has changed, or has a newer co-signed state.

use serde::{Deserialize, Serialize};

use crate::protocol::json::object;
use crate::protocol::method::get_channels::Channel;
use crate::protocol::state::CosignedState;

/// The channel and, when there is one, its newest co-signed state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The channel.
    #[serde(deserialize_with = "object")]
    pub channel: Channel,
    /// The newest state that both have signed; `None` when this notification is not about a state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Box<CosignedState>>,
}

/// An example of [`Content`].
pub const EXAMPLE: &str = r#"{"channel":{"channel_id":"0x6067e046cd5b7cdc7931b1c3897254ca2eb7e50c1a654c039a613fcb29fbfcd8","status":"open","participant":"0x14791697260E4c9A71f18484C9f997B308e59325","chain_id":31337,"token":"0x00000000000000000000000000000000000000bb","amount":"20000000","part":"15000000","version":3,"adjudicator":"0x00000000000000000000000000000000000000AA","challenge":3600,"nonce":1700000000000},"state":{"channel_id":"0x6067e046cd5b7cdc7931b1c3897254ca2eb7e50c1a654c039a613fcb29fbfcd8","state":{"intent":0,"version":3,"data":"0x19a0b0d811167e14ed0cac202edc3c3e240ea475e215ac517f583aa8cb504288","allocations":[{"destination":"0x14791697260E4c9A71f18484C9f997B308e59325","token":"0x00000000000000000000000000000000000000bb","amount":"15000000"},{"destination":"0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A","token":"0x00000000000000000000000000000000000000bb","amount":"5000000"}]},"signatures":["0x458c4b949ec285c387971fbda5fa5e5db41935b82c9b499084fe15d5f7481f8e5090f32ea032fb2ff06d0de5ebe35c894d66c22f665035c49ba8b758655f8f501c","0x5cb8dce5a8efb1357b54376af62656ff9f77a21c50dc75e294466a575141d1303907c7367176ceabbee911ab50779b9175c49b226349a346061292b1dba10d731b"]}}"#;
