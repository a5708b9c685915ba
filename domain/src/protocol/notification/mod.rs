//! What the broker tells unasked: one file per kind, with an example.
//!
//! Each is an `rpc` frame whose `res` has id 0, to every session of those concerned. Nothing is kept for those
//! who are away: reads tell the same.

pub mod balances;
pub mod channel;
pub mod settlement;
pub mod virtual_channel;

mod table;

pub use table::Notification;
