//! The Clearnet broker: the module tree, so that tests and benches can link it.

pub mod actors;
pub mod app;
pub mod audit;
pub mod chain;
pub mod cli;
pub mod clock;
pub mod config;
pub mod devnet;
pub mod http;
pub mod metrics;
pub mod signer;
pub mod store;
