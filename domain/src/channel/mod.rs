//! The machines of channels: pure functions from a state, an event and a time to the next state.
//!
//! Deliberately absent: who calls them, how their states are stored, and how their effects are performed.

mod machine;

pub use machine::{Machine, Transition};
