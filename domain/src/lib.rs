//! What Clearnet decides, without I/O.
//!
//! Everything here is a pure function of its arguments: amounts and ids, signatures and the packed
//! layouts they cover, the double-entry ledger, the machines of channels, and the wire. Deliberately absent:
//! clocks, randomness, sockets, databases, actors and RPC. Time comes in as a [`primitives::Timestamp`],
//! and what has to be done outside goes out as data.

pub mod chain;
pub mod channel;
pub mod crypto;
pub mod ledger;
pub mod participant;
pub mod primitives;
pub mod protocol;
