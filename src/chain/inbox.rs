//! How a chain event is kept until its owner has taken it in: as the log it came from.

use domain::chain::CustodyEvent;
use domain::primitives::{Address, Digest, decode_hex, encode_hex};
use evm::custody::decode_log;
use evm::{LogPosition, RawLog};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::store::InboxRow;

/// A kept event that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a kept chain event cannot be read: {reason}")]
pub struct DamagedEvent {
    reason: String,
}

#[derive(Serialize, Deserialize)]
struct KeptLog {
    address: Address,
    topics: Vec<Digest>,
    data: String,
}

/// The log for the inbox; its position is kept beside it.
#[must_use]
pub fn encode(log: &RawLog) -> Vec<u8> {
    let kept = KeptLog { address: log.address, topics: log.topics.clone(), data: encode_hex(&log.data) };
    serde_json::to_vec(&kept).expect("strings always make JSON")
}

/// The event that an inbox row keeps.
///
/// # Errors
/// [`DamagedEvent`] for a row that [`encode`] did not make of a log that can be read.
pub fn decode(row: &InboxRow) -> Result<CustodyEvent, DamagedEvent> {
    let damaged = |reason: &dyn std::fmt::Display| DamagedEvent { reason: reason.to_string() };
    let kept: KeptLog = serde_json::from_slice(&row.body).map_err(|error| damaged(&error))?;
    let position = LogPosition {
        height: row.height,
        log_index: row.key.log_index,
        block_hash: row.key.block_hash,
        tx_hash: row.key.tx_hash,
    };
    let data = decode_hex(&kept.data).map_err(|error| damaged(&error))?;
    let log = RawLog { position, address: kept.address, topics: kept.topics, data };
    decode_log(&log, row.key.chain_id).map_err(|error| damaged(&error))
}
