//! What a refusal of an owner is on the wire: one table for all of them.

use domain::channel::MovementError;
use domain::channel::direct::{DirectError, IgnoreReason, Phase};
use domain::channel::virtual_channel::{
    AllocationError, DefinitionError, OpeningError, Phase as VirtualPhase, PlanError, QuorumError,
    VirtualChannelError, WrongStateError,
};
use domain::ledger::{LedgerError, OwnerId};
use domain::participant::{KEYS_MAX, KeyError, ParticipantError};
use domain::primitives::{Address, Amount, ChannelId, Token};
use domain::protocol::{Code, Details, Refusal};

use crate::actors::journal::NoPermit;
use crate::actors::request::Refused;
use crate::clock;

/// What a refusal is on the wire. `channel` is the channel that was asked, where there is one.
pub(super) fn of(refused: &Refused) -> Refusal {
    let says = |code| Refusal::new(code).saying(refused);
    match refused {
        Refused::NoPermit(error) => of_permit(error),
        Refused::NotFound { owner } => says(Code::UnknownChannel).with(of_owner(*owner)),
        Refused::Exists { owner } => says(Code::ChannelExists).with(of_owner(*owner)),
        Refused::Direct(error) => of_direct(error),
        Refused::Participant(error) => of_participant(error),
        Refused::Virtual(error) => of_virtual(error),
        Refused::Opening(error) => of_opening(error),
        Refused::LiquidityShort { token, available, requested } => {
            says(Code::LiquidityShort).with(short(*token, *available, *requested))
        }
        Refused::ChainUnavailable { chain_id } => {
            says(Code::ChainUnavailable).with(Details { chain_id: Some(*chain_id), ..Details::default() })
        }
        Refused::TooMany { max } => {
            says(Code::LimitReached).with(Details { max: u64::try_from(*max).ok(), ..Details::default() })
        }
        Refused::TooOften { retry_after_ms } => says(Code::RateLimited).retry_after_ms(*retry_after_ms),
        Refused::Overloaded => Refusal::new(Code::Overloaded),
        Refused::Unavailable => Refusal::new(Code::Unavailable),
    }
}

/// What it is on the wire that a room could not be reached.
pub(super) fn of_room(channel: ChannelId, refused: &Refused) -> Refusal {
    match refused {
        Refused::NotFound { .. } => unknown_channel(channel),
        Refused::NoPermit(_)
        | Refused::Exists { .. }
        | Refused::Direct(_)
        | Refused::Participant(_)
        | Refused::Virtual(_)
        | Refused::Opening(_)
        | Refused::LiquidityShort { .. }
        | Refused::TooMany { .. }
        | Refused::TooOften { .. }
        | Refused::ChainUnavailable { .. }
        | Refused::Overloaded
        | Refused::Unavailable => of(refused),
    }
}

/// There is no such channel, or it is none of the asker's.
pub(super) fn unknown_channel(channel: ChannelId) -> Refusal {
    Refusal::new(Code::UnknownChannel).with(Details { channel_id: Some(channel), ..Details::default() })
}

fn of_owner(owner: OwnerId) -> Details {
    let channel_id = match owner {
        OwnerId::Channel(id) => Some(id),
        OwnerId::Participant(_) | OwnerId::Network(_) => None,
    };
    Details { channel_id, ..Details::default() }
}

fn of_permit(error: &NoPermit) -> Refusal {
    let timed = |code| Refusal::new(code).with(Details { now: Some(clock::now()), ..Details::default() });
    match error {
        NoPermit::Conflict => Refusal::new(Code::Conflict),
        NoPermit::Early => timed(Code::Early),
        NoPermit::BeforeWindow => timed(Code::Expired),
        NoPermit::Overloaded => Refusal::new(Code::Overloaded),
        // Asked for the first answer before this is said; else nobody knows.
        NoPermit::Posted | NoPermit::InFlight(_) | NoPermit::Closed => Refusal::new(Code::Unavailable),
    }
}

fn short(token: Token, available: Amount, requested: Amount) -> Details {
    let (chain_id, address) = (Some(token.chain_id), Some(token.address));
    let (available, requested) = (Some(available), Some(requested));
    Details { chain_id, token: address, available, requested, ..Details::default() }
}

fn of_token(token: Token) -> Details {
    Details { chain_id: Some(token.chain_id), token: Some(token.address), ..Details::default() }
}

fn about(participant: Address) -> Details {
    Details { participant: Some(participant), ..Details::default() }
}

