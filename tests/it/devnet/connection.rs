//! What is lost, and what is not, when connections break and blocks are taken back.

use std::time::Duration;

use clearnet::chain::{ChainClient, EvmChain};
use domain::chain::CustodyEvent;
use domain::primitives::{Address, ChainId};
use evm::custody::decode_log;
use evm::{BlockRef, ChainError, Client, ErrorClass, Wake};
use futures::StreamExt as _;
use tokio::time::interval;

use super::proxy::{Proxy, Wire};
use super::world::{CHAIN_ID, LIMITS, World, amount, private_chain, shared_chain, soon};

/// Asks until the chain answers; every refusal until then must be one that passes.
async fn head_again(client: &Client) -> BlockRef {
    let mut ticks = interval(Duration::from_millis(10));
    loop {
        ticks.tick().await;
        match client.head().await {
            Ok(head) => return head,
            Err(error) => assert_eq!(error.class(), ErrorClass::Unavailable, "{error}"),
        }
    }
}

#[tokio::test]
async fn a_cut_connection_ends_the_hints_and_what_happened_meanwhile_is_in_the_logs() {
    let anvil = shared_chain().await;
    let world = soon(World::on(anvil, "cut")).await;
    let proxy = Proxy::start(Wire::To(anvil.port())).await;
    let client = Client::new(&proxy.url(), CHAIN_ID, LIMITS).unwrap();
    let chain = EvmChain::new(client.clone(), world.custody(), world.broker.address());
    let coin = Address::ZERO;
    let mut seen: u64 = 0;

    for round in 1..=7 {
        let mut hints = chain.wake_ups();
        assert_eq!(soon(hints.next()).await, Some(Wake::Connected));
        world.broker.deposit(coin, amount(round)).await.unwrap();
        assert_eq!(soon(hints.next()).await, Some(Wake::Head));
        let before = chain.head().await.unwrap();

        proxy.set(Wire::Cut);
        soon(hints.by_ref().for_each(|_| async {})).await;
        let error = chain.head().await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::Unavailable, "{error}");
        world.broker.deposit(coin, amount(100 + round)).await.unwrap();
        // What others deposit is nothing to the broker.
        world.alice.deposit(coin, amount(5)).await.unwrap();

        proxy.set(Wire::To(anvil.port()));
        let head = soon(head_again(&client)).await;
        let logs = soon(chain.logs(before.height + 1, head)).await.unwrap();
        let missed: Vec<_> = logs.iter().map(|log| decode_log(log, CHAIN_ID).unwrap()).collect();
        let wallet = world.broker.address();
        assert_eq!(missed, [CustodyEvent::Deposited { wallet, token: coin, amount: amount(100 + round) }]);
        assert!(logs.iter().all(|log| log.position.height > seen));
        seen = head.height;
    }
}

#[tokio::test]
async fn a_socket_whose_other_end_is_gone_is_given_up() {
    let anvil = shared_chain().await;
    let proxy = Proxy::start(Wire::To(anvil.port())).await;
    let client = Client::new(&proxy.url(), CHAIN_ID, LIMITS).unwrap();
    let mut hints = client.wake_ups();
    assert_eq!(soon(hints.next()).await, Some(Wake::Connected));
    proxy.set(Wire::Silent);
    // Nobody asks anything: the hints find out by themselves.
    soon(hints.for_each(|_| async {})).await;
    proxy.set(Wire::To(anvil.port()));
    soon(head_again(&client)).await;

    let mut hints = client.wake_ups();
    assert_eq!(soon(hints.next()).await, Some(Wake::Connected));
    proxy.set(Wire::Silent);
    let error = client.head().await.unwrap_err();
    assert_eq!(error, ChainError::TimedOut { method: "eth_getBlockByNumber", timeout_ms: 2_000 });
    soon(hints.for_each(|_| async {})).await;
}

