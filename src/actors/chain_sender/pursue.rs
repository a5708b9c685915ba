//! What the chain says of the transactions that are open. Asks; decides and changes nothing.

use std::collections::BTreeMap;

use domain::primitives::{Address, ChainId};

use super::creation::{Creation, Sent};
use crate::chain::{BlockRef, Call, ChainClient, ChainError, Fees, Transaction};
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
    /// It is in a confirmed block and did what it should.
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
            Some(sent) => fate_of(chain, sent, confirmed, used_up).await?,
        };
        fates.push((id, fate));
    }
    Ok(Found { next_nonce, fates })
}

async fn fate_of(
    chain: &dyn ChainClient,
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
            Ok(Fate::Failed { cause })
        }
        None if used_up > sent.nonce => {
            let cause = format!("nonce {} was used up by another transaction", sent.nonce);
            Ok(Fate::Failed { cause })
        }
        None => {
            // The same bytes again are no error; that the nonce is used up will be final in a while.
            match chain.send_raw(&sent.raw()).await {
                Ok(_) | Err(ChainError::NonceTooLow) => {}
                Err(error) => log::warn!(tx:% = sent.hash; "not sent yet: {error}"),
            }
            Ok(Fate::Waiting)
        }
    }
}