fn field(name: &str) -> Details {
    Details { field: Some(name.to_owned()), ..Details::default() }
}

fn of_direct(error: &DirectError) -> Refusal {
    let says = |code| Refusal::new(code).saying(error);
    match error {
        DirectError::WrongChannel { expected } => unknown_channel(*expected),
        DirectError::NotActive { phase: Phase::Closed } => says(Code::ChannelClosed),
        DirectError::NotActive { .. } => says(Code::UnknownChannel),
        DirectError::Frozen { .. } => says(Code::ChannelFrozen),
        DirectError::ChallengeTooShort { min_secs, .. } => {
            says(Code::ChallengeTooShort).with(Details { min: Some(*min_secs), ..Details::default() })
        }
        DirectError::WrongIntent { .. } => says(Code::InvalidState).with(field("states.state.intent")),
        DirectError::WrongData { .. } => says(Code::InvalidState).with(field("states.state.data")),
        DirectError::StaleVersion { current, .. } => {
            says(Code::StaleVersion).with(Details { current_version: Some(*current), ..Details::default() })
        }
        DirectError::VersionTooHigh { max, .. } => {
            let details = Details { max: Some(max.get()), ..field("states.state.version") };
            says(Code::InvalidState).with(details)
        }
        DirectError::WrongAllocations { .. }
        | DirectError::TotalDiffers { .. }
        | DirectError::PartDiffers { .. } => says(Code::InvalidState).with(field("states.state.allocations")),
        DirectError::NotSignedByOwner { owner } => {
            says(Code::MissingSignature).with(Details { participant: Some(*owner), ..Details::default() })
        }
        DirectError::Busy => Refusal::new(Code::Overloaded),
        DirectError::AlreadyKnown { .. } => says(Code::ChannelExists),
        DirectError::NeverCounts(IgnoreReason::ChallengeOutOfRange) => says(Code::ChallengeTooShort),
        DirectError::NeverCounts(_) | DirectError::NotTheSettlement => {
            says(Code::InvalidState).with(field("states.state"))
        }
        DirectError::NothingHeld => Refusal::new(Code::Unavailable),
        DirectError::Ledger(error) => of_ledger(error),
    }
}

fn of_participant(error: &ParticipantError) -> Refusal {
    let says = |code| Refusal::new(code).saying(error);
    match error {
        ParticipantError::PaysNobody | ParticipantError::PaysBroker | ParticipantError::PaysItself => {
            says(Code::InvalidDestination).with(field("destination"))
        }
        ParticipantError::NothingPaid | ParticipantError::ZeroPayment { .. } => {
            says(Code::InvalidAmount).with(field("allocations"))
        }
        ParticipantError::NoEffect => says(Code::MissingState),
        ParticipantError::NothingSettled => says(Code::InvalidAmount).with(field("amount")),
        ParticipantError::NothingHeld | ParticipantError::HeldDifferently => Refusal::new(Code::Unavailable),
        ParticipantError::TooManyHolds { .. } => Refusal::new(Code::Overloaded),
        ParticipantError::InsufficientBalance { token, available, requested } => {
            says(Code::InsufficientBalance).with(short(*token, *available, *requested))
        }
        ParticipantError::Overflow { token } => says(Code::InvalidAmount).with(of_token(*token)),
        ParticipantError::Key(error) => of_key(error),
        ParticipantError::Movement(error) => of_movement(error),
        ParticipantError::Ledger(error) => of_ledger(error),
    }
}

fn of_key(error: &KeyError) -> Refusal {
    let says = |code| Refusal::new(code).saying(error);
    match error {
        KeyError::NoKey { key } | KeyError::OutOfScope { key } => {
            says(Code::SessionKeyForbidden).with(about(*key))
        }
        KeyError::LifetimeOutOfBounds => says(Code::InvalidParams).with(field("expires_at")),
        KeyError::Exists { key } => says(Code::SessionKeyExists).with(about(*key)),
        KeyError::TooMany => {
            let max = u64::try_from(KEYS_MAX).ok();
            says(Code::LimitReached).with(Details { max, ..Details::default() })
        }
        KeyError::Unknown { key } => says(Code::UnknownSessionKey).with(about(*key)),
        KeyError::CapExceeded { asset, left, requested } => {
            let (asset, available, requested) = (Some(asset.clone()), Some(*left), Some(*requested));
            says(Code::SessionKeyCap).with(Details { asset, available, requested, ..Details::default() })
        }
        KeyError::Busy => Refusal::new(Code::Overloaded),
    }
}

