//! The small values everything else is made of: ids, amounts, tokens, addresses, times.
//!
//! Each is a newtype whose constructors parse and validate, so that a value that exists is valid.
//! Deliberately absent: anything that knows of signatures, accounts or the wire.

mod address;
mod amount;
mod delta;
mod hex_bytes;
mod ids;
mod time;
mod token;

pub use address::{Address, AddressError};
pub use amount::{Amount, AmountError};
pub use delta::Delta;
pub use hex_bytes::{HexError, decode_hex, encode_hex};
pub use ids::{ChannelId, Digest, Version};
pub use time::Timestamp;
pub use token::{Asset, AssetError, ChainId, Token};
