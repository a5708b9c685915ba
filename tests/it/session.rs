//! What a session answers, frame by frame: raw frames over a real WebSocket, on a broker in this process.
//!
//! Few worlds with many cases each. Every refused frame must be answered with exactly the code that
//! `docs/protocol.md` says, must leave the store as it was, and must leave the connection usable, or closed where
//! the document says so. All cases of a world are played; what differs is listed at the end, after the audit.

pub(crate) mod ask;
mod chain;
mod devices;
pub(crate) mod document;
mod faults;
mod frames;
mod keys;
mod login;
mod order;
pub(crate) mod place;
mod proposals;
mod requests;
mod rooms;
pub(crate) mod settle;
pub(crate) mod socket;
mod stage;
mod states;
mod strangers;
mod virtual_channels;
mod virtual_money;
mod wire;
pub(crate) mod world;