fn of_movement(error: &MovementError) -> Refusal {
    let says = |code| Refusal::new(code).saying(error);
    match error {
        MovementError::ForeignPart { channel } | MovementError::RepeatedPart { channel } => {
            let details = Details { channel_id: Some(*channel), ..field("states") };
            says(Code::InvalidState).with(details)
        }
        MovementError::Overflow { token } => says(Code::InvalidAmount).with(of_token(*token)),
    }
}

fn of_ledger(error: &LedgerError) -> Refusal {
    let says = |code| Refusal::new(code).saying(error);
    match error {
        LedgerError::InsufficientBalance { account, available, requested } => {
            let participant = Some(account.participant());
            let details = Details { participant, ..short(account.token(), *available, *requested) };
            says(Code::InsufficientBalance).with(details)
        }
        LedgerError::ZeroEntry { .. } | LedgerError::NoEntries | LedgerError::Overflow { .. } => {
            says(Code::InvalidAmount)
        }
        LedgerError::Unbalanced { .. } | LedgerError::TokensDiffer { .. } => Refusal::new(Code::Unavailable),
    }
}

fn of_virtual(error: &VirtualChannelError) -> Refusal {
    let says = |code| Refusal::new(code).saying(error);
    match error {
        VirtualChannelError::Ended { phase: VirtualPhase::Expired | VirtualPhase::Lapsed } => {
            says(Code::ChannelExpired)
        }
        VirtualChannelError::Ended { .. } => says(Code::ChannelClosed),
        VirtualChannelError::WrongPhase { .. } => says(Code::WrongPhase),
        VirtualChannelError::NotTheGuest { .. } => says(Code::WrongRole),
        VirtualChannelError::TermsDiffer { field: differs } => says(Code::TermsDiffer).with(field(differs)),
        VirtualChannelError::WindowEnded { .. }
        | VirtualChannelError::LifetimeOver { .. }
        | VirtualChannelError::ProposalOver { .. } => says(Code::ChannelExpired),
        VirtualChannelError::MissingConsent { member } => says(Code::MissingSignature).with(about(*member)),
        VirtualChannelError::NoDirectChannel { member } => says(Code::NoDirectChannel).with(about(*member)),
        VirtualChannelError::WrongState(error) => of_wrong_state(error),
        VirtualChannelError::Quorum(error) => of_quorum(error),
        VirtualChannelError::Plan(error) => of_plan(error),
        VirtualChannelError::Ledger(error) => of_ledger(error),
    }
}

fn of_wrong_state(error: &WrongStateError) -> Refusal {
    let says = |code| Refusal::new(code).saying(error);
    match error {
        WrongStateError::WrongChannel { actual, .. } => unknown_channel(*actual),
        WrongStateError::WrongDirection { participant, token, .. } => {
            says(Code::InvalidAmount).with(Details { participant: Some(*participant), ..of_token(*token) })
        }
        WrongStateError::NothingMoves => says(Code::InvalidAmount).with(field("allocations")),
        WrongStateError::TooManyTokens => says(Code::LimitReached),
        WrongStateError::StaleVersion { current, .. } | WrongStateError::VersionGap { current, .. } => {
            says(Code::StaleVersion).with(Details { current_version: Some(*current), ..Details::default() })
        }
        WrongStateError::WrongBroker { .. }
        | WrongStateError::WrongIntent { .. }
        | WrongStateError::WrongDataHash { .. }
        | WrongStateError::AllocationsOutOfOrder => says(Code::InvalidState),
        WrongStateError::DataTooLarge { .. } => says(Code::InvalidParams).with(field("session_data")),
        WrongStateError::Allocations(error) => Refusal::from(error),
        WrongStateError::UnknownToken { token } => says(Code::UnknownToken).with(of_token(*token)),
        WrongStateError::TotalOverflow { token } => says(Code::InvalidAmount).with(of_token(*token)),
        WrongStateError::ConservationBroken { token, total, proposed } => {
            says(Code::TotalDiffers).with(short(*token, *total, *proposed))
        }
    }
}

fn of_quorum(error: &QuorumError) -> Refusal {
    let says = |code| Refusal::new(code).saying(error);
    match error {
        QuorumError::SignedByStranger { signer } => {
            says(Code::UnknownSigner).with(Details { recovered: Some(*signer), ..Details::default() })
        }
        QuorumError::QuorumNotReached { sum, quorum } => {
            let (reached, required) = (Some(*sum), Some(*quorum));
            says(Code::QuorumNotReached).with(Details { reached, required, ..Details::default() })
        }
    }
}

