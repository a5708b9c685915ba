//! Beginning the book anew, in test mode: one turn of the journal, one batch, and then nobody is alive.
//!
//! What was handed over before is in the old book, what is handed over later names an ended incarnation and is
//! refused: nothing decided on the old book gets into the new one. Kept answers stay, so that a repeat of an old
//! request is answered and not carried out again.

use std::fmt;
use std::sync::Arc;

use actix::prelude::*;
use domain::ledger::{AccountKey, Cause, Entry, LedgerError, Side, Transfer, TransferKind};
use domain::primitives::{Amount, ChainId, Timestamp, Token};
use futures::channel::mpsc::UnboundedSender;
use futures::channel::oneshot;
use futures::future::BoxFuture;
use thiserror::Error;

use super::actor::InFlight;
use super::messages::FromJournal;
use super::{JournalActor, Permit};
use crate::clock;
use crate::store::{
    AccountId, AccountRow, AnswerRow, Batch, CursorRow, EntryId, EntryRow, Head, InboxId, OutboxId, Store,
    TransferId, TransferRow,
};

/// What an empty book begins with, read from the chains.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Beginning {
    /// What the broker has available of each token.
    pub available: Vec<(Token, Amount)>,
    /// After which block each chain is read.
    pub cursors: Vec<CursorRow>,
}

/// Asks for an empty book.
pub struct BeginAnew {
    /// The chains whose transactions must have come to their end.
    pub chains: Vec<ChainId>,
    /// Reads what the book begins with, when its turn has come and nothing is being sent; else says which chain
    /// cannot be read. Keeps everybody waiting who writes.
    pub beginning: BoxFuture<'static, Result<Beginning, ChainId>>,
    /// The permit of the request that asked for it.
    pub permit: Permit,
    /// Its answer.
    pub answer: Vec<u8>,
}

/// Why the book was not begun anew. Nothing has happened, unless it is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotBegun {
    /// A transaction is on its way to this chain: what the contract holds is about to change.
    #[error("a transaction is on its way to chain {chain_id}")]
    UnderWay {
        /// The chain.
        chain_id: ChainId,
    },
    /// A chain does not answer.
    #[error("chain {chain_id} does not answer")]
    ChainUnavailable {
        /// The chain.
        chain_id: ChainId,
    },
    /// The outcome is unknown.
    #[error("the outcome is unknown")]
    Lost,
}

/// Everybody who was alive: nobody can write any more, and all hear of it when this is dropped.
#[derive(Debug)]
pub struct EndedLives {
    _streams: Vec<UnboundedSender<FromJournal>>,
}

pub(super) type AnewReply = oneshot::Sender<Result<EndedLives, NotBegun>>;

/// A new book on its way to the store: what is said when it is there.
#[derive(Debug)]
pub(super) struct Begun {
    permit: Permit,
    answer: Vec<u8>,
    reply: AnewReply,
}

impl fmt::Debug for BeginAnew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BeginAnew").field("permit", &self.permit).finish_non_exhaustive()
    }
}

impl JournalActor {
    /// Reads what the new book begins with, and writes it. Nothing else is done meanwhile.
    pub(super) fn begin_anew(&mut self, asked: BeginAnew, reply: AnewReply, ctx: &mut Context<Self>) {
        let BeginAnew { chains, beginning, permit, answer } = asked;
        let store = Arc::clone(&self.store);
        let read = async move {
            check_nothing_under_way(store.as_ref(), chains).await?;
            beginning.await.map_err(|chain_id| NotBegun::ChainUnavailable { chain_id })
        };
        self.is_busy = true;
        ctx.spawn(read.into_actor(self).map(move |read, act, ctx| {
            let begun = Begun { permit, answer, reply };
            let batch = read.and_then(|beginning| {
                begun.batch(act.book.head, &beginning, clock::now()).map_err(|error| {
                    log::error!(error:%; "an empty book cannot begin");
                    NotBegun::Lost
                })
            });
            match batch {
                Ok(batch) => act.write(InFlight::anew(batch, begun), ctx),
                Err(refused) => {
                    // The permit is given back first: who is answered may ask again.
                    drop(begun.permit);
                    let _gone = begun.reply.send(Err(refused));
                    act.is_busy = false;
                    act.turn(ctx);
                }
            }
        }));
    }

    /// The new book is durable: ends everybody, and says so.
    pub(super) fn begun_anew(&mut self, batch: Batch, begun: Begun) {
        let streams = self.book.begin_anew();
        self.book.apply(batch);
        log::warn!("the book was begun anew");
        begun.permit.posted(&begun.answer);
        let _gone = begun.reply.send(Ok(EndedLives { _streams: streams }));
    }
}

/// Refuses while something is being sent: in the old book it was decided, and into the new one it would happen.
async fn check_nothing_under_way(store: &dyn Store, chains: Vec<ChainId>) -> Result<(), NotBegun> {
    for chain_id in chains {
        let open = store.open_outbox(chain_id, None, 1).await.map_err(|error| {
            log::warn!(chain_id:%, error:%; "cannot read what is to be sent");
            NotBegun::Lost
        })?;
        if !open.is_empty() {
            return Err(NotBegun::UnderWay { chain_id });
        }
    }
    Ok(())
}

impl Begun {
    /// The first batch of the new book: what the broker has available, and the answer to who asked for it.
    fn batch(&self, head: Head, beginning: &Beginning, at: Timestamp) -> Result<Batch, LedgerError> {
        let (key, body_hash) = (self.permit.key(), self.permit.body_hash());
        let answers = vec![AnswerRow { key, body_hash, answer: self.answer.clone() }];
        let mut batch = Batch {
            head: Head {
                fence: head.fence,
                seq: head.seq.next(),
                account: AccountId(0),
                transfer: TransferId(0),
                entry: EntryId(0),
                inbox: InboxId(0),
                outbox: OutboxId(0),
            },
            begins_anew: true,
            answers,
            cursors: beginning.cursors.clone(),
            ..Batch::default()
        };
        let mut entries = Vec::new();
        for (token, amount) in beginning.available.iter().filter(|(_, amount)| !amount.is_zero()) {
            entries.push(Entry::new(AccountKey::custody(*token), Side::Debit, *amount)?);
            entries.push(Entry::new(AccountKey::broker(*token), Side::Credit, *amount)?);
        }
        if !entries.is_empty() {
            push(&mut batch, &Transfer::new(TransferKind::BookBegun, Cause::Request(key), at, entries)?);
        }
        Ok(batch)
    }
}

/// Posts the one transfer of a new book, each of whose entries is the first of its account.
fn push(batch: &mut Batch, transfer: &Transfer) {
    let (kind, cause, at) = (transfer.kind(), transfer.cause(), transfer.at());
    batch.head.transfer = batch.head.transfer.next();
    batch.transfers.push(TransferRow { id: batch.head.transfer, kind, cause, at });
    for entry in transfer.entries() {
        batch.head.account = batch.head.account.next();
        batch.head.entry = batch.head.entry.next();
        batch.entries.push(EntryRow {
            id: batch.head.entry,
            transfer: batch.head.transfer,
            account: batch.head.account,
            posting: entry.posting,
            previous: None,
        });
        batch.accounts.push(AccountRow {
            id: batch.head.account,
            key: entry.account,
            balance: entry.posting.amount(),
            // Nobody who owns one has decided this.
            credit_no: entry.account.owner().map_or(0, |_| 1),
            last_entry: batch.head.entry,
        });
    }
}

#[cfg(test)]
mod tests;
