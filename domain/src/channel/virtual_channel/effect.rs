//! What a virtual channel wants to be done outside, and what it shows of itself.

use crate::crypto::{Definition, VirtualAllocation};
use crate::primitives::{Address, ChannelId, Timestamp, Version};

use super::phase::Phase;

/// What a virtual channel wants to be done once its commit is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VirtualChannelEffect {
    /// Tell these participants, over all their sessions.
    Notify {
        /// Who is told: the members.
        to: Vec<Address>,
        /// What they are told.
        notification: Box<Notification>,
    },
    /// End the topic: no more messages, and its subscribers are let go.
    EndTopic,
}

/// What members are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// What has happened.
    pub change: Change,
    /// The channel after it.
    pub channel: Snapshot,
}

/// What has happened to a virtual channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// It was proposed.
    Proposed,
    /// It was opened, or a proposal of it accepted.
    Opened,
    /// A state was agreed on.
    Updated,
    /// Its lifetime is over; the window has begun.
    Expiring,
    /// It ended by agreement.
    Closed,
    /// It ended by itself.
    Expired,
    /// The Guest rejected the proposal.
    Rejected,
    /// The Host took the proposal back, or was gone for too long.
    Cancelled,
    /// Nobody answered the proposal in time.
    Lapsed,
}

/// What a virtual channel shows to its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Its id.
    pub channel_id: ChannelId,
    /// Its terms.
    pub definition: Definition,
    /// Where in its life it is.
    pub phase: Phase,
    /// The version of the last agreed state; 0 before one was agreed on.
    pub version: Version,
    /// Who owns what by that state, in the order in which it is signed; while it is proposed: who is to put in what.
    /// Once the channel has ended: who got what.
    pub allocations: Vec<VirtualAllocation>,
    /// The members' data of that state; `None` when there is none.
    pub data: Option<String>,
    /// When it was proposed, or opened without a proposal.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When its lifetime is over; while it is proposed: until when the Guest can accept.
    pub expires_at: Timestamp,
    /// When it is paid by itself, at the earliest.
    pub window_ends_at: Timestamp,
}
