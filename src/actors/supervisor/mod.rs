//! The supervisor: brings owners to life, buries them, and opens virtual channels.
//!
//! The only writer of the directory. Never waits exclusively: loading one owner keeps nobody else from
//! being loaded. Deliberately absent: money; what an opening moves is computed by the domain and checked by
//! the owners and the journal.

mod anew;
mod birth;
mod handlers;
mod messages;
mod opening;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use domain::channel::virtual_channel::Phase;
use domain::ledger::OwnerId;
use domain::primitives::ChainId;
use futures::channel::oneshot;

use super::directory::OwnerHandle;
use super::journal::{Author, FromJournal, JournalHandle, Registered};
use super::pen::Pen;
use super::request::{Asked, Refused};
use super::services::Services;
use crate::clock;
use crate::store::{PAGE_ROWS_MAX, StateKind, Store, StoreError};

pub(super) use anew::begin_anew;
pub(super) use birth::Birth;
pub use messages::{Exited, Load, OpenVirtualChannel, Opening, Wake};

/// How often the store is asked who is due: deadlines are hours away, so a second late is soon enough.
const DUE_INTERVAL: Duration = Duration::from_secs(1);

/// The most owners woken at a time because they are due: the rest follow a moment later.
const DUE_MAX: u32 = 100;

/// How long an owner that ended by itself rests before it is loaded again: keeps one that fails at once
/// from taking all the time.
const REBIRTH_DELAY: Duration = Duration::from_millis(200);

/// How many messages may wait for the supervisor: one load or wake of every session and watcher.
const MAILBOX: usize = 4_096;

type LoadReply = oneshot::Sender<Result<OwnerHandle, Refused>>;

/// Who waits for an owner, and on which chain it may be a new direct channel.
type Waiting = (LoadReply, Option<ChainId>);

/// The supervisor.
pub struct SupervisorActor {
    services: Arc<Services>,
    /// Who waits for an owner that is being loaded.
    loading: BTreeMap<OwnerId, Vec<Waiting>>,
    pen: Pen<oneshot::Sender<Result<(), Refused>>>,
    /// Whether those who look after somebody by themselves were brought to life after the start.
    are_watchers_awake: bool,
    _successor: Successor,
}

/// Has another supervisor follow when one panics. What the first was doing has no outcome that anybody was told;
/// owners live on.
struct Successor(Arc<Services>);

impl Drop for Successor {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(arbiter) = Arbiter::try_current()
        {
            log::error!("the supervisor panicked; another one follows");
            let services = Arc::clone(&self.0);
            arbiter.spawn(async move {
                while SupervisorActor::open(Arc::clone(&services)).await.is_err() {
                    tokio::time::sleep(REBIRTH_DELAY).await;
                }
            });
        }
    }
}

impl SupervisorActor {
    /// Starts the supervisor of these services in the current arbiter, and makes it known to them.
    ///
    /// # Errors
    /// [`Refused::Unavailable`] when the journal is gone.
    pub async fn open(services: Arc<Services>) -> Result<Addr<Self>, Refused> {
        let journal: JournalHandle = services.journal.clone();
        let (registered, told) =
            journal.register(Author::Supervisor).await.map_err(|_| Refused::Unavailable)?;
        let pen = Pen::new(journal, Author::Supervisor, &registered);
        let addr = Self::create(|ctx| {
            ctx.set_mailbox_capacity(MAILBOX);
            ctx.add_stream(told);
            let successor = Successor(Arc::clone(&services));
            Self {
                services: Arc::clone(&services),
                loading: BTreeMap::new(),
                pen,
                are_watchers_awake: false,
                _successor: successor,
            }
        });
        services.directory.set_supervisor(addr.clone());
        Ok(addr)
    }

    /// Loads an owner, or joins who waits for it already.
    fn load(
        &mut self,
        owner: OwnerId,
        new_on: Option<ChainId>,
        reply: Option<LoadReply>,
        ctx: &mut Context<Self>,
    ) {
        if let Some(handle) = self.services.directory.find(owner) {
            answer(reply, Ok(handle));
            return;
        }
        let waiting = self.loading.entry(owner).or_default();
        let is_first = waiting.is_empty();
        // Whoever only wakes an owner waits for nothing, but marks it as being loaded.
        waiting.push((reply.unwrap_or_else(|| oneshot::channel().0), new_on));
        if !is_first {
            return;
        }
        let birth = birth::bring_to_life(Arc::clone(&self.services), owner, new_on);
        ctx.spawn(birth.into_actor(self).map(move |born, act, ctx| {
            let waiting = act.loading.remove(&owner).unwrap_or_default();
            match born {
                Ok(handle) => {
                    act.services.directory.insert(owner, handle.clone());
                    for (reply, _) in waiting {
                        answer(Some(reply), Ok(handle.clone()));
                    }
                }
                Err(refused) => {
                    let is_unknown = matches!(refused, Refused::NotFound { .. });
                    for (reply, also_on) in waiting {
                        // Who joined may bring it into being, though the first only looked for it.
                        if is_unknown && new_on.is_none() && also_on.is_some() {
                            act.load(owner, also_on, Some(reply), ctx);
                            continue;
                        }
                        let refused =
                            if is_unknown { Refused::NotFound { owner } } else { Refused::Unavailable };
                        answer(Some(reply), Err(refused));
                    }
                }
            }
        }));
    }

    /// Loads those that are not alive and have something to do: a deadline that has passed, a chain event
    /// that nobody told them of, or a network to send to. Who is alive has a timer and a stream of its own.
    fn wake_due(&mut self, ctx: &mut Context<Self>) {
        let services = Arc::clone(&self.services);
        let are_watchers_awake = self.are_watchers_awake;
        let read = async move {
            let mut owners = services.store.due(clock::now(), DUE_MAX).await?;
            if !are_watchers_awake {
                owners.extend(proposals(services.store.as_ref()).await?);
            }
            // Nobody who needs a sender loads it: one that ended while the store was away is brought back here.
            owners.extend(services.checked_chains.all().into_iter().map(OwnerId::Network));
            for chain_id in services.chains.keys() {
                let unhandled = services.store.unhandled(*chain_id, None, DUE_MAX).await?;
                let is_checked = services.checked_chains.all().contains(chain_id);
                let owners_of = unhandled.iter().map(|event| event.owner);
                owners.extend(owners_of.filter(|owner| is_checked || matches!(owner, OwnerId::Channel(_))));
            }
            Ok::<_, StoreError>(owners)
        };
        ctx.spawn(read.into_actor(self).map(|due, act, ctx| match due {
            Ok(owners) => {
                act.are_watchers_awake = true;
                for owner in owners {
                    act.load(owner, None, None, ctx);
                }
            }
            Err(error) => log::warn!(error:%; "cannot read who has something to do"),
        }));
    }
}

/// All proposals that wait: each looks after its Host, whoever else needs it.
async fn proposals(store: &dyn Store) -> Result<Vec<OwnerId>, StoreError> {
    let (mut owners, phase) = (Vec::new(), Phase::Proposed.code());
    loop {
        let page = store.in_phase(StateKind::Virtual, phase, owners.last().copied(), PAGE_ROWS_MAX).await?;
        if page.is_empty() {
            return Ok(owners);
        }
        owners.extend(page);
    }
}

/// Answers whoever still waits.
fn answer(reply: Option<LoadReply>, loaded: Result<OwnerHandle, Refused>) {
    if let Some(reply) = reply {
        let _gone = reply.send(loaded);
    }
}

#[cfg(test)]
mod tests;
