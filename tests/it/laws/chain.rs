//! A chain that is only as much of one as the sender and the audit need: what it is sent, what became of that,
//! and what the contract holds.
//!
//! Lives decide what the chain does next; blocks, logs and time do not exist.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use clearnet::audit::Contracts;
use clearnet::chain::{
    BlockRef, Call, ChainClient, ChainError, ChannelStatus, CustodyCall, Fees, NonceAndFees, OnChainChannel,
    PoisonLog, RawLog, Receipt, Wake,
};
use domain::chain::CustodyEvent;
use domain::crypto::{DirectParams, keccak256};
use domain::primitives::{Address, Amount, ChainId, ChannelId, Digest};
use futures::stream::BoxStream;

use super::cast::broker;
use super::world::Chains;

/// The one block there is.
pub(super) const HEAD: BlockRef = BlockRef {
    height: 9,
    hash: Digest::from_bytes([9; 32]),
    parent: Digest::from_bytes([8; 32]),
    timestamp_secs: 0,
};

/// One chain.
pub(super) struct PretendChain {
    chain_id: ChainId,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// What the broker has available in the contract, per token.
    available: BTreeMap<Address, u64>,
    /// The creations that were written out, by channel.
    encoded: BTreeMap<ChannelId, CustodyCall>,
    /// What was sent, by nonce.
    sent: BTreeMap<u64, Sent>,
    /// How many of them are in blocks.
    included: u64,
    receipts: BTreeMap<Digest, Receipt>,
    /// Channels that are there, whoever created them, and what they hold of their token.
    channels: BTreeMap<ChannelId, (DirectParams, Address, u64)>,
    /// What no sender may do.
    faults: Vec<String>,
}

struct Sent {
    raw: Vec<u8>,
    channel: ChannelId,
}

impl PretendChain {
    pub(super) fn new(chain_id: ChainId) -> Self {
        Self { chain_id, inner: Mutex::default() }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// The broker put so much into the contract.
    pub(super) fn deposit(&self, token: Address, amount: u64) {
        *self.inner().available.entry(token).or_default() += amount;
    }

    /// A channel ended and paid its owner so much; the rest is the broker's. Without effect when it is not there.
    pub(super) fn close(&self, channel: ChannelId, paid: u64) {
        let mut inner = self.inner();
        if let Some((_, token, locked)) = inner.channels.remove(&channel) {
            *inner.available.entry(token).or_default() += locked - paid;
        }
    }

    /// The channel whose creation is the next to be included; `None` before it was sent.
    pub(super) fn next(&self) -> Option<ChannelId> {
        let inner = self.inner();
        inner.sent.get(&inner.included).map(|sent| sent.channel)
    }

    /// Includes the next creation: it succeeds and is paid by the broker, unless it fails or somebody else has made
    /// the channel. Says whether it succeeded.
    pub(super) fn include(&self, token: Address, amount: u64, may_succeed: bool) -> bool {
        let mut inner = self.inner();
        let nonce = inner.included;
        let Sent { raw, channel } = &inner.sent[&nonce];
        let (tx_hash, channel) = (keccak256(&[raw]), *channel);
        let succeeded = may_succeed && !inner.channels.contains_key(&channel);
        if succeeded {
            let rest = inner.available[&token].checked_sub(amount);
            let rest = rest.expect("the sender promised what is not there");
            inner.available.insert(token, rest);
            let CustodyCall::Create { params, .. } = inner.encoded[&channel].clone() else { unreachable!() };
            inner.channels.insert(channel, (params, token, amount));
        }
        inner.included += 1;
        let receipt = Receipt {
            tx_hash,
            height: HEAD.height,
            block_hash: HEAD.hash,
            succeeded,
            contract: None,
            gas_used: 1,
            gas_price: 1,
        };
        inner.receipts.insert(tx_hash, receipt);
        succeeded
    }

    /// Somebody made this channel with so much money of its own.
    pub(super) fn create(&self, params: DirectParams, token: Address, locked: u64) {
        self.inner().channels.insert(params.channel_id(), (params, token, locked));
    }

    pub(super) fn assert_faultless(&self) {
        assert_eq!(self.inner().faults, Vec::<String>::new(), "chain {}", self.chain_id);
    }
}

/// The nonce inside a signed transaction with fees (EIP-1559): the second item of its list, of one byte here.
fn nonce_of(raw: &[u8]) -> u64 {
    let header = if raw[1] == 0xF8 { 3 } else { 4 };
    let nonce = raw[header + 1];
    if nonce == 0x80 { 0 } else { u64::from(nonce) }
}

#[async_trait]
impl ChainClient for PretendChain {
    fn chain_id(&self) -> ChainId {
        self.chain_id
    }

