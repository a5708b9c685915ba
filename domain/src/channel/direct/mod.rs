//! The machine of a direct channel: a participant and the broker, one token, anchored in the custody contract.
//!
//! It begins before anything is known of the channel's id, counts money only when the contract holds it for both
//! sides, agrees to next states that the participant has signed, and freezes once the end is agreed or disputed.
//! The broker never signs first, and what it signs is made of its own values. `README.md` shows the phases.
//!
//! Deliberately absent: RESIZE, answers to challenges, session keys; which wallet pays for what
//! ([`crate::participant`]); signing; the depth at which chain events are believed.

mod counting;
mod effect;
mod error;
mod event;
mod machine;
mod on_chain;
mod phase;
mod requests;
mod state;
mod stored;
mod terms;

#[cfg(test)]
pub(crate) mod tests;

pub use counting::IgnoreReason;
pub use effect::{DirectAlarm, DirectEffect, Held, SettlementEnd};
pub use error::DirectError;
pub use event::DirectEvent;
pub use machine::DirectChannel;
pub use phase::Phase;
pub use requests::VERSION_STEP_MAX;
pub use state::{AgreedState, Settlement};
pub use stored::{EncodedState, StoredError};
pub use terms::{CONTRACT_CHALLENGE_SECS_MIN, Terms};
