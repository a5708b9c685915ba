//! The logs of a contract: the truth about what happened on chain.

use std::collections::BTreeMap;

use domain::primitives::{Address, Digest};
use ethers_core::types::U64;
use futures::future::ready;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use serde_json::{Value, json};

use super::Client;
use crate::convert::h160;
use crate::custody::event_topics;
use crate::error::ChainError;
use crate::rpc::wire::WireLog;
use crate::types::{BlockRef, LogPosition, RawLog};

const METHOD: &str = "eth_getLogs";

/// How many blocks are looked up at once: enough to hide the way to a far node, too few to be shut out by it.
const LOOK_UPS_MAX: usize = 16;

impl Client {
    /// All logs of a contract in the blocks `from ..= to.height` of the chain that ends in `to`, in the
    /// order in which they were written.
    ///
    /// The block `to` is looked up before and after, and every block that holds a log is looked up too:
    /// so the answer is of one chain, and a node that lags behind cannot pass for a quiet one.
    ///
    /// # Errors
    /// [`ChainError::UnknownBlock`] when `to` is not, or did not stay, on the chain, or when a log is of
    /// another branch; [`ChainError::Malformed`] for logs nobody asked for or told twice; what
    /// [`crate::Rpc::request`] returns, refusals of too wide a range included: ask for fewer blocks then.
    pub async fn logs(&self, contract: Address, from: u64, to: BlockRef) -> Result<Vec<RawLog>, ChainError> {
        self.logs_with(contract, &[json!([])], from, to).await
    }

    /// The logs of the custody contract that may concern its `server`, as [`Client::logs`]: everything about channels,
    /// and of deposits and withdrawals the server's own. Those of others cost nearly nothing to make, and so many fit
    /// into one block that no node would tell of them all.
    ///
    /// # Errors
    /// As [`Client::logs`].
    pub async fn custody_logs(
        &self,
        custody: Address,
        server: Address,
        from: u64,
        to: BlockRef,
    ) -> Result<Vec<RawLog>, ChainError> {
        let (of_channels, of_wallets) = event_topics();
        let topics = [json!([of_channels]), json!([of_wallets, Digest::from_bytes(server.to_word())])];
        self.logs_with(custody, &topics, from, to).await
    }

    /// The logs that fit one of the filters by topics, of which no two fit the same log.
    async fn logs_with(
        &self,
        contract: Address,
        filters: &[Value],
        from: u64,
        to: BlockRef,
    ) -> Result<Vec<RawLog>, ChainError> {
        if from > to.height {
            return Ok(Vec::new());
        }
        self.require_on_chain(to).await?;
        let mut wire: Vec<WireLog> = Vec::new();
        for topics in filters {
            let filter = json!({
                "address": h160(contract),
                "fromBlock": U64::from(from),
                "toBlock": U64::from(to.height),
                "topics": topics,
            });
            wire.extend(self.rpc.request::<_, Vec<WireLog>>(METHOD, [filter]).await?);
        }
        let logs = read(wire, contract, from, to)?;
        self.require_blocks_of(&logs, to).await?;
        self.require_on_chain(to).await?;
        Ok(logs)
    }

    /// Looks up the block of every log, but `to`, which the caller looks up.
    async fn require_blocks_of(&self, logs: &[RawLog], to: BlockRef) -> Result<(), ChainError> {
        let mut blocks: BTreeMap<u64, Digest> = BTreeMap::from([(to.height, to.hash)]);
        for LogPosition { height, block_hash, .. } in logs.iter().map(|log| log.position) {
            if *blocks.entry(height).or_insert(block_hash) != block_hash {
                return Err(ChainError::UnknownBlock { hash: block_hash });
            }
        }
        blocks.remove(&to.height);
        let look_up = |(height, hash)| async move {
            match self.block(height).await? {
                Some(block) if block.hash == hash => Ok(()),
                Some(_) | None => Err(ChainError::UnknownBlock { hash }),
            }
        };
        let look_ups = stream::iter(blocks).map(look_up).buffer_unordered(LOOK_UPS_MAX);
        look_ups.try_for_each(|()| ready(Ok(()))).await
    }
}

/// Checks that the logs are what was asked for.
fn read(wire: Vec<WireLog>, contract: Address, from: u64, to: BlockRef) -> Result<Vec<RawLog>, ChainError> {
    let malformed = |detail: &str| ChainError::Malformed { method: METHOD, detail: detail.to_owned() };
    let mut logs: Vec<RawLog> = Vec::with_capacity(wire.len());
    for log in wire {
        if log.removed {
            return Err(malformed("a log is marked as removed"));
        }
        let log = RawLog::from(log);
        if log.address != contract {
            return Err(malformed("a log is of another contract"));
        }
        if !(from..=to.height).contains(&log.position.height) {
            return Err(malformed("a log is outside the range"));
        }
        logs.push(log);
    }
    // Nodes answer in order by habit, not by any standard.
    logs.sort_by_key(|log| log.position);
    let place = |log: &RawLog| (log.position.height, log.position.log_index);
    if logs.windows(2).any(|pair| place(&pair[0]) == place(&pair[1])) {
        return Err(malformed("two logs stand in one place"));
    }
    Ok(logs)
}
