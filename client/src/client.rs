//! One login on one connection: signed requests, verified answers, and the newest co-signed states.
//!
//! Knows how requests are made and judged, not what the methods mean.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use domain::crypto::{Intent, Signature, Signed, SigningKey, VirtualState};
use domain::primitives::{Address, Amount, ChannelId, Timestamp};
use domain::protocol::method::{Params, Signing};
use domain::protocol::notification::Notification;
use domain::protocol::{
    CarriedState, ClientBody, ClientFrame, Code, CosignedState, FrameId, Request, Response, RoomSide,
    ServerBody,
};
use tokio::time::{sleep, timeout};

use crate::cosigned::{Cosigned, carried, terms_of};
use crate::error::ClientError;
use crate::event::{Event, Message, RoomCall};
use crate::wire::Wire;
use crate::{clock, random};

/// How many events are kept for [`Client::next`]. When nobody asks for them, the oldest are forgotten: reads
/// tell what notifications told, and a gap in the numbers of a room tells what was missed.
const EVENTS_KEPT: usize = 1_000;

/// How often a request whose outcome is unknown is sent again before that is left to the caller.
const RESENDS_MAX: u32 = 20;

/// How long to wait before sending again when the broker does not say.
const RESEND_PAUSE: Duration = Duration::from_millis(250);

/// A participant's login at a broker, on one connection.
pub struct Client {
    wire: Wire,
    key: SigningKey,
    broker: Address,
    /// How far the broker's clock is ahead of ours, in milliseconds.
    ahead_ms: i64,
    events: VecDeque<Event>,
    channels: BTreeMap<ChannelId, Cosigned>,
}

/// How much of a direct channel should be the participant's after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The channel.
    pub channel_id: ChannelId,
    /// The participant's part; the rest of what is locked is the broker's.
    pub amount: Amount,
}

/// What one participant adds to a request to agree with it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Agreement {
    /// The signature over the request; `None` when the states stand for it.
    pub signature: Option<Signature>,
    /// The next states of the participant's direct channels.
    pub states: Vec<CarriedState>,
}

impl Client {
    /// Connects to `ws://…` or `wss://…` and logs in. If `broker` is given, nobody else is talked to.
    ///
    /// # Errors
    /// When the broker cannot be reached, is somebody else, or refuses.
    pub async fn connect(url: &str, key: SigningKey, broker: Option<Address>) -> Result<Self, ClientError> {
        let mut wire = Wire::connect(url).await?;
        let broker = wire.log_in(&key, broker).await?;
        let (events, channels) = (VecDeque::new(), BTreeMap::new());
        let mut client = Self { wire, key, broker, ahead_ms: 0, events, channels };
        client.ping().await?;
        Ok(client)
    }

    /// Asks for the broker's clock, by which requests are dated from then on.
    ///
    /// # Errors
    /// When the connection fails.
    pub async fn ping(&mut self) -> Result<Timestamp, ClientError> {
        let ServerBody::Pong { timestamp } = self.ask(ClientBody::Ping).await? else {
            return Err(ClientError::OtherType);
        };
        let millis = |millis: u64| i64::try_from(millis).unwrap_or(i64::MAX);
        self.ahead_ms = millis(timestamp.as_millis()) - millis(clock::now_millis());
        Ok(timestamp)
    }

    /// The participant.
    #[must_use]
    pub fn address(&self) -> Address {
        self.key.address()
    }

    /// The broker.
    #[must_use]
    pub fn broker(&self) -> Address {
        self.broker
    }

    /// Makes a request that nobody has signed, with an id of its own and the time by the broker's clock. It must
    /// be sent within [`REQUEST_WINDOW_MS`](domain::protocol::REQUEST_WINDOW_MS).
    #[must_use]
    pub fn request<P: Params>(&self, params: &P) -> Request {
        Request::new(random::request_id(), params, self.now())
    }

