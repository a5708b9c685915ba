//! The bytes that call the custody contract: what it is told to do. Who sends them decides whose money moves.

use domain::crypto::{DirectParams, Signature};
use domain::primitives::{Address, Amount, ChannelId};

use super::artifact::CUSTODY;
use super::record::SignedState;
use super::tokens;

/// Adds to an account's available balance, paid by the sender: the coin as the transaction's value, a
/// token by an allowance given before.
#[must_use]
pub fn deposit(account: Address, token: Address, amount: Amount) -> Vec<u8> {
    CUSTODY.call("deposit", &[tokens::address(account), tokens::address(token), tokens::amount(amount)])
}

/// Pays the sender out of its available balance.
#[must_use]
pub fn withdraw(token: Address, amount: Amount) -> Vec<u8> {
    CUSTODY.call("withdraw", &[tokens::address(token), tokens::amount(amount)])
}

/// Opens a channel; allocation 0 is taken from the sender's available balance. With one signature it
/// waits for [`join`], with two it is active at once.
#[must_use]
pub fn create(params: &DirectParams, initial: &SignedState) -> Vec<u8> {
    CUSTODY.call("create", &[tokens::params(params), tokens::state(initial)])
}

/// [`deposit`] to the sender and [`create`] in one.
#[must_use]
pub fn deposit_and_create(
    token: Address,
    amount: Amount,
    params: &DirectParams,
    initial: &SignedState,
) -> Vec<u8> {
    let arguments =
        [tokens::address(token), tokens::amount(amount), tokens::params(params), tokens::state(initial)];
    CUSTODY.call("depositAndCreate", &arguments)
}

/// Activates a channel that side 1 has not signed yet; its allocation is taken from side 1's available balance.
#[must_use]
pub fn join(channel_id: ChannelId, signature: &Signature) -> Vec<u8> {
    /// The only side that can join.
    const SIDE: u64 = 1;
    let arguments = [tokens::channel_id(channel_id), tokens::number(SIDE), tokens::signature(signature)];
    CUSTODY.call("join", &arguments)
}

/// Hands in a newer state; answers a challenge.
#[must_use]
pub fn checkpoint(candidate: &SignedState) -> Vec<u8> {
    with_candidate("checkpoint", candidate, &[])
}

/// Begins a dispute with the state that the contract has or a newer one. The signature is under the
/// challenge of that state, by either participant.
#[must_use]
pub fn challenge(candidate: &SignedState, challenger: &Signature) -> Vec<u8> {
    let arguments = [
        tokens::channel_id(candidate.state.channel_id),
        tokens::state(candidate),
        tokens::states(&[]),
        tokens::signature(challenger),
    ];
    CUSTODY.call("challenge", &arguments)
}

/// Changes how much money the channel holds. `proof` is the state that the contract has or a newer one,
/// of the version before `candidate`'s.
#[must_use]
pub fn resize(candidate: &SignedState, proof: &SignedState) -> Vec<u8> {
    with_candidate("resize", candidate, std::slice::from_ref(proof))
}

/// Ends a channel by agreement; after the expiry of a challenge, by the state that the contract has,
/// whatever is handed in.
#[must_use]
pub fn close(candidate: &SignedState) -> Vec<u8> {
    with_candidate("close", candidate, &[])
}

fn with_candidate(function: &str, candidate: &SignedState, proofs: &[SignedState]) -> Vec<u8> {
    let arguments =
        [tokens::channel_id(candidate.state.channel_id), tokens::state(candidate), tokens::states(proofs)];
    CUSTODY.call(function, &arguments)
}
