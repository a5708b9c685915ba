//! The life of a channel on chain, and what the log says of it.

use domain::chain::{CustodyEvent, RecordedState};
use domain::crypto::{Intent, encode_resize};
use domain::primitives::{Address, Amount, Delta, encode_hex};
use evm::custody::{ChannelStatus, CustodyCall, Refusal, Revert, SignedState};
use evm::{ChainError, ContractMismatch};

use super::world::{CHALLENGE_SECS, Form, World, amount, shared_chain, soon};
use clearnet::devnet::WalletError;

fn recorded(signed: &SignedState) -> RecordedState {
    RecordedState {
        intent: signed.state.intent,
        version: Some(signed.state.version),
        data: signed.state.data.clone(),
        allocations: signed.state.allocations,
        signatures: signed.signatures.iter().map(|s| s.as_bytes().to_vec()).collect(),
    }
}

fn refusal<T: std::fmt::Debug>(result: Result<T, WalletError>) -> Refusal {
    match result {
        Err(WalletError::Chain(ChainError::Reverted(Revert::Named(refusal)))) => refusal,
        other => panic!("not refused by the contract: {other:?}"),
    }
}

#[tokio::test]
async fn a_channel_lives_from_deposit_to_withdrawal_and_the_log_tells_it_in_order() {
    let world = soon(World::on(shared_chain().await, "life")).await;
    let (alice, broker, token) = (&world.alice, &world.broker, world.token);
    let params = world.params(1);
    let id = params.channel_id();

    let initial =
        world.signed(world.state(&params, Intent::Initialize, 0, [100, 0]), Form::Raw, Form::Eip191);
    alice.approve(token, amount(100)).await.unwrap();
    alice.deposit_and_create(token, amount(100), params.clone(), initial.clone()).await.unwrap();
    let head = world.client().head().await.unwrap();
    let channel = world.client().channel_at(world.custody(), id, head).await.unwrap().unwrap();
    assert_eq!(channel.params, params);
    assert_eq!(channel.status, ChannelStatus::Active);
    assert_eq!(channel.creator, alice.address());
    assert_eq!(channel.challenge_expires_at_secs, None);
    assert_eq!(channel.last_valid_state, recorded(&initial));
    assert_eq!(world.client().channel_balance(world.custody(), id, token, head).await, Ok(amount(100)));

    let paid = world.signed(world.state(&params, Intent::Operate, 1, [70, 30]), Form::Eip191, Form::Raw);
    alice.checkpoint(paid.clone()).await.unwrap();
    alice.challenge(paid.clone(), world.challenge_by_alice(&paid.state)).await.unwrap();
    let head = world.client().head().await.unwrap();
    let channel = world.client().channel_at(world.custody(), id, head).await.unwrap().unwrap();
    let expires_at_secs = head.timestamp_secs + CHALLENGE_SECS;
    assert_eq!(channel.status, ChannelStatus::Dispute);
    assert_eq!(channel.challenge_expires_at_secs, Some(expires_at_secs));

    let newer = world.signed(world.state(&params, Intent::Operate, 2, [60, 40]), Form::Raw, Form::Raw);
    broker.checkpoint(newer.clone()).await.unwrap();
    let last = world.signed(world.state(&params, Intent::Finalize, 3, [60, 40]), Form::Raw, Form::Raw);
    alice.close(last.clone()).await.unwrap();
    let head = world.client().head().await.unwrap();
    assert_eq!(world.client().channel_at(world.custody(), id, head).await, Ok(None));
    let available = world.client().available_balance(world.custody(), broker.address(), token, head).await;
    assert_eq!(available, Ok(amount(40)));

    alice.withdraw(token, amount(60)).await.unwrap();
    broker.withdraw(token, amount(40)).await.unwrap();
    let head = world.client().head().await.unwrap();
    assert_eq!(world.client().balance(alice.address(), token, head).await, Ok(amount(960)));
    assert_eq!(world.client().balance(broker.address(), token, head).await, Ok(amount(40)));
    assert_eq!(world.client().balance(world.custody(), token, head).await, Ok(Amount::ZERO));
    assert_eq!(world.client().token_decimals(token, head).await, Ok(6));

    let (wallet, channel_id) = (alice.address(), id);
    let told = [
        CustodyEvent::Deposited { wallet, token, amount: amount(100) },
        CustodyEvent::Created { channel_id, wallet, params, initial: recorded(&initial) },
        CustodyEvent::Joined { channel_id, side: 1 },
        CustodyEvent::Opened { channel_id },
        CustodyEvent::Checkpointed { channel_id, state: recorded(&paid) },
        CustodyEvent::Challenged { channel_id, state: recorded(&paid), expires_at_secs },
        CustodyEvent::Checkpointed { channel_id, state: recorded(&newer) },
        CustodyEvent::Closed { channel_id, state: recorded(&last) },
        CustodyEvent::Withdrawn { wallet, token, amount: amount(60) },
        CustodyEvent::Withdrawn { wallet: broker.address(), token, amount: amount(40) },
    ];
    assert_eq!(world.events().await, told);
}

