//! Alice's channel with the broker, and what can happen to it.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use crate::chain::{CustodyEvent, RecordedState};
use crate::channel::{Machine, Transition};
use crate::crypto::{Allocation, CustodyDomain, DirectParams, DirectState, Intent, Signed, SigningKey};
use crate::ledger::{Cause, EventKey, RequestKey};
use crate::primitives::{Address, Amount, ChainId, ChannelId, Delta, Digest, Timestamp, Token, Version};

use super::super::phase::Phase;
use super::super::{DirectChannel, DirectEffect, DirectError, DirectEvent, Terms};

pub(crate) const CHAIN: ChainId = ChainId::new(31_337);
pub(crate) const BROKER: Address = Address::from_bytes([0xb2; 20]);
pub(crate) const SHIB: Token = Token { chain_id: CHAIN, address: Address::from_bytes([0x51; 20]) };
pub(crate) const PEPE: Token = Token { chain_id: CHAIN, address: Address::from_bytes([0x9e; 20]) };
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
/// What makes a request; the data of the states that it carries.
pub(crate) const REQUEST: Digest = Digest::from_bytes([0x48; 32]);
pub(crate) const DAY_SECS: u64 = 86_400;

pub(crate) static ALICE_KEY: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::from_bytes([0xa1; 32]).unwrap());
pub(crate) static MALLORY_KEY: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::from_bytes([0x3a; 32]).unwrap());

// Made once: addresses and domains are hashes, and a random run needs them a million times.
static ALICE: LazyLock<Address> = LazyLock::new(|| ALICE_KEY.address());
static MALLORY: LazyLock<Address> = LazyLock::new(|| MALLORY_KEY.address());
static TERMS: LazyLock<Arc<Terms>> = LazyLock::new(|| {
    Arc::new(Terms {
        chain_id: CHAIN,
        broker: BROKER,
        custody: CustodyDomain::new(CHAIN, Address::from_bytes([0xcc; 20])),
        adjudicator: Address::from_bytes([0xad; 20]),
        tokens: BTreeSet::from([SHIB.address, PEPE.address]),
        challenge_secs_max: 30 * DAY_SECS,
        debit_challenge_secs_min: DAY_SECS,
    })
});

pub(crate) fn alice() -> Address {
    *ALICE
}

pub(crate) fn mallory() -> Address {
    *MALLORY
}

pub(crate) fn terms() -> Arc<Terms> {
    Arc::clone(&TERMS)
}

pub(crate) fn amount(value: u64) -> Amount {
    Amount::from(value)
}

pub(crate) fn version(number: u64) -> Version {
    Version::new(number).unwrap()
}

pub(crate) fn params(challenge_secs: u64) -> DirectParams {
    DirectParams {
        participants: [alice(), BROKER],
        adjudicator: terms().adjudicator,
        challenge_secs,
        nonce: 7,
        chain_id: CHAIN,
    }
}

/// The terms of Alice's channel.
pub(crate) fn usual() -> DirectParams {
    params(DAY_SECS)
}

pub(crate) fn state_of(
    params: &DirectParams,
    intent: Intent,
    number: u64,
    data: &[u8],
    parts: [Amount; 2],
) -> DirectState {
    let side = |side: usize| Allocation {
        destination: params.participants[side],
        token: SHIB.address,
        amount: parts[side],
    };
    DirectState {
        channel_id: params.channel_id(),
        intent,
        version: version(number),
        data: data.to_vec(),
        allocations: [side(0), side(1)],
    }
}

pub(crate) fn initialize(params: &DirectParams, part: u64) -> DirectState {
    state_of(params, Intent::Initialize, 0, &[], [amount(part), Amount::ZERO])
}

/// A state that a request with the hash [`REQUEST`] carries.
pub(crate) fn operate(number: u64, part: u64, rest: u64) -> DirectState {
    state_of(&usual(), Intent::Operate, number, REQUEST.as_bytes(), [amount(part), amount(rest)])
}

pub(crate) fn finalize(number: u64, part: u64, rest: u64) -> DirectState {
    state_of(&usual(), Intent::Finalize, number, &[], [amount(part), amount(rest)])
}

pub(crate) fn signed_by(key: &SigningKey, state: DirectState) -> Box<Signed<DirectState>> {
    let signature = key.sign(state.hash());
    Box::new(Signed::verify(state, &[signature], &[key.address()]).unwrap())
}

pub(crate) fn signed(state: DirectState) -> Box<Signed<DirectState>> {
    signed_by(&ALICE_KEY, state)
}

/// The state as the contract keeps it, with Alice's signature; the broker's is never looked at.
pub(crate) fn recorded(state: &DirectState) -> RecordedState {
    RecordedState {
        intent: state.intent,
        version: Some(state.version),
        data: state.data.clone(),
        allocations: state.allocations,
        signatures: vec![ALICE_KEY.sign(state.hash()).as_bytes().to_vec(), vec![0; 65]],
    }
}

