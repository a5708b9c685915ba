//! The Clearnet broker: the module tree, so that tests and benches can link it.

pub mod actors;
pub mod chain;
pub mod clock;
pub mod devnet;
pub mod store;
