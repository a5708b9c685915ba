//! The rows of the store, as sea-orm models: plain data, one module a table.
//!
//! Columns are as the `migration` crate makes them: ids and amounts are bytes, numbers are 64 bits. What
//! the codes and bytes mean is told in `docs/ledger.md`. Deliberately absent: every rule about the rows.

pub mod accounts;
pub mod cursors;
pub mod entries;
pub mod head;
pub mod inbox;
pub mod members;
pub mod outbox;
pub mod requests;
pub mod states;
pub mod transfers;
