//! How much of everything the wire takes. What a machine bounds is bounded there, and only named here.

use crate::channel::{direct, virtual_channel};
use crate::participant;

/// A limit as `docs/protocol.md` lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// What is limited.
    pub name: &'static str,
    /// The most there may be, or the value itself.
    pub value: u64,
    /// What the value counts.
    pub unit: &'static str,
    /// What the limit is for.
    pub reason: &'static str,
}

/// Declares the limits and the table of them.
macro_rules! limits {
    ($($name:ident: $type:ty = $value:expr, $unit:literal, $reason:literal;)*) => {
        $(
            #[doc = concat!("In ", $unit, ": ", $reason, ".")]
            pub const $name: $type = $value;
        )*

        /// Every limit, in the order of the document.
        pub const LIMITS: &[Limit] = &[
            $(Limit { name: stringify!($name), value: $name as u64, unit: $unit, reason: $reason },)*
        ];
    };
}

limits! {
    FRAME_BYTES_MAX: usize = 256 * 1024, "bytes",
        "a frame; bounds what one session holds while it is read";
    FRAME_DEPTH_MAX: usize = 32, "levels",
        "nesting of arrays and objects in a frame; bounds the stack of every reader it is passed on to";
    FRAME_ID_BYTES_MAX: usize = 64, "bytes",
        "the `id` of a frame as it is written, quotes included; it is kept until the answer";
    MESSAGE_BYTES_MAX: usize = virtual_channel::MESSAGE_BYTES_MAX, "bytes",
        "the `data` of `publish` and of an `rpc` inside a room; bounds a room's history";
    METHOD_BYTES_MAX: usize = 64, "bytes",
        "the method inside `req` or `res`";
    SIGNATURES_MAX: usize = 16, "signatures",
        "`sig` and `approvals`; each costs a recovery";
    STATES_MAX: usize = virtual_channel::PARTS_MAX, "states",
        "`states`; each costs a recovery and a hold on its channel";
    STATE_DATA_BYTES_MAX: usize = 256, "bytes",
        "`data` of a state of a direct channel";
    MEMBERS_MAX: usize = virtual_channel::PARTICIPANTS_MAX, "members",
        "participants and weights of a virtual channel; each has to be told of every change";
    ALLOCATIONS_MAX: usize = 256, "lines",
        "`allocations`; each is an entry in the book";
    SESSION_DATA_BYTES_MAX: usize = virtual_channel::DATA_BYTES_MAX, "bytes",
        "`session_data`; it is stored with every state";
    NAME_BYTES_MAX: usize = virtual_channel::APPLICATION_BYTES_MAX, "bytes",
        "`application` and `protocol` of a definition";
    CURSOR_BYTES_MAX: usize = 128, "bytes",
        "`cursor`";
    PAGE_DEFAULT: u8 = 10, "items",
        "a page when `limit` is absent";
    PAGE_MAX: u8 = 100, "items",
        "`limit`; bounds what one read fetches";
    VERSION_STEP_MAX: u64 = direct::VERSION_STEP_MAX, "versions",
        "how far a carried state may be above the newest one; keeps versions from being used up";
    REQUEST_WINDOW_MS: u64 = 60_000, "milliseconds",
        "how far the time inside a signed request may lie from the broker's clock, before or ahead";
    ANSWERS_KEPT_MS: u64 = 24 * 60 * 60 * 1_000, "milliseconds",
        "how long an answer is kept for repeats of its request";
    CHALLENGE_LIFETIME_MS: u64 = 60_000, "milliseconds",
        "how long the challenge of a login may be answered";
    AUTH_TIMEOUT_MS: u64 = 120_000, "milliseconds",
        "how long a connection may stay without a login";
    AUTH_ATTEMPTS_MAX: u32 = 5, "attempts",
        "`auth` frames of one connection; each may cost a recovery";
    PROPOSALS_MAX: usize = 16, "proposals",
        "proposals of one Host that wait for an answer; each is kept in memory until then";
    PROPOSALS_AT_ONCE_MAX: u64 = 60, "proposals",
        "what a Host may propose at once; one a minute more";
    ACCEPT_SECS_MAX: u64 = virtual_channel::ACCEPT_SECS_MAX, "seconds",
        "`accept_within_secs`; the Host's share waits as long";
    SESSION_KEYS_MAX: usize = participant::KEYS_MAX, "keys",
        "session keys of one participant that live; each is stored with every use of one";
    CAPS_MAX: usize = participant::CAPS_MAX, "assets",
        "`caps` of a session key";
    KEY_LIFETIME_SECS_MAX: u64 = participant::KEY_LIFETIME_SECS_MAX, "seconds",
        "the life of a session key; a forgotten one ends";
    SETTLEMENTS_MAX: usize = 4, "settlements",
        "settlements of one participant on one chain that are under way; each costs the broker a transaction";
    FRAMES_PER_SECOND_MAX: u64 = 200, "frames",
        "what one connection may send in a second, on average; keeps one client from using up what all share";
    FRAMES_AT_ONCE_MAX: u64 = 1_000, "frames",
        "what one connection may send at once after a pause";
}
