//! Rooms: what members of a virtual channel say to each other.

use std::time::Duration;

use domain::primitives::{Address, ChannelId, Timestamp};
use domain::protocol::method::create_app_session::AppDefinition;
use domain::protocol::{ClientBody, Position, RequestId, RoomCall as WireCall, ServerBody, Text, Uint53};
use serde::Serialize;
use serde_json::value::to_raw_value;

use crate::client::Client;
use crate::error::ClientError;
use crate::event::{Event, RoomCall};
use crate::random;

/// The rules that rooms follow.
const PROTOCOL: &str = "Clearnet/1";

/// From where on messages come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscribed {
    /// The newest message there is.
    pub newest: Position,
    /// Whether everything said after the position that was given follows.
    pub is_recovered: bool,
}

/// What the broker made of something said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// Which message of the room it is.
    pub seq: u64,
    /// When it was said, by the broker's clock.
    pub timestamp: Timestamp,
}

/// The terms of a room: two members, both must agree with everything. `None` when the name of the application or
/// the lifetime is too long for any broker.
#[must_use]
pub fn room_definition(
    host: Address,
    guest: Address,
    application: &str,
    lifetime_secs: u64,
) -> Option<AppDefinition> {
    let weight = Uint53::new(50)?;
    Some(AppDefinition {
        application: Text::new(application)?,
        protocol: Text::new(PROTOCOL)?,
        participants: vec![host, guest],
        weights: vec![weight, weight],
        quorum: Uint53::new(100)?,
        challenge: Uint53::new(lifetime_secs)?,
        nonce: random::nonce(),
    })
}

impl Client {
    /// Gets what is said in a room from then on, and what was said after a position if one is given.
    ///
    /// # Errors
    /// [`ClientError::Refused`]; what happens to the connection.
    pub async fn subscribe(
        &mut self,
        channel: ChannelId,
        after: Option<Position>,
    ) -> Result<Subscribed, ClientError> {
        let answer = self.ask(ClientBody::Subscribe { channel, after }).await?;
        let ServerBody::Subscribed { newest, recovered, .. } = answer else {
            return Err(ClientError::OtherType);
        };
        Ok(Subscribed { newest, is_recovered: recovered })
    }

    /// Gets nothing more of a room.
    ///
    /// # Errors
    /// As [`Client::subscribe`].
    pub async fn unsubscribe(&mut self, channel: ChannelId) -> Result<(), ClientError> {
        let answer = self.ask(ClientBody::Unsubscribe { channel }).await?;
        if matches!(answer, ServerBody::Unsubscribed { .. }) { Ok(()) } else { Err(ClientError::OtherType) }
    }

    /// Says something to all who have subscribed to a room.
    ///
    /// # Errors
    /// As [`Client::subscribe`].
    ///
    /// # Panics
    /// When `data` cannot be written as JSON.
    pub async fn publish(
        &mut self,
        channel: ChannelId,
        data: &impl Serialize,
    ) -> Result<Published, ClientError> {
        let data = to_raw_value(data).expect("what is said can be written as JSON");
        self.say(ClientBody::Publish { channel, data }).await
    }

    /// Asks the Host of a room, signed, and waits for the answer.
    ///
    /// # Errors
    /// As [`Client::subscribe`]; [`ClientError::TimedOut`] when the Host does not answer within `limit`.
    pub async fn ask_host(
        &mut self,
        channel: ChannelId,
        method: &str,
        params: &impl Serialize,
        limit: Duration,
    ) -> Result<RoomCall, ClientError> {
        let id = self.send_to_host(channel, method, params).await?;
        self.next(limit, |event| {
            let Event::RoomResponse(call) = event else { return None };
            (call.channel_id == channel && call.id == id).then(|| call.clone())
        })
        .await
    }

    /// Asks the Host of a room, signed, and does not wait: the answer is an [`Event::RoomResponse`] with the id that
    /// is returned.
    ///
    /// # Errors
    /// As [`Client::subscribe`].
    pub async fn send_to_host(
        &mut self,
        channel: ChannelId,
        method: &str,
        params: &impl Serialize,
    ) -> Result<RequestId, ClientError> {
        let id = random::request_id();
        let call = WireCall::request(channel, id, method, params, self.now());
        self.say_signed(call).await?;
        Ok(id)
    }

    /// Answers a request of the Guest, signed.
    ///
    /// # Errors
    /// As [`Client::subscribe`].
    pub async fn answer_guest(
        &mut self,
        request: &RoomCall,
        result: &impl Serialize,
    ) -> Result<Published, ClientError> {
        let (channel, id) = (request.channel_id, request.id);
        let call = WireCall::response(channel, id, &request.method, result, self.now());
        self.say_signed(call).await
    }

    async fn say_signed(&mut self, call: WireCall) -> Result<Published, ClientError> {
        let signature = self.key().sign(call.text().hash());
        self.say(ClientBody::RoomRpc(call.signed(signature))).await
    }

    async fn say(&mut self, body: ClientBody) -> Result<Published, ClientError> {
        let ServerBody::Published { seq, timestamp, .. } = self.ask(body).await? else {
            return Err(ClientError::OtherType);
        };
        Ok(Published { seq, timestamp })
    }
}
