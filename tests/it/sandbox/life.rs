//! What a front end does in a sandbox: gets money from nothing, pays, deposits, plays, and begins the book anew.

use client::{Event, room_definition};
use domain::crypto::Signature;
use domain::primitives::Amount;
use domain::protocol::method::get_settlement::SettlementStatus;
use domain::protocol::method::{create_app_session, get_app_sessions, get_channels, test_reset};
use domain::protocol::notification::Notification;
use domain::protocol::{Code, MemberAmount};
use evm::custody::SignedState;
use serde_json::json;

use super::world::{LIMIT, Sandbox, fund, heard, holds, line, reset};
use crate::session::ask::Ask;
use crate::session::socket::Socket;

const ALICE: usize = 0;
const BOB: usize = 1;

#[tokio::test]
async fn money_comes_from_nothing_and_a_reset_takes_everything_but_the_sessions() {
    let sandbox = Sandbox::start().await;
    let usdc = sandbox.token(0);
    let (mut alice, mut bob) = (sandbox.client(ALICE).await, sandbox.client(BOB).await);

    // Money from nothing, for oneself and for others, who hear of it.
    let reply = fund(&mut alice, sandbox.key(ALICE).address(), usdc, 500).await;
    assert_eq!(reply.balances[0].amount, Amount::from(500_u64));
    heard(&mut alice, |told| matches!(told, Notification::Balances(_))).await;
    assert_eq!(fund(&mut alice, sandbox.key(BOB).address(), usdc, 100).await.balances, []);
    let told = heard(&mut bob, |told| matches!(told, Notification::Balances(_))).await;
    let Notification::Balances(content) = told else { panic!() };
    assert_eq!(
        (content.balances[0].token, content.balances[0].amount),
        (usdc.address, Amount::from(100_u64))
    );
    alice.transfer(bob.address(), vec![line(usdc, 50)], &[]).await.unwrap();

    // It is as good as other money: it can be settled with what the broker has on chain.
    alice.settle(usdc, Amount::from(200_u64)).await.unwrap();
    let confirmed = |told: &Notification| matches!(told, Notification::Settlement(it) if it.status == SettlementStatus::Confirmed);
    heard(&mut alice, confirmed).await;

    // Deposits on chain count beside it.
    let old = sandbox.deposit(&mut alice, ALICE, 1_000).await.params.channel_id();
    let part = client::Part { channel_id: old, amount: Amount::from(990_u64) };
    alice.transfer(bob.address(), vec![line(usdc, 10)], &[part]).await.unwrap();
    let old = alice.channel(old).await.unwrap().clone();
    sandbox.deposit(&mut bob, BOB, 1_000).await;
    let kinds: Vec<_> = holds(&mut alice).await.into_iter().map(|(kind, _, amount)| (kind, amount)).collect();
    let amount = |value: u64| Amount::from(value);
    for expected in [("wallet", 250), ("direct", 200), ("direct", 990)] {
        assert!(kinds.contains(&(expected.0.to_owned(), amount(expected.1))), "{expected:?} in {kinds:?}");
    }

    // A room with such money in it, to which both listen.
    let definition = room_definition(alice.address(), bob.address(), "chess", 86_400).unwrap();
    let share = |participant, amount| MemberAmount {
        participant,
        chain_id: usdc.chain_id,
        token: usdc.address,
        amount,
    };
    let allocations = vec![share(alice.address(), amount(30)), share(bob.address(), amount(20))];
    let params = create_app_session::Params { definition, allocations, session_data: None };
    let request = alice.request(&params);
    let agreements = [alice.agree(&request, &[]).await.unwrap(), bob.agree(&request, &[]).await.unwrap()];
    let room = alice.open_virtual_channel(request, agreements).await.unwrap().app_session_id;
    alice.subscribe(room, None).await.unwrap();
    bob.subscribe(room, None).await.unwrap();
    bob.publish(room, &json!({"hello": "alice"})).await.unwrap();
    sandbox.check_audit().await;

    reset(&mut bob).await;
    for member in [&mut alice, &mut bob] {
        let left =
            member.next(LIMIT, |event| matches!(event, Event::RoomLeft(id) if *id == room).then_some(()));
        left.await.unwrap();
        assert_eq!(holds(member).await, []);
        let channels = get_channels::Params { status: None, limit: None, cursor: None };
        assert_eq!(member.call(&channels, &[]).await.unwrap().channels, []);
        let rooms =
            get_app_sessions::Params { app_session_id: None, status: None, limit: None, cursor: None };
        assert_eq!(member.call(&rooms, &[]).await.unwrap().app_sessions, []);
    }
    sandbox.check_audit().await;

    // The same sessions go on: money, news, and a deposit, while an old channel is disputed on chain.
    fund(&mut alice, bob.address(), usdc, 7).await;
    heard(&mut bob, |told| matches!(told, Notification::Balances(_))).await;
    let challenger: Signature = sandbox.key(ALICE).sign(old.state.challenge_digest());
    let candidate = SignedState { state: old.state, signatures: old.signatures.to_vec() };
    sandbox.hands(ALICE).challenge(candidate, challenger).await.unwrap();
    let new = sandbox.deposit(&mut alice, ALICE, 40).await;
    assert_eq!(holds(&mut alice).await, [("direct".to_owned(), new.params.channel_id(), amount(40))]);
    alice.settle(usdc, amount(1)).await.unwrap_err();
    bob.settle(usdc, amount(5)).await.unwrap();
    heard(&mut bob, confirmed).await;
    sandbox.check_audit().await;
}

