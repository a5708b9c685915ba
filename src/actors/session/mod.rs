//! Sessions: one WebSocket client each.
//!
//! A session reads frames, proves who signed what, once, and asks the owners; it renders what they answer
//! and what they tell. The broker's signatures are made here, after what they are under is durable.
//! Deliberately absent: money, and everything that two sessions could disagree about.

mod calls;
mod frames;
mod id;
mod keys;
mod login;
mod rate;
mod reads;
mod refusal;
mod render;
mod rooms;
mod unread;
mod verify;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix::prelude::*;
use actix_web_actors::ws::{CloseCode, CloseReason, WebsocketContext};
use domain::primitives::{Address, ChannelId, Timestamp};
use domain::protocol::notification::Notification;
use domain::protocol::{
    AUTH_TIMEOUT_MS, Code, FrameId, Refusal, Response, ServerBody, ServerFrame, SessionEffect,
};

use super::participant::{Attach, Detach, NotAttached, ParticipantActor};
use super::push::{Push, Tell};
use super::readiness::Readiness;
use super::services::Services;
use super::virtual_channel::Unsubscribe;
use crate::clock;
use crate::metrics::{Figures, OpenSession};
use login::Login;
use rate::Rate;
use unread::{PingText, read_by};

pub use id::SessionId;
pub use reads::Facts;

/// How often the broker asks whether the client is still there, and how long it may stay silent.
const PING_INTERVAL: Duration = Duration::from_secs(20);
const SILENCE_MILLIS_MAX: u64 = 60_000;

/// How long anything may take that a client waits for: longer than a preparation and a slow transaction together. Beyond
/// it the outcome is unknown to the client, who asks again.
const ANSWER_TIME: Duration = Duration::from_secs(15);

/// The most requests of one session that are being answered: more get `overloaded`.
const REQUESTS_MAX: usize = 64;

/// The most rooms that one session listens to.
const SUBSCRIPTIONS_MAX: usize = 64;

/// How much may wait for the client to read it, in bytes: beyond it the session is closed as a slow consumer.
const UNREAD_BYTES_MAX: usize = 4 * 1024 * 1024;

/// After how many bytes the client is asked whether it has read them.
const PING_BYTES: usize = 256 * 1024;

/// What a frame costs besides what is in it, in bytes: about what it takes in memory while it waits.
const FRAME_OVERHEAD_BYTES: usize = 64;

/// Why a session ends when the broker does.
const GOING_AWAY: &str = "the broker is stopping";

/// How many pushes may wait for the session; owners let go of a session that cannot take one.
const MAILBOX: usize = 256;

/// What a session of this server shares with the others.
pub struct SessionShared {
    /// The owners and the store.
    pub services: Arc<Services>,
    /// What does not change while the broker runs: answers to `get_config` and `get_assets`.
    pub facts: reads::Facts,
    /// Whether methods for tests are served.
    pub serves_tests: bool,
}

impl SessionShared {
    /// Whether everything is there that clients need.
    pub async fn readiness(&self) -> Readiness {
        self.services.readiness(clock::now()).await
    }
}

/// One WebSocket client.
pub struct SessionActor {
    id: SessionId,
    shared: Arc<SessionShared>,
    login: Login,
    rate: Rate,
    /// The participant's actor; `None` before the login.
    participant: Option<Addr<ParticipantActor>>,
    /// How many requests are being answered.
    in_flight: usize,
    rooms: BTreeSet<ChannelId>,
    /// When the client was last heard of.
    heard_at: Timestamp,
    /// Bytes sent that the client is not known to have read: a bound on what waits for it.
    unread_bytes: usize,
    /// Per ping that is not answered, what it asks to be repeated, and the bytes sent before it and after the
    /// one before.
    unanswered: VecDeque<(PingText, usize)>,
    /// Bytes sent since the last ping.
    since_ping: usize,
    /// Whether somebody could not tell this session something.
    has_missed: Arc<AtomicBool>,
    /// What has come of a frame in several parts; `None` while none comes that is read.
    parts: Option<Vec<u8>>,
    /// Whether nothing more is taken, and the session ends when what was taken is answered.
    is_leaving: bool,
    _open: OpenSession,
}

type Ctx = WebsocketContext<SessionActor>;

impl SessionActor {
    /// A session of a client that has just connected.
    #[must_use]
    pub fn new(shared: Arc<SessionShared>) -> Self {
        let open = shared.services.journal.figures().open_session();
        Self {
            id: SessionId::random(),
            shared,
            login: Login::default(),
            rate: Rate::full(clock::now()),
            participant: None,
            in_flight: 0,
            rooms: BTreeSet::new(),
            heard_at: clock::now(),
            unread_bytes: 0,
            unanswered: VecDeque::new(),
            since_ping: 0,
            has_missed: Arc::default(),
            parts: None,
            is_leaving: false,
            _open: open,
        }
    }

    fn figures(&self) -> &Figures {
        self.services().journal.figures()
    }

    fn services(&self) -> &Arc<Services> {
        &self.shared.services
    }