    /// Agrees with a request, whoever made it: by next states of direct channels that give us these parts, each
    /// holding the hash of the request; without any, by a signature over it. Look at what the request asks for
    /// before: this signs.
    ///
    /// # Errors
    /// [`ClientError::PartTooLarge`]; those of [`Client::channel`].
    pub async fn agree(&mut self, request: &Request, parts: &[Part]) -> Result<Agreement, ClientError> {
        let text = request.text(self.broker);
        if parts.is_empty() {
            let signature = Some(self.key.sign(text.hash()));
            return Ok(Agreement { signature, states: Vec::new() });
        }
        let mut states = Vec::with_capacity(parts.len());
        for part in parts {
            let newest = self.channel(part.channel_id).await?;
            let state = newest.next(Intent::Operate, part.amount, text.hash().as_bytes().to_vec())?;
            states.push(carried(&state, self.key.sign(state.hash())));
        }
        Ok(Agreement { signature: None, states })
    }

    /// Agrees with the state of a virtual channel. Look at it before: this signs.
    #[must_use]
    pub fn approve(&self, state: &VirtualState) -> Signature {
        self.key.sign(state.digest())
    }

    /// Calls a method: signs the request if it needs that, sends it, and returns the verified answer. `parts` are
    /// what should be ours in direct channels afterwards, where the request moves any.
    ///
    /// # Errors
    /// Those of [`Client::agree`] and [`Client::send`].
    pub async fn call<P: Params>(&mut self, params: &P, parts: &[Part]) -> Result<P::Reply, ClientError> {
        let request = self.request(params);
        let agreement = match P::METHOD.signing() {
            Signing::Session => Agreement::default(),
            Signing::Requester
            | Signing::RequesterItself
            | Signing::RequesterAndKey
            | Signing::Approvals
            | Signing::Members => self.agree(&request, parts).await?,
        };
        self.send::<P>(&together(request, [agreement])).await
    }

    /// Sends a request as it is and returns the verified answer; while the outcome is unknown, sends the same bytes
    /// again. The same request may be sent once more on another connection: it is carried out once.
    ///
    /// # Errors
    /// [`ClientError::Refused`]; what happens to the connection; what a broker may not answer.
    pub async fn send<P: Params>(&mut self, request: &Request) -> Result<P::Reply, ClientError> {
        Ok(self.send_for_states::<P>(request).await?.0)
    }

    /// [`Client::send`] that returns our countersigned states too.
    pub(crate) async fn send_for_states<P: Params>(
        &mut self,
        request: &Request,
    ) -> Result<(P::Reply, Vec<CosignedState>), ClientError> {
        let response = self.send_until_known(request).await?;
        Signed::verify(response.text(self.broker), response.signatures(), &[self.broker])?;
        let states = self.take_states(request, &response)?;
        Ok((response.reply::<P>()?, states))
    }

