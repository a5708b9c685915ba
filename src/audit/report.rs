//! What an audit comes to: a verdict for each law.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use domain::primitives::{Amount, ChainId, Token};

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
    /// The book has read nothing of the chain yet.
    NeverRead {
        /// The chain.
        chain_id: ChainId,
    },
    /// An event of the chain waits to be taken in.
    NotDrained {
        /// The chain.
        chain_id: ChainId,
        /// The height of the event's block.
        height: u64,
    },
    /// The block up to which the book has read is no longer on the chain.
    Reorganised {
        /// The chain.
        chain_id: ChainId,
        /// The height of the block.
        height: u64,
    },
    /// The chain did not answer.
    ChainUnavailable {
        /// The chain.
        chain_id: ChainId,
        /// What it or its node said.
        reason: String,
    },
    /// Something changed again and again while it was looked at.
    Moving {
        /// What.
        what: String,
    },
}

impl Display for Unchecked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BookOnly => f.write_str("only the book was read, no chain was asked"),
            Self::NeverRead { chain_id } => write!(f, "the book has read nothing of chain {chain_id} yet"),
            Self::NotDrained { chain_id, height } => {
                write!(f, "an event of chain {chain_id} in block {height} waits to be taken in")
            }
            Self::Reorganised { chain_id, height } => {
                write!(f, "block {height} of chain {chain_id} is not the one that the book has read")
            }
            Self::ChainUnavailable { chain_id, reason } => {
                write!(f, "chain {chain_id} did not answer: {reason}")
            }
            Self::Moving { what } => write!(f, "{what} changed while it was looked at, try again"),
        }
    }
}

/// What a contract holds for the broker above what the book says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Surplus {
    /// The token.
    pub token: Token,
    /// How much more, above zero.
    pub amount: Amount,
}

/// What the broker owes of a token above what it has: somebody was paid twice, once on chain, and the broker bears it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortfall {
    /// The token.
    pub token: Token,
    /// How much, above zero.
    pub amount: Amount,
}

impl Verdict {
    pub(super) fn of(findings: Findings) -> Self {
        if findings.found() == 0 { Self::Holds } else { Self::Broken(findings) }
    }

    /// What was found outweighs what was not checked.
    pub(super) fn of_part(findings: Findings, unchecked: Option<Unchecked>) -> Self {
        match (Self::of(findings), unchecked) {
            (Self::Holds, Some(why)) => Self::NotChecked(why),
            (verdict, _) => verdict,
        }
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
    /// What contracts hold that nobody has booked: no fault, since anybody can give to the broker.
    pub surpluses: Vec<Surplus>,
    /// What the broker has to put in so that everybody can be paid: no fault of the book, which says so itself.
    pub shortfalls: Vec<Shortfall>,
}

impl Report {
    /// Whether no law was found broken.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        !self.laws.values().any(|verdict| matches!(verdict, Verdict::Broken(_)))
    }

    /// Whether every law was checked that was asked for.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let is_missing = |verdict: &Verdict| match verdict {
            Verdict::Holds | Verdict::Broken(_) | Verdict::NotChecked(Unchecked::BookOnly) => false,
            Verdict::NotChecked(_) => true,
        };
        !self.laws.values().any(is_missing)
    }
}
