//! What both sides of a direct channel sign, byte for byte as the custody contract checks it.
//!
//! Deliberately absent: whether a state may be signed (that is the machine's), and signatures.

use super::abi::{WORD, Words};
use super::keccak::keccak256;
use crate::primitives::{Address, Amount, ChainId, ChannelId, Digest, Version};

/// The immutable terms of a direct channel; their hash is its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectParams {
    /// The participant and the broker, in this order.
    pub participants: [Address; 2],
    /// The contract that judges states.
    pub adjudicator: Address,
    /// How long an answer to a challenge may take, in seconds.
    pub challenge_secs: u64,
    /// Makes the terms unique.
    pub nonce: u64,
    /// The chain that holds the money.
    pub chain_id: ChainId,
}

impl DirectParams {
    /// The id that the custody contract gives the channel. The contract's own address is not part of it.
    #[must_use]
    pub fn channel_id(&self) -> ChannelId {
        ChannelId::from_bytes(*keccak256(&[&self.packed()]).as_bytes())
    }

    /// The bytes behind [`DirectParams::channel_id`].
    pub(super) fn packed(&self) -> Vec<u8> {
        let [participant, broker] = self.participants;
        Words::default()
            .length(5 * WORD)
            .address(self.adjudicator)
            .number(self.challenge_secs)
            .number(self.nonce)
            .number(self.chain_id.get())
            .number(2)
            .address(participant)
            .address(broker)
            .into_bytes()
    }
}

/// What a state of a direct channel is for, by its number in the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Intent {
    /// The agreed parts changed.
    Operate = 0,
    /// The channel begins.
    Initialize = 1,
    /// Money goes into or out of the channel.
    Resize = 2,
    /// The channel ends.
    Finalize = 3,
}

impl Intent {
    /// Its number in the contract.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The intent with this number, or `None` above 3.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Operate),
            1 => Some(Self::Initialize),
            2 => Some(Self::Resize),
            3 => Some(Self::Finalize),
            _ => None,
        }
    }
}

/// Who gets how much of which token when a state is enforced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Allocation {
    /// Whose money in the custody contract it becomes.
    pub destination: Address,
    /// The token, on the channel's chain.
    pub token: Address,
    /// How much, in the token's smallest unit.
    pub amount: Amount,
}

/// A state of a direct channel: what gets signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectState {
    /// The channel that it is a state of.
    pub channel_id: ChannelId,
    /// What it is for.
    pub intent: Intent,
    /// Which of the channel's states it is.
    pub version: Version,
    /// The hash of the request that agreed on it, the deltas of a RESIZE, or nothing.
    pub data: Vec<u8>,
    /// The participant's part and the broker's, in this order.
    pub allocations: [Allocation; 2],
}

impl DirectState {
    /// The bytes that the contract hashes; wallets sign them as a message (EIP-191).
    #[must_use]
    pub fn packed(&self) -> Vec<u8> {
        let data = Words::default().bytes(&self.data).into_bytes();
        let head_bytes = 5 * WORD;
        Words::default()
            .word(self.channel_id.as_bytes())
            .number(self.intent.number().into())
            .number(self.version.get())
            .length(head_bytes)
            .length(head_bytes + data.len())
            .words(&data)
            .words(&self.packed_allocations())
            .into_bytes()
    }

    /// The digest of the state; keys sign it as it is.
    #[must_use]
    pub fn hash(&self) -> Digest {
        keccak256(&[&self.packed()])
    }

    /// The bytes that who challenges with this state signs: never a signature under the state itself.
    #[must_use]
    pub fn packed_challenge(&self) -> Vec<u8> {
        let mut packed = self.packed();
        packed.extend_from_slice(b"challenge");
        packed
    }

    /// The digest that who challenges with this state signs.
    #[must_use]
    pub fn challenge_digest(&self) -> Digest {
        keccak256(&[&self.packed_challenge()])
    }

    /// The number of allocations and the allocations.
    pub(super) fn packed_allocations(&self) -> Vec<u8> {
        let count = Words::default().length(self.allocations.len());
        let add =
            |words: Words, a: &Allocation| words.address(a.destination).address(a.token).amount(a.amount);
        self.allocations.iter().fold(count, add).into_bytes()
    }
}

#[cfg(test)]
mod tests;
