//! The people, their tokens, and what they sign.

use std::collections::{BTreeMap, BTreeSet};

use clearnet::actors::direct_channel::Finalize;
use clearnet::actors::participant::{Funding, KeyChange, Movements, Settle};
use clearnet::actors::request::{Asked, Request};
use clearnet::actors::supervisor::Opening;
use clearnet::actors::virtual_channel::{Accepted, NextState, Wish};
use clearnet::clock;
use domain::crypto::{
    Allocation, Definition, Delegates, DirectParams, DirectState, Intent, RequestText, Signed, SigningKey,
    VirtualAllocation, VirtualAllocations, VirtualIntent, VirtualState,
};
use domain::ledger::RequestKey;
use domain::participant::{AssetOf, AssetTable, Cap, Scope, SessionKey};
use domain::primitives::{Address, Amount, Asset, ChainId, ChannelId, Digest, Timestamp, Token, Version};

use super::model::{Amounts, Channel, Flaw, Next, Part, Room};

/// How many people there are.
pub(super) const PEOPLE: u8 = 3;
/// How many tokens there are: two on one chain, one on another.
pub(super) const TOKENS: u8 = 3;
/// The one adjudicator that the broker accepts.
pub(super) const ADJUDICATOR: Address = Address::from_bytes([0xAD; 20]);
pub(super) const CHALLENGE_SECS: u64 = 86_400;

pub(super) fn broker_key() -> SigningKey {
    SigningKey::from_bytes([0xBB; 32]).unwrap()
}

pub(super) fn broker() -> Address {
    broker_key().address()
}

pub(super) fn key(who: u8) -> SigningKey {
    SigningKey::from_bytes([who + 1; 32]).unwrap()
}

pub(super) fn person(who: u8) -> Address {
    key(who).address()
}

pub(super) fn token(number: u8) -> Token {
    Token { chain_id: ChainId::new(1 + u64::from(number / 2)), address: Address::from_bytes([number; 20]) }
}

/// The session key that somebody may delegate to.
fn session_key(who: u8) -> SigningKey {
    SigningKey::from_bytes([0x80 + who; 32]).unwrap()
}

pub(super) fn session_key_address(who: u8) -> Address {
    session_key(who).address()
}

pub(super) fn asset(number: u8) -> Asset {
    format!("T{number}").parse().unwrap()
}

/// Every token is an asset of its own.
pub(super) fn assets() -> AssetTable {
    let of =
        |number: u8| (token(number), AssetOf { asset: asset(number), token_decimals: 6, asset_decimals: 6 });
    (0..TOKENS).map(of).collect()
}

/// What somebody asks for, signed.
#[derive(Debug, Clone)]
pub(super) enum Ask {
    Move(Asked<Movements>),
    Keys(Asked<KeyChange>),
    Fund(Asked<Funding>),
    Open(Asked<Opening>),
    Room(ChannelId, Asked<Wish>),
    Finalize(Asked<Finalize>),
    Settle(Asked<Settle>),
}

impl Ask {
    pub(super) fn key(&self) -> RequestKey {
        match self {
            Self::Move(asked) => asked.key(),
            Self::Keys(asked) => asked.key(),
            Self::Fund(asked) => asked.key(),
            Self::Open(asked) => asked.key(),
            Self::Room(_, asked) => asked.key(),
            Self::Finalize(asked) => asked.key(),
            Self::Settle(asked) => asked.key(),
        }
    }

    pub(super) fn hash(&self) -> Digest {
        match self {
            Self::Move(asked) => asked.hash(),
            Self::Keys(asked) => asked.hash(),
            Self::Fund(asked) => asked.hash(),
            Self::Open(asked) => asked.hash(),
            Self::Room(_, asked) => asked.hash(),
            Self::Finalize(asked) => asked.hash(),
            Self::Settle(asked) => asked.hash(),
        }
    }
}

/// A request that is being written: its text is unique, and stands for what is asked.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    text: RequestText,
    id: u64,
    at: Timestamp,
    /// For whom session keys sign.
    keyed: BTreeSet<u8>,
}

impl Draft {
    pub(super) fn new(id: u64) -> Self {
        Self::under(RequestKey { at: clock::now(), signer: Address::ZERO, id }, "")
    }

    /// A request under the time and id of another one.
    pub(super) fn under(key: RequestKey, note: &str) -> Self {
        let RequestKey { at, id, .. } = key;
        let text = RequestText::new(broker(), &format!("[{id},\"any\",{{\"note\":\"{note}\"}},{at}]"));
        Self { text, id, at, keyed: BTreeSet::new() }
    }