    async fn send_until_known(&mut self, request: &Request) -> Result<Response, ClientError> {
        let id = FrameId::from(request.id());
        let frame = ClientFrame { id: None, body: ClientBody::Rpc(request.clone()) }.encode();
        let (mut resends_left, mut is_uncertain) = (RESENDS_MAX, false);
        loop {
            let mut others = Vec::new();
            let answer = self.wire.exchange(&frame, &id, &mut others).await;
            self.keep_all(others)?;
            match answer {
                Ok(ServerBody::Rpc(response)) if response.id() == Some(request.id()) => return Ok(response),
                Ok(_) => return Err(ClientError::OtherType),
                Err(ClientError::Refused(refusal))
                    if resends_left > 0 && is_to_be_sent_again(refusal.code, is_uncertain) =>
                {
                    (resends_left, is_uncertain) = (resends_left - 1, true);
                    sleep(refusal.retry_after_ms.map_or(RESEND_PAUSE, Duration::from_millis)).await;
                }
                Err(ClientError::Refused(refusal)) => {
                    self.learn(&refusal);
                    return Err(ClientError::Refused(refusal));
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Returns the first event, kept or to come within `limit`, of which `pick` makes something, and forgets it.
    ///
    /// # Errors
    /// [`ClientError::TimedOut`]; what happens to the connection; what a broker may not send.
    pub async fn next<T>(
        &mut self,
        limit: Duration,
        mut pick: impl FnMut(&Event) -> Option<T>,
    ) -> Result<T, ClientError> {
        let kept = self.events.iter().enumerate();
        if let Some((place, picked)) = kept.filter_map(|(place, event)| Some((place, pick(event)?))).next() {
            self.events.remove(place);
            return Ok(picked);
        }
        let comes = async {
            loop {
                let frame = self.wire.receive().await?;
                let Some(event) = self.read(frame.body)? else { continue };
                if let Some(picked) = pick(&event) {
                    return Ok(picked);
                }
                self.keep(event);
            }
        };
        timeout(limit, comes).await.map_err(|_| ClientError::TimedOut)?
    }

    /// Says farewell.
    ///
    /// # Errors
    /// When the connection has failed.
    pub async fn close(self) -> Result<(), ClientError> {
        self.wire.close().await
    }

    /// The participant and the broker: the sides of our direct channels.
    pub(crate) fn us(&self) -> [Address; 2] {
        [self.key.address(), self.broker]
    }

    pub(crate) fn key(&self) -> &SigningKey {
        &self.key
    }

    /// The time by the broker's clock.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millis(clock::now_millis().saturating_add_signed(self.ahead_ms))
    }

    /// Sends a frame and waits for its answer.
    pub(crate) async fn ask(&mut self, body: ClientBody) -> Result<ServerBody, ClientError> {
        let mut others = Vec::new();
        let answer = self.wire.ask(body, &mut others).await;
        self.keep_all(others)?;
        answer
    }

    fn keep_all(&mut self, bodies: Vec<ServerBody>) -> Result<(), ClientError> {
        for body in bodies {
            if let Some(event) = self.read(body)? {
                self.keep(event);
            }
        }
        Ok(())
    }

    fn keep(&mut self, event: Event) {
        if self.events.len() == EVENTS_KEPT {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    /// What a frame tells that answers nothing; `None` when it is nothing that this version knows.
    fn read(&mut self, body: ServerBody) -> Result<Option<Event>, ClientError> {
        match body {
            ServerBody::Message { channel, stamp, data } => {
                Ok(Some(Event::Message(Message { channel_id: channel, stamp, data })))
            }
            ServerBody::Rpc(response) => {
                Signed::verify(response.text(self.broker), response.signatures(), &[self.broker])?;
                let notification = response.notification()?;
                if let Some(Notification::Channel(content)) = &notification
                    && let Some(state) = &content.state
                {
                    self.take(terms_of(&content.channel, self.broker), state)?;
                }
                Ok(notification.map(Event::Notification))
            }
            ServerBody::RoomRpc { stamp, call } => {
                Signed::verify(call.text(), call.signatures(), &[stamp.sender])?;
                Ok(RoomCall::read(&call, stamp).map(|(side, call)| match side {
                    RoomSide::Request => Event::RoomRequest(call),
                    RoomSide::Response => Event::RoomResponse(call),
                }))
            }
            ServerBody::Unsubscribed { channel } => Ok(Some(Event::RoomLeft(channel))),
            ServerBody::Error(refusal) => Err(ClientError::Refused(Box::new(refusal))),
            // Answers to what nobody waits for any more.
            ServerBody::AuthChallenge { .. }
            | ServerBody::AuthSuccess { .. }
            | ServerBody::Subscribed { .. }
            | ServerBody::Published { .. }
            | ServerBody::Pong { .. } => Ok(None),
        }
    }
}

/// Once the outcome of a request is unknown, that another copy of it was turned away says nothing about the first.
const fn is_to_be_sent_again(code: Code, is_uncertain: bool) -> bool {
    matches!(code, Code::Unavailable)
        || (is_uncertain && matches!(code, Code::Overloaded | Code::RateLimited))
}

/// A request with what all who agree have added to it.
#[must_use]
pub fn together(request: Request, agreements: impl IntoIterator<Item = Agreement>) -> Request {
    let (mut signatures, mut states) = (Vec::new(), Vec::new());
    for agreement in agreements {
        signatures.extend(agreement.signature);
        states.extend(agreement.states);
    }
    request.signed(signatures).carrying(states)
}

mod states;
#[cfg(test)]
mod tests;
