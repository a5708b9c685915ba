//! How the state of a direct channel is stored: JSON with a format number, apart from the types it is made of,
//! so that either side can change alone.

use serde::{Deserialize, Serialize};
use std::sync::Arc;
use thiserror::Error;

use crate::crypto::{DirectParams, Intent, Signature};
use crate::primitives::{Address, Amount, ChainId, ChannelId, Token, Version, decode_hex, encode_hex};

use super::counting::IgnoreReason;
use super::machine::DirectChannel;
use super::phase::Phase;
use super::state::{Agreed, Anchor, Settlement, State};
use super::terms::Terms;

/// The format that is written. Others are refused: there are none yet.
const FORMAT: u32 = 1;

/// The state of a channel as it goes into the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedState {
    /// The code of its phase.
    pub phase: u8,
    /// All of it, the phase too.
    pub body: Vec<u8>,
}

/// Why bytes are no state of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoredError {
    /// Not the JSON of a state.
    #[error("stored state is malformed at line {line}, column {column}")]
    Malformed {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// Written by another version of this program.
    #[error("stored state has the unknown format {format}")]
    UnknownFormat {
        /// Its format.
        format: u32,
    },
    /// A phase, reason or intent that there is not.
    #[error("stored state has the unknown {what} {code}")]
    UnknownCode {
        /// What it should be.
        what: &'static str,
        /// Its number.
        code: u8,
    },
    /// Its parts do not belong together.
    #[error("stored state contradicts itself: {what}")]
    Inconsistent {
        /// Where.
        what: &'static str,
    },
}

impl DirectChannel {
    /// The state for the store, without what is held.
    #[must_use]
    pub fn encode(&self) -> EncodedState {
        encode(self.terms.chain_id, &self.state)
    }

    /// The chain that a stored state belongs to: whose terms [`DirectChannel::decode`] needs.
    ///
    /// # Errors
    /// First that applies: [`StoredError::Malformed`], [`StoredError::UnknownFormat`].
    pub fn stored_chain(body: &[u8]) -> Result<ChainId, StoredError> {
        let StoredHeader { format, chain_id } = parse(body)?;
        if format == FORMAT { Ok(chain_id) } else { Err(StoredError::UnknownFormat { format }) }
    }

    /// Makes the channel again of what [`DirectChannel::encode`] made, with the terms of its chain.
    ///
    /// # Errors
    /// First that applies: those of [`DirectChannel::stored_chain`], [`StoredError::Malformed`],
    /// [`StoredError::UnknownCode`], [`StoredError::Inconsistent`].
    pub fn decode(id: ChannelId, terms: Arc<Terms>, body: &[u8]) -> Result<Self, StoredError> {
        if Self::stored_chain(body)? != terms.chain_id {
            return Err(StoredError::Inconsistent { what: "chain of the terms" });
        }
        let state = State::try_from(parse::<StoredState>(body)?)?;
        match state.contradiction(id) {
            Some(what) => Err(StoredError::Inconsistent { what }),
            None => Ok(Self { id, terms, state, staging: None }),
        }
    }
}

pub(super) fn encode(chain_id: ChainId, state: &State) -> EncodedState {
    let body =
        serde_json::to_vec(&StoredState::of(chain_id, state)).expect("plain structs with text keys are JSON");
    EncodedState { phase: state.phase.code(), body }
}

fn parse<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, StoredError> {
    serde_json::from_slice(body)
        .map_err(|error| StoredError::Malformed { line: error.line(), column: error.column() })
}

