//! Members, tokens and signed states that the tests share.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, Mutex};

use crate::channel::PartMove;
use crate::crypto::{
    Definition, RequestText, Signed, Signers, SigningKey, VirtualAllocation, VirtualAllocations,
    VirtualIntent, VirtualState,
};
use crate::ledger::{AccountKey, Ledger, RequestKey, Transfer};
use crate::primitives::{Address, Amount, ChainId, ChannelId, Timestamp, Token, Version};

use super::event::{Acceptance, Close, Update};
use super::opening::{Opened, OpeningRequest, OpeningTerms, open};
use super::proposal::propose;
use super::state::VirtualChannel;

pub(super) const BROKER: Address = Address::from_bytes([0xbb; 20]);
pub(super) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
pub(super) const LIFETIME_SECS: u64 = 3_600;
pub(super) const WINDOW_SECS: u64 = 600;

/// A key that is made once: making one costs as much as signing.
pub(super) type Key = &'static SigningKey;

fn key(byte: u8) -> SigningKey {
    SigningKey::from_bytes([byte; 32]).unwrap()
}

static ALICE: LazyLock<SigningKey> = LazyLock::new(|| key(4));
static BOB: LazyLock<SigningKey> = LazyLock::new(|| key(2));
static CAROL: LazyLock<SigningKey> = LazyLock::new(|| key(3));

/// Host of the room. Her address is the highest of the three: order is that of the definition.
pub(super) fn alice() -> Key {
    &ALICE
}

pub(super) fn bob() -> Key {
    &BOB
}

pub(super) fn carol() -> Key {
    &CAROL
}

pub(super) fn shib() -> Token {
    Token { chain_id: ChainId::new(1), address: Address::from_bytes([0x51; 20]) }
}

pub(super) fn pepe() -> Token {
    Token { chain_id: ChainId::new(2), address: Address::from_bytes([0x9e; 20]) }
}

/// A token that the broker keeps no book of.
pub(super) fn doge() -> Token {
    Token { chain_id: ChainId::new(1), address: Address::from_bytes([0xd0; 20]) }
}

pub(super) fn tokens() -> BTreeSet<Token> {
    BTreeSet::from([shib(), pepe()])
}

pub(super) fn addresses(keys: &[Key]) -> Vec<Address> {
    keys.iter().map(|key| key.address()).collect()
}

/// A room of Alice and Bob.
pub(super) fn room() -> Definition {
    Definition {
        application: "chess".to_owned(),
        protocol: "Clearnet/1".to_owned(),
        participants: addresses(&[alice(), bob()]),
        weights: vec![50, 50],
        quorum: 100,
        challenge: LIFETIME_SECS,
        nonce: 1,
    }
}

/// Alice, Bob and Carol, of whom Alice and one other decide.
pub(super) fn table() -> Definition {
    Definition {
        participants: addresses(&[alice(), bob(), carol()]),
        weights: vec![2, 1, 1],
        quorum: 3,
        ..room()
    }
}

pub(super) fn amount(number: u64) -> Amount {
    Amount::from(number)
}

pub(super) fn line(who: Key, token: Token, amount: impl Into<Amount>) -> VirtualAllocation {
    VirtualAllocation { participant: who.address(), token, amount: amount.into() }
}

/// A part of `who` in a direct channel that is named by a number.
pub(super) fn part(who: Key, channel: u8, token: Token, before: u64, after: u64) -> PartMove {
    PartMove {
        channel: ChannelId::from_bytes([channel; 32]),
        participant: who.address(),
        token,
        before: amount(before),
        after: amount(after),
    }
}

pub(super) fn request(id: u64) -> RequestKey {
    RequestKey { at: NOW, signer: alice().address(), id }
}

/// The proof that these signed a request; made once, as signing costs more than all the rest of a random life.
pub(super) fn signers(keys: &[Key]) -> Signers {
    static MADE: Mutex<BTreeMap<Vec<Address>, Signers>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap();
    made.entry(addresses(keys)).or_insert_with(|| sign_request(keys)).clone()
}

fn sign_request(keys: &[Key]) -> Signers {
    let text = RequestText::new(BROKER, "[1,\"create_app_session\",{},1700000000000]");
    let signatures: Vec<_> = keys.iter().map(|key| key.sign(text.hash())).collect();
    Signed::verify(text, &signatures, &addresses(keys)).unwrap().into_parts().1
}

pub(super) fn opening(definition: Definition, allocations: Vec<VirtualAllocation>) -> OpeningRequest {
    let keys = [alice(), bob(), carol()];
    let members: Vec<_> =
        keys.into_iter().filter(|key| definition.participants.contains(&key.address())).collect();
    OpeningRequest {
        request: request(1),
        definition,
        allocations,
        data: None,
        signers: signers(&members),
        parts: Vec::new(),
    }
}

