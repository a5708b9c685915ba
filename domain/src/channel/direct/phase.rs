//! Where in its life a direct channel is, and the one table of how it gets on.

use std::fmt;

/// Where in its life a direct channel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Nothing is known of it.
    Void,
    /// A settlement will create it; nothing of it is on chain.
    Announced,
    /// The settlement that was to create it has failed; somebody else may still create it.
    Abandoned,
    /// It is on chain and would count, but both sides are not in.
    Created,
    /// It counts, and its parts move by co-signed states.
    Active,
    /// A FINALIZE is agreed: frozen until the chain shows the end.
    Closing,
    /// It is challenged on chain: frozen.
    Disputed,
    /// The chain shows what the broker never agreed to: frozen until its end.
    Halted,
    /// It has ended on chain; its id never counts again.
    Closed,
    /// It never counts.
    Ignored,
}

/// What leads from one phase to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// A settlement is to create it.
    Announce,
    /// The settlement failed.
    Abandon,
    /// It was created on chain and fits.
    Create,
    /// It was created or opened on chain and does not count.
    Ignore,
    /// Both sides came in.
    Open,
    /// The end was agreed.
    Finalize,
    /// A state was handed in as a challenge.
    Challenge,
    /// The challenge was answered, and no FINALIZE is agreed.
    Reopen,
    /// The challenge was answered while a FINALIZE is agreed.
    ReopenClosing,
    /// The chain shows what the broker never agreed to.
    Halt,
    /// It ended on chain.
    Close,
}

/// Every legal step. What is not here does not happen: a request is refused, a chain event changes nothing.
pub(super) const TABLE: [(Phase, Step, Phase); 26] = [
    (Phase::Void, Step::Announce, Phase::Announced),
    (Phase::Void, Step::Create, Phase::Created),
    (Phase::Void, Step::Ignore, Phase::Ignored),
    (Phase::Void, Step::Close, Phase::Closed),
    (Phase::Announced, Step::Abandon, Phase::Abandoned),
    (Phase::Announced, Step::Create, Phase::Created),
    (Phase::Announced, Step::Ignore, Phase::Ignored),
    (Phase::Announced, Step::Close, Phase::Closed),
    (Phase::Abandoned, Step::Create, Phase::Created),
    (Phase::Abandoned, Step::Ignore, Phase::Ignored),
    (Phase::Abandoned, Step::Close, Phase::Closed),
    (Phase::Created, Step::Open, Phase::Active),
    (Phase::Created, Step::Ignore, Phase::Ignored),
    (Phase::Created, Step::Close, Phase::Closed),
    (Phase::Active, Step::Finalize, Phase::Closing),
    (Phase::Active, Step::Challenge, Phase::Disputed),
    (Phase::Active, Step::Halt, Phase::Halted),
    (Phase::Active, Step::Close, Phase::Closed),
    (Phase::Closing, Step::Challenge, Phase::Disputed),
    (Phase::Closing, Step::Halt, Phase::Halted),
    (Phase::Closing, Step::Close, Phase::Closed),
    (Phase::Disputed, Step::Reopen, Phase::Active),
    (Phase::Disputed, Step::ReopenClosing, Phase::Closing),
    (Phase::Disputed, Step::Halt, Phase::Halted),
    (Phase::Disputed, Step::Close, Phase::Closed),
    (Phase::Halted, Step::Close, Phase::Closed),
];

impl Phase {
    /// Every phase, in the order of their stored codes.
    pub const ALL: [Self; 10] = [
        Self::Void,
        Self::Announced,
        Self::Abandoned,
        Self::Created,
        Self::Active,
        Self::Closing,
        Self::Disputed,
        Self::Halted,
        Self::Closed,
        Self::Ignored,
    ];

    /// The number that stands for this phase in the store; never reused.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Void => 0,
            Self::Announced => 1,
            Self::Abandoned => 2,
            Self::Created => 3,
            Self::Active => 4,
            Self::Closing => 5,
            Self::Disputed => 6,
            Self::Halted => 7,
            Self::Closed => 8,
            Self::Ignored => 9,
        }
    }

    /// The phase of a stored number; `None` for a number that stands for none.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.code() == code)
    }

    /// The name shown to people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Void => "void",
            Self::Announced => "announced",
            Self::Abandoned => "abandoned",
            Self::Created => "created",
            Self::Active => "active",
            Self::Closing => "closing",
            Self::Disputed => "disputed",
            Self::Halted => "halted",
            Self::Closed => "closed",
            Self::Ignored => "ignored",
        }
    }

    /// Whether the channel's money counts: it is in the contract, and the book has it.
    #[must_use]
    pub const fn is_counted(self) -> bool {
        match self {
            Self::Active | Self::Closing | Self::Disputed | Self::Halted => true,
            Self::Void | Self::Announced | Self::Abandoned | Self::Created | Self::Closed | Self::Ignored => {
                false
            }
        }
    }

    /// The phase that `step` leads to; `None` when there is no such step from here.
    pub(super) fn after(self, step: Step) -> Option<Self> {
        TABLE.into_iter().find(|row| (row.0, row.1) == (self, step)).map(|row| row.2)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests;
