//! Lines that say how much of which token, with or without whose.

use serde::{Deserialize, Serialize};

use crate::crypto::VirtualAllocation;
use crate::primitives::{Address, Amount, ChainId, Token};

/// How much of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenAmount {
    /// The chain that the token lives on.
    pub chain_id: ChainId,
    /// Its contract there.
    pub token: Address,
    /// How much, in the token's smallest unit.
    pub amount: Amount,
}

impl TokenAmount {
    /// An amount of a token.
    #[must_use]
    pub const fn new(token: Token, amount: Amount) -> Self {
        Self { chain_id: token.chain_id, token: token.address, amount }
    }

    /// The token on its chain.
    #[must_use]
    pub const fn to_token(self) -> Token {
        Token { chain_id: self.chain_id, address: self.token }
    }
}

/// How much of a token a member of a virtual channel has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberAmount {
    /// The member.
    pub participant: Address,
    /// The chain that the token lives on.
    pub chain_id: ChainId,
    /// Its contract there.
    pub token: Address,
    /// How much, in the token's smallest unit.
    pub amount: Amount,
}

impl From<MemberAmount> for VirtualAllocation {
    fn from(line: MemberAmount) -> Self {
        let token = Token { chain_id: line.chain_id, address: line.token };
        Self { participant: line.participant, token, amount: line.amount }
    }
}

impl From<VirtualAllocation> for MemberAmount {
    fn from(allocation: VirtualAllocation) -> Self {
        Self {
            participant: allocation.participant,
            chain_id: allocation.token.chain_id,
            token: allocation.token.address,
            amount: allocation.amount,
        }
    }
}
