//! Between ABI tokens and our values. Reading gives `None` for what does not fit.

use domain::chain::RecordedState;
use domain::crypto::{Allocation, DirectParams, Intent, Signature};
use domain::primitives::{Address, Amount, ChainId, ChannelId, Version};
use ethers_core::abi::Token;

use super::record::SignedState;
use crate::convert;

pub(crate) fn address(value: Address) -> Token {
    Token::Address(convert::h160(value))
}

pub(crate) fn amount(value: Amount) -> Token {
    Token::Uint(convert::u256(value))
}

pub(crate) fn number(value: u64) -> Token {
    Token::Uint(value.into())
}

pub(crate) fn channel_id(value: ChannelId) -> Token {
    Token::FixedBytes(value.as_bytes().to_vec())
}

pub(crate) fn signature(value: &Signature) -> Token {
    Token::Bytes(value.as_bytes().to_vec())
}

pub(crate) fn params(value: &DirectParams) -> Token {
    Token::Tuple(vec![
        Token::Array(value.participants.map(address).to_vec()),
        address(value.adjudicator),
        number(value.challenge_secs),
        number(value.nonce),
    ])
}

fn allocation(value: &Allocation) -> Token {
    Token::Tuple(vec![address(value.destination), address(value.token), amount(value.amount)])
}

pub(crate) fn state(value: &SignedState) -> Token {
    let SignedState { state, signatures } = value;
    Token::Tuple(vec![
        number(state.intent.number().into()),
        number(state.version.get()),
        Token::Bytes(state.data.clone()),
        Token::Array(state.allocations.iter().map(allocation).collect()),
        Token::Array(signatures.iter().map(signature).collect()),
    ])
}

pub(crate) fn states(values: &[SignedState]) -> Token {
    Token::Array(values.iter().map(state).collect())
}

pub(crate) fn into_address(token: Token) -> Option<Address> {
    token.into_address().map(convert::address)
}

pub(crate) fn into_amount(token: Token) -> Option<Amount> {
    token.into_uint().map(convert::amount)
}

pub(crate) fn into_number(token: Token) -> Option<u64> {
    token.into_uint().and_then(convert::number)
}

/// Takes a time in seconds. The contract adds up to 2^64 − 1 s to the present; what lies beyond that is never.
pub(crate) fn into_secs(token: Token) -> Option<u64> {
    token.into_uint().map(|value| convert::number(value).unwrap_or(u64::MAX))
}

/// Takes a list of exactly `N`.
pub(crate) fn into_list<const N: usize>(token: Token) -> Option<[Token; N]> {
    token.into_array()?.try_into().ok()
}

/// Takes a struct of exactly `N` fields.
fn into_struct<const N: usize>(token: Token) -> Option<[Token; N]> {
    token.into_tuple()?.try_into().ok()
}

pub(crate) fn into_params(token: Token, chain_id: ChainId) -> Option<DirectParams> {
    let [participants, adjudicator, challenge, nonce] = into_struct(token)?;
    let [first, second] = into_list(participants)?;
    Some(DirectParams {
        participants: [into_address(first)?, into_address(second)?],
        adjudicator: into_address(adjudicator)?,
        challenge_secs: into_number(challenge)?,
        nonce: into_number(nonce)?,
        chain_id,
    })
}

fn into_allocation(token: Token) -> Option<Allocation> {
    let [destination, token, amount] = into_struct(token)?;
    Some(Allocation {
        destination: into_address(destination)?,
        token: into_address(token)?,
        amount: into_amount(amount)?,
    })
}

pub(crate) fn into_state(token: Token) -> Option<RecordedState> {
    let [intent, version, data, allocations, signatures] = into_struct(token)?;
    let [first, second] = into_list(allocations)?;
    Some(RecordedState {
        intent: into_number(intent).and_then(|n| u8::try_from(n).ok()).and_then(Intent::from_number)?,
        version: convert::number(version.into_uint()?).and_then(Version::new),
        data: data.into_bytes()?,
        allocations: [into_allocation(first)?, into_allocation(second)?],
        signatures: signatures.into_array()?.into_iter().map(Token::into_bytes).collect::<Option<_>>()?,
    })
}
