//! `test_reset`: begins the book anew. Only in test mode.

use serde::{Deserialize, Serialize};

/// Nothing: there is one book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {}

/// Nothing: the book is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {}

/// An example of [`Params`].
pub const PARAMS_EXAMPLE: &str = "{}";

/// An example of [`Reply`].
pub const REPLY_EXAMPLE: &str = "{}";
