//! One small story that all examples tell, with the keys of the published test vectors.
//!
//! The user has a direct channel with 20 locked, pays Bob 5 out of it, opens a room with Bob, plays, closes,
//! and settles what the wallet holds.

use serde::de::DeserializeOwned;

use crate::crypto::{
    Allocation, CustodyDomain, Definition, DirectState, Intent, Signable, Signature, SigningKey,
};
use crate::primitives::{Address, Amount, ChainId, ChannelId, Digest, Timestamp, Version};
use crate::protocol::method::{Method, Params, close_app_session, create_app_session, submit_app_state};
use crate::protocol::{CarriedState, ChannelTerms, CosignedState, Request, RequestId, Response, State};

/// When the story begins.
pub(super) const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// When requests of the story are made.
pub(super) const ASKED: Timestamp = Timestamp::from_millis(1_700_000_060_000);

/// When they are answered.
pub(super) const ANSWERED: Timestamp = Timestamp::from_millis(1_700_000_060_123);

pub(super) const CHAIN: ChainId = ChainId::new(31337);

pub(super) fn user() -> SigningKey {
    "0x0123456789012345678901234567890123456789012345678901234567890123".parse().unwrap()
}

pub(super) fn bob() -> SigningKey {
    "22".repeat(32).parse().unwrap()
}

pub(super) fn broker() -> SigningKey {
    "11".repeat(32).parse().unwrap()
}

pub(super) fn small_address(last: u8) -> Address {
    let mut bytes = [0; 20];
    bytes[19] = last;
    Address::from_bytes(bytes)
}

pub(super) fn custody() -> CustodyDomain {
    CustodyDomain::new(CHAIN, small_address(0xcc))
}

/// What decodes an example of a method as its parameters.
pub(super) fn example<P: Params>() -> P {
    parsed(P::METHOD.params_example())
}

pub(super) fn parsed<T: DeserializeOwned>(json: &str) -> T {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"))
}

pub(super) fn sign<T: Signable>(key: &SigningKey, body: &T) -> Signature {
    key.sign(body.digests().first())
}

/// The terms of the user's channels; the nonce tells them apart.
pub(super) fn terms(nonce: u64) -> ChannelTerms {
    ChannelTerms {
        participants: [user().address(), broker().address()],
        adjudicator: small_address(0xaa),
        challenge: crate::protocol::Uint53::new(3_600).unwrap(),
        nonce: crate::protocol::Uint53::new(nonce).unwrap(),
    }
}

/// The user's channel.
pub(super) fn channel_id() -> ChannelId {
    terms(1_700_000_000_000).on_chain(CHAIN).channel_id()
}

/// The channel that the settlement creates.
pub(super) fn settlement_id() -> ChannelId {
    terms(1_700_000_050_000).on_chain(CHAIN).channel_id()
}

/// The terms of the room.
pub(super) fn definition() -> create_app_session::AppDefinition {
    example::<create_app_session::Params>().definition
}

pub(super) fn room_id() -> ChannelId {
    Definition::from(&definition()).channel_id()
}

fn state(channel: ChannelId, intent: Intent, version: u64, data: &[u8], parts: [u64; 2]) -> DirectState {
    let token = small_address(0xbb);
    let part = |destination, millions: u64| Allocation {
        destination,
        token,
        amount: Amount::from(millions * 1_000_000),
    };
    DirectState {
        channel_id: channel,
        intent,
        version: Version::new(version).unwrap(),
        data: data.to_vec(),
        allocations: [part(user().address(), parts[0]), part(broker().address(), parts[1])],
    }
}

fn carried(key: &SigningKey, state: &DirectState) -> CarriedState {
    CarriedState { channel_id: state.channel_id, state: State::of(state).unwrap(), sig: sign(key, state) }
}

/// INITIALIZE [20, 0], with which the channel begins.
pub(super) fn first_state() -> DirectState {
    state(channel_id(), Intent::Initialize, 0, &[], [20, 0])
}

/// The state that pays Bob: [15, 5].
pub(super) fn paying_state() -> DirectState {
    let hash = unsigned(Method::Transfer).text(broker().address()).hash();
    state(channel_id(), Intent::Operate, 3, hash.as_bytes(), [15, 5])
}

pub(super) fn cosigned(state: &DirectState) -> CosignedState {
    CosignedState {
        channel_id: state.channel_id,
        state: State::of(state).unwrap(),
        signatures: [sign(&user(), state), sign(&broker(), state)],
    }
}

