//! Responses and notifications of the broker.

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::header::Header;
use super::request::RequestId;
use super::{Envelope, absent, raw, required};
use crate::crypto::{ResponseText, Signature};
use crate::primitives::{Address, Timestamp};
use crate::protocol::json::{JsonFault, decode_object};
use crate::protocol::method::{Method, Params};
use crate::protocol::notification::Notification;
use crate::protocol::state::CarriedState;
use crate::protocol::uint53::Uint53;

/// What the broker answers to a request, or tells unasked: its text as it is signed, the signature, and the
/// states that the broker has countersigned.
///
/// In JSON it is the `data` of an `rpc` frame.
#[derive(Debug, Clone)]
pub struct Response {
    id: Option<RequestId>,
    method: String,
    result: Box<RawValue>,
    at: Timestamp,
    res: Box<RawValue>,
    signatures: Vec<Signature>,
    states: Vec<CarriedState>,
}

impl Response {
    /// Answers the request of this id; nobody has signed the answer.
    #[must_use]
    pub fn answer<R: Serialize>(id: RequestId, method: Method, reply: &R, at: Timestamp) -> Self {
        Self::new(Some(id), method.name(), raw(reply), at)
    }

    /// Tells unasked; nobody has signed it.
    #[must_use]
    pub fn notify(notification: &Notification, at: Timestamp) -> Self {
        Self::new(None, notification.name(), raw(notification), at)
    }

    fn new(id: Option<RequestId>, method: &str, result: Box<RawValue>, at: Timestamp) -> Self {
        let res = raw(&(id.map_or(0, RequestId::get), method, &result, at));
        let method = method.to_owned();
        Self { id, method, result, at, res, signatures: Vec::new(), states: Vec::new() }
    }

    /// Reads what [`Response`] is written as. Unknown fields beside `res`, `sig` and `states` are ignored.
    ///
    /// # Errors
    /// Where it is no response.
    pub fn decode(data: &RawValue) -> Result<Self, JsonFault> {
        let Envelope { req, res, sig, states } = decode_object(data.get())?;
        absent(req.as_deref(), "req")?;
        let res = required(res, "res")?;
        let Header { id, method, body, at } = Header::<Uint53>::decode(&res, "res")?;
        let (id, method) = (RequestId::new(id.get()), method.to_string());
        Ok(Self { id, method, result: body, at, res, signatures: sig, states })
    }

    /// The same response with the broker's signature.
    #[must_use]
    pub fn signed(self, signature: Signature) -> Self {
        Self { signatures: vec![signature], ..self }
    }

    /// The same response with countersigned states.
    #[must_use]
    pub fn carrying(self, states: Vec<CarriedState>) -> Self {
        Self { states, ..self }
    }

    /// The id of the request that it answers; `None` for a notification.
    #[must_use]
    pub const fn id(&self) -> Option<RequestId> {
        self.id
    }

    /// The method that it answers, or the name of the notification.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The time inside it, by the broker's clock.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// The text of `res` as it travels.
    #[must_use]
    pub fn res(&self) -> &str {
        self.res.get()
    }

    /// What is said to be signatures over [`Response::text`].
    #[must_use]
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// The states that the broker has countersigned.
    #[must_use]
    pub fn states(&self) -> &[CarriedState] {
        &self.states
    }

    /// The text that the broker signs.
    #[must_use]
    pub fn text(&self, broker: Address) -> ResponseText {
        ResponseText::new(broker, self.res.get())
    }

    /// The result, as the reply to a request of this kind.
    ///
    /// # Errors
    /// The method is another one, or where the result is not such a reply.
    pub fn reply<P: Params>(&self) -> Result<P::Reply, JsonFault> {
        if self.method != P::METHOD.name() {
            return Err(JsonFault::at("res[1]", "answers another method"));
        }
        decode_object(self.result.get()).map_err(|fault| fault.within("[2]").within("res"))
    }

    /// What it tells; `None` for an answer, and for a notification that this version does not know.
    ///
    /// # Errors
    /// Where the content is not that of the notification.
    pub fn notification(&self) -> Result<Option<Notification>, JsonFault> {
        if self.id.is_some() {
            return Ok(None);
        }
        let notification = Notification::decode(&self.method, self.result.get());
        notification.map_err(|fault| fault.within("[2]").within("res"))
    }
}

impl Serialize for Response {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { res, signatures, states, .. } = self.clone();
        Envelope { req: None, res: Some(res), sig: signatures, states }.serialize(serializer)
    }
}
