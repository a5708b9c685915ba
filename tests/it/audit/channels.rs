//! Channels as their machines store them, written by hand so that every figure can be chosen.

use clearnet::actors::journal::NewState;
use clearnet::store::{Revision, StateKind, StateRow};
use domain::crypto::{Definition, DirectParams, SigningKey};
use domain::ledger::OwnerId;
use domain::primitives::{Address, Amount, ChannelId, Digest, Timestamp, Token};
use serde_json::{Value, json};

use super::writing::broker;

/// What the contract holds for both sides of every direct channel: more than any part.
const LOCKED: u64 = 1 << 40;

/// A state without the revision that it replaces.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) channel: ChannelId,
    kind: StateKind,
    phase: u8,
    body: Value,
}

impl State {
    pub(super) fn row(&self, revision: Revision) -> StateRow {
        let NewState { owner, kind, phase, due_at, body, .. } = self.replacing(None);
        StateRow { owner, revision, kind, phase, due_at, body }
    }

    pub(super) fn replacing(&self, replaces: Option<Revision>) -> NewState {
        NewState {
            owner: OwnerId::Channel(self.channel),
            replaces,
            kind: self.kind,
            phase: self.phase,
            due_at: None,
            body: serde_json::to_vec(&self.body).unwrap(),
        }
    }
}

/// A direct channel between a person and the broker.
#[derive(Debug, Clone)]
pub(super) struct Direct {
    params: DirectParams,
    pub(super) owner: Address,
    pub(super) token: Token,
    locked: Amount,
}

impl Direct {
    pub(super) fn new(owner: Address, token: Token, nonce: u64) -> Self {
        let adjudicator = Address::from_bytes([0xAD; 20]);
        let participants = [owner, broker()];
        let chain_id = token.chain_id;
        let params = DirectParams { participants, adjudicator, challenge_secs: 86_400, nonce, chain_id };
        Self::of(params, token, LOCKED)
    }

    /// A channel with these terms, for which the contract holds `locked`.
    pub(super) fn of(params: DirectParams, token: Token, locked: u64) -> Self {
        Self { owner: params.participants[0], params, token, locked: Amount::from(locked) }
    }

    pub(super) fn id(&self) -> ChannelId {
        self.params.channel_id()
    }

    /// It counts, and this is the owner's part.
    pub(super) fn active(&self, part: Amount) -> State {
        let rest = self.locked.checked_sub(part).unwrap();
        let signature = SigningKey::from_bytes([1; 32]).unwrap().sign(Digest::from_bytes([2; 32]));
        let newest =
            json!({ "intent": 0, "version": 1, "data": "0x", "parts": [part, rest], "signature": signature });
        let anchor = json!({
            "participants": self.params.participants,
            "adjudicator": self.params.adjudicator,
            "challenge_secs": self.params.challenge_secs,
            "nonce": self.params.nonce,
            "wallet": self.owner,
            "token": self.token.address,
            "locked": self.locked,
            "newest": newest,
        });
        self.state(4, json!({ "anchor": anchor }))
    }

    /// The broker is to create it with this amount.
    pub(super) fn announced(&self, amount: Amount) -> State {
        let settlement = json!({
            "owner": self.owner,
            "token": self.token.address,
            "amount": amount,
        });
        self.state(1, json!({ "settlement": settlement }))
    }

    fn state(&self, phase: u8, rest: Value) -> State {
        let mut body = json!({ "format": 1, "chain_id": self.token.chain_id, "phase": phase });
        body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        State { channel: self.id(), kind: StateKind::Direct, phase, body }
    }
}

/// A virtual channel between two people.
#[derive(Debug, Clone)]
pub(super) struct Room {
    definition: Definition,
}

impl Room {
    pub(super) fn new(members: [Address; 2], nonce: u64) -> Self {
        let definition = Definition {
            application: String::new(),
            protocol: "Clearnet/1".to_owned(),
            participants: members.to_vec(),
            weights: vec![50, 50],
            quorum: 100,
            challenge: 3_600,
            nonce,
        };
        Self { definition }
    }

    pub(super) fn id(&self) -> ChannelId {
        self.definition.channel_id()
    }

    /// Who owns, or in the end got, what of this token.
    pub(super) fn state(&self, token: Token, amounts: [Amount; 2], is_closed: bool) -> State {
        let Definition { application, protocol, participants, weights, quorum, challenge, nonce } =
            &self.definition;
        let allocations = participants.iter().zip(amounts).filter(|(_, amount)| !amount.is_zero());
        let allocations = allocations.map(
            |(participant, amount)| json!({ "participant": participant, "token": token, "amount": amount }),
        );
        let phase = if is_closed { 3 } else { 1 };
        let at = Timestamp::from_millis(1);
        let body = json!({
            "format": 1,
            "broker": broker(),
            "definition": {
                "application": application, "protocol": protocol, "participants": participants,
                "weights": weights, "quorum": quorum, "challenge": challenge, "nonce": nonce,
            },
            "phase": phase,
            "version": 1,
            "allocations": allocations.collect::<Vec<_>>(),
            "data": null,
            "approvals": [],
            "opened_at": at, "updated_at": at, "expires_at": at, "window_ends_at": at,
        });
        State { channel: self.id(), kind: StateKind::Virtual, phase, body }
    }
}
