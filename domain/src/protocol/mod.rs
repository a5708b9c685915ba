//! The wire: frames, the envelope of requests, every method, every notification, every error code.
//!
//! `docs/protocol.md` is the same in prose, and tests hold the two together. What is here decodes what
//! arrives and encodes what leaves; nothing is decided. Deliberately absent: sockets, sessions, who may ask
//! for what, and the NitroRPC dialect except for the one frame that precedes both dialects.

pub mod method;
pub mod notification;

mod code;
mod refusal;

mod envelope;
mod frame;

mod amounts;
mod page;
mod state;

mod json;
mod limits;
mod uint53;

#[cfg(test)]
mod tests;

pub use amounts::{MemberAmount, TokenAmount};
pub use code::{Code, SessionEffect};
pub use envelope::{CallError, Request, RequestId, Response, RoomCall, RoomSide};
pub use frame::{
    AssetsFrame, Auth, AuthError, ClientBody, ClientFrame, FrameError, FrameFault, FrameId, Position,
    ServerBody, ServerFrame, Stamp,
};
pub use json::{JsonFault, Text};
pub use limits::{
    ACCEPT_SECS_MAX, ALLOCATIONS_MAX, ANSWERS_KEPT_MS, AUTH_ATTEMPTS_MAX, AUTH_TIMEOUT_MS, CAPS_MAX,
    CHALLENGE_LIFETIME_MS, CURSOR_BYTES_MAX, FRAME_BYTES_MAX, FRAME_DEPTH_MAX, FRAME_ID_BYTES_MAX,
    FRAMES_AT_ONCE_MAX, FRAMES_PER_SECOND_MAX, KEY_LIFETIME_SECS_MAX, LIMITS, Limit, MEMBERS_MAX,
    MESSAGE_BYTES_MAX, METHOD_BYTES_MAX, NAME_BYTES_MAX, PAGE_DEFAULT, PAGE_MAX, PROPOSALS_AT_ONCE_MAX,
    PROPOSALS_MAX, REQUEST_WINDOW_MS, SESSION_DATA_BYTES_MAX, SESSION_KEYS_MAX, SETTLEMENTS_MAX,
    SIGNATURES_MAX, STATE_DATA_BYTES_MAX, STATES_MAX, VERSION_STEP_MAX,
};
pub use page::{Cursor, PageSize};
pub use refusal::{Details, Refusal};
pub use state::{CarriedState, ChannelTerms, CosignedState, State, StateAllocation, StateData};
pub use uint53::Uint53;