    async fn head(&self) -> Result<BlockRef, ChainError> {
        Ok(HEAD)
    }

    async fn block(&self, _: u64) -> Result<Option<BlockRef>, ChainError> {
        Ok(Some(HEAD))
    }

    async fn logs(&self, _: u64, _: BlockRef) -> Result<Vec<RawLog>, ChainError> {
        unreachable!("nobody reads logs here")
    }

    fn decode(&self, _: &RawLog) -> Result<CustodyEvent, PoisonLog> {
        unreachable!("nobody reads logs here")
    }

    fn wake_ups(&self) -> BoxStream<'static, Wake> {
        unreachable!("nobody waits for hints here")
    }

    async fn channel_at(&self, id: ChannelId, _: BlockRef) -> Result<Option<OnChainChannel>, ChainError> {
        let inner = self.inner();
        let initial = |call: &CustodyCall| match call {
            CustodyCall::Create { initial, .. } => super::world::recorded_as(initial),
            other => unreachable!("{other:?} is never sent"),
        };
        Ok(inner.channels.get(&id).map(|(params, ..)| OnChainChannel {
            params: params.clone(),
            status: ChannelStatus::Active,
            creator: broker(),
            challenge_expires_at_secs: None,
            last_valid_state: initial(&inner.encoded[&id]),
        }))
    }

    async fn channel_balance_at(
        &self,
        id: ChannelId,
        token: Address,
        _: BlockRef,
    ) -> Result<Amount, ChainError> {
        let inner = self.inner();
        let held = inner.channels.get(&id).filter(|(_, of, _)| *of == token).map(|(.., locked)| *locked);
        Ok(Amount::from(held.unwrap_or_default()))
    }

    async fn available_at(
        &self,
        account: Address,
        token: Address,
        _: BlockRef,
    ) -> Result<Amount, ChainError> {
        assert_eq!(account, broker());
        Ok(Amount::from(self.inner().available.get(&token).copied().unwrap_or_default()))
    }

    async fn nonce_at(&self, _: Address, _: BlockRef) -> Result<u64, ChainError> {
        Ok(self.inner().included)
    }

    async fn nonce_and_fees(&self, _: Address) -> Result<NonceAndFees, ChainError> {
        let nonce = self.inner().included;
        let fees = Fees { max_per_gas: 2, max_priority_per_gas: 1 };
        Ok(NonceAndFees { nonce, nonce_pending: nonce, base_fee_per_gas: 1, fees })
    }

    fn encode(&self, call: &CustodyCall) -> Call {
        let CustodyCall::Create { params, .. } = call else { unreachable!("{call:?} is never sent") };
        let id = params.channel_id();
        self.inner().encoded.insert(id, call.clone());
        Call::of(Address::from_bytes([0xCC; 20]), id.as_bytes().to_vec())
    }

    async fn estimate_gas(&self, _: Address, _: &Call) -> Result<u64, ChainError> {
        unreachable!("gas is not estimated")
    }

    async fn send_raw(&self, raw: &[u8]) -> Result<Digest, ChainError> {
        let (mut inner, nonce) = (self.inner(), nonce_of(raw));
        let is_in = |id: &ChannelId| raw.windows(32).any(|bytes| bytes == id.as_bytes());
        let channel = *inner.encoded.keys().find(|id| is_in(id)).expect("a creation");
        let elsewhere = inner.sent.iter().any(|(other, sent)| sent.channel == channel && *other != nonce);
        if elsewhere {
            inner.faults.push(format!("channel {channel} is created twice"));
        }
        match inner.sent.get(&nonce) {
            Some(sent) if sent.raw != raw => {
                inner.faults.push(format!("something else was sent with nonce {nonce}"));
            }
            Some(_) => {}
            None => {
                inner.sent.insert(nonce, Sent { raw: raw.to_vec(), channel });
            }
        }
        if nonce < inner.included { Err(ChainError::NonceTooLow) } else { Ok(keccak256(&[raw])) }
    }

    async fn receipt(&self, tx: Digest) -> Result<Option<Receipt>, ChainError> {
        Ok(self.inner().receipts.get(&tx).copied())
    }
}

/// Every chain there is.
pub(super) fn chains() -> Chains {
    let ids: BTreeSet<ChainId> = (0..super::cast::TOKENS).map(|of| super::cast::token(of).chain_id).collect();
    ids.into_iter().map(|id| (id, Arc::new(PretendChain::new(id)))).collect()
}

/// What an audit asks.
pub(super) fn contracts(chains: &Chains) -> Contracts {
    let chains = chains.values().map(|chain| Arc::clone(chain) as Arc<dyn ChainClient>);
    Contracts { broker: broker(), chains: chains.collect() }
}
