//! What a chain says of its blocks, logs and transactions, in words that any chain can speak.
//!
//! Deliberately absent: anything of ethers, so that a simulated chain can make these values.

use domain::ledger::EventKey;
use domain::primitives::{Address, ChainId, Digest};

/// A block: where it stands and what it stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockRef {
    /// Its height.
    pub height: u64,
    /// Its hash.
    pub hash: Digest,
    /// The hash of the block below it.
    pub parent: Digest,
    /// The time it carries, seconds since the Unix epoch: what contracts take for the time.
    pub timestamp_secs: u64,
}

/// Where a log stands, in one branch of the chain's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogPosition {
    /// The height of its block. First, so that positions sort as the logs happened.
    pub height: u64,
    /// Its place in the block, over all transactions.
    pub log_index: u64,
    /// Its block.
    pub block_hash: Digest,
    /// The transaction that wrote it.
    pub tx_hash: Digest,
}

impl LogPosition {
    /// The key under which the log is applied once.
    #[must_use]
    pub fn key(&self, chain_id: ChainId) -> EventKey {
        EventKey { chain_id, block_hash: self.block_hash, tx_hash: self.tx_hash, log_index: self.log_index }
    }
}

/// What a contract wrote, as the chain keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawLog {
    /// Where it stands.
    pub position: LogPosition,
    /// The contract that wrote it.
    pub address: Address,
    /// The words it can be searched by; the first tells the kind of event.
    pub topics: Vec<Digest>,
    /// The rest.
    pub data: Vec<u8>,
}

/// A hint that it may be worth to look at the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// The subscription stands: what happened before it must be looked up, what happens from now on is hinted at.
    Connected,
    /// The chain has another head.
    Head,
}

/// What a transaction pays for its gas (EIP-1559), in the smallest unit of the coin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fees {
    /// The most it pays per gas, the base fee included.
    pub max_per_gas: u128,
    /// What of this goes to who builds the block.
    pub max_priority_per_gas: u128,
}

/// What a sender has to know before it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NonceAndFees {
    /// How many transactions of the address are in blocks: all nonces below are used up.
    pub nonce: u64,
    /// The same with those that the node has waiting: never below `nonce`.
    pub nonce_pending: u64,
    /// What the next block costs per gas, at least.
    pub base_fee_per_gas: u128,
    /// What gets a transaction into one of the next blocks.
    pub fees: Fees,
}

/// What became of a transaction that is in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The transaction.
    pub tx_hash: Digest,
    /// The height of its block.
    pub height: u64,
    /// Its block.
    pub block_hash: Digest,
    /// Whether it did what it was to do; a transaction that reverts is in a block all the same.
    pub succeeded: bool,
    /// The contract it made; `None` for all transactions but deployments.
    pub contract: Option<Address>,
    /// How much gas it took.
    pub gas_used: u64,
    /// What it paid per gas, in the smallest unit of the coin.
    pub gas_price: u128,
}
