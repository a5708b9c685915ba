//! Chains with an EVM: the RPC client, the custody contract and its deployment. The only crate that sees ethers.
//!
//! Nothing of ethers is in the public API, so that replacing it stays a change of this crate. Deliberately
//! absent: decisions. What is read here is reported, what is sent was decided elsewhere.

#![warn(missing_docs)]

mod client;
mod convert;
pub mod custody;
pub mod deploy;
pub mod erc20;
mod error;
mod rpc;
mod tx;
mod types;

pub use crate::client::{Client, ContractMismatch};
pub use error::{ChainError, ErrorClass};
pub use rpc::{Rpc, RpcLimits};
pub use tx::{Call, SignedTransaction, Transaction};
pub use types::{BlockRef, Fees, LogPosition, NonceAndFees, RawLog, Receipt, Wake};
