//! Whether a state follows from the current one.
//!
//! Deliberately absent: phases and time, and who has approved of it.

use std::collections::BTreeMap;

use crate::crypto::{VirtualAllocations, VirtualIntent, VirtualState};
use crate::primitives::{Amount, Token, Version};

use super::error::WrongStateError;
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
    check_allocations(channel, &state.allocations)
}

fn check_intent(expected: VirtualIntent, actual: VirtualIntent) -> Result<(), WrongStateError> {
    match actual {
        VirtualIntent::Deposit | VirtualIntent::Withdraw => {
            Err(WrongStateError::UnsupportedIntent { intent: actual })
        }
        VirtualIntent::Operate | VirtualIntent::Close if actual == expected => Ok(()),
        VirtualIntent::Operate | VirtualIntent::Close => {
            Err(WrongStateError::WrongIntent { expected, actual })
        }
    }
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

fn check_allocations(
    channel: &VirtualChannel,
    allocations: &VirtualAllocations,
) -> Result<Allocations, WrongStateError> {
    let lines = allocations.as_slice();
    if VirtualAllocations::new(channel.members(), lines.iter().copied())? != *allocations {
        return Err(WrongStateError::AllocationsOutOfOrder);
    }
    let next: Allocations = lines.iter().map(|line| ((line.participant, line.token), line.amount)).collect();
    let (held, proposed) = (totals(&channel.allocations), totals(&next));
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
    Ok(next)
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
