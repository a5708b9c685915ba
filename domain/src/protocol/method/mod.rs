//! The methods: one file per kind of request, with its parameters, its reply, and an example of both.
//!
//! Parameters are signed, so unknown fields in them are refused; in replies they are ignored, so that a later
//! broker can say more. Deliberately absent: what any of them does, and methods that are not served yet.

pub mod accept_virtual_channel;
pub mod cancel_virtual_channel;
pub mod close_app_session;
pub mod close_channel;
pub mod create_app_session;
pub mod create_channel;
pub mod delegate_session_key;
pub mod get_app_definition;
pub mod get_app_sessions;
pub mod get_assets;
pub mod get_channels;
pub mod get_config;
pub mod get_ledger_balances;
pub mod get_ledger_entries;
pub mod get_ledger_transactions;
pub mod get_session_keys;
pub mod get_settlement;
pub mod get_state;
pub mod ping;
pub mod propose_virtual_channel;
pub mod reject_virtual_channel;
pub mod revoke_session_key;
pub mod settle;
pub mod submit_app_state;
pub mod test_fund;
pub mod test_reset;
pub mod transfer;
pub mod update_state;

mod room_state;
mod table;

pub use table::{Call, Method, Params, Signing};

#[cfg(test)]
pub(super) use table::rewritten_reply;
