//! Owners that nobody needs are asked to leave, some at a time.

use std::time::Duration;

use actix::prelude::*;
use domain::ledger::OwnerId;
use domain::primitives::Timestamp;
use futures::channel::mpsc::{UnboundedReceiver, unbounded};

use super::{SupervisorActor, answer};
use crate::actors::directory::{OwnerHandle, Unused};
use crate::actors::leaving::Leave;

/// How long nobody has looked for an owner that is asked to leave: long enough that who plays or pays every now and
/// then finds its owners alive, short enough that memory holds those of a minute and not of a day.
pub const IDLE_MILLIS: u64 = 60 * 1_000;

/// How often, and how many owners are looked at a time: a hundred thousand are looked through in less than two
/// minutes, and nobody waits for more than a slice.
pub(super) const LOOK_INTERVAL: Duration = Duration::from_secs(1);
const LOOKED_AT_MAX: usize = 1_000;

impl SupervisorActor {
    /// Asks the next owners that nobody needs to leave. One word comes for each that does, the end when all have
    /// decided.
    pub(super) fn let_leave(&mut self, now: Timestamp, ctx: &mut Context<Self>) -> UnboundedReceiver<()> {
        let unused_since = now.minus_millis(IDLE_MILLIS);
        let Unused { owners, looked_up_to } =
            self.services.directory.unused(unused_since, self.looked_up_to, LOOKED_AT_MAX);
        self.looked_up_to = looked_up_to;
        let (left, all_left) = unbounded();
        for (owner, leaver) in owners {
            if self.leaving.contains_key(&owner) {
                continue;
            }
            self.leaving.insert(owner, Vec::new());
            let left = left.clone();
            // The address is not held while the answer is waited for: whoever holds it keeps the owner.
            let decided = leaver.send(Leave { now, unused_since });
            ctx.spawn(decided.into_actor(self).map(move |decided, act, ctx| {
                // Who cannot answer is gone.
                if act.has_left(owner, decided.ok().flatten(), ctx) {
                    let _not_counted = left.unbounded_send(());
                }
            }));
        }
        all_left
    }

    /// An owner has decided: tells whether it has left. Who waits for it gets it, or the next one.
    fn has_left(&mut self, owner: OwnerId, stays: Option<OwnerHandle>, ctx: &mut Context<Self>) -> bool {
        let waiting = self.leaving.remove(&owner).unwrap_or_default();
        if let Some(handle) = stays {
            self.services.directory.insert(owner, handle.clone());
            for (reply, _) in waiting {
                answer(Some(reply), Ok(handle.clone()));
            }
            return false;
        }
        // One that ended otherwise than by leaving is still in there.
        self.services.directory.remove_ended(owner);
        for (reply, new_on) in waiting {
            self.load(owner, new_on, Some(reply), ctx);
        }
        true
    }
}
