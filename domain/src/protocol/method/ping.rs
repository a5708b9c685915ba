//! `ping`: asks for nothing. The time of the response is the broker's clock.

use serde::{Deserialize, Serialize};

/// Nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {}

/// Nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {}

/// An example of [`Params`].
pub const PARAMS_EXAMPLE: &str = "{}";

/// An example of [`Reply`].
pub const REPLY_EXAMPLE: &str = "{}";
