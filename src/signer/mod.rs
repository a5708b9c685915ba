//! Keys that the broker signs with.
//!
//! Knows where a secret key lies and how it is kept; what is signed, and for whom, is decided elsewhere.

mod key_file;

pub use key_file::{KeyError, create_key_file, keep_known_key, load_key};
