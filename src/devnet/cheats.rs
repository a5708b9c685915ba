//! What only a local chain can do: make blocks, money and time, and take them back.

use domain::primitives::{Address, Amount, encode_hex};
use evm::{ChainError, Rpc};
use serde_json::{Value, json};

/// The controls of a local chain.
#[derive(Debug, Clone)]
pub struct Cheats {
    rpc: Rpc,
}

/// A state of the chain that can be gone back to, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot(Value);

/// The methods fail as [`Rpc::request`] does.
impl Cheats {
    /// Takes control of a local chain.
    #[must_use]
    pub fn new(rpc: Rpc) -> Self {
        Self { rpc }
    }

    /// Makes empty blocks, or with what waits.
    ///
    /// # Errors
    /// See [`Cheats`].
    pub async fn mine(&self, blocks: u64) -> Result<(), ChainError> {
        self.call("anvil_mine", json!([blocks])).await
    }

    /// Whether each transaction makes a block at once; else it waits for [`Cheats::mine`].
    ///
    /// # Errors
    /// See [`Cheats`].
    pub async fn set_automine(&self, on: bool) -> Result<(), ChainError> {
        self.call("evm_setAutomine", json!([on])).await
    }

    /// Sets the time of the next block so much later than it would be, and makes that block.
    ///
    /// # Errors
    /// See [`Cheats`].
    pub async fn increase_time(&self, secs: u64) -> Result<(), ChainError> {
        self.call("evm_increaseTime", json!([secs])).await?;
        self.mine(1).await
    }

    /// Gives an account exactly so much coin.
    ///
    /// # Errors
    /// See [`Cheats`].
    pub async fn set_balance(&self, account: Address, coin: Amount) -> Result<(), ChainError> {
        self.call("anvil_setBalance", json!([account, encode_hex(&coin.to_be_bytes())])).await
    }

    /// Replaces the newest blocks by as many empty ones, as a reorg does.
    ///
    /// # Errors
    /// See [`Cheats`].
    pub async fn reorg(&self, depth: u64) -> Result<(), ChainError> {
        self.call("anvil_reorg", json!([depth, []])).await
    }

    /// Remembers the chain as it is.
    ///
    /// # Errors
    /// See [`Cheats`].
    pub async fn snapshot(&self) -> Result<Snapshot, ChainError> {
        self.rpc.request("evm_snapshot", ()).await.map(Snapshot)
    }

    /// Goes back to a snapshot and forgets it: the head moves to a lower height. Says whether the chain
    /// still had it.
    ///
    /// # Errors
    /// See [`Cheats`].
    pub async fn revert(&self, to: Snapshot) -> Result<bool, ChainError> {
        self.rpc.request("evm_revert", [to.0]).await
    }

    /// Whether the chain prints every request.
    pub(super) async fn set_logging(&self, on: bool) -> Result<(), ChainError> {
        self.call("anvil_setLoggingEnabled", json!([on])).await
    }

    /// Calls a method whose answer says nothing.
    async fn call(&self, method: &'static str, params: Value) -> Result<(), ChainError> {
        self.rpc.request::<_, Value>(method, params).await.map(drop)
    }
}
