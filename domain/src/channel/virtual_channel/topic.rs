//! What members say to each other: put into one order, and kept for a while.
//!
//! A topic lives in memory only: a restart begins another epoch. Deliberately absent: delivery (the shell
//! sends what [`Topic::publish`] returns), signatures, and money: nothing said here changes the channel.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use thiserror::Error;

use crate::primitives::{Address, Timestamp};

use super::room_rpc::{RoomRpcError, route_room_rpc};

/// The most messages kept for those who come back.
pub const HISTORY_MESSAGES_MAX: usize = 256;

/// The most bytes of payload kept for those who come back; what a topic costs in memory.
pub const HISTORY_BYTES_MAX: usize = 256 * 1024;

/// The longest payload of one message, in bytes of UTF-8. At least four of the longest are kept.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// The most subscribers: each message is sent to all of them. Members may have several sessions.
pub const SUBSCRIBERS_MAX: usize = 128;

/// Names one life of a topic; positions of another one say nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(u64);

/// A place in the order of a topic: everything up to `seq` has been said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The life of the topic.
    pub epoch: Epoch,
    /// The number of the last message; 0 before the first.
    pub seq: u64,
}

/// What a member said, stamped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its number in the topic, counted from 1 without gaps.
    pub seq: u64,
    /// When it was said; never earlier than the message before it.
    pub at: Timestamp,
    /// Who said it.
    pub sender: Address,
    /// The one member it is for, if it is half of a call; `None` when it is for all.
    pub receiver: Option<Address>,
    /// What was said, as it came.
    pub payload: Arc<str>,
}

/// A message and whom to send it to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery<S> {
    /// The message.
    pub message: Message,
    /// The subscribers, without the one who sent it; for half of a call those of its receiver alone.
    pub to: Vec<S>,
}

/// What somebody who comes back has missed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resumed {
    /// The messages, in order.
    pub messages: Vec<Message>,
    /// Whether that is everything said since: false when some of it is no longer kept, or the position is
    /// none of this topic's. In the second case `messages` is all that is kept.
    pub recovered: bool,
    /// Where the topic stands.
    pub position: Position,
}

/// Why a topic refuses.
///
/// Of several reasons the first in the order of the variants is given.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TopicError {
    /// Somebody who is no member.
    #[error("{participant} is no member")]
    NotAMember {
        /// Who it is.
        participant: Address,
    },
    /// The call goes to nobody.
    #[error(transparent)]
    RoomRpc(#[from] RoomRpcError),
    /// The payload is longer than [`MESSAGE_BYTES_MAX`].
    #[error("a message has at most {MESSAGE_BYTES_MAX} bytes, got {bytes}")]
    MessageTooLarge {
        /// How long it is, in bytes of UTF-8.
        bytes: usize,
    },
    /// There are [`SUBSCRIBERS_MAX`] subscribers.
    #[error("the topic has {SUBSCRIBERS_MAX} subscribers, no more are taken")]
    TooManySubscribers,
}

/// The messages of one virtual channel; `S` names a subscriber, which is one session of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic<S> {
    members: Vec<Address>,
    position: Position,
    last_at: Timestamp,
    subscribers: BTreeMap<S, Address>,
    history: VecDeque<Message>,
    history_bytes: usize,
}

impl Epoch {
    /// Makes an epoch; no two lives of one topic may have the same.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number itself.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl<S: Ord + Copy> Topic<S> {
    /// A topic in which nothing has been said, of a channel with these members in the order of its definition.
    #[must_use]
    pub fn new(members: Vec<Address>, epoch: Epoch) -> Self {
        Self {
            members,
            position: Position { epoch, seq: 0 },
            last_at: Timestamp::from_millis(0),
            subscribers: BTreeMap::new(),
            history: VecDeque::new(),
            history_bytes: 0,
        }
    }

    /// When something was said last; `None` when nothing was.
    #[must_use]
    pub fn last_message_at(&self) -> Option<Timestamp> {
        (self.position.seq > 0).then_some(self.last_at)
    }