#[tokio::test]
async fn a_chain_that_dies_is_unavailable_until_another_takes_its_place() {
    let first = soon(private_chain(CHAIN_ID)).await;
    let proxy = Proxy::start(Wire::To(first.port())).await;
    let client = Client::new(&proxy.url(), CHAIN_ID, LIMITS).unwrap();
    first.cheats().mine(3).await.unwrap();
    let head = client.head().await.unwrap();
    assert_eq!(head.height, 3);
    let mut hints = client.wake_ups();
    assert_eq!(soon(hints.next()).await, Some(Wake::Connected));

    first.kill();
    soon(hints.for_each(|_| async {})).await;
    // Far more often than the provider's own reconnects would bear.
    let mut ticks = interval(LIMITS.pause_max);
    for _ in 0..10 {
        ticks.tick().await;
        let error = client.head().await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::Unavailable, "{error}");
    }

    let mut hints = client.wake_ups();
    let second = soon(private_chain(CHAIN_ID)).await;
    proxy.set(Wire::To(second.port()));
    assert_eq!(soon(hints.next()).await, Some(Wake::Connected));
    assert_eq!(soon(head_again(&client)).await.height, 0);
    let gone = client.logs(Address::ZERO, 0, head).await;
    assert_eq!(gone, Err(ChainError::UnknownBlock { hash: head.hash }));
}

#[tokio::test]
async fn a_node_of_another_chain_is_refused() {
    let anvil = shared_chain().await;
    let expected = ChainId::new(1);
    let client = Client::new(&anvil.url(), expected, LIMITS).unwrap();
    assert_eq!(client.head().await, Err(ChainError::WrongChain { expected, actual: CHAIN_ID }));
    let found = Client::discover(&anvil.url(), LIMITS).await.unwrap();
    assert_eq!(found.chain_id(), CHAIN_ID);
    for url in ["http://127.0.0.1:1", "127.0.0.1:1", "ws://", ""] {
        assert_eq!(Client::new(url, CHAIN_ID, LIMITS).err(), Some(ChainError::InvalidUrl), "{url}");
    }
}

#[tokio::test]
async fn a_block_that_was_taken_back_is_unknown() {
    let anvil = soon(private_chain(CHAIN_ID)).await;
    let world = soon(World::on(&anvil, "reorg")).await;
    let (client, custody, broker) = (world.client(), world.custody(), world.broker.address());
    let coin = Address::ZERO;
    world.broker.deposit(coin, amount(7)).await.unwrap();
    let old = client.head().await.unwrap();
    assert_eq!(client.logs(custody, old.height, old).await.unwrap().len(), 1);
    assert_eq!(client.logs(custody, old.height + 1, old).await, Ok(Vec::new()));
    assert_eq!(client.available_balance(custody, broker, coin, old).await, Ok(amount(7)));

    world.cheats.reorg(1).await.unwrap();
    let unknown = ChainError::UnknownBlock { hash: old.hash };
    let new = client.block(old.height).await.unwrap().unwrap();
    assert_ne!(new.hash, old.hash);
    assert_eq!(new.parent, old.parent);
    assert_eq!(client.logs(custody, 0, old).await, Err(unknown.clone()));
    assert_eq!(client.available_balance(custody, broker, coin, old).await, Err(unknown));
    assert_eq!(client.logs(custody, 0, new).await, Ok(Vec::new()));

    let snapshot = world.cheats.snapshot().await.unwrap();
    world.cheats.increase_time(10_000).await.unwrap();
    let later = client.head().await.unwrap();
    assert!(later.timestamp_secs >= new.timestamp_secs + 10_000);
    assert!(world.cheats.revert(snapshot.clone()).await.unwrap());
    assert_eq!(client.head().await, Ok(new));
    assert_eq!(client.block(later.height).await, Ok(None));
    assert!(!world.cheats.revert(snapshot).await.unwrap());
    let ahead = client.logs(custody, 0, later).await;
    assert_eq!(ahead, Err(ChainError::UnknownBlock { hash: later.hash }));
}
