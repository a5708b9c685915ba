//! The Clearnet broker: the module tree, so that tests and benches can link it.

pub mod actors;
pub mod clock;
pub mod store;
