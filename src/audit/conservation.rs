//! L1, the book's side: what is credited is debited, in every transfer and over the whole book.

use std::collections::BTreeMap;

use domain::ledger::{AccountKey, Side};
use domain::primitives::{Amount, Delta, Token};

use super::finding::{Finding, Findings, Problem};
use super::signed;
use crate::store::{EntryRow, TransferRow};

/// The fewest entries that can sum to zero.
const ENTRIES_MIN: u64 = 2;

/// The sums while the book is read, transfer by transfer. Needs memory per token, and per token of one transfer.
#[derive(Debug, Default)]
pub(super) struct Conservation {
    totals: BTreeMap<Token, Option<Delta>>,
    open: BTreeMap<Token, Sums>,
    entries: u64,
    findings: Findings,
}

/// What is on either side; `None` above 2^256 − 1.
#[derive(Debug, Clone, Copy)]
struct Sums {
    credits: Option<Amount>,
    debits: Option<Amount>,
}

impl Conservation {
    /// Counts an entry of the transfer being read; `key` is `None` when its account cannot be read.
    pub(super) fn entry(&mut self, entry: &EntryRow, key: Option<AccountKey>) {
        self.entries += 1;
        let Some(key) = key else { return };
        let zero = Some(Amount::ZERO);
        let sums = self.open.entry(key.token()).or_insert(Sums { credits: zero, debits: zero });
        let sum = match entry.posting.side() {
            Side::Credit => &mut sums.credits,
            Side::Debit => &mut sums.debits,
        };
        *sum = sum.and_then(|sum| sum.checked_add(entry.posting.amount()));
        self.total(entry, key);
    }

    /// Counts an entry that stands in no transfer; `current` is the one being read there.
    pub(super) fn stray(&mut self, entry: &EntryRow, key: Option<AccountKey>, current: Option<&TransferRow>) {
        let current = current.map_or("none".to_owned(), |row| row.id.to_string());
        let finding = Finding::new(Problem::WrongTransfer).on_account(entry.account, key).at_entry(entry);
        self.findings.push(finding.figures(current, entry.transfer));
        if let Some(key) = key {
            self.total(entry, key);
        }
    }

    /// Judges the transfer whose entries have been read.
    pub(super) fn end(&mut self, transfer: &TransferRow) {
        if self.entries < ENTRIES_MIN {
            let finding = Finding::new(Problem::TooFewEntries).in_transfer(transfer.id);
            self.findings.push(finding.figures(format_args!("at least {ENTRIES_MIN}"), self.entries));
        }
        self.entries = 0;
        for (token, sums) in std::mem::take(&mut self.open) {
            let (problem, credits, debits) = match (sums.credits, sums.debits) {
                (Some(credits), Some(debits)) if credits == debits => continue,
                (Some(credits), Some(debits)) => (Problem::Unbalanced, credits, debits),
                (credits, debits) => {
                    let max = Amount::MAX;
                    (Problem::Overflow, credits.unwrap_or(max), debits.unwrap_or(max))
                }
            };
            let finding = Finding::new(problem).in_transfer(transfer.id).at(format_args!("token {token}"));
            let (credits, debits) = (format_args!("debits of {credits}"), format_args!("debits of {debits}"));
            self.findings.push(finding.figures(credits, debits));
        }
    }

    /// What was found, the sums over the whole book included.
    pub(super) fn finish(mut self) -> Findings {
        for (token, total) in self.totals {
            let (problem, total) = match total {
                Some(Delta::Zero) => continue,
                Some(total) => (Problem::UnbalancedBook, total.to_string()),
                None => (Problem::Overflow, "more than 2^256 - 1".to_owned()),
            };
            let finding = Finding::new(problem).at(format_args!("credits less debits of token {token}"));
            self.findings.push(finding.figures(0, total));
        }
        self.findings
    }

    fn total(&mut self, entry: &EntryRow, key: AccountKey) {
        let total = self.totals.entry(key.token()).or_insert(Some(Delta::Zero));
        *total = total.and_then(|total| signed::sum(total, signed::change(entry.posting, Side::Credit)));
    }
}