    /// Whose session it is; `None` before the login.
    fn member(&self) -> Option<Address> {
        self.login.participant()
    }

    /// Sends a frame, or closes the session when too much waits to be read.
    fn send(&mut self, frame: &ServerFrame, ctx: &mut Ctx) {
        self.send_text(frame.encode(), ctx);
    }

    fn send_text(&mut self, text: String, ctx: &mut Ctx) {
        let bytes = text.len();
        self.send_counted(bytes, ctx, |ctx| ctx.text(text));
    }

    /// Answers a ping of the client, who has to read that too.
    fn answer_ping(&mut self, text: &[u8], ctx: &mut Ctx) {
        self.send_counted(text.len() + FRAME_OVERHEAD_BYTES, ctx, |ctx| ctx.pong(text));
    }

    fn send_counted(&mut self, bytes: usize, ctx: &mut Ctx, send: impl FnOnce(&mut Ctx)) {
        self.unread_bytes += bytes;
        self.since_ping += bytes;
        if self.unread_bytes > UNREAD_BYTES_MAX {
            self.close(Code::SlowConsumer, ctx);
            return;
        }
        self.figures().frames_sent.inc();
        self.figures().sent_bytes.inc_by(bytes as u64);
        send(ctx);
        if self.since_ping > PING_BYTES {
            self.ping(ctx);
        }
    }

    /// Asks whether the client is there. Its answer says too that it has read everything sent before.
    fn ping(&mut self, ctx: &mut Ctx) {
        let text: PingText = rand::random();
        self.unanswered.push_back((text, std::mem::take(&mut self.since_ping)));
        ctx.ping(&text);
    }

    /// The client answers a ping: it has read everything sent before. What nobody asked for says nothing.
    fn pong(&mut self, text: &[u8]) {
        self.unread_bytes = self.unread_bytes.saturating_sub(read_by(&mut self.unanswered, text));
    }

    /// Answers with a refusal; closes the session where the code says so.
    fn refuse(&mut self, id: Option<FrameId>, refusal: Refusal, ctx: &mut Ctx) {
        let code = refusal.code;
        log::debug!(session_id:% = self.id, code:%, message:% = refusal.message; "refused");
        self.figures().refused(code);
        match code.session_effect() {
            SessionEffect::Answer => self.send(&ServerFrame { id, body: ServerBody::Error(refusal) }, ctx),
            SessionEffect::AnswerAndClose => {
                self.send(&ServerFrame { id, body: ServerBody::Error(refusal) }, ctx);
                self.close(code, ctx);
            }
            SessionEffect::Close => self.close(code, ctx),
        }
    }

    fn close(&mut self, code: Code, ctx: &mut Ctx) {
        if code == Code::SlowConsumer {
            self.figures().slow_consumers.inc();
        }
        close(CloseCode::Policy, code.name(), ctx);
    }

    /// The broker is stopping: takes nothing more, and leaves when all that was taken is answered, or when the time
    /// for that is over.
    fn leave(&mut self, ctx: &mut Ctx) {
        self.is_leaving = true;
        self.leave_if_done(ctx);
        let over = self.services().stop.left();
        ctx.spawn(over.into_actor(self).map(|(), _, ctx| close(CloseCode::Away, GOING_AWAY, ctx)));
    }

    fn leave_if_done(&self, ctx: &mut Ctx) {
        if self.is_leaving && self.in_flight == 0 {
            close(CloseCode::Away, GOING_AWAY, ctx);
        }
    }

    /// Looks whether the client is there and logged in, and whether its participant's actor still is.
    fn look(&mut self, ctx: &mut Ctx) {
        if clock::now().millis_since(self.heard_at) > SILENCE_MILLIS_MAX {
            log::debug!(session_id:% = self.id; "the client has gone silent");
            ctx.stop();
            return;
        }
        if self.has_missed.load(Ordering::Relaxed) {
            self.close(Code::SlowConsumer, ctx);
            return;
        }
        if self.login.has_ended(clock::now()) {
            return self.refuse(None, Refusal::new(Code::SessionKeyEnded), ctx);
        }
        self.ping(ctx);
        if self.participant.as_ref().is_some_and(|participant| !participant.connected()) {
            self.attach_again(ctx);
        }
    }

    /// The participant's actor has ended: another one tells this session what happens. When there is none yet, it
    /// is looked for with the next ping.
    fn attach_again(&mut self, ctx: &mut Ctx) {
        if let Some(address) = self.member() {
            self.attach(address, None, ctx);
        }
    }

    /// Where others tell this session something.
    fn tell(&self, ctx: &Ctx) -> Tell {
        Tell::new(ctx.address().recipient(), Arc::clone(&self.has_missed))
    }

