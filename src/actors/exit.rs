//! How the supervisor learns that an actor is gone, whatever it ended of.

use std::sync::Arc;

use domain::ledger::OwnerId;

use super::services::Services;
use super::supervisor::Exited;

/// Held by every owner's actor: tells the supervisor when the actor ends, also when it panics.
pub(super) struct ExitGuard {
    owner: OwnerId,
    services: Arc<Services>,
}

impl ExitGuard {
    /// Guards the actor of `owner`.
    #[must_use]
    pub(super) const fn new(owner: OwnerId, services: Arc<Services>) -> Self {
        Self { owner, services }
    }
}

impl Drop for ExitGuard {
    fn drop(&mut self) {
        let is_panic = std::thread::panicking();
        if is_panic {
            log::error!(owner:% = self.owner; "an actor panicked; it is rebuilt from the store");
        }
        // A supervisor that is not there or too busy finds the closed address when somebody asks for the owner.
        if let Some(supervisor) = self.services.directory.supervisor() {
            let _full = supervisor.try_send(Exited { owner: self.owner });
        }
    }
}
