//! Rooms: subscribing, talking, and calls between Host and Guest.

use std::sync::Arc;

use actix::prelude::*;
use domain::channel::virtual_channel::{self, Epoch, RoomRpc, RoomRpcError, TopicError};
use domain::crypto::{Signable as _, Signed, VerifyError};
use domain::primitives::{Address, ChannelId};
use domain::protocol::{
    Code, Details, FrameId, Position, Refusal, RoomCall, RoomSide, ServerBody, ServerFrame,
};
use serde_json::value::RawValue;

use super::{Ctx, SUBSCRIPTIONS_MAX, SessionActor, in_time, render};
use crate::actors::services::Services;
use crate::actors::virtual_channel::{
    CallInRoom, MayCall, Publish, Published, RoomRefused, Subscribe, Subscribed, Unsubscribe,
    VirtualChannelActor,
};

impl SessionActor {
    pub(super) fn subscribe(
        &mut self,
        id: Option<FrameId>,
        member: Address,
        channel: ChannelId,
        after: Option<Position>,
        ctx: &mut Ctx,
    ) {
        if self.rooms.len() >= SUBSCRIPTIONS_MAX && !self.rooms.contains(&channel) {
            let details = Details { max: u64::try_from(SUBSCRIPTIONS_MAX).ok(), ..Details::default() };
            return self.refuse(id, Refusal::new(Code::LimitReached).with(details), ctx);
        }
        let (services, session) = (Arc::clone(self.services()), self.id);
        let (tell, key) = (self.tell(ctx), self.login.session_key());
        let position =
            after.map(|after| virtual_channel::Position { epoch: Epoch::new(after.epoch), seq: after.seq });
        let subscribed = async move {
            let room = room_of(&services, channel).await?;
            let ask = Subscribe { session, tell, member, key, position };
            room.send(ask).await.map_err(|_| gone())?.map_err(|refused| room_refusal(channel, &refused))
        };
        // What is said from here on comes after the answer: the room is asked with nothing in between.
        ctx.wait(in_time(subscribed).into_actor(self).map(move |subscribed, act, ctx| match subscribed {
            Ok(subscribed) => act.subscribed(id, channel, subscribed, ctx),
            Err(refusal) => act.refuse(id, refusal, ctx),
        }));
    }

    fn subscribed(
        &mut self,
        id: Option<FrameId>,
        channel: ChannelId,
        Subscribed { position, resumed }: Subscribed,
        ctx: &mut Ctx,
    ) {
        self.rooms.insert(channel);
        let newest = Position { epoch: position.epoch.get(), seq: position.seq };
        let recovered = resumed.as_ref().is_some_and(|resumed| resumed.recovered);
        self.send(&ServerFrame { id, body: ServerBody::Subscribed { channel, newest, recovered } }, ctx);
        for message in resumed.into_iter().flat_map(|resumed| resumed.messages) {
            if let Some(frame) = render::message(channel, &message) {
                self.send(&frame, ctx);
            }
        }
    }

    pub(super) fn unsubscribe(&mut self, id: Option<FrameId>, channel: ChannelId, ctx: &mut Ctx) {
        if self.rooms.remove(&channel)
            && let Some(room) = self.services().directory.virtual_channel(channel)
        {
            // A room too busy to hear it lets go of the session with its next word.
            let _full = room.try_send(Unsubscribe { session: self.id });
        }
        self.send(&ServerFrame { id, body: ServerBody::Unsubscribed { channel } }, ctx);
    }

    pub(super) fn publish(
        &mut self,
        id: Option<FrameId>,
        member: Address,
        channel: ChannelId,
        data: &RawValue,
        ctx: &mut Ctx,
    ) {
        let (services, session) = (Arc::clone(self.services()), self.id);
        let (payload, key) = (data.get().to_owned(), self.login.session_key());
        let published = async move {
            let room = room_of(&services, channel).await?;
            let said = room.send(Publish { session, member, key, payload }).await.map_err(|_| gone())?;
            stamped(channel, said)
        };
        self.later(id, published, ctx);
    }

    /// Passes half of a call on, once its signature is proven to be its sender's.
    pub(super) fn room_rpc(&mut self, id: Option<FrameId>, member: Address, call: RoomCall, ctx: &mut Ctx) {
        let services = Arc::clone(self.services());
        let passed = async move {
            let channel = call.channel();
            let room = room_of(&services, channel).await?;
            let half = match call.side() {
                RoomSide::Request => RoomRpc::Request,
                RoomSide::Response => RoomRpc::Response,
            };
            // Whose call it is comes first: a stranger learns nothing by signing badly.
            let may = room.send(MayCall { member, half }).await.map_err(|_| gone())?;
            may.map_err(|refused| room_refusal(channel, &refused))?;
            let text = call.text();
            let expected_digest = text.digests().first();
            match Signed::verify(text, call.signatures(), &[member]) {
                Ok(_) => {}
                Err(VerifyError::NoSignature { .. }) => {
                    let (expected_digest, participant) = (Some(expected_digest), Some(member));
                    let details = Details { expected_digest, participant, ..Details::default() };
                    return Err(Refusal::new(Code::MissingSignature).with(details));
                }
                Err(error) => return Err(Refusal::of_signatures(&error, expected_digest)),
            }
            let payload = call.data().get().to_owned();
            let said = room.send(CallInRoom { member, half, payload }).await.map_err(|_| gone())?;
            stamped(channel, said)
        };
        self.later(id, passed, ctx);
    }
}

async fn room_of(services: &Services, channel: ChannelId) -> Result<Addr<VirtualChannelActor>, Refusal> {
    services.virtual_channel(channel).await.map_err(|refused| super::refusal::of_room(channel, &refused))
}

fn stamped(channel: ChannelId, said: Result<Published, RoomRefused>) -> Result<ServerBody, Refusal> {
    let Published { seq, at } = said.map_err(|refused| room_refusal(channel, &refused))?;
    Ok(ServerBody::Published { channel, seq, timestamp: at })
}

fn gone() -> Refusal {
    Refusal::new(Code::Unavailable)
}

/// For a stranger a room does not exist (L12).
fn room_refusal(channel: ChannelId, refused: &RoomRefused) -> Refusal {
    let of = |code| {
        let details = Details { channel_id: Some(channel), ..Details::default() };
        Refusal::new(code).with(details)
    };
    match refused {
        RoomRefused::Ended => of(Code::ChannelClosed),
        RoomRefused::OutOfScope => Refusal::new(Code::SessionKeyForbidden).saying(refused),
        RoomRefused::Topic(
            TopicError::NotAMember { .. } | TopicError::RoomRpc(RoomRpcError::NotAMember { .. }),
        ) => of(Code::UnknownChannel),
        RoomRefused::Topic(TopicError::RoomRpc(error)) => Refusal::new(Code::WrongRole).saying(error),
        RoomRefused::Topic(error @ TopicError::MessageTooLarge { .. }) => {
            let max = u64::try_from(virtual_channel::MESSAGE_BYTES_MAX).ok();
            Refusal::new(Code::MessageTooLarge).saying(error).with(Details { max, ..Details::default() })
        }
        RoomRefused::Topic(error @ TopicError::TooManySubscribers) => {
            let max = u64::try_from(virtual_channel::SUBSCRIBERS_MAX).ok();
            Refusal::new(Code::LimitReached).saying(error).with(Details { max, ..Details::default() })
        }
    }
}
