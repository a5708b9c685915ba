//! `close_channel`: agrees on the last state of a direct channel.
//!
//! The request carries FINALIZE; the response carries it back with the broker's signature. The participant
//! then closes on chain.

use serde::{Deserialize, Serialize};

use crate::primitives::ChannelId;

/// Which channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// A direct channel of the requester.
    pub channel_id: ChannelId,
}

/// The channel that is being closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Its id.
    pub channel_id: ChannelId,
}

/// An example of [`Params`].
pub const PARAMS_EXAMPLE: &str =
    r#"{"channel_id":"0x6067e046cd5b7cdc7931b1c3897254ca2eb7e50c1a654c039a613fcb29fbfcd8"}"#;

/// An example of [`Reply`].
pub const REPLY_EXAMPLE: &str =
    r#"{"channel_id":"0x6067e046cd5b7cdc7931b1c3897254ca2eb7e50c1a654c039a613fcb29fbfcd8"}"#;