#[tokio::test]
async fn requests_from_before_a_reset_are_answered_and_not_carried_out_again() {
    let sandbox = Sandbox::start().await;
    let (key, bob, broker) = (sandbox.key(ALICE), sandbox.key(BOB).address(), sandbox.address("broker"));
    let mut socket = Socket::connect(sandbox.text("ws_url")).await;
    socket.log_in(&key).await;
    let line = json!(line(sandbox.token(0), 10));
    let mut before = Vec::new();
    for (method, params) in [
        ("test_fund", json!({"participant": key.address(), "allocations": [line]})),
        ("transfer", json!({"destination": bob, "allocations": [line]})),
        ("test_reset", json!({})),
    ] {
        let ask = Ask::new(broker, method, &params).by(&key);
        let answer = socket.ask(&ask.frame()).await;
        assert_eq!(answer["type"], "rpc", "{answer}");
        before.push((ask, answer["data"].clone()));
    }
    let fund = json!({"participant": bob, "allocations": [line]});
    let fund = socket.ask(&Ask::new(broker, "test_fund", &fund).by(&key).frame()).await;
    assert_eq!(fund["type"], "rpc", "{fund}");
    for (ask, first) in &before {
        assert_eq!(socket.ask(&ask.frame()).await["data"], *first);
    }
    // Nothing was made, paid or taken a second time: the money from after the reset is what there is.
    assert_eq!(holds(&mut sandbox.client(ALICE).await).await, []);
    let balances = holds(&mut sandbox.client(BOB).await).await;
    assert_eq!(balances.into_iter().map(|(_, _, amount)| amount).collect::<Vec<_>>(), [Amount::from(10_u64)]);
    sandbox.check_audit().await;
}

#[tokio::test]
async fn a_reset_waits_for_the_brokers_transactions_and_for_its_chains() {
    let sandbox = Sandbox::start().await;
    let usdc = sandbox.token(0);
    let mut alice = sandbox.client(ALICE).await;
    fund(&mut alice, sandbox.key(ALICE).address(), usdc, 10).await;
    let cheats = clearnet::devnet::Cheats::new(sandbox.chain().rpc().clone());
    cheats.set_automine(false).await.unwrap();
    alice.settle(usdc, Amount::from(4_u64)).await.unwrap();
    let refused = alice.call(&test_reset::Params {}, &[]).await.unwrap_err();
    assert!(matches!(&refused, client::ClientError::Refused(it) if it.code == Code::Overloaded), "{refused}");
    assert_eq!(holds(&mut alice).await.len(), 2, "nothing has happened");
    // The transaction comes to its end, and then the book may.
    let mined = async {
        loop {
            cheats.mine(1).await.unwrap();
            let told = alice.next(std::time::Duration::from_millis(200), |event| match event {
                Event::Notification(Notification::Settlement(it)) => Some(it.status),
                _ => None,
            });
            if told.await.is_ok_and(|status| status == SettlementStatus::Confirmed) {
                return;
            }
        }
    };
    tokio::time::timeout(LIMIT, mined).await.expect("it is never mined");
    cheats.set_automine(true).await.unwrap();
    reset(&mut alice).await;
    assert_eq!(holds(&mut alice).await, []);
    sandbox.check_audit().await;
}