pub(crate) fn event_key() -> EventKey {
    let hash = Digest::from_bytes([1; 32]);
    EventKey { chain_id: CHAIN, block_hash: hash, tx_hash: hash, log_index: 0 }
}

pub(crate) fn request_cause() -> Cause {
    Cause::Request(RequestKey { at: NOW, signer: alice(), id: 1 })
}

pub(crate) fn happened(event: CustodyEvent) -> DirectEvent {
    DirectEvent::Happened { key: event_key(), event: Box::new(event) }
}

pub(crate) fn created_by(wallet: Address, params: &DirectParams, initial: &DirectState) -> DirectEvent {
    let initial = recorded(initial);
    let channel_id = params.channel_id();
    happened(CustodyEvent::Created { channel_id, wallet, params: params.clone(), initial })
}

/// Alice created her channel with 10 in it.
pub(crate) fn created() -> DirectEvent {
    created_by(alice(), &usual(), &initialize(&usual(), 10))
}

pub(crate) fn opened() -> DirectEvent {
    happened(CustodyEvent::Opened { channel_id: usual().channel_id() })
}

pub(crate) fn challenged(state: &DirectState) -> DirectEvent {
    let state = recorded(state);
    happened(CustodyEvent::Challenged { channel_id: usual().channel_id(), state, expires_at_secs: 0 })
}

pub(crate) fn checkpointed(state: &DirectState) -> DirectEvent {
    let state = recorded(state);
    happened(CustodyEvent::Checkpointed { channel_id: usual().channel_id(), state })
}

pub(crate) fn resized() -> DirectEvent {
    let deltas = [Delta::more(amount(1)), Delta::Zero];
    happened(CustodyEvent::Resized { channel_id: usual().channel_id(), deltas })
}

pub(crate) fn closed(state: &DirectState) -> DirectEvent {
    let state = recorded(state);
    happened(CustodyEvent::Closed { channel_id: usual().channel_id(), state })
}

pub(crate) fn propose(state: DirectState) -> DirectEvent {
    DirectEvent::Propose { request_hash: REQUEST, next: signed(state) }
}

/// Settles `part` of SHIB into Alice's channel.
pub(crate) fn announce(part: u64) -> DirectEvent {
    DirectEvent::Announce {
        request_hash: REQUEST,
        token: SHIB,
        amount: amount(part),
        params: Box::new(usual()),
        initial: signed(initialize(&usual(), part)),
    }
}

pub(crate) fn release() -> DirectEvent {
    DirectEvent::Release { request_hash: REQUEST }
}

pub(crate) fn settlement_failed() -> DirectEvent {
    DirectEvent::SettlementFailed { cause: Cause::Chain(event_key()) }
}

pub(crate) fn void() -> DirectChannel {
    DirectChannel::new(usual().channel_id(), terms())
}

/// Applies an event that must be taken in.
pub(crate) fn apply(channel: &mut DirectChannel, event: DirectEvent) -> Transition<DirectEffect> {
    channel.apply(event, NOW).unwrap()
}

/// Applies an event that must be refused, and sees to it that nothing has changed.
pub(crate) fn refuse(channel: &mut DirectChannel, event: DirectEvent) -> DirectError {
    let before = channel.clone();
    let error = channel.apply(event, NOW).unwrap_err();
    assert_eq!(*channel, before);
    error
}

/// Alice's channel in a phase. Where it counts, 10 are locked, and the newest state is version 5 with [6, 4].
pub(crate) fn in_phase(phase: Phase) -> DirectChannel {
    let events = match phase {
        Phase::Void => vec![],
        Phase::Announced => vec![announce(10), DirectEvent::Adopt],
        Phase::Abandoned => vec![announce(10), DirectEvent::Adopt, settlement_failed()],
        Phase::Created => vec![created()],
        Phase::Active => vec![created(), opened(), propose(operate(5, 6, 4)), DirectEvent::Adopt],
        Phase::Closing | Phase::Disputed | Phase::Halted | Phase::Closed => vec![],
        Phase::Ignored => vec![opened()],
    };
    let last = match phase {
        Phase::Closing => Some(DirectEvent::Finalize { state: signed(finalize(6, 6, 4)) }),
        Phase::Disputed => Some(challenged(&operate(5, 6, 4))),
        Phase::Halted => Some(resized()),
        Phase::Closed => Some(closed(&operate(5, 6, 4))),
        Phase::Void
        | Phase::Announced
        | Phase::Abandoned
        | Phase::Created
        | Phase::Active
        | Phase::Ignored => None,
    };
    let mut channel = if last.is_some() { in_phase(Phase::Active) } else { void() };
    for event in events.into_iter().chain(last) {
        apply(&mut channel, event);
    }
    assert_eq!(channel.phase(), phase);
    channel
}

/// The id of a channel that is not Alice's.
pub(crate) const OTHER: ChannelId = ChannelId::from_bytes([0x77; 32]);
