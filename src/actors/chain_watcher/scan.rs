//! One look at the chain: what happened after the cursor, as far as it is confirmed.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::chain::CustodyEvent;
use domain::ledger::OwnerId;
use domain::primitives::{ChannelId, Digest};
use thiserror::Error;

use super::WatchPlan;
use crate::actors::journal::NewEvent;
use crate::actors::services::Services;
use crate::chain::{ChainClient, ChainError, RawLog};
use crate::store::{CursorRow, StoreError};

/// What was read.
#[derive(Debug)]
pub(super) struct Scanned {
    /// What concerns the book, in chain order.
    pub(super) events: Vec<NewEvent>,
    /// The last block read.
    pub(super) upto: CursorRow,
    /// Whether that is everything that is confirmed.
    pub(super) is_all: bool,
}

/// Why nothing could be read.
#[derive(Debug, Error)]
pub(super) enum ScanError {
    /// The chain does not answer.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The node has no block below the head that it has told.
    #[error("the node has no block {height}, though it has a later one")]
    Missing {
        /// The height of the block.
        height: u64,
    },
    /// A block that was read is no longer on the chain: the reorganisation is deeper than `confirmations`.
    #[error("block {height} was {read} when it was read and is now {found:?}: the chain is read no further")]
    Reorganised {
        /// The height of the block.
        height: u64,
        /// Its hash when it was read.
        read: Digest,
        /// The hash at that height now; `None` when the chain is shorter.
        found: Option<Digest>,
    },
}

/// Reads at most `range` blocks after `cursor`; `None` when nothing more is confirmed.
///
/// # Errors
/// [`ScanError`]: nothing was read.
pub(super) async fn scan(
    services: Arc<Services>,
    chain: Arc<dyn ChainClient>,
    plan: WatchPlan,
    cursor: Option<CursorRow>,
    range: u64,
) -> Result<Option<Scanned>, ScanError> {
    let head = chain.head().await?;
    services.journal.figures().set_chain_head(plan.chain_id, head.height);
    if let Some(read) = cursor {
        check_still_there(chain.as_ref(), read).await?;
    }
    let from = cursor.map_or(plan.start_block, |read| read.height + 1);
    let Some(confirmed) = head.height.checked_sub(plan.confirmations).filter(|height| *height >= from) else {
        return Ok(None);
    };
    let height = confirmed.min(from.saturating_add(range - 1));
    let to = chain.block(height).await?.ok_or(ScanError::Missing { height })?;
    let logs = chain.logs(from, to).await?;
    // What was read before must still be there, or these logs are of another branch than the ones before them.
    if let Some(read) = cursor {
        check_still_there(chain.as_ref(), read).await?;
    }
    let events = relevant(&services, chain.as_ref(), plan, &logs).await?;
    let upto = CursorRow { chain_id: plan.chain_id, height, hash: to.hash };
    Ok(Some(Scanned { events, upto, is_all: height == confirmed }))
}

async fn check_still_there(chain: &dyn ChainClient, read: CursorRow) -> Result<(), ScanError> {
    let found = chain.block(read.height).await?.map(|block| block.hash);
    if found == Some(read.hash) {
        return Ok(());
    }
    Err(ScanError::Reorganised { height: read.height, read: read.hash, found })
}

/// Keeps what concerns the broker or a channel that it knows. A log that cannot be read is passed over with
/// an alarm: the broker's contract wrote no such log.
async fn relevant(
    services: &Services,
    chain: &dyn ChainClient,
    plan: WatchPlan,
    logs: &[RawLog],
) -> Result<Vec<NewEvent>, ScanError> {
    let (mut events, mut known) = (Vec::new(), BTreeSet::new());
    for log in logs {
        let event = match chain.decode(log) {
            Ok(event) => event,
            Err(poison) => {
                log::error!(chain_id:% = plan.chain_id, poison:%; "a log is passed over");
                continue;
            }
        };
        if let Some(owner) = owner_of(services, plan, &event, &mut known).await? {
            events.push(NewEvent {
                key: log.position.key(plan.chain_id),
                height: log.position.height,
                owner,
                body: event.to_stored(),
            });
        }
    }
    Ok(events)
}

/// Whom an event concerns; `None` for the affairs of strangers.
async fn owner_of(
    services: &Services,
    plan: WatchPlan,
    event: &CustodyEvent,
    known: &mut BTreeSet<ChannelId>,
) -> Result<Option<OwnerId>, StoreError> {
    let channel = match event {
        CustodyEvent::Deposited { wallet, .. } | CustodyEvent::Withdrawn { wallet, .. } => {
            return Ok((*wallet == services.broker).then_some(OwnerId::Network(plan.chain_id)));
        }
        CustodyEvent::Created { channel_id, params, .. } => {
            if params.participants[1] == services.broker {
                known.insert(*channel_id);
            }
            *channel_id
        }
        CustodyEvent::Joined { channel_id, .. }
        | CustodyEvent::Opened { channel_id }
        | CustodyEvent::Challenged { channel_id, .. }
        | CustodyEvent::Checkpointed { channel_id, .. }
        | CustodyEvent::Resized { channel_id, .. }
        | CustodyEvent::Closed { channel_id, .. } => *channel_id,
    };
    let owner = OwnerId::Channel(channel);
    if !known.contains(&channel) {
        let stored = services.store.load(owner).await?;
        if stored.state.is_none() && stored.inbox.is_empty() {
            return Ok(None);
        }
        known.insert(channel);
    }
    Ok(Some(owner))
}
