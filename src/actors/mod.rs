//! The actors: thin shells that let pure machines decide and perform what they decided.
//!
//! Asks go down (session, supervisor, virtual channel, participant, direct channel, journal), tells go
//! up. Nothing here computes money.

pub mod answer;
pub mod chain_sender;
pub mod chain_watcher;
pub mod direct_channel;
pub mod directory;
pub mod journal;
pub mod participant;
pub mod pen;
pub mod prepare;
pub mod proposals;
pub mod push;
pub mod readiness;
pub mod request;
pub mod services;
pub mod session;
pub mod stop;
pub mod supervisor;
pub mod virtual_channel;

mod exit;
mod leaving;
#[cfg(test)]
mod samples;
mod scrape;
