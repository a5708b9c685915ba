//! Virtual channels: rooms with money in them, between participants and through the broker.
//!
//! [`open`] judges an opening, [`propose`] one that the Guest has still to accept, [`VirtualChannel`] is the machine of an open one, and [`Topic`] orders what its
//! members say to each other. `README.md` beside this file shows the phases.
//!
//! Deliberately absent: looking up who has a direct channel, asking other owners to hold what a request moves,
//! verification of signatures, storage, and the wire.

mod definition_rules;
mod quorum;

mod opening;
mod plan;
mod proposal;
mod transfers;

mod error;
mod event;
mod machine;
mod next_state;
mod phase;
mod state;
mod stored;

mod effect;

mod room_rpc;
mod topic;

#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod samples;

pub use definition_rules::{
    APPLICATION_BYTES_MAX, DefinitionError, LIFETIME_SECS_MAX, LIFETIME_SECS_MIN, PARTICIPANTS_MAX,
    PARTICIPANTS_MIN, PROTOCOL, check_definition,
};
pub use effect::{Change, Notification, Snapshot, VirtualChannelEffect};
pub use error::{VirtualChannelError, WrongStateError};
pub use event::{Acceptance, Close, Update, VirtualChannelEvent};
pub use opening::{AllocationError, Opened, OpeningError, OpeningRequest, OpeningTerms, TOKENS_MAX, open};
pub use phase::{Phase, Step};
pub use plan::{PARTS_MAX, Plan, PlanError};
pub use proposal::{ACCEPT_SECS_MAX, propose};
pub use quorum::QuorumError;
pub use room_rpc::{RoomRpc, RoomRpcError, route_room_rpc};
pub use state::{DATA_BYTES_MAX, VirtualChannel};
pub use stored::{FORMAT, StoredError};
pub use topic::{
    Delivery, Epoch, HISTORY_BYTES_MAX, HISTORY_MESSAGES_MAX, MESSAGE_BYTES_MAX, Message, Position, Resumed,
    SUBSCRIBERS_MAX, Topic, TopicError,
};