fn of_plan(error: &PlanError) -> Refusal {
    let says = |code| Refusal::new(code).saying(error);
    match error {
        PlanError::TooManyParts { .. } => says(Code::LimitReached),
        PlanError::PartOfStranger { participant, channel } => {
            let (participant, channel_id) = (Some(*participant), Some(*channel));
            says(Code::NotAMember).with(Details { participant, channel_id, ..Details::default() })
        }
        PlanError::RepeatedPart { channel } => {
            says(Code::InvalidState).with(Details { channel_id: Some(*channel), ..field("states") })
        }
        PlanError::Movement(error) => of_movement(error),
    }
}

fn of_opening(error: &OpeningError) -> Refusal {
    let says = |code| Refusal::new(code).saying(error);
    match error {
        OpeningError::Definition(DefinitionError::UnsupportedProtocol { .. }) => {
            says(Code::UnsupportedProtocol)
        }
        OpeningError::Definition(error) => says(Code::InvalidDefinition).with(field(part_of(error))),
        OpeningError::DataTooLarge { .. } => says(Code::InvalidParams).with(field("session_data")),
        OpeningError::Allocation(error) => of_allocation(error),
        OpeningError::NotARoom { .. } => says(Code::InvalidDefinition).with(field("definition.participants")),
        OpeningError::NotTheHost { .. } => says(Code::WrongRole),
        OpeningError::AcceptanceOutOfBounds { .. } => {
            says(Code::InvalidParams).with(field("accept_within_secs"))
        }
        OpeningError::Signers(error) => of_quorum(error),
        OpeningError::MissingSignature { member } => says(Code::MissingSignature).with(about(*member)),
        OpeningError::NoDirectChannel { member } => says(Code::NoDirectChannel).with(about(*member)),
        OpeningError::Plan(error) => of_plan(error),
        OpeningError::Ledger(error) => of_ledger(error),
    }
}

fn part_of(error: &DefinitionError) -> &'static str {
    match error {
        DefinitionError::UnsupportedProtocol { .. } => "definition.protocol",
        DefinitionError::TooFewParticipants { .. }
        | DefinitionError::TooManyParticipants { .. }
        | DefinitionError::ZeroParticipant { .. }
        | DefinitionError::BrokerIsParticipant
        | DefinitionError::DuplicateParticipant { .. } => "definition.participants",
        DefinitionError::WeightsDoNotMatch { .. } | DefinitionError::WeightsOverflow => "definition.weights",
        DefinitionError::ZeroQuorum | DefinitionError::QuorumAboveWeights { .. } => "definition.quorum",
        DefinitionError::LifetimeOutOfBounds { .. } => "definition.challenge",
        DefinitionError::ZeroNonce => "definition.nonce",
        DefinitionError::ApplicationTooLong { .. } => "definition.application",
    }
}

fn of_allocation(error: &AllocationError) -> Refusal {
    let says = |code| Refusal::new(code).saying(error);
    match error {
        AllocationError::NotAMember { participant } => {
            says(Code::NotAMember).with(Details { participant: Some(*participant), ..Details::default() })
        }
        AllocationError::UnknownToken { token } => says(Code::UnknownToken).with(of_token(*token)),
        AllocationError::Zero { .. }
        | AllocationError::Repeated { .. }
        | AllocationError::TotalOverflow { .. } => says(Code::InvalidAmount).with(field("allocations")),
        AllocationError::TooManyTokens => says(Code::LimitReached),
    }
}

#[cfg(test)]
mod tests {
    use domain::channel::virtual_channel::Phase;
    use domain::primitives::Timestamp;

    use super::*;

    #[test]
    fn what_ended_by_time_is_told_apart_from_what_was_closed() {
        let over = VirtualChannelError::WindowEnded { window_ends_at: Timestamp::from_millis(1) };
        let cases = [
            (over, Code::ChannelExpired),
            (VirtualChannelError::Ended { phase: Phase::Expired }, Code::ChannelExpired),
            (VirtualChannelError::Ended { phase: Phase::Closed }, Code::ChannelClosed),
        ];
        for (error, code) in cases {
            assert_eq!(of(&Refused::Virtual(error)).code, code);
        }
    }
}
