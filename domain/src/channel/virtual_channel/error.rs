//! Why a virtual channel refuses an event.

use thiserror::Error;

use crate::crypto::{VirtualAllocationsError, VirtualIntent};
use crate::ledger::LedgerError;
use crate::primitives::{Address, Amount, ChannelId, Digest, Timestamp, Token, Version};

use super::opening::TOKENS_MAX;
use super::phase::Phase;
use super::plan::PlanError;
use super::quorum::QuorumError;
use super::state::DATA_BYTES_MAX;

/// Why a virtual channel refuses an event. Nothing has changed.
///
/// Of several reasons the first in the order of the variants is given.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum VirtualChannelError {
    /// The channel has ended.
    #[error("the virtual channel has ended: {phase}")]
    Ended {
        /// How.
        phase: Phase,
    },
    /// This cannot be done in the phase that it is in: before it opens only proposals can be answered, and after it
    /// only states handed in.
    #[error("the virtual channel is {phase}")]
    WrongPhase {
        /// The phase.
        phase: Phase,
    },
    /// Only the Guest can accept.
    #[error("this is for the Guest to do, not for {participant}")]
    NotTheGuest {
        /// Who wanted to.
        participant: Address,
    },
    /// The time to accept is over; the Host's share is about to go back.
    #[error("the proposal could be accepted until {accept_by}")]
    ProposalOver {
        /// When it ended.
        accept_by: Timestamp,
    },
    /// What is accepted is not what was proposed.
    #[error("the {field} accepted are not those proposed")]
    TermsDiffer {
        /// What differs: `allocations` or `session_data`.
        field: &'static str,
    },
    /// The lifetime is over: money neither comes in nor goes out but by the end.
    #[error("the lifetime ended at {expires_at}")]
    LifetimeOver {
        /// When it ended.
        expires_at: Timestamp,
    },
    /// The window in which a state could still be handed in is over; the channel is about to be paid.
    #[error("the window after the lifetime ended at {window_ends_at}")]
    WindowEnded {
        /// When it ended.
        window_ends_at: Timestamp,
    },
    /// The state does not follow from the current one.
    #[error(transparent)]
    WrongState(#[from] WrongStateError),
    /// Too few have approved of the state, or somebody who is no member.
    #[error(transparent)]
    Quorum(#[from] QuorumError),
    /// A member whose share comes in has not signed the request.
    #[error("{member} puts money in and has not signed the request")]
    MissingConsent {
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

/// Why a state does not follow from the current one.
///
/// Of several reasons the first in the order of the variants is given.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WrongStateError {
    /// It is a state of another broker.
    #[error("state names broker {actual}, expected {expected}")]
    WrongBroker {
        /// This broker.
        expected: Address,
        /// The broker in the state.
        actual: Address,
    },
    /// It is a state of another channel.
    #[error("state names channel {actual}, expected {expected}")]
    WrongChannel {
        /// This channel.
        expected: ChannelId,
        /// The channel in the state.
        actual: ChannelId,
    },
    /// It is for something else than what it was handed in for.
    #[error("state has intent {}, expected {}", name_of(*.actual), name_of(*.expected))]
    WrongIntent {
        /// What it was handed in for.
        expected: VirtualIntent,
        /// What it is for.
        actual: VirtualIntent,
    },
    /// Its version is not above the current one.
    #[error("version {proposed} is stale, current is {current}")]
    StaleVersion {
        /// The version of the last agreed state.
        current: Version,
        /// The version of the state.
        proposed: Version,
    },
    /// Its version leaves some out.
    #[error("version {proposed} does not follow on {current}")]
    VersionGap {
        /// The version of the last agreed state.
        current: Version,
        /// The version of the state.
        proposed: Version,
    },
    /// The members' data is longer than [`DATA_BYTES_MAX`].
    #[error("data has at most {DATA_BYTES_MAX} bytes, got {bytes}")]
    DataTooLarge {
        /// How long it is, in bytes of UTF-8.
        bytes: usize,
    },
    /// The state holds the hash of other data.
    #[error("data has the hash {actual}, the state holds {signed}")]
    WrongDataHash {
        /// The hash of the data that was handed in.
        actual: Digest,
        /// The hash in the state.
        signed: Digest,
    },
    /// Somebody who is no member would get something.
    #[error(transparent)]
    Allocations(#[from] VirtualAllocationsError),
    /// The allocations do not stand in the order of this channel's members.
    #[error("allocations must be sorted by member in the order of the definition, chain id and token")]
    AllocationsOutOfOrder,
    /// A deposit takes something from a member, or a withdrawal gives something to one.
    #[error("{participant} has {current} of {token} and cannot have {proposed} after this")]
    WrongDirection {
        /// The member.
        participant: Address,
        /// The token.
        token: Token,
        /// What it has.
        current: Amount,
        /// What it would have.
        proposed: Amount,
    },
    /// A deposit puts nothing in, or a withdrawal takes nothing out.
    #[error("no money moves")]
    NothingMoves,
    /// With the deposit there are more tokens than [`TOKENS_MAX`].
    #[error("a virtual channel has at most {TOKENS_MAX} tokens")]
    TooManyTokens,
    /// A token that the channel holds nothing of.
    #[error("the virtual channel holds nothing of {token}")]
    UnknownToken {
        /// The token.
        token: Token,
    },
    /// The allocations of a token sum to more than 2^256 − 1.
    #[error("allocations of {token} sum to more than 2^256 - 1")]
    TotalOverflow {
        /// The token.
        token: Token,
    },
    /// The members would get more or less of a token than the channel holds.
    #[error("allocations of {token} sum to {proposed}, the virtual channel holds {total}")]
    ConservationBroken {
        /// The token.
        token: Token,
        /// What the channel holds.
        total: Amount,
        /// What the allocations sum to.
        proposed: Amount,
    },
}

fn name_of(intent: VirtualIntent) -> &'static str {
    match intent {
        VirtualIntent::Operate => "operate",
        VirtualIntent::Deposit => "deposit",
        VirtualIntent::Withdraw => "withdraw",
        VirtualIntent::Close => "close",
    }
}
