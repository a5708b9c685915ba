//! What an audit comes to: a verdict for each law.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use super::finding::Findings;
use crate::store::Head;

/// The laws that an audit looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Law {
    /// Credits equal debits, in each transfer and over the book.
    Conservation,
    /// The contracts hold what the book says they hold.
    Custody,
    /// No account was ever below zero.
    Solvency,
    /// Everything was applied once.
    Once,
    /// The entries come to the stored balances, and no row is missing.
    Replay,
    /// Accounts of direct channels equal what their co-signed states pay.
    Enforceable,
    /// Accounts of virtual channels equal what their agreed states pay.
    Agreed,
}

impl Law {
    /// Every law, in the order of a report.
    pub const ALL: [Self; 7] = [
        Self::Conservation,
        Self::Custody,
        Self::Solvency,
        Self::Once,
        Self::Replay,
        Self::Enforceable,
        Self::Agreed,
    ];

    /// The name by which documents and machines know it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Conservation => "L1",
            Self::Custody => "L1_chain",
            Self::Solvency => "L2",
            Self::Once => "L3",
            Self::Replay => "L7",
            Self::Enforceable => "L11",
            Self::Agreed => "virtual",
        }
    }

    /// The law in a few words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Conservation => "credits equal debits",
            Self::Custody => "the contracts hold what the book says",
            Self::Solvency => "no account was ever below zero",
            Self::Once => "everything was applied once",
            Self::Replay => "the entries come to the stored balances",
            Self::Enforceable => "direct channels hold what their co-signed states pay",
            Self::Agreed => "virtual channels hold what their agreed states pay",
        }
    }
}

/// What an audit says of one law.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It was checked and holds.
    Holds,
    /// It does not hold; there is at least one finding.
    Broken(Findings),
    /// It was not checked, or not all of it; nothing that was checked broke it.
    NotChecked(Unchecked),
}

/// Why a law was not checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unchecked {
    /// Only the book was asked for.
    BookOnly,
    /// This program does not know how the states are stored that the law is about.
    UnknownStates,
}

impl Display for Unchecked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BookOnly => f.write_str("only the book was read, no chain was asked"),
            Self::UnknownStates => f.write_str("this program does not read the states of such channels"),
        }
    }
}

impl Verdict {
    pub(super) fn of(findings: Findings) -> Self {
        if findings.found() == 0 { Self::Holds } else { Self::Broken(findings) }
    }
}

/// What was read, and what it comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Where the book ended when the audit began.
    pub head: Head,
    /// How many accounts were read.
    pub accounts: u64,
    /// How many transfers were read.
    pub transfers: u64,
    /// How many entries were read.
    pub entries: u64,
    /// A verdict for every law.
    pub laws: BTreeMap<Law, Verdict>,
}

impl Report {
    /// Whether no law was found broken.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        !self.laws.values().any(|verdict| matches!(verdict, Verdict::Broken(_)))
    }
}