/// The parameters that move the room to version 2, approved by both.
pub(super) fn submitted() -> submit_app_state::Params {
    let mut params = submit_app_state::Params {
        app_session_id: room_id(),
        intent: submit_app_state::AppIntent::Operate,
        version: Version::new(2).unwrap(),
        allocations: vec![member_amount(&user(), 3), member_amount(&bob(), 2)],
        session_data: crate::protocol::Text::new(r#"{"move":1}"#),
        approvals: Vec::new(),
    };
    let state = params.state(broker().address(), &definition().participants).unwrap();
    params.approvals = vec![sign(&user(), &state), sign(&bob(), &state)];
    params
}

/// The parameters that close the room at version 3, approved by both.
pub(super) fn closed() -> close_app_session::Params {
    let mut params = close_app_session::Params {
        app_session_id: room_id(),
        version: Version::new(3).unwrap(),
        allocations: vec![member_amount(&bob(), 5)],
        session_data: None,
        approvals: Vec::new(),
    };
    let state = params.state(broker().address(), &definition().participants).unwrap();
    params.approvals = vec![sign(&user(), &state), sign(&bob(), &state)];
    params
}

pub(super) fn member_amount(key: &SigningKey, millions: u64) -> crate::protocol::MemberAmount {
    crate::protocol::MemberAmount {
        participant: key.address(),
        chain_id: CHAIN,
        token: small_address(0xbb),
        amount: Amount::from(millions * 1_000_000),
    }
}

/// The request with the example of the method's parameters, unsigned.
pub(super) fn unsigned(method: Method) -> Request {
    let place = Method::ALL.iter().position(|other| *other == method).unwrap();
    let id = RequestId::new(u64::try_from(place).unwrap() + 1).unwrap();
    macro_rules! request {
        ($($variant:ident $module:ident),* $(,)?) => {
            match method {
                $(Method::$variant => {
                    Request::new(id, &example::<crate::protocol::method::$module::Params>(), ASKED)
                })*
            }
        };
    }
    request!(
        Ping ping, GetConfig get_config, GetAssets get_assets, GetChannels get_channels,
        GetState get_state, GetLedgerBalances get_ledger_balances,
        GetLedgerEntries get_ledger_entries, GetLedgerTransactions get_ledger_transactions,
        GetAppSessions get_app_sessions, GetAppDefinition get_app_definition,
        GetSettlement get_settlement, GetSessionKeys get_session_keys, Transfer transfer, UpdateState update_state,
        CreateAppSession create_app_session, ProposeVirtualChannel propose_virtual_channel,
        AcceptVirtualChannel accept_virtual_channel, RejectVirtualChannel reject_virtual_channel,
        CancelVirtualChannel cancel_virtual_channel, SubmitAppState submit_app_state,
        CloseAppSession close_app_session, CreateChannel create_channel,
        CloseChannel close_channel, Settle settle, DelegateSessionKey delegate_session_key,
        RevokeSessionKey revoke_session_key, TestFund test_fund, TestReset test_reset,
    )
}

/// The states that the request of the method carries, each with its hash where it has room for it.
fn states_of(method: Method, hash: Digest) -> Vec<DirectState> {
    let operate = |version, parts| state(channel_id(), Intent::Operate, version, hash.as_bytes(), parts);
    match method {
        Method::Transfer => vec![operate(3, [15, 5])],
        Method::UpdateState => vec![operate(4, [20, 0])],
        Method::CreateAppSession => vec![operate(5, [15, 5])],
        Method::ProposeVirtualChannel => vec![operate(5, [15, 5])],
        Method::CloseChannel => vec![state(channel_id(), Intent::Finalize, 6, &[], [15, 5])],
        Method::Settle => vec![state(settlement_id(), Intent::Initialize, 0, &[], [5, 0])],
        Method::Ping
        | Method::GetConfig
        | Method::GetAssets
        | Method::GetChannels
        | Method::GetState
        | Method::GetLedgerBalances
        | Method::GetLedgerEntries
        | Method::GetLedgerTransactions
        | Method::GetAppSessions
        | Method::GetAppDefinition
        | Method::GetSettlement
        | Method::GetSessionKeys
        | Method::DelegateSessionKey
        | Method::RevokeSessionKey
        | Method::AcceptVirtualChannel
        | Method::RejectVirtualChannel
        | Method::CancelVirtualChannel
        | Method::SubmitAppState
        | Method::CloseAppSession
        | Method::CreateChannel
        | Method::TestFund
        | Method::TestReset => Vec::new(),
    }
}

/// The user's session key.
pub(super) fn session_key() -> SigningKey {
    SigningKey::from_bytes([0x33; 32]).unwrap()
}

/// The request with everything that it needs.
pub(super) fn request(method: Method) -> Request {
    use crate::protocol::method::Signing;
    let request = unsigned(method);
    let text = request.text(broker().address());
    let states = states_of(method, text.hash());
    let signatures = match method.signing() {
        Signing::Session => Vec::new(),
        Signing::Requester if !states.is_empty() => Vec::new(),
        Signing::Requester | Signing::RequesterItself | Signing::Approvals => vec![sign(&user(), &text)],
        Signing::RequesterAndKey => vec![sign(&user(), &text), sign(&session_key(), &text)],
        // The user signs with the state.
        Signing::Members => vec![sign(&bob(), &text)],
    };
    let states = states.iter().map(|state| carried(&user(), state)).collect();
    request.signed(signatures).carrying(states)
}

/// The response with the example of the method's reply, signed by the broker, with the states countersigned.
pub(super) fn response(method: Method) -> Response {
    let request = request(method);
    let reply: Box<serde_json::value::RawValue> = parsed(method.reply_example());
    let countersigned = |state: &CarriedState| carried(&broker(), &state.to_direct());
    // The broker brings the state of a settlement on chain itself.
    let is_given_back = method != Method::Settle;
    let states = request.states().iter().filter(|_| is_given_back).map(countersigned).collect();
    signed_by_broker(Response::answer(request.id(), method, &reply, ANSWERED)).carrying(states)
}

pub(super) fn signed_by_broker(response: Response) -> Response {
    let signature = sign(&broker(), &response.text(broker().address()));
    response.signed(signature)
}
