//! Who asks, what was asked for, and what everybody knows from the answers.

use std::cell::{Cell, RefCell};

use domain::crypto::Definition;
use domain::primitives::{Address, ChannelId};
use domain::protocol::method::create_app_session::AppDefinition;

use crate::session::ask::Direct;

/// A member, as all of its devices know it.
pub(super) struct Member {
    /// The channel with the newest co-signed state that was answered.
    pub(super) direct: RefCell<Direct>,
    /// The newest deed.
    pub(super) newest: Cell<Option<usize>>,
}

impl Member {
    pub(super) fn new(direct: Direct) -> Self {
        Self { direct: RefCell::new(direct), newest: Cell::new(None) }
    }

    pub(super) fn address(&self) -> Address {
        self.direct.borrow().key.address()
    }
}

/// A virtual channel of two members, as they know it from the answers.
pub(super) struct Room {
    pub(super) members: [usize; 2],
    pub(super) definition: AppDefinition,
    /// The newest version that was answered; 0 before the opening was.
    pub(super) version: u64,
    pub(super) shares: [u64; 2],
    pub(super) is_closed: bool,
}

impl Room {
    pub(super) fn id(&self) -> ChannelId {
        Definition::from(&self.definition).channel_id()
    }
}

/// The state of a direct channel that a request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) version: u64,
    pub(super) part: u128,
}

/// What a request does if it is taken.
#[derive(Debug, Clone)]
pub(super) enum Effect {
    /// Pays somebody.
    Pay { to: usize, amount: u64 },
    /// Moves nothing but the part of the channel.
    Anchor,
    /// Opens this room; every member puts in its share.
    Open { room: usize },
    /// Redistributes what is in a room.
    Update { room: usize, version: u64, shares: [u64; 2] },
    /// Ends a room.
    Close { room: usize, version: u64, shares: [u64; 2] },
}

/// One request and what became of it.
#[derive(Debug, Clone)]
pub(super) struct Deed {
    pub(super) by: usize,
    /// As it is sent, always the same bytes.
    pub(super) frame: String,
    pub(super) part: Option<Part>,
    pub(super) effect: Effect,
    /// The answer, byte for byte; none before there was one.
    pub(super) taken: Option<String>,
    /// The code with which a copy was refused.
    pub(super) refused: Option<String>,
}
