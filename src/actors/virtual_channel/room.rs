//! The room: who listens, and what is said. Nothing here touches money or the journal.

use domain::channel::virtual_channel::{Delivery, Message, RoomRpc, TopicError, route_room_rpc};
use domain::participant::{KeyUse, SessionKey};
use domain::primitives::{Address, Timestamp};

use super::{
    CallInRoom, MayCall, Publish, Published, RoomRefused, SessionId, Subscribe, Subscribed,
    VirtualChannelActor,
};
use crate::actors::push::{Push, Tell};
use crate::clock;

/// How long after the last message a room to which nobody listens remembers what was said: longer than a client takes
/// that changes its network or is started anew, and as long as an expired channel waits after the broker was away.
const HISTORY_KEPT_MILLIS: u64 = 10 * 60 * 1_000;

impl VirtualChannelActor {
    pub(super) fn subscribe(&mut self, ask: Subscribe) -> Result<Subscribed, RoomRefused> {
        let Subscribe { session, tell, member, key, position } = ask;
        self.check_talk(member)?;
        self.check_scope(key.as_deref())?;
        let resumed = position.map(|position| self.topic.resume_from(member, position)).transpose()?;
        let position = self.topic.subscribe(session, member)?;
        self.listeners.insert(session, tell);
        Ok(Subscribed { position, resumed })
    }

    pub(super) fn unsubscribe(&mut self, session: SessionId) {
        self.topic.unsubscribe(session);
        self.listeners.remove(&session);
    }

    pub(super) fn publish(&mut self, ask: &Publish) -> Result<Published, RoomRefused> {
        self.check_talk(ask.member)?;
        self.check_scope(ask.key.as_deref())?;
        let delivery = self.topic.publish(ask.session, ask.member, &ask.payload, clock::now())?;
        let channel = self.channel.id();
        Ok(self.deliver(delivery, |message| Push::Message { channel, message }))
    }

    pub(super) fn may_call(&self, MayCall { member, half }: MayCall) -> Result<(), RoomRefused> {
        self.check_talk(member)?;
        let (has_req, has_res) = (half == RoomRpc::Request, half == RoomRpc::Response);
        route_room_rpc(self.channel.members(), member, has_req, has_res).map_err(TopicError::from)?;
        Ok(())
    }

    pub(super) fn call(&mut self, ask: &CallInRoom) -> Result<Published, RoomRefused> {
        self.check_talk(ask.member)?;
        let (has_req, has_res) = (ask.half == RoomRpc::Request, ask.half == RoomRpc::Response);
        let delivery = self.topic.call(ask.member, has_req, has_res, &ask.payload, clock::now())?;
        let channel = self.channel.id();
        Ok(self.deliver(delivery, |message| Push::RoomRpc { channel, message }))
    }

    /// Whether somebody listens, or may come back to hear what it has missed.
    pub(super) fn is_room_needed(&self, now: Timestamp) -> bool {
        let said_at = self.topic.last_message_at();
        let may_resume = said_at.is_some_and(|at| now.millis_since(at) <= HISTORY_KEPT_MILLIS);
        may_resume || self.listeners.values().any(Tell::is_connected)
    }

    /// The last word to everybody who listens.
    pub(super) fn end_topic(&mut self) {
        let channel = self.channel.id();
        for (session, tell) in std::mem::take(&mut self.listeners) {
            self.topic.unsubscribe(session);
            // A session too slow to hear it closes.
            let _is_told = tell.tell(Push::TopicEnded { channel });
        }
    }

    /// For a stranger there is no room, open or ended (L12).
    fn check_talk(&self, member: Address) -> Result<(), RoomRefused> {
        if !self.channel.is_member(member) {
            return Err(TopicError::NotAMember { participant: member }.into());
        }
        if self.channel.phase().is_end() { Err(RoomRefused::Ended) } else { Ok(()) }
    }

    fn check_scope(&self, key: Option<&SessionKey>) -> Result<(), RoomRefused> {
        let usage = || KeyUse::Room { application: self.channel.definition().application.clone() };
        let may = key.is_none_or(|key| key.allows(&usage()));
        if may { Ok(()) } else { Err(RoomRefused::OutOfScope) }
    }

    /// Passes a message on. Who cannot take it is unsubscribed: its session closes as slow, or is gone.
    fn deliver(
        &mut self,
        Delivery { message, to }: Delivery<SessionId>,
        push: impl Fn(Message) -> Push,
    ) -> Published {
        let stamp = Published { seq: message.seq, at: message.at };
        for session in to {
            let is_told = self.listeners.get(&session).is_some_and(|tell| tell.tell(push(message.clone())));
            if !is_told {
                self.unsubscribe(session);
            }
        }
        stamp
    }
}
