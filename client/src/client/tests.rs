//! A client against brokers that say whatever a test wants.

use std::future::Future;

use domain::crypto::{Allocation, DirectState, LoginChallenge, LoginText};
use domain::primitives::{ChainId, Version};
use domain::protocol::method::{Method, get_channels, get_state, ping, transfer};
use domain::protocol::notification;
use domain::protocol::{
    ChannelTerms, ClientFrame, Details, Refusal, ServerFrame, State, TokenAmount, Uint53,
};
use futures::{SinkExt as _, StreamExt as _};
use tokio::net::TcpListener;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite;

use super::*;

/// The broker's clock, far from ours.
const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const CHAIN: ChainId = ChainId::new(31_337);
const SOON: Duration = Duration::from_secs(10);

fn broker_key() -> SigningKey {
    SigningKey::from_bytes([0x11; 32]).unwrap()
}

fn our_key() -> SigningKey {
    SigningKey::from_bytes([0x22; 32]).unwrap()
}

fn stranger_key() -> SigningKey {
    SigningKey::from_bytes([0x33; 32]).unwrap()
}

/// Serves one connection: logs in whoever comes, answers requests by `reply`. Returns the frames of requests as
/// they came, and how many logins were tried.
async fn serve(
    listener: TcpListener,
    mut reply: impl FnMut(usize, &Request) -> Vec<ServerBody>,
) -> (Vec<String>, usize) {
    let (stream, _) = listener.accept().await.unwrap();
    let mut socket = accept_async(stream).await.unwrap();
    let (mut requests, mut logins) = (Vec::new(), 0);
    let broker = broker_key().address();
    while let Some(Ok(tungstenite::Message::Text(text))) = socket.next().await {
        let frame = ClientFrame::decode(&text).unwrap();
        let bodies = match frame.body {
            ClientBody::Auth(auth) => vec![if let Some(text) = auth.text() {
                logins += 1;
                let address = auth.prove(text).unwrap();
                ServerBody::AuthSuccess { address, broker_address: broker, session_key: None }
            } else {
                let text =
                    LoginText { broker, challenge: LoginChallenge::from_bytes([0x5f; 32]), expires_at: NOW };
                ServerBody::AuthChallenge { message: text.to_string(), expires_at: NOW }
            }],
            ClientBody::Ping => vec![ServerBody::Pong { timestamp: NOW }],
            ClientBody::Rpc(request) => {
                requests.push(text);
                reply(requests.len(), &request)
            }
            ClientBody::Subscribe { .. }
            | ClientBody::Unsubscribe { .. }
            | ClientBody::Publish { .. }
            | ClientBody::RoomRpc(_) => panic!("no test here does this"),
        };
        for body in bodies {
            let is_unasked = matches!(&body, ServerBody::Rpc(response) if response.id().is_none());
            let id = if is_unasked { None } else { frame.id.clone() };
            socket.send(tungstenite::Message::Text(ServerFrame { id, body }.encode())).await.unwrap();
        }
    }
    (requests, logins)
}

/// Lets `act` meet a broker that answers by `reply`; returns what came of it and what the broker got.
async fn meet<T, F: Future<Output = T>>(
    reply: impl FnMut(usize, &Request) -> Vec<ServerBody>,
    act: impl FnOnce(String) -> F,
) -> (T, (Vec<String>, usize)) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws", listener.local_addr().unwrap());
    let both = async { tokio::join!(act(url), serve(listener, reply)) };
    timeout(SOON, both).await.unwrap()
}

async fn log_in(url: String) -> Client {
    Client::connect(&url, our_key(), Some(broker_key().address())).await.unwrap()
}

fn signed_by(key: &SigningKey, response: Response) -> Response {
    let signature = key.sign(response.text(broker_key().address()).hash());
    response.signed(signature)
}

/// A right answer without content.
fn pong(request: &Request, key: &SigningKey) -> ServerBody {
    ServerBody::Rpc(signed_by(key, Response::answer(request.id(), Method::Ping, &ping::Reply {}, NOW)))
}

fn refusal(code: Code) -> ServerBody {
    ServerBody::Error(Refusal::new(code).retry_after_ms(1))
}

fn terms() -> ChannelTerms {
    ChannelTerms {
        participants: [our_key().address(), broker_key().address()],
        adjudicator: Address::from_bytes([0xaa; 20]),
        challenge: Uint53::new(3_600).unwrap(),
        nonce: Uint53::new(7).unwrap(),
    }
}