    pub(super) fn hash(&self) -> Digest {
        self.text.hash()
    }

    /// The same, signed by session keys for these people.
    pub(super) fn by_keys(self, keyed: impl IntoIterator<Item = u8>) -> Self {
        Self { keyed: keyed.into_iter().collect(), ..self }
    }

    fn asked<P>(self, by: u8, params: P, signers: &[u8], states: Vec<Signed<DirectState>>) -> Asked<P> {
        let Self { text, id, at, keyed } = self;
        let key_of = |who: &u8| if keyed.contains(who) { session_key(*who) } else { key(*who) };
        let signatures: Vec<_> = signers.iter().map(|who| key_of(who).sign(text.hash())).collect();
        let delegates: Delegates =
            keyed.iter().map(|who| (session_key(*who).address(), person(*who))).collect();
        let everybody: Vec<_> = (0..PEOPLE).map(person).collect();
        let request = Request { text, id, at };
        let request =
            Signed::verify_carrying_for(request, &signatures, &states, &everybody, &delegates).unwrap();
        Asked { by: person(by), request, states, params }
    }

    pub(super) fn pay(
        self,
        by: u8,
        to: Option<u8>,
        payments: &BTreeMap<u8, u64>,
        states: Vec<Signed<DirectState>>,
    ) -> Ask {
        let payments = payments.iter().map(|(of, amount)| (token(*of), Amount::from(*amount))).collect();
        Ask::Move(self.asked(by, Movements { to: to.map(person), payments }, &[by], states))
    }

    /// Money from nothing, as in test mode.
    pub(super) fn fund(self, by: u8, to: u8, (of, amount): (u8, u64)) -> Ask {
        let amounts = BTreeMap::from([(token(of), Amount::from(amount))]);
        Ask::Fund(self.asked(by, Funding { to: person(to), amounts }, &[by], Vec::new()))
    }

    pub(super) fn open(self, by: u8, room: &Room, states: Vec<Signed<DirectState>>) -> Ask {
        let allocations = lines(&room.amounts);
        let definition = room.definition.clone();
        let opening = Opening { definition, allocations, data: None, accept_within_secs: None };
        Ask::Open(self.asked(by, opening, &room.members, states))
    }

    /// Lets the session key of somebody spend this much of each token.
    pub(super) fn delegate(self, by: u8, caps: &BTreeMap<u8, u64>) -> Ask {
        let cap = |(of, most): (&u8, &u64)| (asset(*of), Cap { most: (*most).into(), used: Amount::ZERO });
        let session_key = SessionKey {
            scope: Scope::ALL.into_iter().collect(),
            application: None,
            caps: caps.iter().map(cap).collect(),
            created_at: self.at,
            expires_at: self.at.plus_millis(3_600_000),
        };
        let change = KeyChange::Delegate { key: session_key_address(by), session_key };
        Ask::Keys(self.asked(by, change, &[by], Vec::new()))
    }

    pub(super) fn revoke(self, by: u8) -> Ask {
        let change = KeyChange::Revoke { key: session_key_address(by) };
        Ask::Keys(self.asked(by, change, &[by], Vec::new()))
    }

    /// Proposes the room, in which there is to be what is wanted.
    pub(super) fn propose(self, by: u8, room: &Room, states: Vec<Signed<DirectState>>) -> Ask {
        let (definition, allocations) = (room.definition.clone(), lines(&room.wanted));
        let opening = Opening { definition, allocations, data: None, accept_within_secs: Some(3_600) };
        Ask::Open(self.asked(by, opening, &[by], states))
    }

    pub(super) fn accept(
        self,
        by: u8,
        room: &Room,
        wanted: &Amounts,
        states: Vec<Signed<DirectState>>,
    ) -> Ask {
        let accepted = Accepted { allocations: lines(wanted), data: None };
        Ask::Room(room.id(), self.asked(by, Wish::Accept(accepted), &[by], states))
    }

    pub(super) fn decline(self, by: u8, room: &Room) -> Ask {
        Ask::Room(room.id(), self.asked(by, Wish::Decline, &[by], Vec::new()))
    }

    pub(super) fn update(self, room: &Room, next: &Next) -> Ask {
        let state = next_state(room, next, VirtualIntent::Operate);
        Ask::Room(room.id(), self.asked(next.by, Wish::Update(state), &[next.by], Vec::new()))
    }

