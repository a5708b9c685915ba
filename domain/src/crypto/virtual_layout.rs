//! What the members of a virtual channel sign: typed data (EIP-712) that any wallet shows and signs.
//!
//! Hand-written, because it is on the way of every update; the tests and the published vectors hold it to
//! what libraries compute. Deliberately absent: quorum, and whether a state follows from another.

use std::sync::LazyLock;

use thiserror::Error;

use super::abi::Words;
use super::digests::{Digests, Signable};
use super::keccak::keccak256;
use super::typed_data::{TYPED_BYTES, typed_bytes};
use crate::primitives::{Address, Amount, ChannelId, Digest, Token, Version};

const ALLOCATION: &[u8] = b"Allocation(address participant,uint64 chainId,address token,uint256 amount)";
const STATE: &[u8] = b"VirtualState(address broker,bytes32 channelId,uint64 version,uint8 intent,\
    bytes32 dataHash,Allocation[] allocations)";

static ALLOCATION_TYPE: LazyLock<Digest> = LazyLock::new(|| keccak256(&[ALLOCATION]));
static STATE_TYPE: LazyLock<Digest> = LazyLock::new(|| keccak256(&[STATE, ALLOCATION]));
static SEPARATOR: LazyLock<Digest> = LazyLock::new(|| {
    Words::default()
        .hash(keccak256(&[b"EIP712Domain(string name,string version)"]))
        .hash(keccak256(&[b"Clearnet"]))
        .hash(keccak256(&[b"1"]))
        .keccak()
});

/// What a state of a virtual channel is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum VirtualIntent {
    /// The members' parts change, the total stays.
    Operate = 0,
    /// Members put money in.
    Deposit = 1,
    /// Members take money out.
    Withdraw = 2,
    /// The channel ends with these parts.
    Close = 3,
}

impl VirtualIntent {
    /// The intent of the number that is signed; `None` for a number that stands for none.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Operate),
            1 => Some(Self::Deposit),
            2 => Some(Self::Withdraw),
            3 => Some(Self::Close),
            _ => None,
        }
    }
}

/// A member's part of one token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VirtualAllocation {
    /// The member.
    pub participant: Address,
    /// The token, on its chain.
    pub token: Token,
    /// How much, in the token's smallest unit.
    pub amount: Amount,
}

/// The allocations of a virtual channel in the one order in which they are signed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VirtualAllocations(Vec<VirtualAllocation>);

/// Why allocations cannot be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum VirtualAllocationsError {
    /// Somebody who is no member would get something.
    #[error("{participant} is no member")]
    NotAMember {
        /// Who it is.
        participant: Address,
    },
    /// Two lines for one member and token.
    #[error("more than one allocation of {token} to {participant}")]
    Repeated {
        /// The member.
        participant: Address,
        /// The token.
        token: Token,
    },
}

impl VirtualAllocations {
    /// Puts allocations into order: by member as the definition lists them, then chain, then token; those of
    /// nothing are left out.
    ///
    /// # Errors
    /// First that applies: [`VirtualAllocationsError::NotAMember`], [`VirtualAllocationsError::Repeated`]; both
    /// for allocations of nothing too.
    pub fn new(
        members: &[Address],
        allocations: impl IntoIterator<Item = VirtualAllocation>,
    ) -> Result<Self, VirtualAllocationsError> {
        let place_of = |allocation: VirtualAllocation| {
            let participant = allocation.participant;
            let place = members.iter().position(|member| *member == participant);
            place.map(|place| (place, allocation)).ok_or(VirtualAllocationsError::NotAMember { participant })
        };
        let mut placed = allocations.into_iter().map(place_of).collect::<Result<Vec<_>, _>>()?;
        placed.sort_by_key(|(place, allocation)| (*place, allocation.token));
        for pair in placed.windows(2) {
            let (place, VirtualAllocation { participant, token, .. }) = pair[0];
            if (place, token) == (pair[1].0, pair[1].1.token) {
                return Err(VirtualAllocationsError::Repeated { participant, token });
            }
        }
        let ordered = placed.into_iter().map(|(_, allocation)| allocation);
        Ok(Self(ordered.filter(|allocation| !allocation.amount.is_zero()).collect()))
    }

    /// The allocations, in order, each above zero.
    #[must_use]
    pub fn as_slice(&self) -> &[VirtualAllocation] {
        &self.0
    }
}

/// A state of a virtual channel: what gets signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VirtualState {
    /// The broker that holds the money.
    pub broker: Address,
    /// The channel that it is a state of.
    pub channel_id: ChannelId,
    /// Which of the channel's states it is.
    pub version: Version,
    /// What it is for.
    pub intent: VirtualIntent,
    /// [`VirtualState::hash_of_data`] of the members' data.
    pub data_hash: Digest,
    /// Who owns what.
    pub allocations: VirtualAllocations,
}

impl VirtualState {
    /// The hash under which the members' data is signed; absent data counts as empty.
    #[must_use]
    pub fn hash_of_data(data: Option<&str>) -> Digest {
        keccak256(&[data.unwrap_or_default().as_bytes()])
    }

    /// The digest that is signed.
    #[must_use]
    pub fn digest(&self) -> Digest {
        keccak256(&[&self.typed_bytes()])
    }

    /// The bytes behind [`VirtualState::digest`].
    pub(super) fn typed_bytes(&self) -> [u8; TYPED_BYTES] {
        typed_bytes(*SEPARATOR, self.struct_hash())
    }

    fn struct_hash(&self) -> Digest {
        let add = |words: Words, allocation: &VirtualAllocation| words.hash(hash_of_allocation(allocation));
        let allocations = self.allocations.0.iter().fold(Words::default(), add).keccak();
        Words::default()
            .hash(*STATE_TYPE)
            .address(self.broker)
            .word(self.channel_id.as_bytes())
            .number(self.version.get())
            .number((self.intent as u8).into())
            .hash(self.data_hash)
            .hash(allocations)
            .keccak()
    }
}

fn hash_of_allocation(allocation: &VirtualAllocation) -> Digest {
    Words::default()
        .hash(*ALLOCATION_TYPE)
        .address(allocation.participant)
        .number(allocation.token.chain_id.get())
        .address(allocation.token.address)
        .amount(allocation.amount)
        .keccak()
}

impl Signable for VirtualState {
    fn digests(&self) -> Digests {
        Digests::of_typed_data(self.digest())
    }
}

#[cfg(test)]
mod tests;
