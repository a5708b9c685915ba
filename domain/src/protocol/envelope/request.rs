//! Requests to the broker.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::value::RawValue;
use thiserror::Error;

use super::header::Header;
use super::{Envelope, absent, raw, required};
use crate::crypto::{RequestText, Signature};
use crate::ledger::RequestKey;
use crate::primitives::{Address, Timestamp};
use crate::protocol::json::{JsonFault, decode_object};
use crate::protocol::method::{Call, Method, Params};
use crate::protocol::state::CarriedState;
use crate::protocol::uint53::Uint53;

/// The id inside a request, 1 to 2^53 − 1; 0 is kept for notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct RequestId(u64);

impl RequestId {
    /// Makes an id, or `None` for 0 and above 2^53 − 1.
    #[must_use]
    pub fn new(number: u64) -> Option<Self> {
        (1..=Uint53::MAX.get()).contains(&number).then_some(Self(number))
    }

    /// The number itself.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl<'de> Deserialize<'de> for RequestId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(deserializer)?;
        Self::new(number).ok_or_else(|| de::Error::custom("id must be from 1 to 2^53 - 1"))
    }
}

/// A request to the broker: what is asked, its text as it was signed, and what was signed with it.
///
/// Nothing is verified yet. In JSON it is the `data` of an `rpc` frame.
#[derive(Debug, Clone)]
pub struct Request {
    id: RequestId,
    method: String,
    params: Box<RawValue>,
    at: Timestamp,
    req: Box<RawValue>,
    signatures: Vec<Signature>,
    states: Vec<CarriedState>,
}

/// Why a request asks for nothing that the broker serves.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CallError {
    /// No method has this name.
    #[error("the broker serves no method of this name")]
    UnknownMethod,
    /// The parameters are not those of the method.
    #[error(transparent)]
    Params(#[from] JsonFault),
}

impl Request {
    /// Makes a request that nobody has signed.
    #[must_use]
    pub fn new<P: Params>(id: RequestId, params: &P, at: Timestamp) -> Self {
        let method = P::METHOD.name().to_owned();
        let req = raw(&(id, &method, params, at));
        Self { id, method, params: raw(params), at, req, signatures: Vec::new(), states: Vec::new() }
    }

    /// Reads the `data` of an `rpc` frame. Unknown fields beside `req`, `sig` and `states` are ignored.
    ///
    /// # Errors
    /// Where it is no request.
    pub(in crate::protocol) fn decode(data: &RawValue) -> Result<Self, JsonFault> {
        let Envelope { req, res, sig, states } = decode_object(data.get())?;
        absent(res.as_deref(), "res")?;
        let req = required(req, "req")?;
        let Header { id, method, body, at } = Header::decode(&req, "req")?;
        if !body.get().starts_with('{') {
            return Err(JsonFault::at("req[2]", "parameters must be an object"));
        }
        let method = method.to_string();
        Ok(Self { id, method, params: body, at, req, signatures: sig, states })
    }

    /// The same request with these signatures instead of those it had.
    #[must_use]
    pub fn signed(self, signatures: Vec<Signature>) -> Self {
        Self { signatures, ..self }
    }

    /// The same request with these states instead of those it had.
    #[must_use]
    pub fn carrying(self, states: Vec<CarriedState>) -> Self {
        Self { states, ..self }
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> RequestId {
        self.id
    }

    /// The name of the method, known or not.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The time inside it, by the clock of who made it.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// The text of `req` as it came.
    #[must_use]
    pub fn req(&self) -> &str {
        self.req.get()
    }

    /// What is said to be signatures over [`Request::text`], one per signer.
    #[must_use]
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// The next states of direct channels that it carries.
    #[must_use]
    pub fn states(&self) -> &[CarriedState] {
        &self.states
    }

    /// The text that is signed; its hash is the H that carried states hold as their data.
    #[must_use]
    pub fn text(&self, broker: Address) -> RequestText {
        RequestText::new(broker, self.req.get())
    }

    /// The key under which it happens once.
    #[must_use]
    pub const fn key(&self, signer: Address) -> RequestKey {
        RequestKey { at: self.at, signer, id: self.id.0 }
    }

    /// What it asks for.
    ///
    /// # Errors
    /// First that applies: [`CallError::UnknownMethod`], [`CallError::Params`].
    pub fn call(&self) -> Result<Call, CallError> {
        let method = Method::from_name(&self.method).ok_or(CallError::UnknownMethod)?;
        Ok(Call::decode(method, self.params.get())?)
    }
}

impl Serialize for Request {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { req, signatures, states, .. } = self.clone();
        Envelope { req: Some(req), res: None, sig: signatures, states }.serialize(serializer)
    }
}
