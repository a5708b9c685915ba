//! Hashes, signatures and the exact bytes they cover.
//!
//! Each purpose for which somebody signs has its own type and its own bytes, so that no signature made for
//! one purpose can serve another. Deliberately absent: who is allowed to sign what; times; randomness.

mod abi;
mod curve;
mod custody_domain;
mod direct_layout;
mod keccak;
mod key;
mod recover;
mod resize_data;
#[cfg(test)]
mod samples;
mod signature;
mod typed_data;

pub use custody_domain::CustodyDomain;
pub use direct_layout::{Allocation, DirectParams, DirectState, Intent};
pub use keccak::keccak256;
pub use key::{PublicKey, PublicKeyError, SigningKey, SigningKeyError};
pub use recover::{eip191_digest, recover};
pub use resize_data::{ResizeDataError, decode_resize, encode_resize};
pub use signature::{Signature, SignatureError};
