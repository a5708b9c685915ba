//! Nonces, fees and what a node says of transactions it does not want.

use domain::primitives::{Address, Amount};
use evm::{Call, ChainError, Fees, Transaction};

use super::world::{CHAIN_ID, World, private_chain, soon};
use clearnet::devnet::dev_key;

#[tokio::test]
async fn a_transaction_may_be_sent_again_until_its_nonce_is_used_up() {
    let anvil = soon(private_chain(CHAIN_ID)).await;
    let world = soon(World::on(&anvil, "send")).await;
    let (client, sender) = (world.client(), dev_key("send/alice"));
    let address = sender.address();
    world.cheats.set_automine(false).await.unwrap();
    let next = client.nonce_and_fees(address).await.unwrap();
    assert_eq!((next.nonce, next.nonce_pending), (0, 0));
    assert_eq!(next.fees.max_per_gas, 2 * next.base_fee_per_gas + next.fees.max_priority_per_gas);

    let give = |value: u128| Call { to: Some(Address::ZERO), value: Amount::from(value), data: Vec::new() };
    let transaction =
        Transaction { chain_id: CHAIN_ID, nonce: 0, gas_limit: 21_000, fees: next.fees, call: give(1) };
    let signed = transaction.sign(&sender);
    assert_eq!(client.send_raw(&signed.raw).await, Ok(signed.hash));
    assert_eq!(client.send_raw(&signed.raw).await, Ok(signed.hash));
    assert_eq!(client.receipt(signed.hash).await, Ok(None));
    let waiting = client.nonce_and_fees(address).await.unwrap();
    assert_eq!((waiting.nonce, waiting.nonce_pending), (0, 1));

    let other = Transaction { call: give(2), ..transaction.clone() }.sign(&sender);
    assert!(matches!(client.send_raw(&other.raw).await, Err(ChainError::Underpriced { .. })));
    let poor = Transaction { nonce: 1, call: give(u128::MAX), ..transaction.clone() }.sign(&sender);
    assert!(matches!(client.send_raw(&poor.raw).await, Err(ChainError::InsufficientFunds { .. })));

    let dear = Fees {
        max_per_gas: next.fees.max_per_gas * 2,
        max_priority_per_gas: next.fees.max_priority_per_gas * 2 + 1,
    };
    let replacement = Transaction { fees: dear, ..transaction }.sign(&sender);
    assert_eq!(client.send_raw(&replacement.raw).await, Ok(replacement.hash));
    let before = client.head().await.unwrap();
    world.cheats.mine(1).await.unwrap();
    let head = client.head().await.unwrap();
    assert_eq!(client.receipt(signed.hash).await, Ok(None));
    let receipt = client.receipt(replacement.hash).await.unwrap().unwrap();
    assert!(receipt.succeeded);
    assert_eq!(
        (receipt.tx_hash, receipt.height, receipt.block_hash),
        (replacement.hash, head.height, head.hash)
    );
    assert_eq!((receipt.gas_used, receipt.contract), (21_000, None));
    assert_eq!(client.send_raw(&signed.raw).await, Err(ChainError::NonceTooLow));
    assert_eq!(client.nonce_at(address, before).await, Ok(0));
    assert_eq!(client.nonce_at(address, head).await, Ok(1));
}