    /// Puts money into the room or takes it out; these have signed the request.
    pub(super) fn reshape(
        self,
        room: &Room,
        next: &Next,
        intent: VirtualIntent,
        signers: &[u8],
        states: Vec<Signed<DirectState>>,
    ) -> Ask {
        let state = next_state(room, next, intent);
        Ask::Room(room.id(), self.asked(next.by, Wish::Update(state), signers, states))
    }

    pub(super) fn close(self, room: &Room, next: &Next, states: Vec<Signed<DirectState>>) -> Ask {
        let state = next_state(room, next, VirtualIntent::Close);
        Ask::Room(room.id(), self.asked(next.by, Wish::Close(state), &[next.by], states))
    }

    pub(super) fn finalize(self, by: u8, channel: &Channel, part: &Part) -> Ask {
        let state = direct_state(channel, part, Intent::Finalize, Vec::new());
        let state = sign_by(channel.owner, state);
        Ask::Finalize(self.asked(by, Finalize { state }, &[by], Vec::new()))
    }

    /// Settles `amount` by a channel in which `channel.locked` would be.
    pub(super) fn settle(self, channel: &Channel, amount: u64, signer: u8) -> Ask {
        let part = Part { channel: 0, version: 0, after: channel.locked, flaw: None };
        let state = direct_state(channel, &part, Intent::Initialize, Vec::new());
        let settle = Settle {
            token: token(channel.token),
            amount: Amount::from(amount),
            params: channel.params.clone(),
            initial: sign_by(signer, state),
        };
        Ask::Settle(self.asked(channel.owner, settle, &[channel.owner], Vec::new()))
    }
}

/// The next state of a direct channel, for the request of this hash.
pub(super) fn carried(channel: &Channel, part: &Part, request: Digest) -> Signed<DirectState> {
    let hash = if part.flaw == Some(Flaw::Hash) { Digest::from_bytes([9; 32]) } else { request };
    let state = direct_state(channel, part, Intent::Operate, hash.as_bytes().to_vec());
    let signer = if part.flaw == Some(Flaw::Signer) { (channel.owner + 1) % PEOPLE } else { channel.owner };
    sign_by(signer, state)
}

fn sign_by(who: u8, state: DirectState) -> Signed<DirectState> {
    let signature = key(who).sign(state.hash());
    Signed::verify(state, &[signature], &[person(who)]).unwrap()
}

pub(super) fn direct_state(channel: &Channel, part: &Part, intent: Intent, data: Vec<u8>) -> DirectState {
    let rest = channel.locked - part.after + u64::from(part.flaw == Some(Flaw::Total));
    let address = token(channel.token).address;
    let line = |destination, amount: u64| Allocation { destination, token: address, amount: amount.into() };
    DirectState {
        channel_id: channel.params.channel_id(),
        intent,
        version: Version::new(part.version).unwrap(),
        data,
        allocations: [line(person(channel.owner), part.after), line(broker(), rest)],
    }
}

fn next_state(room: &Room, next: &Next, intent: VirtualIntent) -> NextState {
    let members = &room.definition.participants;
    let state = VirtualState {
        broker: broker(),
        channel_id: room.definition.channel_id(),
        version: Version::new(next.version).unwrap(),
        intent,
        data_hash: VirtualState::hash_of_data(None),
        allocations: VirtualAllocations::new(members, lines(&next.amounts)).unwrap(),
    };
    let approvals: Vec<_> = next.approvals.iter().map(|who| key(*who).sign(state.digest())).collect();
    NextState { state: Signed::verify(state, &approvals, members).unwrap(), data: None }
}

fn lines(amounts: &Amounts) -> Vec<VirtualAllocation> {
    let line = |((who, of), amount): (&(u8, u8), &u64)| VirtualAllocation {
        participant: person(*who),
        token: token(*of),
        amount: Amount::from(*amount),
    };
    amounts.iter().filter(|(_, amount)| **amount > 0).map(line).collect()
}

/// The terms of a room of these members, in which any two agree.
pub(super) fn definition(members: &[u8], nonce: u64) -> Definition {
    Definition {
        application: "laws".to_owned(),
        protocol: "Clearnet/1".to_owned(),
        participants: members.iter().map(|who| person(*who)).collect(),
        weights: vec![1; members.len()],
        quorum: 2,
        challenge: 3_600,
        nonce,
    }
}

/// The terms of a direct channel.
pub(super) fn terms(owner: u8, of: u8, nonce: u64, adjudicator: Address) -> DirectParams {
    DirectParams {
        participants: [person(owner), broker()],
        adjudicator,
        challenge_secs: CHALLENGE_SECS,
        nonce,
        chain_id: token(of).chain_id,
    }
}
