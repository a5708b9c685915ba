//! Why a transfer exists: the key under which it happens once (L3).

use crate::primitives::{Address, ChainId, ChannelId, Digest, Timestamp};

/// What brought a transfer about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// A participant asked for it.
    Request(RequestKey),
    /// It happened on chain.
    Chain(EventKey),
    /// A deadline of a channel passed.
    Timer(ChannelId, Timestamp),
    /// The operator asked for it.
    Operator(RequestKey),
}

/// Names one request of a participant over all its devices: signer, and the time and id it signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestKey {
    /// The time inside the request. First, so that keys sort by time.
    pub at: Timestamp,
    /// Who signed.
    pub signer: Address,
    /// The id inside the request.
    pub id: u64,
}

/// Names one log of a chain, in one branch of its history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventKey {
    /// The chain.
    pub chain_id: ChainId,
    /// The block that holds the log.
    pub block_hash: Digest,
    /// The transaction that wrote it.
    pub tx_hash: Digest,
    /// Its place in the block.
    pub log_index: u64,
}