#[tokio::test]
async fn a_resize_moves_money_in_and_is_told_side_by_side() {
    let world = soon(World::on(shared_chain().await, "resize")).await;
    let (alice, params) = (&world.alice, world.params(1));
    alice.approve(world.token, amount(150)).await.unwrap();
    alice.deposit(world.token, amount(150)).await.unwrap();
    let initial = world.signed(world.state(&params, Intent::Initialize, 0, [100, 0]), Form::Raw, Form::Raw);
    alice.call(CustodyCall::Create { params: params.clone(), initial: initial.clone() }).await.unwrap();
    let deltas = [Delta::more(amount(50)), Delta::Zero];
    let mut resized = world.state(&params, Intent::Resize, 1, [150, 0]);
    resized.data = encode_resize(deltas).unwrap();
    alice
        .call(CustodyCall::Resize { candidate: world.signed(resized, Form::Raw, Form::Raw), proof: initial })
        .await
        .unwrap();
    let told = world.events().await;
    assert_eq!(told.last(), Some(&CustodyEvent::Resized { channel_id: params.channel_id(), deltas }));
}

#[tokio::test]
async fn coin_needs_no_allowance() {
    let world = soon(World::on(shared_chain().await, "coin")).await;
    let (broker, coin) = (&world.broker, Address::ZERO);
    broker.deposit(coin, amount(5)).await.unwrap();
    broker.withdraw(coin, amount(2)).await.unwrap();
    let head = world.client().head().await.unwrap();
    let available = world.client().available_balance(world.custody(), broker.address(), coin, head).await;
    assert_eq!(available, Ok(amount(3)));
    assert_eq!(world.client().balance(world.custody(), coin, head).await, Ok(amount(3)));
}

#[tokio::test]
async fn refusals_come_by_name_and_with_their_figures() {
    let world = soon(World::on(shared_chain().await, "refusals")).await;
    let (alice, token, params) = (&world.alice, world.token, world.params(1));
    let poor = refusal(alice.withdraw(token, amount(1)).await);
    assert_eq!(poor, Refusal::InsufficientBalance { available: Amount::ZERO, required: amount(1) });
    let unasked = refusal(alice.deposit(token, amount(1)).await);
    assert_eq!(unasked, Refusal::InsufficientAllowance { allowed: Amount::ZERO, required: amount(1) });
    let nothing = refusal(alice.deposit(token, Amount::ZERO).await);
    assert_eq!(nothing, Refusal::InvalidAmount);

    let empty = world.signed(world.state(&params, Intent::Initialize, 0, [0, 0]), Form::Raw, Form::Raw);
    let absent = refusal(alice.close(empty.clone()).await);
    assert_eq!(absent, Refusal::ChannelNotFound(params.channel_id()));
    assert_eq!(absent.to_string(), format!("channel {} is not open", params.channel_id()));
    let create = CustodyCall::Create { params: params.clone(), initial: empty };
    alice.call(create.clone()).await.unwrap();
    assert_eq!(refusal(alice.call(create).await), Refusal::InvalidStatus);
    let mut unsigned = world.signed(world.state(&params, Intent::Operate, 1, [0, 0]), Form::Raw, Form::Raw);
    unsigned.signatures.swap(0, 1);
    assert_eq!(refusal(alice.checkpoint(unsigned).await), Refusal::InvalidStateSignatures);
}

#[tokio::test]
async fn only_our_contracts_made_for_each_other_pass_the_check() {
    let world = soon(World::on(shared_chain().await, "check")).await;
    let other = soon(World::on(shared_chain().await, "check-other")).await;
    let (client, head) = (world.client(), world.client().head().await.unwrap());
    let (custody, adjudicator) = (world.custody(), world.chain.deployed().adjudicator);
    let check = |custody, adjudicator| client.check_contracts(custody, adjudicator, head);
    assert_eq!(check(custody, adjudicator).await, Ok(()));
    let nobody = world.alice.address();
    assert_eq!(check(nobody, adjudicator).await, Err(ContractMismatch::NoCustody(nobody)));
    assert_eq!(check(world.token, adjudicator).await, Err(ContractMismatch::OtherCustody(world.token)));
    assert_eq!(check(custody, nobody).await, Err(ContractMismatch::NoAdjudicator(nobody)));
    assert_eq!(check(custody, world.token).await, Err(ContractMismatch::OtherAdjudicator(world.token)));
    let foreign = ContractMismatch::AdjudicatorOfOther { expected: other.custody(), actual: custody };
    assert_eq!(check(other.custody(), adjudicator).await, Err(foreign));

    // The same code at another address holds the typed-data domain of the first.
    let code = encode_hex(&client.code_at(custody, head).await.unwrap());
    let copy = Address::from_bytes([0xcc; 20]);
    client.rpc().request::<_, serde_json::Value>("anvil_setCode", (copy, code)).await.unwrap();
    client.rpc().request::<_, serde_json::Value>("anvil_mine", [1]).await.unwrap();
    let head = client.head().await.unwrap();
    let copied = client.check_contracts(copy, adjudicator, head).await;
    assert_eq!(copied, Err(ContractMismatch::OtherCustody(copy)));
}
