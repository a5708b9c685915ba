//! What a chain is asked: blocks, logs, state at a block, transactions.
//!
//! Every answer is read strictly and checked against itself; what a node leaves out or makes up is an
//! error, never an empty answer. Deliberately absent: memory of earlier answers, and waiting.

mod logs;
mod self_check;
mod transactions;
mod views;

use domain::primitives::ChainId;
use ethers_core::types::{U64, U256};
use futures::stream::BoxStream;

pub use self_check::ContractMismatch;

use crate::convert::wide_number;
use crate::error::ChainError;
use crate::rpc::wire::WireBlock;
use crate::rpc::{Rpc, RpcLimits};
use crate::types::{BlockRef, Wake};

/// A chain, seen through one node. Clones share the connection.
#[derive(Debug, Clone)]
pub struct Client {
    rpc: Rpc,
    chain_id: ChainId,
}

impl Client {
    /// Names a chain and a node that serves it; nothing is connected yet.
    ///
    /// # Errors
    /// [`ChainError::InvalidUrl`].
    pub fn new(url: &str, chain_id: ChainId, limits: RpcLimits) -> Result<Self, ChainError> {
        Ok(Self { rpc: Rpc::new(url, Some(chain_id), limits)?, chain_id })
    }

    /// Connects to a node and asks which chain it serves; the client holds the node to its word from then on.
    ///
    /// # Errors
    /// [`ChainError::InvalidUrl`]; what [`Rpc::request`] returns.
    pub async fn discover(url: &str, limits: RpcLimits) -> Result<Self, ChainError> {
        let chain_id: U64 = Rpc::new(url, None, limits)?.request("eth_chainId", ()).await?;
        Self::new(url, ChainId::new(chain_id.as_u64()), limits)
    }

    /// The chain.
    #[must_use]
    pub fn chain_id(&self) -> ChainId {
        self.chain_id
    }

    /// The node, for what has no method here.
    #[must_use]
    pub fn rpc(&self) -> &Rpc {
        &self.rpc
    }

    /// The newest block.
    ///
    /// # Errors
    /// What [`Rpc::request`] returns.
    pub async fn head(&self) -> Result<BlockRef, ChainError> {
        self.wire_head().await.map(BlockRef::from)
    }

    /// The block at a height of the chain as it stands; `None` above the head.
    ///
    /// # Errors
    /// What [`Rpc::request`] returns.
    pub async fn block(&self, height: u64) -> Result<Option<BlockRef>, ChainError> {
        let method = "eth_getBlockByNumber";
        let block: Option<WireBlock> = self.rpc.request(method, (U64::from(height), false)).await?;
        let block = block.map(BlockRef::from);
        match block {
            Some(other) if other.height != height => {
                let detail = format!("asked for height {height}, got {}", other.height);
                Err(ChainError::Malformed { method, detail })
            }
            block => Ok(block),
        }
    }

    /// Hints that the chain has moved: see [`Rpc::wake_ups`].
    #[must_use]
    pub fn wake_ups(&self) -> BoxStream<'static, Wake> {
        self.rpc.wake_ups()
    }

    /// The newest block, with what a transaction in the next one costs.
    async fn wire_head(&self) -> Result<WireBlock, ChainError> {
        self.rpc.request("eth_getBlockByNumber", ("latest", false)).await
    }

    /// Whether the block is on the chain as it stands.
    ///
    /// # Errors
    /// [`ChainError::UnknownBlock`] when it is not; what [`Rpc::request`] returns.
    async fn require_on_chain(&self, block: BlockRef) -> Result<(), ChainError> {
        match self.block(block.height).await? {
            Some(found) if found.hash == block.hash => Ok(()),
            Some(_) | None => Err(ChainError::UnknownBlock { hash: block.hash }),
        }
    }
}

/// Reads a price per gas.
fn price(method: &'static str, value: U256) -> Result<u128, ChainError> {
    wide_number(value).ok_or_else(|| ChainError::Malformed { method, detail: "price above 2^128".to_owned() })
}
