//! Whether a state follows from the current one.
//!
//! Deliberately absent: phases and time, and who has approved of it.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use crate::crypto::{VirtualAllocations, VirtualIntent, VirtualState};
use crate::primitives::{Amount, Token, Version};

use super::error::WrongStateError;
use super::opening::TOKENS_MAX;
use super::state::{Allocations, DATA_BYTES_MAX, VirtualChannel};

/// Which versions follow on the current one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Versions {
    /// The next one only.
    Next,
    /// Every higher one: members may have agreed on states that they never handed in.
    Higher,
}

/// Checks a state against the current one and returns its allocations.
///
/// # Errors
/// First that applies, in the order of the variants of [`WrongStateError`]; of those about one token, the
/// first of the first token by chain and address.
pub(super) fn check_next(
    channel: &VirtualChannel,
    state: &VirtualState,
    data: Option<&str>,
    intent: VirtualIntent,
    versions: Versions,
) -> Result<Allocations, WrongStateError> {
    if state.broker != channel.broker {
        return Err(WrongStateError::WrongBroker { expected: channel.broker, actual: state.broker });
    }
    if state.channel_id != channel.id {
        return Err(WrongStateError::WrongChannel { expected: channel.id, actual: state.channel_id });
    }
    check_intent(intent, state.intent)?;
    check_version(channel.version, state.version, versions)?;
    let bytes = data.map_or(0, str::len);
    if bytes > DATA_BYTES_MAX {
        return Err(WrongStateError::DataTooLarge { bytes });
    }
    let actual = VirtualState::hash_of_data(data);
    if actual != state.data_hash {
        return Err(WrongStateError::WrongDataHash { actual, signed: state.data_hash });
    }
    let next = ordered(channel, &state.allocations)?;
    match intent {
        VirtualIntent::Operate | VirtualIntent::Close => check_conserved(&channel.allocations, &next)?,
        VirtualIntent::Deposit => check_one_way(&channel.allocations, &next, Ordering::Less)?,
        VirtualIntent::Withdraw => check_one_way(&channel.allocations, &next, Ordering::Greater)?,
    }
    Ok(next)
}

fn check_intent(expected: VirtualIntent, actual: VirtualIntent) -> Result<(), WrongStateError> {
    if actual == expected { Ok(()) } else { Err(WrongStateError::WrongIntent { expected, actual }) }
}

fn check_version(current: Version, proposed: Version, versions: Versions) -> Result<(), WrongStateError> {
    if proposed <= current {
        return Err(WrongStateError::StaleVersion { current, proposed });
    }
    match versions {
        Versions::Next if current.next() != Some(proposed) => {
            Err(WrongStateError::VersionGap { current, proposed })
        }
        Versions::Next | Versions::Higher => Ok(()),
    }
}

fn ordered(
    channel: &VirtualChannel,
    allocations: &VirtualAllocations,
) -> Result<Allocations, WrongStateError> {
    let lines = allocations.as_slice();
    if VirtualAllocations::new(channel.members(), lines.iter().copied())? != *allocations {
        return Err(WrongStateError::AllocationsOutOfOrder);
    }
    Ok(lines.iter().map(|line| ((line.participant, line.token), line.amount)).collect())
}

/// The total of each token stays.
fn check_conserved(current: &Allocations, next: &Allocations) -> Result<(), WrongStateError> {
    let (held, proposed) = (totals(current), totals(next));
    if let Some(token) = proposed.keys().find(|token| !held.contains_key(token)) {
        return Err(WrongStateError::UnknownToken { token: *token });
    }
    for (token, total) in held {
        let proposed = proposed.get(&token).copied().unwrap_or(Some(Amount::ZERO));
        let (total, proposed) = total.zip(proposed).ok_or(WrongStateError::TotalOverflow { token })?;
        if proposed != total {
            return Err(WrongStateError::ConservationBroken { token, total, proposed });
        }
    }
    Ok(())
}

/// Something moves, nobody's money in the forbidden direction, and what there is afterwards can be counted.
fn check_one_way(
    current: &Allocations,
    next: &Allocations,
    forbidden: Ordering,
) -> Result<(), WrongStateError> {
    let mut moves = false;
    let concerned: BTreeSet<_> = current.keys().chain(next.keys()).copied().collect();
    for (participant, token) in concerned {
        let amount_in = |lines: &Allocations| lines.get(&(participant, token)).copied().unwrap_or_default();
        let (current, proposed) = (amount_in(current), amount_in(next));
        let direction = proposed.cmp(&current);
        if direction == forbidden {
            return Err(WrongStateError::WrongDirection { participant, token, current, proposed });
        }
        moves |= direction.is_ne();
    }
    if !moves {
        return Err(WrongStateError::NothingMoves);
    }
    let totals = totals(next);
    if totals.len() > TOKENS_MAX {
        return Err(WrongStateError::TooManyTokens);
    }
    match totals.into_iter().find(|(_, total)| total.is_none()) {
        Some((token, _)) => Err(WrongStateError::TotalOverflow { token }),
        None => Ok(()),
    }
}

/// What the members have together, per token; `None` above 2^256 − 1.
fn totals(allocations: &Allocations) -> BTreeMap<Token, Option<Amount>> {
    let mut totals = BTreeMap::new();
    for ((_, token), amount) in allocations {
        let total = totals.entry(*token).or_insert(Some(Amount::ZERO));
        *total = total.and_then(|total| total.checked_add(*amount));
    }
    totals
}
