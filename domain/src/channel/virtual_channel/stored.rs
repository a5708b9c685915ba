//! The form in which a virtual channel is kept: JSON with a format number, lossless, the same bytes every time.
//!
//! Reading trusts what the broker wrote, but not that it is whole: the id proves the definition, and what the
//! machine relies on is checked. Limits are not: a channel that was opened under other limits stays readable.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::crypto::{Definition, Signature, SignedBy, VirtualIntent};
use crate::primitives::{Address, Amount, ChannelId, Timestamp, Token, Version};

use super::definition_rules::PARTICIPANTS_MIN;
use super::phase::Phase;
use super::state::{Allocations, VirtualChannel};

/// The format that is written. Format 1, which kept no intent, is read too.
pub const FORMAT: u32 = 2;

/// Why bytes are no stored virtual channel.
///
/// Of several reasons the first in the order of the variants is given.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoredError {
    /// No JSON of this form.
    #[error("stored virtual channel is malformed at line {line}, column {column}")]
    Malformed {
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
    },
    /// A format that this version does not know.
    #[error("stored virtual channel has format {format}, expected {FORMAT}")]
    UnknownFormat {
        /// Its format.
        format: u32,
    },
    /// The definition is that of another channel, or damaged.
    #[error("stored definition is that of {actual}, expected {expected}")]
    WrongChannel {
        /// The channel that was asked for.
        expected: ChannelId,
        /// The hash of the stored definition.
        actual: ChannelId,
    },
    /// A number that stands for no phase.
    #[error("stored phase {code} is not known")]
    UnknownPhase {
        /// The number.
        code: u8,
    },
    /// A number that stands for no intent.
    #[error("stored intent {code} is not known")]
    UnknownIntent {
        /// The number.
        code: u8,
    },
    /// No intent in a format that has one.
    #[error("stored virtual channel has no intent")]
    MissingIntent,
    /// Fewer members than a channel has.
    #[error("stored virtual channel has too few members")]
    TooFewMembers,
    /// An allocation of nothing, a repeated one, or one to somebody who is no member.
    #[error("stored allocation of {token} to {participant} is impossible")]
    ImpossibleAllocation {
        /// Whose it is.
        participant: Address,
        /// The token.
        token: Token,
    },
    /// A repeated approval, or one by somebody who is no member.
    #[error("stored approval by {signer} is impossible")]
    ImpossibleApproval {
        /// Whose it is.
        signer: Address,
    },
}

