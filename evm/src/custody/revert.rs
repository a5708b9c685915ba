//! Why a contract refuses, in words.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use domain::primitives::{Address, Amount, ChannelId, encode_hex};
use ethers_core::abi::ethabi::AbiError;
use ethers_core::abi::{self, ParamType, Token};
use thiserror::Error;

use super::artifact::{ADJUDICATOR, CUSTODY, TEST_TOKEN};
use super::tokens;

/// What a call that reverts says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revert {
    /// An error that the contracts declare.
    Named(Refusal),
    /// An error of the contracts or the token that has no case in [`Refusal`], by its name.
    Other(&'static str),
    /// A text.
    Message(String),
    /// A failed check of the compiler's: overflow (0x11), index (0x32) and the like.
    Panic(u64),
    /// Bytes that say nothing to us; often none.
    Unexplained(Vec<u8>),
}

/// Why the custody contract or a token refuses.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// `ChannelNotFound`: it never was, or has ended.
    #[error("channel {0} is not open")]
    ChannelNotFound(ChannelId),
    /// `InvalidStatus`.
    #[error("the channel's status does not allow this, or the contract is entered a second time")]
    InvalidStatus,
    /// `InvalidState`.
    #[error("the state is not one that can be handed in here")]
    InvalidState,
    /// `InvalidAllocations`.
    #[error("the allocations do not fit what the channel holds")]
    InvalidAllocations,
    /// `InvalidStateSignatures`.
    #[error("the state lacks a valid signature of each side")]
    InvalidStateSignatures,
    /// `InvalidChallengerSignature`.
    #[error("the challenge is signed by neither side")]
    InvalidChallengerSignature,
    /// `InvalidParticipant`.
    #[error("the participants are not two different addresses, or the side cannot join")]
    InvalidParticipant,
    /// `InvalidAdjudicator`.
    #[error("the adjudicator is missing or made for another custody contract")]
    InvalidAdjudicator,
    /// `InvalidChallengePeriod`.
    #[error("the challenge duration is below the contract's minimum")]
    InvalidChallengePeriod,
    /// `InvalidValue`.
    #[error("the coin sent along is not the amount named")]
    InvalidValue,
    /// `InvalidAmount`.
    #[error("the amount is zero")]
    InvalidAmount,
    /// `InsufficientBalance`.
    #[error("available balance in custody is {available}, needed {required}")]
    InsufficientBalance {
        /// What there is.
        available: Amount,
        /// What would be needed.
        required: Amount,
    },
    /// `TransferFailed`.
    #[error("paying {amount} of {token} to {to} failed")]
    TransferFailed {
        /// The token; zero for the coin.
        token: Address,
        /// To whom.
        to: Address,
        /// How much.
        amount: Amount,
    },
    /// `ECDSAInvalidSignature` and its kin.
    #[error("a signature is malformed")]
    MalformedSignature,
    /// `ERC20InsufficientBalance`.
    #[error("token balance is {available}, needed {required}")]
    InsufficientTokens {
        /// What there is.
        available: Amount,
        /// What would be needed.
        required: Amount,
    },
    /// `ERC20InsufficientAllowance`.
    #[error("token allowance is {allowed}, needed {required}")]
    InsufficientAllowance {
        /// What may be taken.
        allowed: Amount,
        /// What would be needed.
        required: Amount,
    },
}

/// The declared errors, by the four bytes that revert data begins with.
static DECLARED: LazyLock<BTreeMap<[u8; 4], &'static AbiError>> = LazyLock::new(|| {
    let artifacts = [&*CUSTODY, &*ADJUDICATOR, &*TEST_TOKEN];
    let errors = artifacts.into_iter().flat_map(|artifact| artifact.abi.errors());
    errors.map(|error| (selector(&error.signature().0), error)).collect()
});

/// `Error(string)`.
const MESSAGE: [u8; 4] = [0x08, 0xc3, 0x79, 0xa0];
/// `Panic(uint256)`.
const PANIC: [u8; 4] = [0x4e, 0x48, 0x7b, 0x71];

fn selector(hash: &[u8; 32]) -> [u8; 4] {
    [hash[0], hash[1], hash[2], hash[3]]
}

impl Revert {
    /// Reads the data that a call reverted with; never fails, since any contract may write anything.
    #[must_use]
    pub fn decode(data: &[u8]) -> Self {
        Self::decode_known(data).unwrap_or_else(|| Self::Unexplained(data.to_vec()))
    }

    fn decode_known(data: &[u8]) -> Option<Self> {
        let (selector, arguments) = data.split_first_chunk::<4>()?;
        let one = |kind| abi::decode(&[kind], arguments).ok()?.pop();
        match *selector {
            MESSAGE => one(ParamType::String)?.into_string().map(Self::Message),
            PANIC => tokens::into_number(one(ParamType::Uint(256))?).map(Self::Panic),
            selector => {
                let error = *DECLARED.get(&selector)?;
                let values = if arguments.is_empty() { Vec::new() } else { error.decode(arguments).ok()? };
                Some(Refusal::of(&error.name, values).map_or(Self::Other(&error.name), Self::Named))
            }
        }
    }
}

impl Refusal {
    /// The case for an error of this name; `None` when it has none, or other values than declared.
    fn of(name: &str, values: Vec<Token>) -> Option<Self> {
        let mut values = values.into_iter();
        Some(match name {
            "ChannelNotFound" => {
                let id = values.next()?.into_fixed_bytes()?;
                Self::ChannelNotFound(ChannelId::from_bytes(id.try_into().ok()?))
            }
            "InvalidStatus" => Self::InvalidStatus,
            "InvalidState" => Self::InvalidState,
            "InvalidAllocations" => Self::InvalidAllocations,
            "InvalidStateSignatures" => Self::InvalidStateSignatures,
            "InvalidChallengerSignature" => Self::InvalidChallengerSignature,
            "InvalidParticipant" => Self::InvalidParticipant,
            "InvalidAdjudicator" => Self::InvalidAdjudicator,
            "InvalidChallengePeriod" => Self::InvalidChallengePeriod,
            "InvalidValue" => Self::InvalidValue,
            "InvalidAmount" => Self::InvalidAmount,
            "InsufficientBalance" => Self::InsufficientBalance {
                available: tokens::into_amount(values.next()?)?,
                required: tokens::into_amount(values.next()?)?,
            },
            "TransferFailed" => Self::TransferFailed {
                token: tokens::into_address(values.next()?)?,
                to: tokens::into_address(values.next()?)?,
                amount: tokens::into_amount(values.next()?)?,
            },
            "ECDSAInvalidSignature" | "ECDSAInvalidSignatureLength" | "ECDSAInvalidSignatureS" => {
                Self::MalformedSignature
            }
            "ERC20InsufficientBalance" => Self::InsufficientTokens {
                available: tokens::into_amount(values.nth(1)?)?,
                required: tokens::into_amount(values.next()?)?,
            },
            "ERC20InsufficientAllowance" => Self::InsufficientAllowance {
                allowed: tokens::into_amount(values.nth(1)?)?,
                required: tokens::into_amount(values.next()?)?,
            },
            _ => return None,
        })
    }
}

impl fmt::Display for Revert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(refusal) => fmt::Display::fmt(refusal, f),
            Self::Other(name) => f.write_str(name),
            Self::Message(message) => f.write_str(message),
            Self::Panic(code) => write!(f, "failed check {code:#04x}"),
            Self::Unexplained(data) if data.is_empty() => f.write_str("without a reason"),
            Self::Unexplained(data) => write!(f, "unknown reason {}", encode_hex(data)),
        }
    }
}
