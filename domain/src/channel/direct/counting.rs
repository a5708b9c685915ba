//! Which channels in the custody contract count, and why others do not.
//!
//! Anybody can create channels with the broker's address in them. One that does not fit here is worth nothing
//! to the broker, or could not be enforced.

use thiserror::Error;

use crate::chain::RecordedState;
use crate::crypto::{DirectParams, DirectState, Intent, Signature, Signed};
use crate::primitives::{Address, ChannelId, Version};

use super::terms::{CONTRACT_CHALLENGE_SECS_MIN, Terms};

/// Why a channel never counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Error)]
pub enum IgnoreReason {
    /// The terms are those of another channel, or of another chain.
    #[error("the terms do not belong to this channel")]
    WrongTerms,
    /// States would be judged by a contract that the broker does not know.
    #[error("the adjudicator is not the broker's")]
    WrongAdjudicator,
    /// The second participant is not the broker.
    #[error("the second participant is not the broker")]
    WrongBroker,
    /// The first participant is the broker or nobody.
    #[error("the first participant is the broker or the zero address")]
    WrongOwner,
    /// The challenge is shorter than the contract allows or longer than the broker does.
    #[error("the challenge is out of range")]
    ChallengeOutOfRange,
    /// The first state is not an INITIALIZE of version 0.
    #[error("the first state is no INITIALIZE of version 0")]
    NotInitialize,
    /// The first state has data, which no INITIALIZE that the broker signs has.
    #[error("the first state has data")]
    WithData,
    /// The money would go to others than the participant and the broker, in this order.
    #[error("the allocations are not the participant's and the broker's, in this order")]
    WrongDestinations,
    /// The allocations are of two tokens, or of one that the broker is not configured for.
    #[error("the allocations are not of one configured token")]
    WrongToken,
    /// The broker would have to pay into it.
    #[error("the broker's allocation is above zero")]
    BrokerPays,
    /// The participant's signature is missing or none that a key made.
    #[error("the first state is not signed by the participant's key")]
    NotSignedByOwner,
    /// It was opened, but its creation was never seen.
    #[error("it was opened without having been created")]
    NeverCreated,
    /// The broker's own money is in it, without a settlement that says so.
    #[error("the broker paid for it without a settlement of this amount")]
    Unannounced,
}

/// The reasons in the order of their stored codes, from 1.
const REASONS: [IgnoreReason; 13] = [
    IgnoreReason::WrongTerms,
    IgnoreReason::WrongAdjudicator,
    IgnoreReason::WrongBroker,
    IgnoreReason::WrongOwner,
    IgnoreReason::ChallengeOutOfRange,
    IgnoreReason::NotInitialize,
    IgnoreReason::WithData,
    IgnoreReason::WrongDestinations,
    IgnoreReason::WrongToken,
    IgnoreReason::BrokerPays,
    IgnoreReason::NotSignedByOwner,
    IgnoreReason::NeverCreated,
    IgnoreReason::Unannounced,
];

impl IgnoreReason {
    /// The number that stands for this reason in the store; never reused.
    #[must_use]
    pub const fn code(self) -> u8 {
        // The table follows the order of the variants; a test holds them together.
        self as u8 + 1
    }

    /// The reason of a stored number; `None` for a number that stands for none.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        REASONS.into_iter().find(|reason| reason.code() == code)
    }
}

/// Whether a channel with these terms and this first state fits, its signature aside.
///
/// # Errors
/// The first reason that applies, in the order of [`IgnoreReason`].
pub(super) fn judge(
    terms: &Terms,
    id: ChannelId,
    params: &DirectParams,
    initial: &DirectState,
) -> Result<(), IgnoreReason> {
    let [owner, broker] = params.participants;
    let [part, rest] = &initial.allocations;
    let challenge_secs = CONTRACT_CHALLENGE_SECS_MIN..=terms.challenge_secs_max;
    let is_ours = params.chain_id == terms.chain_id && params.channel_id() == id;
    let rules = [
        (is_ours && initial.channel_id == id, IgnoreReason::WrongTerms),
        (params.adjudicator == terms.adjudicator, IgnoreReason::WrongAdjudicator),
        (broker == terms.broker, IgnoreReason::WrongBroker),
        (owner != broker && !owner.is_zero(), IgnoreReason::WrongOwner),
        (challenge_secs.contains(&params.challenge_secs), IgnoreReason::ChallengeOutOfRange),
        (
            initial.intent == Intent::Initialize && initial.version == Version::ZERO,
            IgnoreReason::NotInitialize,
        ),
        (initial.data.is_empty(), IgnoreReason::WithData),
        ([part.destination, rest.destination] == params.participants, IgnoreReason::WrongDestinations),
        (part.token == rest.token && terms.tokens.contains(&part.token), IgnoreReason::WrongToken),
        (rest.amount.is_zero(), IgnoreReason::BrokerPays),
    ];
    match rules.into_iter().find(|(holds, _)| !holds) {
        Some((_, reason)) => Err(reason),
        None => Ok(()),
    }
}

/// The participant's signature under the first state of a channel that fits.
///
/// The only place where a machine recovers a signature: what is on chain has passed no session.
///
/// # Errors
/// Those of [`judge`], then [`IgnoreReason::NotSignedByOwner`].
pub(super) fn judge_recorded(
    terms: &Terms,
    id: ChannelId,
    params: &DirectParams,
    initial: &RecordedState,
) -> Result<Signature, IgnoreReason> {
    // A version that no state of the broker has is no version 0; which one it is does not matter here.
    let version = initial.version.unwrap_or(Version::MAX);
    let state = DirectState {
        channel_id: id,
        intent: initial.intent,
        version,
        data: initial.data.clone(),
        allocations: initial.allocations,
    };
    judge(terms, id, params, &state)?;
    signature_of(terms, params.participants[0], state, initial).ok_or(IgnoreReason::NotSignedByOwner)
}

fn signature_of(
    terms: &Terms,
    owner: Address,
    state: DirectState,
    initial: &RecordedState,
) -> Option<Signature> {
    let signature = Signature::from_slice(initial.signatures.first()?).ok()?;
    Signed::verify_on(&terms.custody, state, &[signature], &[owner]).ok()?;
    Some(signature)
}

#[cfg(test)]
mod tests;