#[derive(Deserialize)]
struct StoredFormat {
    format: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredChannel {
    format: u32,
    broker: Address,
    definition: StoredDefinition,
    phase: u8,
    version: Version,
    /// Absent in format 1: there only a close had another intent than operate.
    intent: Option<u8>,
    allocations: Vec<StoredAllocation>,
    data: Option<String>,
    approvals: Vec<StoredApproval>,
    #[serde(rename = "opened_at")]
    created_at: Timestamp,
    updated_at: Timestamp,
    expires_at: Timestamp,
    window_ends_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredDefinition {
    application: String,
    protocol: String,
    participants: Vec<Address>,
    weights: Vec<u64>,
    quorum: u64,
    challenge: u64,
    nonce: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredAllocation {
    participant: Address,
    token: Token,
    amount: Amount,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredApproval {
    signer: Address,
    signature: Signature,
    /// The session key that made it; absent when the signer did itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<Address>,
}

impl VirtualChannel {
    /// The bytes to keep.
    ///
    /// # Panics
    /// Never: everything in it has a JSON form.
    #[must_use]
    pub fn to_stored(&self) -> Vec<u8> {
        let allocation = |((participant, token), amount): (&(Address, Token), &Amount)| StoredAllocation {
            participant: *participant,
            token: *token,
            amount: *amount,
        };
        let approval = |(signer, by): (&Address, &SignedBy)| StoredApproval {
            signer: *signer,
            signature: by.signature,
            key: by.key,
        };
        let stored = StoredChannel {
            format: FORMAT,
            broker: self.broker,
            definition: self.definition.clone().into(),
            phase: self.phase.code(),
            version: self.version,
            intent: Some(self.intent as u8),
            allocations: self.allocations.iter().map(allocation).collect(),
            data: self.data.clone(),
            approvals: self.approvals.iter().map(approval).collect(),
            created_at: self.created_at,
            updated_at: self.updated_at,
            expires_at: self.expires_at,
            window_ends_at: self.window_ends_at,
        };
        serde_json::to_vec(&stored).expect("it holds only texts, numbers and lists of them")
    }

    /// Reads the channel of this id back.
    ///
    /// # Errors
    /// First that applies, in the order of the variants of [`StoredError`].
    pub fn from_stored(id: ChannelId, bytes: &[u8]) -> Result<Self, StoredError> {
        // The format comes first: another one may have other fields.
        let StoredFormat { format } = serde_json::from_slice(bytes).map_err(malformed)?;
        if !(1..=FORMAT).contains(&format) {
            return Err(StoredError::UnknownFormat { format });
        }
        let stored: StoredChannel = serde_json::from_slice(bytes).map_err(malformed)?;
        let definition = Definition::from(stored.definition);
        let actual = definition.channel_id();
        if actual != id {
            return Err(StoredError::WrongChannel { expected: id, actual });
        }
        let phase = Phase::from_code(stored.phase).ok_or(StoredError::UnknownPhase { code: stored.phase })?;
        let intent = match stored.intent {
            Some(code) => VirtualIntent::from_code(code).ok_or(StoredError::UnknownIntent { code })?,
            None if format != 1 => return Err(StoredError::MissingIntent),
            None if phase == Phase::Closed => VirtualIntent::Close,
            None => VirtualIntent::Operate,
        };
        if definition.participants.len() < PARTICIPANTS_MIN {
            return Err(StoredError::TooFewMembers);
        }
        Ok(Self {
            id,
            broker: stored.broker,
            phase,
            version: stored.version,
            intent,
            allocations: allocations(&definition.participants, stored.allocations)?,
            data: stored.data,
            approvals: approvals(&definition.participants, stored.approvals)?,
            definition,
            created_at: stored.created_at,
            updated_at: stored.updated_at,
            expires_at: stored.expires_at,
            window_ends_at: stored.window_ends_at,
        })
    }
}

fn malformed(error: serde_json::Error) -> StoredError {
    StoredError::Malformed { line: error.line(), column: error.column() }
}

fn allocations(members: &[Address], stored: Vec<StoredAllocation>) -> Result<Allocations, StoredError> {
    let mut allocations = Allocations::new();
    for StoredAllocation { participant, token, amount } in stored {
        let is_first = allocations.insert((participant, token), amount).is_none();
        if !is_first || amount.is_zero() || !members.contains(&participant) {
            return Err(StoredError::ImpossibleAllocation { participant, token });
        }
    }
    Ok(allocations)
}

fn approvals(
    members: &[Address],
    stored: Vec<StoredApproval>,
) -> Result<BTreeMap<Address, SignedBy>, StoredError> {
    let mut approvals = BTreeMap::new();
    for StoredApproval { signer, signature, key } in stored {
        if approvals.insert(signer, SignedBy { signature, key }).is_some() || !members.contains(&signer) {
            return Err(StoredError::ImpossibleApproval { signer });
        }
    }
    Ok(approvals)
}

impl From<Definition> for StoredDefinition {
    fn from(definition: Definition) -> Self {
        let Definition { application, protocol, participants, weights, quorum, challenge, nonce } =
            definition;
        Self { application, protocol, participants, weights, quorum, challenge, nonce }
    }
}

impl From<StoredDefinition> for Definition {
    fn from(stored: StoredDefinition) -> Self {
        let StoredDefinition { application, protocol, participants, weights, quorum, challenge, nonce } =
            stored;
        Self { application, protocol, participants, weights, quorum, challenge, nonce }
    }
}

#[cfg(test)]
mod tests;