fn token() -> Address {
    Address::from_bytes([0xbb; 20])
}

fn amount(number: u64) -> Amount {
    Amount::from(number)
}

/// A state of our channel with 20 in it.
fn state(version: u64, part: u64) -> DirectState {
    let [us, broker] = terms().participants;
    let line = |destination, number| Allocation { destination, token: token(), amount: amount(number) };
    DirectState {
        channel_id: terms().on_chain(CHAIN).channel_id(),
        intent: if version == 0 { Intent::Initialize } else { Intent::Operate },
        version: Version::new(version).unwrap(),
        data: Vec::new(),
        allocations: [line(us, part), line(broker, 20 - part)],
    }
}

fn channel_id() -> ChannelId {
    state(0, 20).channel_id
}

fn cosigned(state: &DirectState, keys: [SigningKey; 2]) -> CosignedState {
    let signatures = keys.map(|key| key.sign(state.hash()));
    CosignedState { channel_id: state.channel_id, state: State::of(state).unwrap(), signatures }
}

/// The answer to `get_state`: version 0 signed with these keys.
fn known_state(request: &Request, keys: [SigningKey; 2]) -> ServerBody {
    let CosignedState { channel_id, state, signatures } = cosigned(&state(0, 20), keys);
    let reply = get_state::Reply { channel_id, chain_id: CHAIN, channel: terms(), state, signatures };
    let response = Response::answer(request.id(), Method::GetState, &reply, NOW);
    ServerBody::Rpc(signed_by(&broker_key(), response))
}

/// The answer to `transfer` with these states given back.
fn paid(request: &Request, states: Vec<CarriedState>) -> ServerBody {
    let reply = transfer::Reply { balances: Vec::new() };
    let response = Response::answer(request.id(), Method::Transfer, &reply, NOW).carrying(states);
    ServerBody::Rpc(signed_by(&broker_key(), response))
}

/// The states of a request, signed with another key.
fn signed_again(request: &Request, key: &SigningKey) -> Vec<CarriedState> {
    let sign =
        |state: &CarriedState| CarriedState { sig: key.sign(state.to_direct().hash()), ..state.clone() };
    request.states().iter().map(sign).collect()
}

/// Pays 5 out of our channel.
async fn pay(client: &mut Client) -> Result<transfer::Reply, ClientError> {
    let five = TokenAmount { chain_id: CHAIN, token: token(), amount: amount(5) };
    let part = Part { channel_id: channel_id(), amount: amount(15) };
    client.transfer(stranger_key().address(), vec![five], &[part]).await
}

/// What is ours in the newest state that the client knows, and its version.
async fn newest(client: &mut Client) -> (Amount, u64) {
    let newest = client.channel(channel_id()).await.unwrap();
    (newest.part(), newest.state.version.get())
}

/// Pays 5 at a broker that gives back what `give` makes of the request; returns the outcome and the newest state
/// afterwards.
async fn pay_at(
    give: impl Fn(&Request) -> ServerBody,
) -> (Result<transfer::Reply, ClientError>, (Amount, u64)) {
    let reply = |_, request: &Request| match request.method() {
        "get_state" => vec![known_state(request, [our_key(), broker_key()])],
        _ => vec![give(request)],
    };
    let (outcome, _) = meet(reply, async |url| {
        let mut client = log_in(url).await;
        (pay(&mut client).await, newest(&mut client).await)
    })
    .await;
    outcome
}

#[tokio::test]
async fn a_refusal_is_returned_with_its_code_and_the_connection_goes_on() {
    let reply = |count, request: &Request| match count {
        1 => vec![refusal(Code::Overloaded)],
        _ => vec![pong(request, &broker_key())],
    };
    let (_, (requests, _)) = meet(reply, async |url| {
        let mut client = log_in(url).await;
        let refused = client.call(&ping::Params {}, &[]).await.unwrap_err();
        assert_eq!(refused.code(), Some(Code::Overloaded));
        client.call(&ping::Params {}, &[]).await.unwrap();
    })
    .await;
    assert_eq!(requests.len(), 2);
}

#[tokio::test]
async fn an_unknown_outcome_is_asked_for_with_the_same_bytes() {
    let reply = |count, request: &Request| match count {
        1 | 2 => vec![refusal(Code::Unavailable)],
        _ => vec![pong(request, &broker_key())],
    };
    let act = async |url| log_in(url).await.call(&ping::Params {}, &[]).await.unwrap();
    let (_, (requests, _)) = meet(reply, act).await;
    assert_eq!(requests.len(), 3);
    assert!(requests.iter().all(|request| *request == requests[0]), "{requests:?}");
}

