//! What nodes answer, as JSON: only the fields that are used.

use ethers_core::types::{Bytes, H160, H256, U64, U256};
use serde::Deserialize;

use crate::convert::{address, digest};
use crate::types::{BlockRef, LogPosition, RawLog, Receipt};

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WireBlock {
    number: U64,
    hash: H256,
    parent_hash: H256,
    timestamp: U64,
    /// Missing before EIP-1559.
    pub(crate) base_fee_per_gas: Option<U256>,
}

impl From<WireBlock> for BlockRef {
    fn from(block: WireBlock) -> Self {
        Self {
            height: block.number.as_u64(),
            hash: digest(block.hash),
            parent: digest(block.parent_hash),
            timestamp_secs: block.timestamp.as_u64(),
        }
    }
}

/// A log that is in a block: others lack a field and do not parse.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WireLog {
    address: H160,
    topics: Vec<H256>,
    data: Bytes,
    block_hash: H256,
    block_number: U64,
    transaction_hash: H256,
    log_index: U64,
    #[serde(default)]
    pub(crate) removed: bool,
}

impl From<WireLog> for RawLog {
    fn from(log: WireLog) -> Self {
        Self {
            position: LogPosition {
                height: log.block_number.as_u64(),
                log_index: log.log_index.as_u64(),
                block_hash: digest(log.block_hash),
                tx_hash: digest(log.transaction_hash),
            },
            address: address(log.address),
            topics: log.topics.into_iter().map(digest).collect(),
            data: log.data.to_vec(),
        }
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WireReceipt {
    transaction_hash: H256,
    block_hash: H256,
    block_number: U64,
    status: U64,
    contract_address: Option<H160>,
    gas_used: U64,
    effective_gas_price: U64,
}

impl From<WireReceipt> for Receipt {
    fn from(receipt: WireReceipt) -> Self {
        Self {
            tx_hash: digest(receipt.transaction_hash),
            height: receipt.block_number.as_u64(),
            block_hash: digest(receipt.block_hash),
            succeeded: receipt.status == U64::one(),
            contract: receipt.contract_address.map(address),
            gas_used: receipt.gas_used.as_u64(),
            gas_price: receipt.effective_gas_price.as_u64().into(),
        }
    }
}