    /// Where the topic stands.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// Has the subscriber, a session of `member`, get what is said from here on. A repeat changes nothing.
    ///
    /// # Errors
    /// First that applies: [`TopicError::NotAMember`], [`TopicError::TooManySubscribers`].
    pub fn subscribe(&mut self, subscriber: S, member: Address) -> Result<Position, TopicError> {
        self.check_member(member)?;
        if self.subscribers.len() >= SUBSCRIBERS_MAX && !self.subscribers.contains_key(&subscriber) {
            return Err(TopicError::TooManySubscribers);
        }
        self.subscribers.insert(subscriber, member);
        Ok(self.position)
    }

    /// Ends a subscription; tells whether there was one.
    pub fn unsubscribe(&mut self, subscriber: S) -> bool {
        self.subscribers.remove(&subscriber).is_some()
    }

    /// The subscribers, in order.
    pub fn subscribers(&self) -> impl Iterator<Item = S> {
        self.subscribers.keys().copied()
    }

    /// Takes a message for all members. `from`, the session of `sender` that it came from, need not have
    /// subscribed and does not get it.
    ///
    /// # Errors
    /// First that applies: [`TopicError::NotAMember`], [`TopicError::MessageTooLarge`].
    pub fn publish(
        &mut self,
        from: S,
        sender: Address,
        payload: &str,
        now: Timestamp,
    ) -> Result<Delivery<S>, TopicError> {
        self.check_member(sender)?;
        check_size(payload)?;
        let message = self.stamp(sender, None, payload, now);
        let others = self.subscribers.keys().copied().filter(|subscriber| *subscriber != from);
        Ok(Delivery { to: others.collect(), message })
    }

    /// Takes half of a call for the other side of the room. Nobody may be there to get it: `to` is empty then.
    ///
    /// # Errors
    /// First that applies: [`TopicError::RoomRpc`], [`TopicError::MessageTooLarge`].
    pub fn call(
        &mut self,
        sender: Address,
        has_req: bool,
        has_res: bool,
        payload: &str,
        now: Timestamp,
    ) -> Result<Delivery<S>, TopicError> {
        let receiver = route_room_rpc(&self.members, sender, has_req, has_res)?;
        check_size(payload)?;
        let message = self.stamp(sender, Some(receiver), payload, now);
        let of_receiver = self.subscribers.iter().filter(|(_, member)| **member == receiver);
        Ok(Delivery { to: of_receiver.map(|(subscriber, _)| *subscriber).collect(), message })
    }

    /// What was said after `position`, what `member` said itself included. Calls are among it: in a room a
    /// member is one end of each.
    ///
    /// # Errors
    /// [`TopicError::NotAMember`].
    pub fn resume_from(&self, member: Address, position: Position) -> Result<Resumed, TopicError> {
        self.check_member(member)?;
        let is_ours = position.epoch == self.position.epoch && position.seq <= self.position.seq;
        let after = if is_ours { position.seq } else { 0 };
        let forgotten = self.position.seq - self.history.len() as u64;
        let missed = self.history.iter().filter(|message| message.seq > after);
        Ok(Resumed {
            messages: missed.cloned().collect(),
            recovered: is_ours && position.seq >= forgotten,
            position: self.position,
        })
    }

    fn check_member(&self, participant: Address) -> Result<(), TopicError> {
        if self.members.contains(&participant) { Ok(()) } else { Err(TopicError::NotAMember { participant }) }
    }

    fn stamp(
        &mut self,
        sender: Address,
        receiver: Option<Address>,
        payload: &str,
        now: Timestamp,
    ) -> Message {
        self.position.seq += 1;
        self.last_at = self.last_at.max(now);
        let (seq, at) = (self.position.seq, self.last_at);
        let message = Message { seq, at, sender, receiver, payload: payload.into() };
        self.history_bytes += payload.len();
        self.history.push_back(message.clone());
        while self.history.len() > HISTORY_MESSAGES_MAX || self.history_bytes > HISTORY_BYTES_MAX {
            let Some(oldest) = self.history.pop_front() else { break };
            self.history_bytes -= oldest.payload.len();
        }
        message
    }
}

fn check_size(payload: &str) -> Result<(), TopicError> {
    match payload.len() {
        0..=MESSAGE_BYTES_MAX => Ok(()),
        bytes => Err(TopicError::MessageTooLarge { bytes }),
    }
}

#[cfg(test)]
mod tests;
