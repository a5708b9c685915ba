//! The custody contract's language: calls, views, events and refusals.
//!
//! The ABI comes from the compiled artifacts that are built into the program. Deliberately absent:
//! what any of it means for a channel.

pub(crate) mod artifact;
mod call;
mod event;
mod record;
mod revert;
pub(crate) mod tokens;
pub(crate) mod views;

pub use call::CustodyCall;
pub(crate) use event::event_topics;
pub use event::{LogProblem, PoisonLog, decode_log};
pub use record::{ChannelStatus, OnChainChannel, SignedState};
pub use revert::{Refusal, Revert};
