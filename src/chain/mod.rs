//! What the broker needs of a chain, and the chain with an EVM that gives it.
//!
//! The trait is the seam: actors see only this, so that a simulated chain can take its place. Values that
//! cross it are the `evm` crate's, which has none of ethers in its public ones.

mod client;
mod evm_chain;

pub use client::ChainClient;
pub use evm_chain::EvmChain;
