//! L2: no account was below zero on its normal side at any point of its history, and none overflowed.

use domain::primitives::Delta;

use super::finding::{Finding, Findings, Problem};
use super::rebuilt::Posted;
use crate::store::EntryRow;

/// What is wrong after an entry that did this: told once, where it begins.
pub(super) fn check(entry: &EntryRow, posted: Posted, findings: &mut Findings) {
    let finding = |problem| Finding::new(problem).on_account(entry.account, Some(posted.key)).at_entry(entry);
    match (posted.before, posted.after) {
        (Some(Delta::Zero | Delta::More(_)), Some(after @ Delta::Less(_))) => {
            findings.push(finding(Problem::Overdrawn).figures("at least 0", after));
        }
        (Some(_), None) => {
            findings.push(finding(Problem::Overflow).figures("at most 2^256 - 1", "more"));
        }
        (Some(_), Some(_)) | (None, _) => {}
    }
}
