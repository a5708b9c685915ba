//! What happens on chain, as far as the book is concerned.
//!
//! Deliberately absent: RPC, decoding, and what an event means for a channel, which its machine says.

mod event;
mod recorded_state;
mod stored;

pub use event::CustodyEvent;
pub use recorded_state::RecordedState;
pub use stored::StoredEventError;