#[tokio::test]
async fn an_outcome_that_stays_unknown_is_left_to_the_caller() {
    let reply = |_, _: &Request| vec![refusal(Code::Unavailable)];
    let act = async |url| log_in(url).await.call(&ping::Params {}, &[]).await.unwrap_err().code();
    let (code, (requests, _)) = meet(reply, act).await;
    assert_eq!(code, Some(Code::Unavailable));
    assert_eq!(u32::try_from(requests.len()), Ok(RESENDS_MAX + 1));
}

#[tokio::test]
async fn an_answer_not_signed_by_the_broker_is_none() {
    let reply = |_, request: &Request| vec![pong(request, &stranger_key())];
    let act = async |url| log_in(url).await.call(&ping::Params {}, &[]).await.unwrap_err();
    let (error, _) = meet(reply, act).await;
    assert!(matches!(error, ClientError::BadSignature(_)), "{error}");
}

#[tokio::test]
async fn an_answer_to_another_method_is_none() {
    let reply = |_, request: &Request| vec![paid(request, Vec::new())];
    let act = async |url| log_in(url).await.call(&ping::Params {}, &[]).await.unwrap_err();
    let (error, _) = meet(reply, act).await;
    assert!(matches!(error, ClientError::Answer(_)), "{error}");
}

#[tokio::test]
async fn nothing_is_signed_for_another_broker() {
    let expected = stranger_key().address();
    let act = async |url: String| Client::connect(&url, our_key(), Some(expected)).await.err();
    let (error, (_, logins)) = meet(|_, _| Vec::new(), act).await;
    let actual = broker_key().address();
    assert!(
        matches!(error, Some(ClientError::OtherBroker { expected: e, actual: a }) if (e, a) == (expected, actual)),
        "{error:?}"
    );
    assert_eq!(logins, 0);
}

#[tokio::test]
async fn requests_are_dated_by_the_clock_of_the_broker() {
    let act = async |url| log_in(url).await.request(&ping::Params {}).at();
    let (at, _) = meet(|_, _| Vec::new(), act).await;
    assert!(at.millis_since(NOW) < 10_000 && NOW.millis_since(at) == 0, "{at}");
}

#[tokio::test]
async fn a_countersigned_state_becomes_the_newest() {
    let give = |request: &Request| {
        let [carried] = request.states() else { panic!("one state is carried") };
        let hash = request.text(broker_key().address()).hash();
        assert_eq!(carried.state.data.as_bytes(), hash.as_bytes());
        assert!(request.signatures().is_empty(), "the state stands for the signature");
        paid(request, signed_again(request, &broker_key()))
    };
    let (outcome, newest) = pay_at(give).await;
    outcome.unwrap();
    assert_eq!(newest, (amount(15), 1));
}

#[tokio::test]
async fn a_state_countersigned_by_somebody_else_changes_nothing() {
    let (outcome, newest) = pay_at(|request| paid(request, signed_again(request, &stranger_key()))).await;
    assert!(matches!(outcome, Err(ClientError::BadSignature(_))), "{outcome:?}");
    assert_eq!(newest, (amount(20), 0));
}

#[tokio::test]
async fn a_state_that_we_did_not_sign_changes_nothing() {
    let give = |request: &Request| {
        let mut states = signed_again(request, &broker_key());
        states[0].state.allocations[0].amount = amount(14);
        states[0].state.allocations[1].amount = amount(6);
        states[0].sig = broker_key().sign(states[0].to_direct().hash());
        paid(request, states)
    };
    let (outcome, newest) = pay_at(give).await;
    assert!(matches!(outcome, Err(ClientError::OtherState { .. })), "{outcome:?}");
    assert_eq!(newest, (amount(20), 0));
}

#[tokio::test]
async fn a_state_that_is_not_given_back_is_missed() {
    let (outcome, newest) = pay_at(|request| paid(request, Vec::new())).await;
    assert!(matches!(outcome, Err(ClientError::NotCountersigned { .. })), "{outcome:?}");
    assert_eq!(newest, (amount(20), 0));
}

