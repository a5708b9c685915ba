//! The machine of a participant: what the broker owes it outside channels, and who may be paid from that.
//!
//! It decides payments, anchoring and settlements, and holds wallet money for the seconds in which others make
//! a commit that takes it. It knows the participant's session keys, which are all that it has to store: its balances are
//! those of the wallet accounts, and a hold is memory.
//!
//! Deliberately absent: phases; whether a part may move, which the channel has decided
//! when a [`PartMove`](crate::channel::PartMove) arrives here.

mod assets;
mod session_key;
mod stored;

mod effect;
mod error;
mod event;
mod machine;

#[cfg(test)]
mod tests;

pub use assets::{AssetOf, AssetTable};
pub use effect::ParticipantEffect;
pub use error::ParticipantError;
pub use event::ParticipantEvent;
pub use machine::{HOLDS_MAX, Participant};
pub use session_key::{
    CAPS_MAX, Cap, KEY_LIFETIME_SECS_MAX, KEYS_MAX, KeyError, KeySpend, KeyUse, Scope, SessionKey,
    SessionKeys,
};
pub use stored::StoredKeysError;
