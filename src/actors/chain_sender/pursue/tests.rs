use async_trait::async_trait;
use domain::chain::{CustodyEvent, RecordedState};
use domain::crypto::{Allocation, DirectParams, DirectState, Intent, Signed, SigningKey};
use domain::primitives::{Amount, ChannelId, Digest, Version};
use evm::custody::{OnChainChannel, PoisonLog};
use futures::stream::BoxStream;

use super::super::creation::creation;
use super::*;
use crate::chain::{ChannelStatus, CustodyCall, NonceAndFees, RawLog, Receipt, Wake};
use crate::store::OutboxRow;

const CHAIN: ChainId = ChainId::new(1);
const BROKER: Address = Address::from_bytes([0xB0; 20]);
const HEAD: BlockRef = BlockRef {
    height: 9,
    hash: Digest::from_bytes([9; 32]),
    parent: Digest::from_bytes([8; 32]),
    timestamp_secs: 0,
};

fn params(owner: Address) -> DirectParams {
    DirectParams {
        participants: [owner, BROKER],
        adjudicator: Address::from_bytes([0xAD; 20]),
        challenge_secs: 3_600,
        nonce: 1,
        chain_id: CHAIN,
    }
}

/// A creation whose transaction was signed with nonce 4.
fn sent() -> Creation {
    let key = SigningKey::from_bytes([1; 32]).unwrap();
    let (owner, token) = (key.address(), Address::ZERO);
    let side = |destination, amount| Allocation { destination, token, amount };
    let state = DirectState {
        channel_id: params(owner).channel_id(),
        intent: Intent::Initialize,
        version: Version::ZERO,
        data: Vec::new(),
        allocations: [side(owner, Amount::from(5_u64)), side(BROKER, Amount::ZERO)],
    };
    let signature = key.sign(state.hash());
    let initial = Signed::verify(state, &[signature], &[owner]).unwrap();
    let row = creation(&params(owner), &initial, owner).unwrap();
    let row =
        OutboxRow { id: OutboxId(1), chain_id: CHAIN, owner: row.owner, status: row.status, body: row.body };
    let mut creation = Creation::decode(&row).unwrap();
    creation.sent = Some(Sent::new(4, Digest::from_bytes([7; 32]), &[1, 2, 3]));
    creation
}

/// A chain on which nonce 4 is used up, of which a node knows `receipt`, and whose contract has `channel`.
struct Chain {
    receipt: Option<Receipt>,
    channel: Option<ChannelStatus>,
}

#[async_trait]
impl ChainClient for Chain {
    fn chain_id(&self) -> ChainId {
        CHAIN
    }

    async fn head(&self) -> Result<BlockRef, ChainError> {
        Ok(HEAD)
    }

    async fn block(&self, _: u64) -> Result<Option<BlockRef>, ChainError> {
        Ok(Some(HEAD))
    }

    async fn logs(&self, _: u64, _: BlockRef) -> Result<Vec<RawLog>, ChainError> {
        unreachable!("senders read no logs")
    }

    fn decode(&self, _: &RawLog) -> Result<CustodyEvent, PoisonLog> {
        unreachable!("senders read no logs")
    }

    fn wake_ups(&self) -> BoxStream<'static, Wake> {
        unreachable!("senders wait for no hints")
    }

    async fn channel_at(&self, _: ChannelId, at: BlockRef) -> Result<Option<OnChainChannel>, ChainError> {
        assert_eq!(at, HEAD, "asked at the confirmed block");
        let last_valid_state = RecordedState {
            intent: Intent::Initialize,
            version: Some(Version::ZERO),
            data: Vec::new(),
            allocations: [Allocation { destination: BROKER, token: Address::ZERO, amount: Amount::ZERO }; 2],
            signatures: Vec::new(),
        };
        Ok(self.channel.map(|status| OnChainChannel {
            params: params(BROKER),
            status,
            creator: BROKER,
            challenge_expires_at_secs: None,
            last_valid_state,
        }))
    }

    async fn channel_balance_at(&self, _: ChannelId, _: Address, _: BlockRef) -> Result<Amount, ChainError> {
        unreachable!("not asked while pursuing")
    }

    async fn available_at(&self, _: Address, _: Address, _: BlockRef) -> Result<Amount, ChainError> {
        unreachable!("not asked while pursuing")
    }

    async fn nonce_at(&self, _: Address, _: BlockRef) -> Result<u64, ChainError> {
        Ok(5)
    }

    async fn nonce_and_fees(&self, _: Address) -> Result<NonceAndFees, ChainError> {
        let fees = Fees { max_per_gas: 2, max_priority_per_gas: 1 };
        Ok(NonceAndFees { nonce: 5, nonce_pending: 5, base_fee_per_gas: 1, fees })
    }

    fn encode(&self, _: &CustodyCall) -> Call {
        unreachable!("not signed while pursuing")
    }

    async fn estimate_gas(&self, _: Address, _: &Call) -> Result<u64, ChainError> {
        unreachable!("gas is not estimated")
    }

    async fn send_raw(&self, _: &[u8]) -> Result<Digest, ChainError> {
        Err(ChainError::NonceTooLow)
    }

    async fn receipt(&self, _: Digest) -> Result<Option<Receipt>, ChainError> {
        Ok(self.receipt)
    }
}

async fn fate(chain: Chain) -> Fate {
    let open = BTreeMap::from([(OutboxId(1), sent())]);
    look(&chain, BROKER, 0, open).await.unwrap().fates.pop().unwrap().1
}

#[actix::test]
async fn nothing_is_refunded_while_the_channel_is_on_chain() {
    for status in [ChannelStatus::Active, ChannelStatus::Dispute] {
        let fate = fate(Chain { receipt: None, channel: Some(status) }).await;
        assert!(matches!(fate, Fate::Succeeded), "{status:?}: {fate:?}");
    }
}

#[actix::test]
async fn what_finally_did_not_open_the_channel_has_failed() {
    for channel in [None, Some(ChannelStatus::Initial)] {
        let fate = fate(Chain { receipt: None, channel }).await;
        assert!(matches!(fate, Fate::Failed { .. }), "{channel:?}: {fate:?}");
    }
}
