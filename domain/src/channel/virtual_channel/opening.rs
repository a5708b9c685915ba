//! Whether a virtual channel may be opened, and what its opening moves.
//!
//! Deliberately absent: whether the members can pay (their wallets and direct channels say so when they are
//! asked to hold), and whether the id is taken (the directory and the store know).

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use crate::channel::{PartMove, Transition};
use crate::crypto::{Definition, Signers, VirtualAllocation, VirtualIntent};
use crate::ledger::{Cause, LedgerError, RequestKey, TransferKind};
use crate::primitives::{Address, Amount, Timestamp, Token, Version};

use super::definition_rules::{DefinitionError, check_definition};
use super::effect::{Change, VirtualChannelEffect};
use super::phase::Phase;
use super::plan::{Flow, Flows, Plan, PlanError};
use super::proposal::ACCEPT_SECS_MAX;
use super::quorum::{QuorumError, check_signers};
use super::state::{Allocations, DATA_BYTES_MAX, VirtualChannel, approvals_of};
use super::transfers::{differences, transfers_of};

/// The most tokens in one virtual channel; with the number of members it bounds every state.
pub const TOKENS_MAX: usize = 16;

/// The version of an opening.
pub(super) const FIRST: u64 = 1;

/// What the members ask for, with the proof that they do.
#[derive(Debug, Clone)]
pub struct OpeningRequest {
    /// The request that asks.
    pub request: RequestKey,
    /// The terms.
    pub definition: Definition,
    /// What each member puts in; none for a channel without money.
    pub allocations: Vec<VirtualAllocation>,
    /// The members' own data.
    pub data: Option<String>,
    /// Who signed the request, or a carried state with its hash.
    pub signers: Signers,
    /// The parts that members move along with it. What a member pays and no part gives comes from its wallet.
    pub parts: Vec<PartMove>,
}

/// What the broker knows and demands when a virtual channel is opened.
#[derive(Debug, Clone, Copy)]
pub struct OpeningTerms<'a> {
    /// The broker's own address.
    pub broker: Address,
    /// The tokens that it keeps books of.
    pub tokens: &'a BTreeSet<Token>,
    /// Those of the members that have an ACTIVE direct channel, of any token; others may be in it too.
    pub with_direct_channel: &'a BTreeSet<Address>,
    /// How long states may still be handed in after the lifetime, in seconds.
    pub expiry_window_secs: u64,
}

/// An opening that is in order, to be committed once everybody in the plan holds its share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The channel as it begins.
    pub channel: VirtualChannel,
    /// The transfer that fills it, none without money; and whom to tell.
    pub transition: Transition<VirtualChannelEffect>,
    /// What it moves in the members' wallets and direct channels.
    pub plan: Plan,
}

