//! L7: the entries come to the stored balances, and each account's entries are chained without a gap.
//!
//! An account is compared at the entry that its row names as the newest, not at the end of the book: rows
//! that are read while the journal writes are then judged by what they knew.

use std::collections::{BTreeMap, BTreeSet};

use domain::ledger::{AccountKey, AccountKind, OwnerId};
use domain::primitives::{ChainId, Delta, Token};

use super::finding::{Finding, Findings, Problem};
use super::report::Shortfall;
use super::signed;
use crate::store::{AccountId, AccountRow, EntryId, EntryRow};

/// The accounts while their entries are read again. Needs about 300 bytes an account.
#[derive(Debug)]
pub(super) struct Rebuilt {
    accounts: BTreeMap<AccountId, Standing>,
    /// The last entry of which every account row read must know.
    known_entry: EntryId,
    findings: Findings,
}

#[derive(Debug)]
struct Standing {
    row: AccountRow,
    /// What the entries so far come to on the normal side; `None` after it left ±(2^256 − 1).
    balance: Option<Delta>,
    last: Option<EntryId>,
    entries: u64,
    /// Whether the entry that the row names as the newest was met.
    is_met: bool,
    is_stale: bool,
}

/// What an entry did to its account.
#[derive(Debug, Clone, Copy)]
pub(super) struct Posted {
    pub(super) key: AccountKey,
    /// The balance before; `None` when it has left what can be counted.
    pub(super) before: Option<Delta>,
    /// The balance after, alike.
    pub(super) after: Option<Delta>,
}

impl Rebuilt {
    /// Begins with no accounts. Account rows must be read after the journal wrote entry `known_entry`.
    pub(super) fn new(known_entry: EntryId) -> Self {
        Self { accounts: BTreeMap::new(), known_entry, findings: Findings::default() }
    }

    /// Takes an account in; all of them before the first entry.
    pub(super) fn account(&mut self, row: AccountRow) {
        let standing = Standing {
            balance: Some(Delta::Zero),
            last: None,
            entries: 0,
            is_met: false,
            is_stale: false,
            row,
        };
        self.accounts.insert(standing.row.id, standing);
    }

    /// The newest entry that any account names, if it is not above `max`, else `max`.
    pub(super) fn last_entry(&self, max: EntryId) -> EntryId {
        let named = self.accounts.values().map(|standing| standing.row.last_entry);
        named.max().unwrap_or_default().min(max)
    }

    /// The chains whose tokens there are accounts in.
    pub(super) fn chains(&self) -> BTreeSet<ChainId> {
        self.accounts.values().map(|standing| standing.row.key.token().chain_id).collect()
    }

    /// The accounts of channels that hold something, by their rows.
    pub(super) fn funded_channels(&self) -> BTreeMap<AccountKey, AccountRow> {
        let rows = self.accounts.values().map(|standing| &standing.row);
        let funded =
            rows.filter(|row| matches!(row.key.owner(), Some(OwnerId::Channel(_))) && !row.balance.is_zero());
        funded.map(|row| (row.key, row.clone())).collect()
    }

    /// What the broker owes above what it has, per token.
    pub(super) fn shortfalls(&self) -> Vec<Shortfall> {
        let rows = self.accounts.values().map(|standing| &standing.row);
        let short = rows.filter(|row| row.key.kind() == AccountKind::Shortfall && !row.balance.is_zero());
        short.map(|row| Shortfall { token: row.key.token(), amount: row.balance }).collect()
    }

    /// The tokens that there are `custody` accounts of.
    pub(super) fn custody_tokens(&self) -> BTreeSet<Token> {
        let keys = self.accounts.values().map(|standing| standing.row.key);
        keys.filter(|key| key.kind() == AccountKind::Custody).map(|key| key.token()).collect()
    }

    /// The name of an account; `None` when there is none of that number.
    pub(super) fn key(&self, id: AccountId) -> Option<AccountKey> {
        self.accounts.get(&id).map(|standing| standing.row.key)
    }

    /// Posts an entry again; `None` when its account does not exist.
    pub(super) fn entry(&mut self, entry: &EntryRow) -> Option<Posted> {
        let Some(standing) = self.accounts.get_mut(&entry.account) else {
            let finding = Finding::new(Problem::NoSuchAccount).on_account(entry.account, None);
            self.findings.push(finding.at_entry(entry));
            return None;
        };
        let key = standing.row.key;
        if entry.previous != standing.last {
            let finding = Finding::new(Problem::WrongPrevious).on(&standing.row).at_entry(entry);
            self.findings.push(finding.figures(or_none(standing.last), or_none(entry.previous)));
        }
        let before = standing.balance;
        let change = signed::change(entry.posting, key.kind().normal_side());
        standing.balance = before.and_then(|balance| signed::sum(balance, change));
        standing.last = Some(entry.id);
        standing.entries += 1;
        if entry.id == standing.row.last_entry {
            standing.is_met = true;
            compare(standing, entry, &mut self.findings);
        } else if standing.row.last_entry < entry.id && entry.id <= self.known_entry && !standing.is_stale {
            standing.is_stale = true;
            let finding = Finding::new(Problem::StaleAccount).on(&standing.row).at_entry(entry);
            self.findings.push(finding.figures(entry.id, standing.row.last_entry));
        }
        Some(Posted { key, before, after: standing.balance })
    }

    /// What was found, accounts included whose newest entry was never met.
    pub(super) fn finish(mut self) -> Findings {
        for standing in self.accounts.values().filter(|standing| !standing.is_met) {
            let finding = Finding::new(Problem::WrongLastEntry).on(&standing.row);
            self.findings.push(finding.figures(or_none(standing.last), standing.row.last_entry));
            if balance(standing) != standing.row.balance.to_string() {
                let finding = Finding::new(Problem::WrongBalance).on(&standing.row);
                self.findings.push(finding.figures(balance(standing), standing.row.balance));
            }
        }
        self.findings
    }
}

/// Compares an account's row with what its entries come to, at the newest entry it names.
fn compare(standing: &Standing, entry: &EntryRow, findings: &mut Findings) {
    let row = &standing.row;
    if standing.balance.and_then(signed::balance) != Some(row.balance) {
        let finding = Finding::new(Problem::WrongBalance).on(row).at_entry(entry);
        findings.push(finding.figures(balance(standing), row.balance));
    }
    if row.credit_no > standing.entries {
        let finding = Finding::new(Problem::TooManyCredits).on(row).at_entry(entry);
        findings.push(finding.figures(format_args!("at most {}", standing.entries), row.credit_no));
    }
}

/// What the entries come to, for people: may be below zero.
fn balance(standing: &Standing) -> String {
    match standing.balance {
        None => "more than 2^256 - 1".to_owned(),
        Some(sum) => signed::balance(sum).map_or_else(|| sum.to_string(), |balance| balance.to_string()),
    }
}

fn or_none(entry: Option<EntryId>) -> String {
    entry.map_or_else(|| "none".to_owned(), |id| id.to_string())
}
