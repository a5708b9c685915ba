//! The machines of channels: pure functions from a state, an event and a time to the next state.
//!
//! Deliberately absent: who calls them, how their states are stored, and how their effects are performed.

pub mod direct;
mod machine;
mod movement;

pub mod virtual_channel;

pub use machine::{Machine, Transition};
pub use movement::{Movement, MovementError, PartMove};