/// Why a virtual channel is not opened.
///
/// Of several reasons the first in the order of the variants is given.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OpeningError {
    /// The terms are not accepted.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// The members' data is longer than [`DATA_BYTES_MAX`].
    #[error("data has at most {DATA_BYTES_MAX} bytes, got {bytes}")]
    DataTooLarge {
        /// How long it is, in bytes of UTF-8.
        bytes: usize,
    },
    /// An allocation is wrong by itself.
    #[error(transparent)]
    Allocation(#[from] AllocationError),
    /// Only a room of two can be proposed.
    #[error("only a room of two can be proposed, this has {members} members")]
    NotARoom {
        /// How many members it has.
        members: usize,
    },
    /// Only the Host proposes: the first of the members.
    #[error("this is for the Host to propose, not for {participant}")]
    NotTheHost {
        /// Who wanted to.
        participant: Address,
    },
    /// The time to accept is nothing, or longer than [`ACCEPT_SECS_MAX`].
    #[error("a proposal can be accepted for 1 to {ACCEPT_SECS_MAX} seconds, got {secs}")]
    AcceptanceOutOfBounds {
        /// How long it would be.
        secs: u64,
    },
    /// Somebody signed who is no member.
    #[error(transparent)]
    Signers(#[from] QuorumError),
    /// A member has not signed.
    #[error("{member} has not signed the opening")]
    MissingSignature {
        /// The first who has not, in the order of the definition.
        member: Address,
    },
    /// A member has no ACTIVE direct channel.
    #[error("{member} has no active direct channel")]
    NoDirectChannel {
        /// The first who has none, in the order of the definition.
        member: Address,
    },
    /// The carried parts cannot be moved along with it.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The entries make no transfer: amounts leave 2^256 − 1.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Why an allocation is wrong by itself.
///
/// Of several reasons about the first bad line the first in the order of the variants is given.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AllocationError {
    /// It is that of somebody who is no member.
    #[error("{participant} is no member")]
    NotAMember {
        /// Who it is.
        participant: Address,
    },
    /// The broker keeps no book of the token.
    #[error("token {token} is not known")]
    UnknownToken {
        /// The token.
        token: Token,
    },
    /// It is one of nothing.
    #[error("allocation of {token} to {participant} must be above zero")]
    Zero {
        /// The member.
        participant: Address,
        /// The token.
        token: Token,
    },
    /// It is the second for its member and token.
    #[error("more than one allocation of {token} to {participant}")]
    Repeated {
        /// The member.
        participant: Address,
        /// The token.
        token: Token,
    },
    /// With it the members put in more than 2^256 − 1 of a token.
    #[error("allocations of {token} sum to more than 2^256 - 1")]
    TotalOverflow {
        /// The token.
        token: Token,
    },
    /// With it there are more tokens than [`TOKENS_MAX`].
    #[error("a virtual channel has at most {TOKENS_MAX} tokens")]
    TooManyTokens,
}

/// Judges an opening. Its lifetime runs from `now`.
///
/// # Errors
/// First that applies, in the order of the variants of [`OpeningError`].
pub fn open(
    request: OpeningRequest,
    terms: &OpeningTerms<'_>,
    now: Timestamp,
) -> Result<Opened, OpeningError> {
    let OpeningRequest { request, definition, allocations, data, signers, parts } = request;
    let allocations = check_shares(&definition, &allocations, data.as_deref(), terms)?;
    let members = &definition.participants;
    check_members(members, &signers, terms.with_direct_channel)?;
    let plan = Plan::new(members, paid(&allocations), &parts)?;
    let id = definition.channel_id();
    let mut entries = plan.entries().to_vec();
    entries.extend(differences(id, &Allocations::new(), &allocations));
    let transfers = transfers_of(TransferKind::VirtualOpened, Cause::Request(request), now, entries)?;
    let expires_at = now.plus_millis(millis(definition.challenge));
    let channel = VirtualChannel {
        id,
        broker: terms.broker,
        definition,
        phase: Phase::Open,
        version: Version::new(FIRST).expect("1 is a version"),
        intent: VirtualIntent::Operate,
        allocations,
        data,
        approvals: approvals_of(&signers),
        created_at: now,
        updated_at: now,
        expires_at,
        window_ends_at: expires_at.plus_millis(millis(terms.expiry_window_secs)),
    };
    let effects = vec![channel.notice(Change::Opened)];
    Ok(Opened { channel, transition: Transition { transfers, effects }, plan })
}

/// What is wrong with the terms and shares by themselves, whoever has signed them; the shares, if nothing is.
pub(super) fn check_shares(
    definition: &Definition,
    allocations: &[VirtualAllocation],
    data: Option<&str>,
    terms: &OpeningTerms<'_>,
) -> Result<Allocations, OpeningError> {
    check_definition(definition, terms.broker)?;
    let bytes = data.map_or(0, str::len);
    if bytes > DATA_BYTES_MAX {
        return Err(OpeningError::DataTooLarge { bytes });
    }
    Ok(check_allocations(&definition.participants, allocations, terms.tokens)?)
}

/// These shares as what their members pay.
pub(super) fn paid(shares: &Allocations) -> Flows {
    let paid = |amount: &Amount| Flow { paid: *amount, ..Flow::default() };
    shares.iter().map(|(whose, amount)| (*whose, paid(amount))).collect()
}

pub(super) fn millis(secs: u64) -> u64 {
    secs.saturating_mul(1_000)
}

fn check_allocations(
    members: &[Address],
    lines: &[VirtualAllocation],
    tokens: &BTreeSet<Token>,
) -> Result<Allocations, AllocationError> {
    let mut allocations = Allocations::new();
    let mut totals: BTreeMap<Token, Amount> = BTreeMap::new();
    for VirtualAllocation { participant, token, amount } in lines.iter().copied() {
        if !members.contains(&participant) {
            return Err(AllocationError::NotAMember { participant });
        }
        if !tokens.contains(&token) {
            return Err(AllocationError::UnknownToken { token });
        }
        if amount.is_zero() {
            return Err(AllocationError::Zero { participant, token });
        }
        if allocations.insert((participant, token), amount).is_some() {
            return Err(AllocationError::Repeated { participant, token });
        }
        let total = totals.entry(token).or_default();
        *total = total.checked_add(amount).ok_or(AllocationError::TotalOverflow { token })?;
        if totals.len() > TOKENS_MAX {
            return Err(AllocationError::TooManyTokens);
        }
    }
    Ok(allocations)
}

fn check_members(
    members: &[Address],
    signers: &Signers,
    with_direct_channel: &BTreeSet<Address>,
) -> Result<(), OpeningError> {
    check_signers(members, signers)?;
    if let Some(member) = members.iter().copied().find(|member| !signers.contains(*member)) {
        return Err(OpeningError::MissingSignature { member });
    }
    check_direct_channels(members, with_direct_channel)
        .map_err(|member| OpeningError::NoDirectChannel { member })
}

/// The first of the members who has no direct channel, if there is one.
pub(super) fn check_direct_channels(
    members: &[Address],
    with_direct_channel: &BTreeSet<Address>,
) -> Result<(), Address> {
    members.iter().copied().find(|member| !with_direct_channel.contains(member)).map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests;
