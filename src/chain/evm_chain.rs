//! [`ChainClient`] over a node of a chain with an EVM.

use async_trait::async_trait;
use domain::chain::CustodyEvent;
use domain::primitives::{Address, Amount, ChainId, ChannelId, Digest};
use evm::custody::{CustodyCall, OnChainChannel, PoisonLog, decode_log};
use evm::{BlockRef, Call, ChainError, Client, NonceAndFees, RawLog, Receipt, Wake};
use futures::stream::BoxStream;

use super::chain_client::ChainClient;

/// A chain with an EVM and our custody contract on it. Clones share the connection.
#[derive(Debug, Clone)]
pub struct EvmChain {
    client: Client,
    custody: Address,
    broker: Address,
}

impl EvmChain {
    /// Joins a client with the custody contract and the broker that uses it; that the contract is ours is checked elsewhere
    /// ([`Client::check_contracts`]).
    #[must_use]
    pub fn new(client: Client, custody: Address, broker: Address) -> Self {
        Self { client, custody, broker }
    }
}

#[async_trait]
impl ChainClient for EvmChain {
    fn chain_id(&self) -> ChainId {
        self.client.chain_id()
    }

    async fn head(&self) -> Result<BlockRef, ChainError> {
        self.client.head().await
    }

    async fn block(&self, height: u64) -> Result<Option<BlockRef>, ChainError> {
        self.client.block(height).await
    }

    async fn logs(&self, from: u64, to: BlockRef) -> Result<Vec<RawLog>, ChainError> {
        self.client.custody_logs(self.custody, self.broker, from, to).await
    }

    fn decode(&self, log: &RawLog) -> Result<CustodyEvent, PoisonLog> {
        decode_log(log, self.client.chain_id())
    }

    fn wake_ups(&self) -> BoxStream<'static, Wake> {
        self.client.wake_ups()
    }

    async fn channel_at(&self, id: ChannelId, at: BlockRef) -> Result<Option<OnChainChannel>, ChainError> {
        self.client.channel_at(self.custody, id, at).await
    }

    async fn channel_balance_at(
        &self,
        id: ChannelId,
        token: Address,
        at: BlockRef,
    ) -> Result<Amount, ChainError> {
        self.client.channel_balance(self.custody, id, token, at).await
    }

    async fn available_at(
        &self,
        account: Address,
        token: Address,
        at: BlockRef,
    ) -> Result<Amount, ChainError> {
        self.client.available_balance(self.custody, account, token, at).await
    }

    async fn nonce_at(&self, address: Address, at: BlockRef) -> Result<u64, ChainError> {
        self.client.nonce_at(address, at).await
    }

    async fn nonce_and_fees(&self, address: Address) -> Result<NonceAndFees, ChainError> {
        self.client.nonce_and_fees(address).await
    }

    fn encode(&self, call: &CustodyCall) -> Call {
        call.to_call(self.custody)
    }

    async fn estimate_gas(&self, from: Address, call: &Call) -> Result<u64, ChainError> {
        self.client.estimate_gas(from, call).await
    }

    async fn send_raw(&self, raw: &[u8]) -> Result<Digest, ChainError> {
        self.client.send_raw(raw).await
    }

    async fn receipt(&self, tx: Digest) -> Result<Option<Receipt>, ChainError> {
        self.client.receipt(tx).await
    }
}