#[derive(Deserialize)]
struct StoredHeader {
    format: u32,
    chain_id: ChainId,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredState {
    format: u32,
    chain_id: ChainId,
    phase: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ignored: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    settlement: Option<StoredSettlement>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    anchor: Option<StoredAnchor>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredSettlement {
    owner: Address,
    token: Address,
    amount: Amount,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredAnchor {
    participants: [Address; 2],
    adjudicator: Address,
    challenge_secs: u64,
    nonce: u64,
    wallet: Address,
    token: Address,
    locked: Amount,
    newest: StoredAgreed,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    finalize: Option<StoredAgreed>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredAgreed {
    intent: u8,
    version: Version,
    data: HexData,
    parts: [Amount; 2],
    signature: Signature,
}

/// Bytes as `0x` and hex digits.
#[derive(Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[derive(Clone)]
struct HexData(Vec<u8>);

impl From<HexData> for String {
    fn from(data: HexData) -> Self {
        encode_hex(&data.0)
    }
}

impl TryFrom<String> for HexData {
    type Error = crate::primitives::HexError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        decode_hex(&text).map(Self)
    }
}

impl StoredState {
    fn of(chain_id: ChainId, state: &State) -> Self {
        Self {
            format: FORMAT,
            chain_id,
            phase: state.phase.code(),
            ignored: state.ignored.map(IgnoreReason::code),
            settlement: state.settlement.map(|settlement| StoredSettlement {
                owner: settlement.owner,
                token: settlement.token.address,
                amount: settlement.amount,
            }),
            anchor: state.anchor.as_ref().map(StoredAnchor::from),
        }
    }
}

impl From<&Anchor> for StoredAnchor {
    fn from(anchor: &Anchor) -> Self {
        let params = &anchor.params;
        Self {
            participants: params.participants,
            adjudicator: params.adjudicator,
            challenge_secs: params.challenge_secs,
            nonce: params.nonce,
            wallet: anchor.wallet,
            token: anchor.token.address,
            locked: anchor.locked,
            newest: StoredAgreed::from(&anchor.newest),
            finalize: anchor.finalize.as_ref().map(StoredAgreed::from),
        }
    }
}

impl From<&Agreed> for StoredAgreed {
    fn from(agreed: &Agreed) -> Self {
        Self {
            intent: agreed.intent.number(),
            version: agreed.version,
            data: HexData(agreed.data.clone()),
            parts: agreed.parts,
            signature: agreed.signature,
        }
    }
}

impl TryFrom<StoredState> for State {
    type Error = StoredError;

    fn try_from(stored: StoredState) -> Result<Self, StoredError> {
        let unknown = |what, code| StoredError::UnknownCode { what, code };
        let phase = Phase::from_code(stored.phase).ok_or_else(|| unknown("phase", stored.phase))?;
        let reason = |code| IgnoreReason::from_code(code).ok_or_else(|| unknown("reason", code));
        let settlement = stored.settlement.map(|settlement| Settlement {
            owner: settlement.owner,
            token: Token { chain_id: stored.chain_id, address: settlement.token },
            amount: settlement.amount,
        });
        let anchor = stored.anchor.map(|anchor| anchor.into_anchor(stored.chain_id)).transpose()?;
        Ok(Self { phase, ignored: stored.ignored.map(reason).transpose()?, settlement, anchor })
    }
}

impl StoredAnchor {
    fn into_anchor(self, chain_id: ChainId) -> Result<Anchor, StoredError> {
        let params = DirectParams {
            participants: self.participants,
            adjudicator: self.adjudicator,
            challenge_secs: self.challenge_secs,
            nonce: self.nonce,
            chain_id,
        };
        Ok(Anchor {
            token: Token { chain_id, address: self.token },
            params,
            wallet: self.wallet,
            locked: self.locked,
            newest: Agreed::try_from(self.newest)?,
            finalize: self.finalize.map(Agreed::try_from).transpose()?,
        })
    }
}

impl TryFrom<StoredAgreed> for Agreed {
    type Error = StoredError;

    fn try_from(stored: StoredAgreed) -> Result<Self, StoredError> {
        let unknown = StoredError::UnknownCode { what: "intent", code: stored.intent };
        Ok(Self {
            intent: Intent::from_number(stored.intent).ok_or(unknown)?,
            version: stored.version,
            data: stored.data.0,
            parts: stored.parts,
            signature: stored.signature,
        })
    }
}

#[cfg(test)]
mod tests;
