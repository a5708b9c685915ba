//! Beginning the book anew, in test mode: everybody ends, and is brought to life with the next need of it.
//!
//! Runs beside whoever asks for it and comes to its end even when the asker is gone: half of it would leave nobody to
//! bring owners to life.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::ledger::OwnerId;
use domain::primitives::{Amount, ChainId, Token};
use futures::FutureExt as _;
use futures::channel::oneshot;
use tokio::time::timeout;

use super::super::journal::{BeginAnew, Beginning, NotBegun};
use super::{Asked, OwnerHandle, Refused, Services, SupervisorActor};
use crate::actors::answer::{Answer, Outcome};
use crate::chain::ChainError;
use crate::clock;
use crate::store::CursorRow;

/// How long the chains may take to say what a new book begins with: nobody can write meanwhile.
const CHAINS_TIME: Duration = Duration::from_secs(5);

/// How often it is looked whether the owners of the old book are gone, and how often at most: who is not gone by then
/// has an ended incarnation and does no harm.
const GONE_POLL: Duration = Duration::from_millis(2);
const GONE_LOOKS_MAX: u32 = 1_000;

/// Begins the book anew with what the broker has available at confirmed depth on each chain. Returns
/// when all that lived in the old book has ended, and who is needed lives in the new one.
///
/// # Errors
/// [`Refused::NoPermit`]; [`Refused::Overloaded`] while a transaction is on its way to a chain,
/// [`Refused::ChainUnavailable`] for a chain that does not answer: nothing has happened. [`Refused::Unavailable`].
pub(in crate::actors) async fn begin_anew(
    services: &Arc<Services>,
    asked: Asked<()>,
) -> Result<Answer, Refused> {
    let (reply, answered) = oneshot::channel();
    let begun = Arc::clone(services);
    // The supervisor lives where this runs.
    services.arbiters[0].spawn(async move {
        let _gone = reply.send(run(&begun, asked).await);
    });
    answered.await.unwrap_or(Err(Refused::Unavailable))
}

async fn run(services: &Arc<Services>, asked: Asked<()>) -> Result<Answer, Refused> {
    let now = clock::now();
    let permit = asked.permit(services.journal.permits(), now)?;
    let answer = Answer::new(now, Outcome::BegunAnew, []);
    let chains: BTreeSet<ChainId> = services.chains.keys().copied().collect();
    let ask = BeginAnew {
        chains: chains.iter().copied().collect(),
        beginning: read_chains(Arc::clone(services), chains.clone()).boxed(),
        permit,
        answer: answer.encode(),
    };
    let ended = services.journal.begin_anew(ask).await.map_err(|not_begun| match not_begun {
        NotBegun::UnderWay { .. } => Refused::Overloaded,
        NotBegun::ChainUnavailable { chain_id } => Refused::ChainUnavailable { chain_id },
        NotBegun::Lost => Refused::Unavailable,
    })?;
    let old = services.directory.forget_owners();
    // Before anybody hears of its end: sessions look for their participants at once.
    SupervisorActor::open(Arc::clone(services)).await?;
    drop(ended);
    wait_until_gone(&old).await;
    for chain_id in chains {
        if let Err(refused) = services.owner(OwnerId::Network(chain_id)).await {
            log::warn!(chain_id:%, error:% = refused; "the sender does not run yet");
        }
    }
    Ok(answer)
}

/// What the broker has available on these chains at confirmed depth, and where that is.
async fn read_chains(services: Arc<Services>, chains: BTreeSet<ChainId>) -> Result<Beginning, ChainId> {
    let mut beginning = Beginning::default();
    for chain_id in chains {
        // What is never read up to here would be read from its beginning later, old channels and all.
        if !services.checked_chains.all().contains(&chain_id) {
            return Err(chain_id);
        }
        let read = timeout(CHAINS_TIME, read_chain(&services, chain_id)).await;
        let (cursor, available) = read.ok().and_then(Result::ok).flatten().ok_or(chain_id)?;
        beginning.cursors.push(cursor);
        beginning.available.extend(available);
    }
    Ok(beginning)
}

type Found = (CursorRow, Vec<(Token, Amount)>);

/// `None` when nothing is confirmed yet.
async fn read_chain(services: &Services, chain_id: ChainId) -> Result<Option<Found>, ChainError> {
    let found = services.chains.get(&chain_id).zip(services.confirmations.get(&chain_id));
    let Some((chain, confirmations)) = found else { return Ok(None) };
    let head = chain.head().await?;
    let Some(height) = head.height.checked_sub(*confirmations) else { return Ok(None) };
    let Some(block) = chain.block(height).await? else { return Ok(None) };
    let mut available = Vec::new();
    for token in services.tokens.iter().filter(|token| token.chain_id == chain_id) {
        available.push((*token, chain.available_at(services.broker, token.address, block).await?));
    }
    Ok(Some((CursorRow { chain_id, height, hash: block.hash }, available)))
}

/// Waits until the actors have ended: then their sessions have heard of it before anything that follows.
async fn wait_until_gone(old: &[OwnerHandle]) {
    let mut looks = 0;
    while looks < GONE_LOOKS_MAX && old.iter().any(OwnerHandle::is_alive) {
        tokio::time::sleep(GONE_POLL).await;
        looks += 1;
    }
}
