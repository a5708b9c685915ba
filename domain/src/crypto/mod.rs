//! Hashes, signatures and the exact bytes they cover.

mod keccak;

pub use keccak::keccak256;
