//! Hashes, signatures and the exact bytes they cover.
//!
//! Each purpose for which somebody signs has its own type and its own bytes, so that no signature made for
//! one purpose can serve another. Deliberately absent: who is allowed to sign what; times; randomness.

mod curve;
mod keccak;
mod key;
mod recover;
mod signature;

mod digests;
mod signed;

mod login_text;
mod texts;

mod abi;
mod custody_domain;
mod definition;
mod direct_layout;
mod resize_data;
mod typed_data;
mod virtual_layout;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

pub use custody_domain::CustodyDomain;
pub use definition::Definition;
pub use digests::{Digests, Signable};
pub use direct_layout::{Allocation, DirectParams, DirectState, Intent};
pub use keccak::keccak256;
pub use key::{PublicKey, PublicKeyError, SigningKey, SigningKeyError};
pub use login_text::{LoginChallenge, LoginText, LoginTextError};
pub use recover::{eip191_digest, recover};
pub use resize_data::{ResizeDataError, decode_resize, encode_resize};
pub use signature::{Signature, SignatureError};
pub use signed::{Delegates, Signed, SignedBy, Signers, VerifyError};
pub use texts::{NitroText, NitroTextError, RequestText, ResponseText, RoomText};
pub use virtual_layout::{
    VirtualAllocation, VirtualAllocations, VirtualAllocationsError, VirtualIntent, VirtualState,
};
