//! The integration tests: one binary, one file per scenario.

#![allow(clippy::unwrap_used)]

mod audit;
mod cli;
mod config;
mod config_check;
mod crash;
mod demo;
mod devnet;
mod harness;
mod laws;
mod load;
mod operating;
mod sandbox;
mod session;
mod start;
mod store;
mod tidy;
