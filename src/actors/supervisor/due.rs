//! Waking owners that are not alive and have something to do.
//!
//! What is due is read page by page, and then from the beginning again: however many owners cannot do what they are
//! woken for, the others get their turn.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use domain::channel::virtual_channel::Phase;
use domain::ledger::OwnerId;
use domain::primitives::{ChainId, Timestamp};

use super::{Services, SupervisorActor};
use crate::clock;
use crate::store::{InboxId, PAGE_ROWS_MAX, StateKind, Store, StoreError};

/// How often the store is asked who is due: deadlines are hours away, so a second late is soon enough.
pub(super) const DUE_INTERVAL: Duration = Duration::from_secs(1);

/// The most owners woken at a time because they are due: the rest follow a moment later.
pub(super) const DUE_MAX: u32 = 100;

/// How far those who have something to do were woken.
#[derive(Debug, Default)]
pub(super) struct Due {
    /// The last of those with a deadline; `None` at the beginning of a round.
    deadline: Option<(Timestamp, OwnerId)>,
    /// The last chain event of each network whose owner was woken; none at the beginning of a round.
    events: BTreeMap<ChainId, InboxId>,
    /// Whether those who look after somebody by themselves were brought to life after the start.
    are_watchers_awake: bool,
}

impl SupervisorActor {
    /// Loads those that are not alive and have something to do: a deadline that has passed, a chain event
    /// that nobody told them of, or a network to send to. Who is alive has a timer and a stream of its own.
    pub(super) fn wake_due(&mut self, ctx: &mut Context<Self>) {
        // A slow store is not asked again before it has answered.
        let Some(mut due) = self.due.take() else { return };
        let services = Arc::clone(&self.services);
        let read = async move {
            let owners = due.next(&services).await;
            (due, owners)
        };
        ctx.spawn(read.into_actor(self).map(|(due, owners), act, ctx| {
            act.due = Some(due);
            match owners {
                Ok(owners) => {
                    for owner in owners {
                        act.load(owner, None, None, ctx);
                    }
                }
                Err(error) => log::warn!(error:%; "cannot read who has something to do"),
            }
        }));
    }
}

impl Due {
    /// The next owners to wake.
    async fn next(&mut self, services: &Services) -> Result<Vec<OwnerId>, StoreError> {
        let store = services.store.as_ref();
        let mut owners = self.next_deadlines(store).await?;
        let checked = services.checked_chains.all();
        for chain_id in services.chains.keys() {
            let of_chain = self.next_events(store, *chain_id).await?.into_iter();
            let is_checked = checked.contains(chain_id);
            owners.extend(of_chain.filter(|owner| is_checked || matches!(owner, OwnerId::Channel(_))));
        }
        // Nobody who needs a sender loads it: one that ended while the store was away is brought back here.
        owners.extend(checked.into_iter().map(OwnerId::Network));
        if !self.are_watchers_awake {
            owners.extend(proposals(store).await?);
            self.are_watchers_awake = true;
        }
        Ok(owners)
    }

    async fn next_deadlines(&mut self, store: &dyn Store) -> Result<Vec<OwnerId>, StoreError> {
        let page = store.due(clock::now(), self.deadline, DUE_MAX).await?;
        self.deadline = page.last().copied().filter(|_| is_full(page.len()));
        Ok(page.into_iter().map(|(_, owner)| owner).collect())
    }

    async fn next_events(
        &mut self,
        store: &dyn Store,
        chain_id: ChainId,
    ) -> Result<Vec<OwnerId>, StoreError> {
        let page = store.unhandled(chain_id, self.events.get(&chain_id).copied(), DUE_MAX).await?;
        match page.last().filter(|_| is_full(page.len())) {
            Some(last) => self.events.insert(chain_id, last.id),
            None => self.events.remove(&chain_id),
        };
        Ok(page.into_iter().map(|event| event.owner).collect())
    }
}

/// Whether more may follow after a page of so many.
fn is_full(rows: usize) -> bool {
    u32::try_from(rows).is_ok_and(|rows| rows == DUE_MAX)
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