/// Opens as a broker does that knows both tokens, and a direct channel of each of the three.
pub(super) fn open_with(request: OpeningRequest) -> Result<Opened, super::OpeningError> {
    let terms = OpeningTerms {
        broker: BROKER,
        tokens: &tokens(),
        with_direct_channel: &everybody(),
        expiry_window_secs: WINDOW_SECS,
    };
    open(request, &terms, NOW)
}

/// The room of the main story: Alice 5 SHIB, Bob 10 PEPE.
pub(super) fn story() -> VirtualChannel {
    let allocations = vec![line(alice(), shib(), 5_u64), line(bob(), pepe(), 10_u64)];
    open_with(opening(room(), allocations)).unwrap().channel
}

/// How long the story's proposal can be accepted, in seconds.
pub(super) const ACCEPT_SECS: u64 = 300;

/// Alice proposes the room of the main story.
pub(super) fn proposal() -> OpeningRequest {
    let allocations = vec![line(alice(), shib(), 5_u64), line(bob(), pepe(), 10_u64)];
    OpeningRequest { signers: signers(&[alice()]), ..opening(room(), allocations) }
}

/// Proposes to a broker as that of [`open_with`].
pub(super) fn propose_with(request: OpeningRequest, secs: u64) -> Result<Opened, super::OpeningError> {
    let (tokens, with_direct_channel) = (tokens(), everybody());
    let terms = OpeningTerms {
        broker: BROKER,
        tokens: &tokens,
        with_direct_channel: &with_direct_channel,
        expiry_window_secs: WINDOW_SECS,
    };
    propose(request, secs, &terms, NOW)
}

/// The room of the main story, proposed.
pub(super) fn proposed() -> VirtualChannel {
    propose_with(proposal(), ACCEPT_SECS).unwrap().channel
}

/// Bob accepts the proposal of the main story.
pub(super) fn acceptance() -> Acceptance {
    let OpeningRequest { allocations, data, .. } = proposal();
    Acceptance {
        request: RequestKey { at: NOW, signer: bob().address(), id: 7 },
        allocations,
        data,
        signers: signers(&[bob()]),
        with_direct_channel: everybody(),
        expiry_window_secs: WINDOW_SECS,
        parts: Vec::new(),
    }
}

/// Each of the three.
pub(super) fn everybody() -> BTreeSet<Address> {
    addresses(&[alice(), bob(), carol()]).into_iter().collect()
}

/// Time after the opening, in milliseconds relative to a moment in the channel's life.
pub(super) fn at(secs: u64) -> Timestamp {
    NOW.plus_millis(secs * 1_000)
}

/// The next state of `channel` with these allocations, in the order in which it is signed.
pub(super) fn next(
    channel: &VirtualChannel,
    intent: VirtualIntent,
    lines: &[VirtualAllocation],
) -> VirtualState {
    VirtualState {
        broker: BROKER,
        channel_id: channel.id(),
        version: channel.version().next().unwrap(),
        intent,
        data_hash: VirtualState::hash_of_data(None),
        allocations: VirtualAllocations::new(channel.members(), lines.iter().copied()).unwrap(),
    }
}

pub(super) fn signed(state: VirtualState, keys: &[Key]) -> Signed<VirtualState> {
    let digest = state.digest();
    let signatures: Vec<_> = keys.iter().map(|key| key.sign(digest)).collect();
    Signed::verify(state, &signatures, &addresses(keys)).unwrap()
}

/// Hands in a state without data; who approves of it has signed the request too.
pub(super) fn update(state: VirtualState, keys: &[Key]) -> Update {
    let (state, consents) = (signed(state, keys), signers(keys));
    Update { request: request(2), state, data: None, consents, parts: Vec::new() }
}

/// Ends with a state without data; everything goes to the wallets.
pub(super) fn close(state: VirtualState, keys: &[Key]) -> Close {
    Close { request: request(3), state: signed(state, keys), data: None, parts: Vec::new() }
}

/// By how much each account changes, as a readable number.
pub(super) fn changes(transfers: &[Transfer]) -> BTreeMap<AccountKey, i128> {
    let mut changes = BTreeMap::new();
    for entry in transfers.iter().flat_map(Transfer::entries) {
        let amount: i128 = entry.posting.amount().to_string().parse().unwrap();
        let sign = if entry.takes() { -1 } else { 1 };
        *changes.entry(entry.account).or_default() += sign * amount;
    }
    changes
}

/// A book in which the channel's accounts hold what the channel says.
pub(super) fn book_of(channel: &VirtualChannel) -> Ledger {
    Ledger::with_balances(channel.balances())
}

pub(super) fn version(number: u64) -> Version {
    Version::new(number).unwrap()
}
