//! Sessions: one WebSocket client each.

mod id;

pub use id::SessionId;
