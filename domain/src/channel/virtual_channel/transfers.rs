//! How a virtual channel's money movements become transfers.

use std::collections::BTreeSet;

use crate::ledger::{AccountKey, Cause, Entry, LedgerError, Posting, Transfer, TransferKind};
use crate::primitives::{Address, ChannelId, Delta, Timestamp, Token};

use super::state::Allocations;

/// One transfer of the entries; none when there are no entries.
pub(super) fn transfers_of(
    kind: TransferKind,
    cause: Cause,
    at: Timestamp,
    entries: Vec<Entry>,
) -> Result<Vec<Transfer>, LedgerError> {
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![Transfer::new(kind, cause, at, entries)?])
}

/// The entries that lead the accounts of a virtual channel from one allocation to another: one for each
/// account that changes, of the difference alone.
pub(super) fn differences(channel: ChannelId, from: &Allocations, to: &Allocations) -> Vec<Entry> {
    let concerned: BTreeSet<&(Address, Token)> = from.keys().chain(to.keys()).collect();
    let entry = |whose: &(Address, Token)| {
        let amount_in = |allocations: &Allocations| allocations.get(whose).copied().unwrap_or_default();
        let posting = Posting::of(Delta::between(amount_in(from), amount_in(to)))?;
        Some(Entry { account: AccountKey::member(channel, whose.0, whose.1), posting })
    };
    concerned.into_iter().filter_map(entry).collect()
}
