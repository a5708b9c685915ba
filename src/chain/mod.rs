//! What the broker needs of a chain, and the chain with an EVM that gives it.
//!
//! The trait is the seam: actors see only what is named here, so that a simulated chain can take the place
//! of a real one. The values that cross the seam are the `evm` crate's; there is nothing of ethers in them.

mod chain_client;
mod evm_chain;

pub use evm::custody::{
    ChannelStatus, CustodyCall, LogProblem, OnChainChannel, PoisonLog, Refusal, Revert, SignedState,
};
pub use evm::{
    BlockRef, Call, ChainError, ErrorClass, Fees, LogPosition, NonceAndFees, RawLog, Receipt,
    SignedTransaction, Transaction, Wake,
};

pub use chain_client::ChainClient;
pub use evm_chain::EvmChain;