    /// Has the participant's actor tell this session what happens; answers the login that asked for it.
    fn attach(&mut self, address: Address, answers: Option<ServerFrame>, ctx: &mut Ctx) {
        let (services, session) = (Arc::clone(self.services()), self.id);
        let (tell, key) = (self.tell(ctx), self.login.key());
        let attached = async move {
            let participant = services.participant(address).await;
            let participant = participant.map_err(|_| Refusal::new(Code::Unavailable))?;
            match participant.send(Attach { session, tell, key }).await {
                Ok(Ok(())) => Ok(participant),
                Ok(Err(NotAttached::TooManySessions { .. })) => Err(Refusal::new(Code::TooManySessions)),
                Ok(Err(NotAttached::KeyEnded { .. })) => Err(Refusal::new(Code::SessionKeyEnded)),
                Err(_) => Err(Refusal::new(Code::Unavailable)),
            }
        };
        ctx.wait(in_time(attached).into_actor(self).map(|attached, act, ctx| match attached {
            Ok(participant) => {
                act.participant = Some(participant);
                if let Some(frame) = answers {
                    act.send(&frame, ctx);
                }
            }
            Err(refusal) if refusal.code == Code::Unavailable && answers.is_none() => {
                log::warn!(session_id:% = act.id; "the participant cannot be loaded yet");
            }
            Err(refusal) => {
                let (id, code) = (answers.and_then(|frame| frame.id), refusal.code);
                act.refuse(id, refusal, ctx);
                act.close(code, ctx);
            }
        }));
    }
}

/// What comes of it, unless it takes so long that the client had better ask again: a database that is away keeps
/// everybody waiting, also those who only wait for the first answer to a repeat.
async fn in_time<T>(work: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
    let done = tokio::time::timeout(ANSWER_TIME, work).await;
    done.unwrap_or_else(|_| Err(Refusal::new(Code::Unavailable)))
}

impl SessionActor {
    /// Tells how a settlement has ended, as the book has it.
    fn tell_settlement(&mut self, channel: ChannelId, ctx: &mut Ctx) {
        let (services, member) = (Arc::clone(self.services()), self.member());
        let read = async move {
            let settlement = reads::settlement(&services, member?, channel).await.ok()??;
            let response = Response::notify(&Notification::Settlement(settlement), clock::now());
            Some(ServerFrame { id: None, body: render::sign(&services, response) })
        };
        ctx.spawn(read.into_actor(self).map(|frame, act, ctx| {
            if let Some(frame) = frame {
                act.send(&frame, ctx);
            }
        }));
    }
}

fn close(code: CloseCode, reason: &str, ctx: &mut Ctx) {
    ctx.close(Some(CloseReason { code, description: Some(reason.to_owned()) }));
    ctx.stop();
}

impl Actor for SessionActor {
    type Context = Ctx;

    /// Sends the list of assets, which precedes everything else, and sets the timers.
    fn started(&mut self, ctx: &mut Ctx) {
        ctx.set_mailbox_capacity(MAILBOX);
        let assets = render::assets(&self.shared, clock::now());
        self.send_text(assets, ctx);
        ctx.run_interval(PING_INTERVAL, Self::look);
        let stopping = self.services().stop.begun();
        ctx.spawn(stopping.into_actor(self).map(|(), act, ctx| act.leave(ctx)));
        ctx.run_later(Duration::from_millis(AUTH_TIMEOUT_MS), |act, ctx| {
            if act.member().is_none() {
                act.refuse(None, Refusal::new(Code::AuthTimeout), ctx);
            }
        });
        log::debug!(session_id:% = self.id; "a client connected");
    }

    /// Leaves the participant and the rooms.
    fn stopped(&mut self, _: &mut Ctx) {
        if let Some(participant) = &self.participant {
            // Whoever does not hear of it notices the closed address with its next word to this session.
            let _full = participant.try_send(Detach { session: self.id });
        }
        for channel in &self.rooms {
            if let Some(room) = self.services().directory.virtual_channel(*channel) {
                let _full = room.try_send(Unsubscribe { session: self.id });
            }
        }
        log::debug!(session_id:% = self.id; "a client is gone");
    }
}

impl Handler<Push> for SessionActor {
    type Result = ();

    fn handle(&mut self, push: Push, ctx: &mut Ctx) {
        if self.has_missed.load(Ordering::Relaxed) {
            self.close(Code::SlowConsumer, ctx);
            return;
        }
        match &push {
            Push::TopicEnded { channel } => {
                if self.rooms.remove(channel) {
                    let body = ServerBody::Unsubscribed { channel: *channel };
                    self.send(&ServerFrame { id: None, body }, ctx);
                }
            }
            Push::ParticipantEnded => self.attach_again(ctx),
            Push::KeyRevoked { key } => {
                if self.login.key() == Some(*key) {
                    self.refuse(None, Refusal::new(Code::SessionKeyEnded), ctx);
                }
            }
            Push::Settlement { channel, .. } => self.tell_settlement(*channel, ctx),
            Push::Channel { .. }
            | Push::Balances { .. }
            | Push::VirtualChannel(_)
            | Push::Message { .. }
            | Push::RoomRpc { .. } => {}
        }
        if let Some(frame) = render::push(&self.shared, push) {
            self.send(&frame, ctx);
        }
    }
}
