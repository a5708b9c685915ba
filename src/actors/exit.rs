//! How the supervisor learns that an actor is gone, whatever it ended of.

use actix::prelude::*;
use domain::ledger::OwnerId;

use super::supervisor::{Exited, SupervisorActor};

/// Held by every owner's actor: tells the supervisor when the actor ends, also when it panics.
#[derive(Debug)]
pub(super) struct ExitGuard {
    owner: OwnerId,
    supervisor: Addr<SupervisorActor>,
}

impl ExitGuard {
    /// Guards the actor of `owner`.
    #[must_use]
    pub(super) const fn new(owner: OwnerId, supervisor: Addr<SupervisorActor>) -> Self {
        Self { owner, supervisor }
    }
}

impl Drop for ExitGuard {
    fn drop(&mut self) {
        let is_panic = std::thread::panicking();
        if is_panic {
            log::error!(owner:% = self.owner; "an actor panicked; it is rebuilt from the store");
        }
        // A supervisor too busy to hear it finds the closed address when somebody asks for the owner.
        let _full = self.supervisor.try_send(Exited { owner: self.owner });
    }
}
