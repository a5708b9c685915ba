//! How an event is kept until its owner has taken it in: JSON with a format number, apart from the types it
//! is made of, so that either side can change alone.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::event::CustodyEvent;
use super::recorded_state::RecordedState;
use crate::crypto::{Allocation, DirectParams, Intent};
use crate::primitives::{
    Address, Amount, ChainId, ChannelId, Delta, HexError, Version, decode_hex, encode_hex,
};

/// The format that is written. Others are refused: there are none yet.
const FORMAT: u32 = 1;

/// How much of a state's data is kept: more than any state has that the broker would sign, so that what is cut still
/// differs from all of them.
const DATA_BYTES_MAX: usize = 1024;

/// How long a signature may be to be kept: only those of keys matter here. Contract wallets have their own, of any
/// length that somebody pays for.
const SIGNATURE_BYTES_MAX: usize = 65;

/// How many signatures are kept: one of each side.
const SIGNATURES_MAX: usize = 2;

/// Why bytes are no kept event.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoredEventError {
    /// Not the JSON of an event.
    #[error("kept event is malformed at line {line}, column {column}")]
    Malformed {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// Written by another version of this program.
    #[error("kept event has the unknown format {format}")]
    UnknownFormat {
        /// Its format.
        format: u32,
    },
    /// An intent that there is not.
    #[error("kept event has the unknown intent {intent}")]
    UnknownIntent {
        /// Its number.
        intent: u8,
    },
    /// Bytes that are no bytes.
    #[error(transparent)]
    Hex(#[from] HexError),
}

impl CustodyEvent {
    /// The event for the store. What strangers can make as long as they like is cut: no event is too long to be
    /// kept, and none can keep others from being read.
    #[must_use]
    pub fn to_stored(&self) -> Vec<u8> {
        let kept = Kept { format: FORMAT, event: KeptEvent::from(self) };
        serde_json::to_vec(&kept).expect("plain structs with text keys are JSON")
    }

    /// Makes the event again of what [`CustodyEvent::to_stored`] made.
    ///
    /// # Errors
    /// First that applies: [`StoredEventError::Malformed`], [`StoredEventError::UnknownFormat`],
    /// [`StoredEventError::UnknownIntent`], [`StoredEventError::Hex`].
    pub fn from_stored(bytes: &[u8]) -> Result<Self, StoredEventError> {
        let kept: Kept = serde_json::from_slice(bytes)
            .map_err(|error| StoredEventError::Malformed { line: error.line(), column: error.column() })?;
        if kept.format != FORMAT {
            return Err(StoredEventError::UnknownFormat { format: kept.format });
        }
        kept.event.try_into()
    }
}

#[derive(Serialize, Deserialize)]
struct Kept {
    format: u32,
    #[serde(flatten)]
    event: KeptEvent,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum KeptEvent {
    Deposited { wallet: Address, token: Address, amount: Amount },
    Withdrawn { wallet: Address, token: Address, amount: Amount },
    Created { channel_id: ChannelId, wallet: Address, params: KeptParams, initial: KeptState },
    Joined { channel_id: ChannelId, side: u64 },
    Opened { channel_id: ChannelId },
    Challenged { channel_id: ChannelId, state: KeptState, expires_at_secs: u64 },
    Checkpointed { channel_id: ChannelId, state: KeptState },
    Resized { channel_id: ChannelId, deltas: [KeptDelta; 2] },
    Closed { channel_id: ChannelId, state: KeptState },
}

#[derive(Serialize, Deserialize)]
struct KeptParams {
    participants: [Address; 2],
    adjudicator: Address,
    challenge_secs: u64,
    nonce: u64,
    chain_id: ChainId,
}

#[derive(Serialize, Deserialize)]
struct KeptState {
    intent: u8,
    version: Option<Version>,
    data: String,
    allocations: [KeptAllocation; 2],
    signatures: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct KeptAllocation {
    destination: Address,
    token: Address,
    amount: Amount,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KeptDelta {
    Zero,
    More(Amount),
    Less(Amount),
}

impl From<&CustodyEvent> for KeptEvent {
    fn from(event: &CustodyEvent) -> Self {
        match event.clone() {
            CustodyEvent::Deposited { wallet, token, amount } => Self::Deposited { wallet, token, amount },
            CustodyEvent::Withdrawn { wallet, token, amount } => Self::Withdrawn { wallet, token, amount },
            CustodyEvent::Created { channel_id, wallet, params, initial } => {
                Self::Created { channel_id, wallet, params: params.into(), initial: initial.into() }
            }
            CustodyEvent::Joined { channel_id, side } => Self::Joined { channel_id, side },
            CustodyEvent::Opened { channel_id } => Self::Opened { channel_id },
            CustodyEvent::Challenged { channel_id, state, expires_at_secs } => {
                Self::Challenged { channel_id, state: state.into(), expires_at_secs }
            }
            CustodyEvent::Checkpointed { channel_id, state } => {
                Self::Checkpointed { channel_id, state: state.into() }
            }
            CustodyEvent::Resized { channel_id, deltas } => {
                Self::Resized { channel_id, deltas: deltas.map(KeptDelta::from) }
            }
            CustodyEvent::Closed { channel_id, state } => Self::Closed { channel_id, state: state.into() },
        }
    }
}

impl TryFrom<KeptEvent> for CustodyEvent {
    type Error = StoredEventError;

    fn try_from(event: KeptEvent) -> Result<Self, StoredEventError> {
        Ok(match event {
            KeptEvent::Deposited { wallet, token, amount } => Self::Deposited { wallet, token, amount },
            KeptEvent::Withdrawn { wallet, token, amount } => Self::Withdrawn { wallet, token, amount },
            KeptEvent::Created { channel_id, wallet, params, initial } => {
                Self::Created { channel_id, wallet, params: params.into(), initial: initial.try_into()? }
            }
            KeptEvent::Joined { channel_id, side } => Self::Joined { channel_id, side },
            KeptEvent::Opened { channel_id } => Self::Opened { channel_id },
            KeptEvent::Challenged { channel_id, state, expires_at_secs } => {
                Self::Challenged { channel_id, state: state.try_into()?, expires_at_secs }
            }
            KeptEvent::Checkpointed { channel_id, state } => {
                Self::Checkpointed { channel_id, state: state.try_into()? }
            }
            KeptEvent::Resized { channel_id, deltas } => {
                Self::Resized { channel_id, deltas: deltas.map(Delta::from) }
            }
            KeptEvent::Closed { channel_id, state } => Self::Closed { channel_id, state: state.try_into()? },
        })
    }
}

impl From<DirectParams> for KeptParams {
    fn from(params: DirectParams) -> Self {
        let DirectParams { participants, adjudicator, challenge_secs, nonce, chain_id } = params;
        Self { participants, adjudicator, challenge_secs, nonce, chain_id }
    }
}

impl From<KeptParams> for DirectParams {
    fn from(params: KeptParams) -> Self {
        let KeptParams { participants, adjudicator, challenge_secs, nonce, chain_id } = params;
        Self { participants, adjudicator, challenge_secs, nonce, chain_id }
    }
}

impl From<RecordedState> for KeptState {
    fn from(state: RecordedState) -> Self {
        Self {
            intent: state.intent.number(),
            version: state.version,
            data: encode_hex(&state.data[..state.data.len().min(DATA_BYTES_MAX)]),
            allocations: state.allocations.map(KeptAllocation::from),
            signatures: state
                .signatures
                .iter()
                .take(SIGNATURES_MAX)
                .map(|bytes| kept_signature(bytes))
                .collect(),
        }
    }
}

/// One that is too long to be a key's becomes an empty one: it keeps its place, and proves nothing.
fn kept_signature(bytes: &[u8]) -> String {
    encode_hex(if bytes.len() > SIGNATURE_BYTES_MAX { &[] } else { bytes })
}

impl TryFrom<KeptState> for RecordedState {
    type Error = StoredEventError;

    fn try_from(state: KeptState) -> Result<Self, StoredEventError> {
        let unknown = StoredEventError::UnknownIntent { intent: state.intent };
        let signatures: Result<_, HexError> = state.signatures.iter().map(|text| decode_hex(text)).collect();
        Ok(Self {
            intent: Intent::from_number(state.intent).ok_or(unknown)?,
            version: state.version,
            data: decode_hex(&state.data)?,
            allocations: state.allocations.map(Allocation::from),
            signatures: signatures?,
        })
    }
}

impl From<Allocation> for KeptAllocation {
    fn from(Allocation { destination, token, amount }: Allocation) -> Self {
        Self { destination, token, amount }
    }
}

impl From<KeptAllocation> for Allocation {
    fn from(KeptAllocation { destination, token, amount }: KeptAllocation) -> Self {
        Self { destination, token, amount }
    }
}

impl From<Delta> for KeptDelta {
    fn from(delta: Delta) -> Self {
        match delta {
            Delta::Zero => Self::Zero,
            Delta::More(amount) => Self::More(amount),
            Delta::Less(amount) => Self::Less(amount),
        }
    }
}

impl From<KeptDelta> for Delta {
    fn from(delta: KeptDelta) -> Self {
        match delta {
            KeptDelta::Zero => Self::Zero,
            KeptDelta::More(amount) => Self::more(amount),
            KeptDelta::Less(amount) => Self::less(amount),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events() -> Vec<CustodyEvent> {
        let channel_id = ChannelId::from_bytes([7; 32]);
        let address = |byte| Address::from_bytes([byte; 20]);
        let allocation = |byte, amount| Allocation { destination: address(byte), token: address(9), amount };
        let state = |version| RecordedState {
            intent: Intent::Finalize,
            version,
            data: vec![0, 255],
            allocations: [allocation(1, Amount::MAX), allocation(2, Amount::ZERO)],
            signatures: vec![vec![1; 65], Vec::new()],
        };
        let params = DirectParams {
            participants: [address(1), address(2)],
            adjudicator: address(3),
            challenge_secs: u64::MAX,
            nonce: u64::MAX,
            chain_id: ChainId::new(5),
        };
        let (wallet, token, amount) = (address(1), address(9), Amount::MAX);
        vec![
            CustodyEvent::Deposited { wallet, token, amount },
            CustodyEvent::Withdrawn { wallet, token, amount },
            CustodyEvent::Created { channel_id, wallet, params, initial: state(Some(Version::ZERO)) },
            CustodyEvent::Joined { channel_id, side: 1 },
            CustodyEvent::Opened { channel_id },
            CustodyEvent::Challenged { channel_id, state: state(None), expires_at_secs: u64::MAX },
            CustodyEvent::Checkpointed { channel_id, state: state(Some(Version::MAX)) },
            CustodyEvent::Resized { channel_id, deltas: [Delta::more(amount), Delta::less(amount)] },
            CustodyEvent::Resized { channel_id, deltas: [Delta::Zero, Delta::Zero] },
            CustodyEvent::Closed { channel_id, state: state(Some(Version::MAX)) },
        ]
    }

    #[test]
    fn every_kind_of_event_comes_back_as_it_was() {
        for event in events() {
            assert_eq!(CustodyEvent::from_stored(&event.to_stored()), Ok(event));
        }
    }

    #[test]
    fn what_strangers_made_too_long_is_cut_and_proves_nothing() {
        let [.., CustodyEvent::Closed { channel_id, state }] = &events()[..] else { panic!("the last one") };
        let (long, right) = (vec![1; 4 * 1024 * 1024], vec![2; 65]);
        let signatures = vec![long.clone(), right.clone(), long.clone()];
        let state = RecordedState { data: long, signatures, ..state.clone() };
        let stored = CustodyEvent::Closed { channel_id: *channel_id, state: state.clone() }.to_stored();
        assert!(stored.len() < 8 * 1024, "{} bytes", stored.len());
        let kept = RecordedState { data: vec![1; 1024], signatures: vec![Vec::new(), right], ..state };
        let kept = CustodyEvent::Closed { channel_id: *channel_id, state: kept };
        assert_eq!(CustodyEvent::from_stored(&stored), Ok(kept));
    }

    #[test]
    fn damaged_bytes_are_refused_with_what_is_wrong() {
        let kept = String::from_utf8(events()[2].to_stored()).unwrap();
        let read = |text: &str| CustodyEvent::from_stored(text.as_bytes()).unwrap_err();
        assert!(matches!(read("{}"), StoredEventError::Malformed { .. }));
        let other = kept.replace("\"format\":1", "\"format\":2");
        assert_eq!(read(&other), StoredEventError::UnknownFormat { format: 2 });
        let other = kept.replace("\"intent\":3", "\"intent\":4");
        assert_eq!(read(&other), StoredEventError::UnknownIntent { intent: 4 });
        assert!(matches!(read(&kept.replace("0x00ff", "0x00f")), StoredEventError::Hex(_)));
        for end in 0..kept.len() {
            assert!(CustodyEvent::from_stored(&kept.as_bytes()[..end]).is_err());
        }
    }
}