#[tokio::test]
async fn a_stale_version_teaches_the_newest_state_if_we_have_signed_it() {
    let refuse = |keys| {
        let current = cosigned(&state(3, 12), keys);
        let details = Details { current: Some(current), ..Details::default() };
        ServerBody::Error(Refusal::new(Code::StaleVersion).with(details))
    };
    let (outcome, newest) = pay_at(|_| refuse([our_key(), broker_key()])).await;
    assert_eq!(outcome.unwrap_err().code(), Some(Code::StaleVersion));
    assert_eq!(newest, (amount(12), 3));
    let (outcome, newest) = pay_at(|_| refuse([stranger_key(), broker_key()])).await;
    assert_eq!(outcome.unwrap_err().code(), Some(Code::StaleVersion));
    assert_eq!(newest, (amount(20), 0));
}

#[tokio::test]
async fn a_channel_counts_only_with_both_signatures() {
    for keys in [[stranger_key(), broker_key()], [our_key(), stranger_key()], [broker_key(), our_key()]] {
        let keys = std::cell::Cell::new(Some(keys));
        let reply = |_, request: &Request| vec![known_state(request, keys.take().unwrap())];
        let act = async |url| log_in(url).await.channel(channel_id()).await.unwrap_err();
        let (error, _) = meet(reply, act).await;
        assert!(matches!(error, ClientError::BadSignature(_)), "{error}");
    }
}

#[tokio::test]
async fn more_than_is_locked_is_never_signed() {
    let reply = |_, request: &Request| vec![known_state(request, [our_key(), broker_key()])];
    let (error, (requests, _)) =
        meet(reply, async |url| log_in(url).await.anchor(channel_id(), amount(1)).await.unwrap_err()).await;
    assert!(matches!(error, ClientError::PartTooLarge { .. }), "{error}");
    assert_eq!(requests.len(), 1, "only the state was asked for");
}

/// A notification of our channel in this state.
fn told(state: &DirectState, keys: [SigningKey; 2], teller: &SigningKey) -> ServerBody {
    let channel = get_channels::Channel {
        channel_id: state.channel_id,
        status: get_channels::ChannelStatus::Open,
        participant: our_key().address(),
        chain_id: CHAIN,
        token: token(),
        amount: amount(20),
        part: state.allocations[0].amount,
        version: state.version,
        adjudicator: terms().adjudicator,
        challenge: terms().challenge,
        nonce: terms().nonce,
    };
    let content = notification::channel::Content { channel, state: Some(Box::new(cosigned(state, keys))) };
    let response = Response::notify(&Notification::Channel(content), NOW);
    ServerBody::Rpc(signed_by(teller, response))
}

fn part_told(event: &Event) -> Option<Amount> {
    let Event::Notification(Notification::Channel(content)) = event else { return None };
    Some(content.channel.part)
}

#[tokio::test]
async fn what_comes_before_an_answer_is_kept_in_order_and_its_states_are_taken() {
    let reply = |_, request: &Request| {
        let keys = || [our_key(), broker_key()];
        vec![
            told(&state(2, 11), keys(), &broker_key()),
            told(&state(1, 13), keys(), &broker_key()),
            pong(request, &broker_key()),
        ]
    };
    meet(reply, async |url| {
        let mut client = log_in(url).await;
        client.call(&ping::Params {}, &[]).await.unwrap();
        assert_eq!(newest(&mut client).await, (amount(11), 2), "the older one is not taken back");
        let thirteen = |event: &Event| part_told(event).filter(|part| *part == amount(13));
        assert_eq!(client.next(SOON, thirteen).await.unwrap(), amount(13));
        assert_eq!(client.next(SOON, part_told).await.unwrap(), amount(11), "what was passed over is kept");
        let nothing = client.next(Duration::ZERO, part_told).await.unwrap_err();
        assert!(matches!(nothing, ClientError::TimedOut), "{nothing}");
    })
    .await;
}

#[tokio::test]
async fn a_notification_by_somebody_else_is_an_error() {
    let reply = |_, request: &Request| {
        let notice = told(&state(2, 11), [our_key(), broker_key()], &stranger_key());
        vec![notice, pong(request, &broker_key())]
    };
    let act = async |url| log_in(url).await.call(&ping::Params {}, &[]).await.unwrap_err();
    let (error, _) = meet(reply, act).await;
    assert!(matches!(error, ClientError::BadSignature(_)), "{error}");
}

#[test]
fn no_two_requests_have_the_same_id() {
    let ids: std::collections::BTreeSet<u64> = (0..1_000).map(|_| random::request_id().get()).collect();
    assert_eq!(ids.len(), 1_000);
}
