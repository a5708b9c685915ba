//! The supervisor: brings owners to life, buries them, and opens virtual channels.
//!
//! The only writer of the directory. Never waits exclusively: loading one owner keeps nobody else from
//! being loaded. Deliberately absent: money; what an opening moves is computed by the domain and checked by
//! the owners and the journal.

mod anew;
mod birth;
mod due;
mod handlers;
mod messages;
mod opening;
mod passivation;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use domain::ledger::OwnerId;
use domain::primitives::ChainId;
use futures::channel::oneshot;

use super::directory::OwnerHandle;
use super::journal::{Author, FromJournal, JournalHandle, Registered};
use super::pen::Pen;
use super::request::{Asked, Refused};
use super::services::Services;
use due::Due;

pub(super) use anew::begin_anew;
pub(super) use birth::Birth;
pub use messages::{Exited, LetLeave, Load, OpenVirtualChannel, Opening, Wake};
pub use passivation::IDLE_MILLIS;

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
    /// Who waits for an owner that is asked to leave: for it, if it stays, or for the next one.
    leaving: BTreeMap<OwnerId, Vec<Waiting>>,
    /// Up to where the directory was looked through for those whom nobody needs; `None` at its beginning.
    looked_up_to: Option<OwnerId>,
    /// How far those who are due were woken; `None` while they are being read.
    due: Option<Due>,
    pen: Pen<oneshot::Sender<Result<(), Refused>>>,
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
                leaving: BTreeMap::new(),
                looked_up_to: None,
                due: Some(Due::default()),
                pen,
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
        // Whoever only wakes an owner waits for nothing, but marks it as being loaded.
        let reply = reply.unwrap_or_else(|| oneshot::channel().0);
        if let Some(waiting) = self.leaving.get_mut(&owner) {
            waiting.push((reply, new_on));
            return;
        }
        let waiting = self.loading.entry(owner).or_default();
        let is_first = waiting.is_empty();
        waiting.push((reply, new_on));
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
}

/// Answers whoever still waits.
fn answer(reply: Option<LoadReply>, loaded: Result<OwnerHandle, Refused>) {
    if let Some(reply) = reply {
        let _gone = reply.send(loaded);
    }
}

#[cfg(test)]
mod tests;
