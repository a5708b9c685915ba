//! Our contracts on a real chain, over connections that break.

mod channel;
mod connection;
mod process;
mod proxy;
mod transactions;
pub(crate) mod world;
