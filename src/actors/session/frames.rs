//! What arrives on the socket, frame by frame.

use std::io;

use actix::prelude::*;
use actix_web_actors::ws;
use domain::protocol::{
    ClientBody, ClientFrame, Code, FRAME_BYTES_MAX, FrameFault, FrameId, Refusal, ServerBody, ServerFrame,
};

use super::{Ctx, SessionActor, in_time};
use crate::clock;

impl StreamHandler<Result<ws::Message, ws::ProtocolError>> for SessionActor {
    fn handle(&mut self, message: Result<ws::Message, ws::ProtocolError>, ctx: &mut Ctx) {
        self.heard_at = clock::now();
        self.count(&message);
        match message {
            Ok(ws::Message::Text(text)) => self.text(&text, ctx),
            Ok(ws::Message::Binary(_)) => self.refuse(None, Refusal::new(Code::BinaryFrame), ctx),
            Ok(ws::Message::Ping(data)) => self.answer_ping(&data, ctx),
            Ok(ws::Message::Pong(data)) => self.pong(&data),
            Ok(ws::Message::Close(reason)) => {
                ctx.close(reason);
                ctx.stop();
            }
            Ok(ws::Message::Continuation(part)) => self.part(part, ctx),
            Ok(ws::Message::Nop) => {}
            Err(ws::ProtocolError::Overflow) => {
                self.refuse(None, Refusal::from(&FrameFault::TooLarge), ctx);
            }
            // So the codec says that the bytes of a text are none, which harms nothing that comes after.
            Err(ws::ProtocolError::Io(error)) if error.kind() == io::ErrorKind::Other => {
                self.refuse(None, Refusal::from(&FrameFault::NotUtf8), ctx);
            }
            Err(error) => {
                log::debug!(session_id:% = self.id, error:%; "the client does not speak WebSocket");
                ctx.stop();
            }
        }
    }
}

impl SessionActor {
    /// Counts what came.
    fn count(&self, message: &Result<ws::Message, ws::ProtocolError>) {
        use actix_http::ws::Item;
        let bytes = match message {
            Ok(ws::Message::Text(text)) => text.len(),
            Ok(ws::Message::Binary(bytes) | ws::Message::Ping(bytes) | ws::Message::Pong(bytes)) => {
                bytes.len()
            }
            Ok(ws::Message::Continuation(
                Item::FirstText(bytes) | Item::FirstBinary(bytes) | Item::Continue(bytes) | Item::Last(bytes),
            )) => bytes.len(),
            Ok(ws::Message::Close(_) | ws::Message::Nop) | Err(_) => 0,
        };
        self.figures().frames_received.inc();
        self.figures().received_bytes.inc_by(bytes as u64);
    }

    /// A frame in several parts: its text is put together, within the size of a frame. Of a binary frame the first
    /// part is refused, and the others are left unread.
    fn part(&mut self, part: actix_http::ws::Item, ctx: &mut Ctx) {
        let (bytes, is_last) = match part {
            actix_http::ws::Item::FirstText(bytes) => {
                self.parts = Some(Vec::new());
                (bytes, false)
            }
            actix_http::ws::Item::Continue(bytes) => (bytes, false),
            actix_http::ws::Item::Last(bytes) => (bytes, true),
            actix_http::ws::Item::FirstBinary(_) => {
                self.parts = None;
                return self.refuse(None, Refusal::new(Code::BinaryFrame), ctx);
            }
        };
        let Some(mut parts) = self.parts.take() else { return };
        if parts.len() + bytes.len() > FRAME_BYTES_MAX {
            return self.refuse(None, Refusal::from(&FrameFault::TooLarge), ctx);
        }
        parts.extend_from_slice(&bytes);
        if !is_last {
            self.parts = Some(parts);
            return;
        }
        match ClientFrame::decode_bytes(&parts) {
            Ok(ClientFrame { id, body }) => self.frame(id, body, ctx),
            Err(error) => self.refuse(error.id, Refusal::from(&error.fault), ctx),
        }
    }

    fn text(&mut self, text: &str, ctx: &mut Ctx) {
        debug_assert!(text.len() <= FRAME_BYTES_MAX, "longer frames overflow in the codec");
        match ClientFrame::decode(text) {
            Ok(ClientFrame { id, body }) => self.frame(id, body, ctx),
            Err(error) => self.refuse(error.id, Refusal::from(&error.fault), ctx),
        }
    }

    fn frame(&mut self, id: Option<FrameId>, body: ClientBody, ctx: &mut Ctx) {
        if let ClientBody::Auth(auth) = body {
            return self.auth(id, &auth, ctx);
        }
        let Some(member) = self.member() else {
            return self.refuse(id, Refusal::new(Code::AuthRequired), ctx);
        };
        if self.login.has_ended(clock::now()) {
            return self.refuse(id, Refusal::new(Code::SessionKeyEnded), ctx);
        }
        if self.is_leaving {
            return self.refuse(id, Refusal::new(Code::Unavailable), ctx);
        }
        if let Err(pause_millis) = self.rate.take(clock::now()) {
            return self.refuse(id, Refusal::new(Code::RateLimited).retry_after_ms(pause_millis), ctx);
        }
        match body {
            ClientBody::Auth(_) => {}
            ClientBody::Ping => {
                let body = ServerBody::Pong { timestamp: clock::now() };
                self.send(&ServerFrame { id, body }, ctx);
            }
            ClientBody::Subscribe { channel, after } => self.subscribe(id, member, channel, after, ctx),
            ClientBody::Unsubscribe { channel } => self.unsubscribe(id, channel, ctx),
            ClientBody::Publish { channel, data } => self.publish(id, member, channel, &data, ctx),
            ClientBody::Rpc(request) => self.rpc(id, member, &request, ctx),
            ClientBody::RoomRpc(call) => self.room_rpc(id, member, call, ctx),
        }
    }

    /// Does something that takes a while and sends what comes of it, in time or not at all; a session has so many of
    /// these at a time.
    pub(super) fn later(
        &mut self,
        id: Option<FrameId>,
        work: impl Future<Output = Result<ServerBody, Refusal>> + 'static,
        ctx: &mut Ctx,
    ) {
        if self.in_flight >= super::REQUESTS_MAX {
            return self.refuse(id, Refusal::new(Code::Overloaded), ctx);
        }
        self.in_flight += 1;
        ctx.spawn(in_time(work).into_actor(self).map(move |done, act, ctx| {
            act.in_flight -= 1;
            match done {
                Ok(body) => act.send(&ServerFrame { id, body }, ctx),
                Err(refusal) => act.refuse(id, refusal, ctx),
            }
            act.leave_if_done(ctx);
        }));
    }
}
