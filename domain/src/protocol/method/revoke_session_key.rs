//! `revoke_session_key`: ends a session key of the requester.

use serde::{Deserialize, Serialize};

use crate::primitives::Address;

/// Which key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The key.
    pub session_key: Address,
}

/// The key that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The key.
    pub session_key: Address,
}

/// An example of [`Params`].
pub const PARAMS_EXAMPLE: &str = r#"{"session_key":"0x5CbDd86a2FA8Dc4bDdd8a8f69dBa48572EeC07FB"}"#;

/// An example of [`Reply`].
pub const REPLY_EXAMPLE: &str = r#"{"session_key":"0x5CbDd86a2FA8Dc4bDdd8a8f69dBa48572EeC07FB"}"#;
