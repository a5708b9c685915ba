//! The one kind of transaction that is decided so far: the broker creates the channel of a settlement.
//!
//! Kept as JSON with a format number. Deliberately absent: when it is sent, and what it pays for gas.

use domain::crypto::{DirectParams, DirectState, Intent, Signature, Signed, SigningKey};
use domain::ledger::OwnerId;
use domain::primitives::{
    Address, Amount, ChainId, ChannelId, Digest, Token, Version, decode_hex, encode_hex,
};
use domain::protocol::{ChannelTerms, State};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::actors::journal::NewOutbox;
use crate::chain::{CustodyCall, SignedState};
use crate::store::{OutboxRow, OutboxStatus};

/// The format that is written. Others are refused: there are none yet.
const FORMAT: u32 = 1;

/// A transaction that creates the channel of a settlement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Creation {
    format: u32,
    chain_id: ChainId,
    terms: ChannelTerms,
    state: State,
    participant_signature: Signature,
    /// What was signed to be sent; `None` until its place among the sender's transactions is chosen.
    pub(super) sent: Option<Sent>,
}

/// A transaction as it was signed: the same bytes are sent again until its nonce is used up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sent {
    /// Its place among the sender's transactions.
    pub(super) nonce: u64,
    /// Its name on chain.
    pub(super) hash: Digest,
    raw: String,
}

/// A kept transaction that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("kept transaction {row} cannot be read: {reason}")]
pub(super) struct DamagedCreation {
    row: u64,
    reason: String,
}

impl Creation {
    /// Reads what is kept in an outbox row.
    ///
    /// # Errors
    /// [`DamagedCreation`].
    pub(super) fn decode(row: &OutboxRow) -> Result<Self, DamagedCreation> {
        let damaged = |reason: String| DamagedCreation { row: row.id.0, reason };
        let creation: Self = serde_json::from_slice(&row.body).map_err(|error| damaged(error.to_string()))?;
        let sent = creation.sent.as_ref().map_or(Ok(Vec::new()), |sent| decode_hex(&sent.raw));
        sent.map_err(|error| damaged(error.to_string()))?;
        if creation.format == FORMAT { Ok(creation) } else { Err(damaged("unknown format".to_owned())) }
    }

    /// As it is kept.
    pub(super) fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("plain structs with text keys are JSON")
    }

    /// The channel that it creates.
    pub(super) fn channel(&self) -> ChannelId {
        self.terms.on_chain(self.chain_id).channel_id()
    }

    /// Whose channel it is.
    pub(super) fn participant(&self) -> Address {
        self.terms.on_chain(self.chain_id).participants[0]
    }

    /// What it takes of the broker's available balance.
    pub(super) fn cost(&self) -> (Token, Amount) {
        let paid = self.state.allocations[0];
        (Token { chain_id: self.chain_id, address: paid.token }, paid.amount)
    }

    /// What the custody contract is told, with the broker's signature made now: the row is durable.
    pub(super) fn call(&self, key: &SigningKey) -> CustodyCall {
        let params = self.terms.on_chain(self.chain_id);
        let state = self.state.of_channel(params.channel_id());
        let signatures = vec![self.participant_signature, key.sign(state.hash())];
        CustodyCall::Create { params, initial: SignedState { state, signatures } }
    }
}

impl Sent {
    /// Keeps what was signed.
    pub(super) fn new(nonce: u64, hash: Digest, raw: &[u8]) -> Self {
        Self { nonce, hash, raw: encode_hex(raw) }
    }

    /// The bytes to send.
    pub(super) fn raw(&self) -> Vec<u8> {
        decode_hex(&self.raw).expect("read back only when it is hex")
    }
}

/// The row that has the broker create the channel of a settlement; `None` when the terms cannot be kept,
/// which those that a channel has accepted as its announcement always can.
pub(in crate::actors) fn creation(
    params: &DirectParams,
    initial: &Signed<DirectState>,
    participant: Address,
) -> Option<NewOutbox> {
    let state = initial.body();
    debug_assert_eq!((state.intent, state.version), (Intent::Initialize, Version::ZERO), "announced");
    let creation = Creation {
        format: FORMAT,
        chain_id: params.chain_id,
        terms: ChannelTerms::of(params)?,
        state: State::of(state)?,
        participant_signature: initial.signers().signature_of(participant)?,
        sent: None,
    };
    Some(NewOutbox {
        changes: None,
        chain_id: params.chain_id,
        owner: OwnerId::Channel(params.channel_id()),
        status: OutboxStatus::Open,
        body: creation.encode(),
    })
}
