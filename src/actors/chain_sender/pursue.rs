//! What the chain says of the transactions that are open. Asks; decides and changes nothing.

use std::collections::BTreeMap;

use domain::primitives::{Address, ChainId};

use super::creation::{Creation, Sent};
use crate::chain::{BlockRef, Call, ChainClient, ChainError, ChannelStatus, Fees, Transaction};
use crate::store::OutboxId;

/// The gas that a creation may take, whatever an estimate says: what would fail must be allowed to fail on
/// chain, because only that is final. Three times what the contract was measured to take.
const GAS_LIMIT: u64 = 2_500_000;

/// What the chain said.
#[derive(Debug)]
pub(super) struct Found {
    /// The first nonce that is free for sure.
    pub(super) next_nonce: u64,
    /// What became of each open transaction.
    pub(super) fates: Vec<(OutboxId, Fate)>,
}

/// What became of a transaction.
#[derive(Debug)]
pub(super) enum Fate {
    /// It was sent, and nothing is final; it was sent again.
    Waiting,
    /// The channel is there, in a confirmed block.
    Succeeded,
    /// It finally cannot happen.
    Failed {
        /// Why, for the log.
        cause: String,
    },
    /// It has not been signed; this is what it would pay.
    Unsigned(Place),
}

/// What a transaction pays for its place in a block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    fees: Fees,
}

impl Place {
    /// The transaction at this nonce.
    pub(super) fn transaction(self, chain_id: ChainId, nonce: u64, call: Call) -> Transaction {
        Transaction { chain_id, nonce, gas_limit: GAS_LIMIT, fees: self.fees, call }
    }
}

/// Asks the chain about everything that is open.
///
/// # Errors
/// [`ChainError`]: nothing is known.
pub(super) async fn look(
    chain: &dyn ChainClient,
    broker: Address,
    confirmations: u64,
    open: BTreeMap<OutboxId, Creation>,
) -> Result<Found, ChainError> {
    let head = chain.head().await?;
    let nonces = chain.nonce_and_fees(broker).await?;
    let confirmed = match head.height.checked_sub(confirmations) {
        Some(height) => chain.block(height).await?,
        None => None,
    };
    let used_up = match confirmed {
        Some(block) => chain.nonce_at(broker, block).await?,
        None => 0,
    };
    // A transaction that a node still has waiting may be one of ours from before a restart.
    let given = open.values().filter_map(|creation| creation.sent.as_ref()).map(|sent| sent.nonce + 1).max();
    let next_nonce = nonces.nonce.max(given.unwrap_or_default());
    let mut fates = Vec::with_capacity(open.len());
    for (id, creation) in open {
        let fate = match &creation.sent {
            None => Fate::Unsigned(Place { fees: nonces.fees }),
            // One that a node cannot answer for keeps no other waiting.
            Some(sent) => fate_of(chain, &creation, sent, confirmed, used_up).await.unwrap_or_else(|error| {
                log::warn!(tx_hash:% = sent.hash, error:%; "nothing is known of what was sent");
                Fate::Waiting
            }),
        };
        fates.push((id, fate));
    }
    Ok(Found { next_nonce, fates })
}

async fn fate_of(
    chain: &dyn ChainClient,
    creation: &Creation,
    sent: &Sent,
    confirmed: Option<BlockRef>,
    used_up: u64,
) -> Result<Fate, ChainError> {
    let receipt = chain.receipt(sent.hash).await?;
    let is_final = |height| confirmed.is_some_and(|block| height <= block.height);
    match receipt {
        Some(receipt) if !is_final(receipt.height) => Ok(Fate::Waiting),
        Some(receipt) if receipt.succeeded => Ok(Fate::Succeeded),
        Some(receipt) => {
            let cause = format!("transaction {} reverted in block {}", sent.hash, receipt.height);
            failed(chain, creation, confirmed, cause).await
        }
        None if used_up > sent.nonce => {
            let cause = format!("nonce {} was used up by another transaction", sent.nonce);
            failed(chain, creation, confirmed, cause).await
        }
        None => {
            // The same bytes again are no error; that the nonce is used up will be final in a while.
            match chain.send_raw(&sent.raw()).await {
                Ok(_) | Err(ChainError::NonceTooLow) => {}
                Err(error) => log::warn!(tx_hash:% = sent.hash, error:%; "not sent yet"),
            }
            Ok(Fate::Waiting)
        }
    }
}

/// It failed, unless the channel is there all the same: a node that has lost a receipt, or a transaction that
/// was sent twice, must not lead to a refund of what was paid. Its log says who paid for it.
async fn failed(
    chain: &dyn ChainClient,
    creation: &Creation,
    confirmed: Option<BlockRef>,
    cause: String,
) -> Result<Fate, ChainError> {
    let Some(confirmed) = confirmed else { return Ok(Fate::Waiting) };
    let found = chain.channel_at(creation.channel(), confirmed).await?;
    // One that only one side has opened is somebody else's: the broker's own has both signatures at once.
    let is_open = found.is_some_and(|channel| channel.status != ChannelStatus::Initial);
    Ok(if is_open { Fate::Succeeded } else { Fate::Failed { cause } })
}

#[cfg(test)]
mod tests;
