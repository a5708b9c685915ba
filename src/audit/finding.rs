//! What an audit finds: one broken rule at one place of the book.

use std::fmt::{self, Display};

use domain::ledger::AccountKey;

use crate::store::{AccountId, AccountRow, EntryId, EntryRow, TransferId};

/// The most findings of one law that are kept in full; the rest are counted. One damaged row can break
/// thousands of rules after it.
const FINDINGS_KEPT_MAX: usize = 50;

/// A rule that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Problem {
    /// A row that this program cannot have written.
    DamagedRow,
    /// A number is missing in a table whose numbers have no gaps.
    MissingNumber,
    /// A table ends before the number that the head gives as the last.
    EndsBeforeHead,
    /// A row has a number above the one that the head gives as the last.
    BeyondHead,
    /// An entry is on an account that does not exist.
    NoSuchAccount,
    /// An entry names a transfer that is not the one being written there.
    WrongTransfer,
    /// A transfer has fewer than two entries.
    TooFewEntries,
    /// Credits and debits of a token differ within a transfer.
    Unbalanced,
    /// Credits and debits of a token differ over the whole book.
    UnbalancedBook,
    /// An account was below zero on its normal side.
    Overdrawn,
    /// A balance, or a sum of entries, is above 2^256 − 1.
    Overflow,
    /// An entry does not name the entry before it on its account.
    WrongPrevious,
    /// The newest entry that an account names is no entry of its own.
    WrongLastEntry,
    /// An account was posted to after the newest entry that it names.
    StaleAccount,
    /// A balance is not what the entries come to.
    WrongBalance,
    /// More postings by others are counted on an account than it has entries.
    TooManyCredits,
    /// What brought transfers about was applied again later.
    AppliedTwice,
    /// One cause brought about the same transfer twice.
    SaidTwice,
    /// A chain event waits to be applied although a transfer names it as its cause.
    AppliedButWaiting,
    /// An account of a channel does not hold what the channel's state pays.
    NotItsState,
    /// The state of a channel cannot be read.
    UnreadableState,
    /// An account holds money of a channel that has no state.
    NoState,
    /// A contract holds less than the book says.
    Deficit,
}

impl Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DamagedRow => "a row cannot have been written by this program",
            Self::MissingNumber => "a number is missing",
            Self::EndsBeforeHead => "the table ends before the number in the head",
            Self::BeyondHead => "the number lies beyond the one in the head",
            Self::NoSuchAccount => "an entry on an account that does not exist",
            Self::WrongTransfer => "an entry of another transfer than the one it stands in",
            Self::TooFewEntries => "a transfer of fewer than two entries",
            Self::Unbalanced => "credits and debits of a transfer differ",
            Self::UnbalancedBook => "credits and debits of a token differ over the book",
            Self::Overdrawn => "the account was below zero",
            Self::Overflow => "a sum above 2^256 - 1",
            Self::WrongPrevious => "the entry does not name the one before it on its account",
            Self::WrongLastEntry => "the newest entry named by the account is not its own",
            Self::StaleAccount => "the account was posted to after the newest entry it names",
            Self::WrongBalance => "the stored balance is not what the entries come to",
            Self::TooManyCredits => "more postings by others are counted than the account has entries",
            Self::AppliedTwice => "what brought the transfer about had been applied before",
            Self::SaidTwice => "one cause brought about the same transfer twice",
            Self::AppliedButWaiting => "a chain event waits although a transfer applies it",
            Self::NotItsState => "the account does not hold what the channel's state pays",
            Self::UnreadableState => "the state of a channel cannot be read",
            Self::NoState => "the account holds money of a channel that has no state",
            Self::Deficit => "the contract holds less than the book says",
        })
    }
}

/// A broken rule, the place where it is broken, and the figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub problem: Problem,
    /// The account; `None` when the rule is about none.
    pub account: Option<NamedAccount>,
    /// The transfer; `None` when the rule is about none.
    pub transfer: Option<TransferId>,
    /// The entry; `None` when the rule is about none.
    pub entry: Option<EntryId>,
    /// What else names the place, such as a token or a table; `None` where nothing else does.
    pub place: Option<String>,
    /// What should be there; `None` where the rule says it.
    pub expected: Option<String>,
    /// What is there instead; `None` where the rule says it.
    pub actual: Option<String>,
}

/// An account by its number, and by its name if there is such an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedAccount {
    /// Its number.
    pub id: AccountId,
    /// Its name; `None` when no account of that number can be read.
    pub key: Option<AccountKey>,
}

impl Finding {
    pub(super) const fn new(problem: Problem) -> Self {
        Self {
            problem,
            account: None,
            transfer: None,
            entry: None,
            place: None,
            expected: None,
            actual: None,
        }
    }

    pub(super) fn on(self, row: &AccountRow) -> Self {
        self.on_account(row.id, Some(row.key))
    }

    pub(super) fn on_account(mut self, id: AccountId, key: Option<AccountKey>) -> Self {
        self.account = Some(NamedAccount { id, key });
        self
    }

    pub(super) fn at_entry(mut self, row: &EntryRow) -> Self {
        self.entry = Some(row.id);
        self.transfer = Some(row.transfer);
        self
    }

    pub(super) fn in_transfer(mut self, id: TransferId) -> Self {
        self.transfer = Some(id);
        self
    }

    pub(super) fn at(mut self, place: impl Display) -> Self {
        self.place = Some(place.to_string());
        self
    }

    pub(super) fn figures(mut self, expected: impl Display, actual: impl Display) -> Self {
        self.expected = Some(expected.to_string());
        self.actual = Some(actual.to_string());
        self
    }
}

impl Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.problem)?;
        let mut separator = ": ";
        let mut part = |f: &mut fmt::Formatter<'_>, text: fmt::Arguments<'_>| {
            f.write_str(std::mem::replace(&mut separator, ", "))?;
            f.write_fmt(text)
        };
        if let Some(account) = &self.account {
            part(f, format_args!("{account}"))?;
        }
        if let Some(entry) = self.entry {
            part(f, format_args!("entry {entry}"))?;
        }
        if let Some(transfer) = self.transfer {
            part(f, format_args!("transfer {transfer}"))?;
        }
        if let Some(place) = &self.place {
            part(f, format_args!("{place}"))?;
        }
        if let Some(expected) = &self.expected {
            part(f, format_args!("expected {expected}"))?;
        }
        if let Some(actual) = &self.actual {
            part(f, format_args!("found {actual}"))?;
        }
        Ok(())
    }
}

impl Display for NamedAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key {
            Some(key) => write!(f, "account {} ({key})", self.id),
            None => write!(f, "account {}", self.id),
        }
    }
}

/// What was found against one law: the first findings in full, all of them counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    found: u64,
    kept: Vec<Finding>,
}

impl Findings {
    pub(super) fn push(&mut self, finding: Finding) {
        self.found += 1;
        if self.kept.len() < FINDINGS_KEPT_MAX {
            self.kept.push(finding);
        }
    }

    pub(super) fn append(&mut self, others: Self) {
        let not_kept = others.found - others.kept.len() as u64;
        others.kept.into_iter().for_each(|finding| self.push(finding));
        self.found += not_kept;
    }

    /// How many there are.
    #[must_use]
    pub fn found(&self) -> u64 {
        self.found
    }

    /// The first of them, in the order of the book.
    #[must_use]
    pub fn kept(&self) -> &[Finding] {
        &self.kept
    }
}
