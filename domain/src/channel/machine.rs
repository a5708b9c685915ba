//! What every machine is.

use crate::ledger::Transfer;
use crate::primitives::Timestamp;

/// A pure decider: it owns one state, and every change of it goes through [`Machine::apply`].
///
/// The same state, event and time always lead to the same outcome. The caller commits the transfers
/// together with the new state, and performs the effects after that commit is durable; an effect may
/// be performed again after a crash.
pub trait Machine {
    /// What can happen to it, in the past tense or as what is asked of it.
    type Event;
    /// What it wants to be done outside.
    type Effect;
    /// Why it refuses an event.
    type Error;

    /// Takes an event in.
    ///
    /// # Errors
    /// The machine's own; nothing has changed then.
    fn apply(&mut self, event: Self::Event, now: Timestamp) -> Result<Transition<Self::Effect>, Self::Error>;

    /// When it wants to be told that time has passed; `None` when it waits for nothing.
    fn deadline(&self) -> Option<Timestamp>;
}

/// What an event leads to besides the new state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition<E> {
    /// What moves in the book, in this order, in the same commit as the new state.
    pub transfers: Vec<Transfer>,
    /// What is to be done once that commit is durable, in this order.
    pub effects: Vec<E>,
}

impl<E> Default for Transition<E> {
    fn default() -> Self {
        Self { transfers: Vec::new(), effects: Vec::new() }
    }
}
