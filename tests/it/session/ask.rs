//! Requests, written and signed by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use clearnet::clock;
use domain::crypto::{
    Allocation, DirectParams, DirectState, Intent, RequestText, Signature, SigningKey, VirtualState,
};
use domain::primitives::{Address, Amount, ChannelId, Digest, Version};
use domain::protocol::{CarriedState, State};
use serde_json::{Value, json};

/// A number that no other request or channel of this process has.
pub(crate) fn fresh() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A request with its signatures and states; nothing in it has to be right.
#[derive(Clone)]
pub(crate) struct Ask {
    broker: Address,
    req: String,
    signatures: Vec<String>,
    states: Vec<Value>,
}

impl Ask {
    /// Now, with an id of its own.
    pub(crate) fn new(broker: Address, method: &str, params: &Value) -> Self {
        Self::at(broker, fresh(), method, params, clock::now().as_millis())
    }

    pub(crate) fn at(broker: Address, id: u64, method: &str, params: &Value, at: u64) -> Self {
        let req = json!([id, method, params, at]).to_string();
        Self::raw(broker, req)
    }

    pub(crate) fn raw(broker: Address, req: String) -> Self {
        Self { broker, req, signatures: Vec::new(), states: Vec::new() }
    }

    /// What is signed.
    pub(crate) fn text(&self) -> RequestText {
        RequestText::new(self.broker, &self.req)
    }

    /// What is asked for.
    pub(crate) fn params(&self) -> Value {
        let req: Value = serde_json::from_str(&self.req).unwrap();
        req[2].clone()
    }

    /// The id inside.
    pub(crate) fn id(&self) -> u64 {
        let req: Value = serde_json::from_str(&self.req).unwrap();
        req[0].as_u64().unwrap()
    }

    /// The time inside.
    pub(crate) fn at_millis(&self) -> u64 {
        let req: Value = serde_json::from_str(&self.req).unwrap();
        req[3].as_u64().unwrap()
    }

    /// H.
    pub(crate) fn hash(&self) -> Digest {
        self.text().hash()
    }

    pub(crate) fn by(self, key: &SigningKey) -> Self {
        let signature = key.sign(self.hash()).to_string();
        self.with(signature)
    }

    /// A signature as it is.
    pub(crate) fn with(mut self, signature: impl Into<String>) -> Self {
        self.signatures.push(signature.into());
        self
    }

    /// A state as it is.
    pub(crate) fn carrying(mut self, state: Value) -> Self {
        self.states.push(state);
        self
    }

    /// OPERATE of a channel with H in it: the next version, this part.
    pub(crate) fn moving(self, direct: &Direct, part: u128) -> Self {
        let state = direct.next(self.hash(), direct.version + 1, part);
        let carried = direct.signed(&state);
        self.carrying(carried)
    }

    pub(crate) fn frame(&self) -> String {
        let (signatures, states) = (json!(self.signatures), json!(self.states));
        format!(
            r#"{{"type":"rpc","id":"f{}","data":{{"req":{},"sig":{signatures},"states":{states}}}}}"#,
            fresh(),
            self.req
        )
    }
}

/// A direct channel as its owner knows it.
#[derive(Clone)]
pub(crate) struct Direct {
    pub(crate) key: Arc<SigningKey>,
    pub(crate) params: DirectParams,
    pub(crate) token: Address,
    pub(crate) locked: u128,
    /// Of the newest co-signed state.
    pub(crate) version: u64,
    pub(crate) part: u128,
}

impl Direct {
    pub(crate) fn id(&self) -> ChannelId {
        self.params.channel_id()
    }

    /// OPERATE with this part.
    pub(crate) fn next(&self, hash: Digest, version: u64, part: u128) -> DirectState {
        let data = hash.as_bytes().to_vec();
        self.state(Intent::Operate, version, data, [part, self.locked.saturating_sub(part)])
    }

    /// FINALIZE with the newest parts.
    pub(crate) fn last(&self) -> DirectState {
        self.state(Intent::Finalize, self.version + 1, Vec::new(), [self.part, self.locked - self.part])
    }

    pub(crate) fn state(&self, intent: Intent, version: u64, data: Vec<u8>, parts: [u128; 2]) -> DirectState {
        let [owner, broker] = self.params.participants;
        let side =
            |destination, amount| Allocation { destination, token: self.token, amount: Amount::from(amount) };
        DirectState {
            channel_id: self.id(),
            intent,
            version: Version::new(version).unwrap(),
            data,
            allocations: [side(owner, parts[0]), side(broker, parts[1])],
        }
    }

    /// A state as it travels, signed by the owner.
    pub(crate) fn signed(&self, state: &DirectState) -> Value {
        signed_by(&self.key, state)
    }

    /// The owner has co-signed this.
    pub(crate) fn moved(&mut self, part: u128) {
        self.version += 1;
        self.part = part;
    }
}

pub(crate) fn signed_by(key: &SigningKey, state: &DirectState) -> Value {
    let sig = key.sign(state.hash());
    let carried = CarriedState { channel_id: state.channel_id, state: State::of(state).unwrap(), sig };
    serde_json::to_value(carried).unwrap()
}

/// Approvals of a virtual state.
pub(crate) fn approvals(state: &VirtualState, keys: &[&SigningKey]) -> Value {
    let signatures: Vec<String> = keys.iter().map(|key| key.sign(state.digest()).to_string()).collect();
    json!(signatures)
}

/// The same signature with s in the upper half: the order of the curve less s, and the other v.
pub(crate) fn high_s(signature: Signature) -> String {
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xba,
        0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
    ];
    let mut bytes = *signature.as_bytes();
    let mut borrow = 0;
    for place in (0..32).rev() {
        let difference = i16::from(ORDER[place]) - i16::from(bytes[32 + place]) - borrow;
        borrow = i16::from(difference < 0);
        bytes[32 + place] = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    bytes[64] = 55 - bytes[64];
    domain::primitives::encode_hex(&bytes)
}

/// The same signature with another last byte.
pub(crate) fn with_v(signature: Signature, v: u8) -> String {
    let mut bytes = *signature.as_bytes();
    bytes[64] = v;
    domain::primitives::encode_hex(&bytes)
}

/// A signature of the right form that nobody can have made: no point of the curve has this r.
pub(crate) fn of_nobody() -> String {
    let mut bytes = [0; 65];
    bytes[31] = 5;
    bytes[63] = 1;
    bytes[64] = 27;
    domain::primitives::encode_hex(&bytes)
}
