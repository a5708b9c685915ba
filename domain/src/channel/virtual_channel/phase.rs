//! Where in its life a virtual channel is, and what may come next.

use std::fmt;

/// Where in its life a virtual channel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// The Host has proposed it and put its share in; the Guest has not answered yet.
    Proposed,
    /// Members agree on states, one after another.
    Open,
    /// Its lifetime is over. A member may still hand in a higher state that was agreed on.
    Expiring,
    /// Ended by agreement.
    Closed,
    /// Ended by itself, and paid by the last agreed state.
    Expired,
    /// Never opened: the Guest did not want it.
    Rejected,
    /// Never opened: the Host took it back, or was gone.
    Cancelled,
    /// Never opened: the Guest did not answer in time.
    Lapsed,
}

/// What leads from one phase to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The Guest accepted.
    Accept,
    /// The Guest refused.
    Reject,
    /// The Host took its proposal back, or was gone for too long.
    Cancel,
    /// The time to accept is over.
    Lapse,
    /// A state was agreed on.
    Update,
    /// The members agreed to end it.
    Close,
    /// The lifetime is over.
    Expire,
    /// The window after the lifetime is over.
    PayOut,
}

/// The legal transitions; there are no others.
const TRANSITIONS: [(Phase, Step, Phase); 10] = [
    (Phase::Proposed, Step::Accept, Phase::Open),
    (Phase::Proposed, Step::Reject, Phase::Rejected),
    (Phase::Proposed, Step::Cancel, Phase::Cancelled),
    (Phase::Proposed, Step::Lapse, Phase::Lapsed),
    (Phase::Open, Step::Update, Phase::Open),
    (Phase::Open, Step::Close, Phase::Closed),
    (Phase::Open, Step::Expire, Phase::Expiring),
    (Phase::Expiring, Step::Update, Phase::Expiring),
    (Phase::Expiring, Step::Close, Phase::Closed),
    (Phase::Expiring, Step::PayOut, Phase::Expired),
];

impl Phase {
    /// Every phase, in the order of their stored codes.
    pub const ALL: [Self; 8] = [
        Self::Open,
        Self::Expiring,
        Self::Closed,
        Self::Expired,
        Self::Proposed,
        Self::Rejected,
        Self::Cancelled,
        Self::Lapsed,
    ];

    /// The phase that the step leads to; `None` when it is not legal in this one.
    #[must_use]
    pub fn after(self, step: Step) -> Option<Self> {
        TRANSITIONS.into_iter().find(|row| (row.0, row.1) == (self, step)).map(|row| row.2)
    }

    /// Whether the channel has ended: it holds no money and nothing can happen to it (L6).
    #[must_use]
    pub fn is_end(self) -> bool {
        TRANSITIONS.into_iter().all(|row| row.0 != self)
    }

    /// The number that stands for this phase in the store; never reused.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Open => 1,
            Self::Expiring => 2,
            Self::Closed => 3,
            Self::Expired => 4,
            Self::Proposed => 5,
            Self::Rejected => 6,
            Self::Cancelled => 7,
            Self::Lapsed => 8,
        }
    }

    /// The phase of a stored number; `None` for a number that stands for none.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.code() == code)
    }

    /// The name shown to people and on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Expiring => "expiring",
            Self::Closed => "closed",
            Self::Expired => "expired",
            Self::Proposed => "proposed",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::Lapsed => "lapsed",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [(Step, &str); 8] = [
        (Step::Accept, "accept"),
        (Step::Reject, "reject"),
        (Step::Cancel, "cancel"),
        (Step::Lapse, "lapse"),
        (Step::Update, "update"),
        (Step::Close, "close"),
        (Step::Expire, "expire"),
        (Step::PayOut, "pay out"),
    ];

    #[test]
    fn every_phase_has_its_own_code_and_name() {
        for phase in Phase::ALL {
            assert_eq!(Phase::from_code(phase.code()), Some(phase));
            let same =
                Phase::ALL.into_iter().filter(|p| p.code() == phase.code() || p.name() == phase.name());
            assert_eq!(same.count(), 1);
        }
        assert_eq!(Phase::from_code(0), None);
        assert_eq!(Phase::from_code(9), None);
    }

    #[test]
    fn an_end_is_left_by_no_step() {
        for phase in Phase::ALL {
            let leads_on = STEPS.into_iter().any(|(step, _)| phase.after(step).is_some());
            assert_eq!(phase.is_end(), !leads_on, "{phase}");
            let lives = matches!(phase, Phase::Proposed | Phase::Open | Phase::Expiring);
            assert_eq!(phase.is_end(), !lives, "{phase}");
        }
    }

    #[test]
    fn the_diagram_shows_the_table() {
        let readme = include_str!("README.md");
        let name = |phase: Phase| format!("{phase:?}");
        let mut drawn: Vec<&str> = readme.lines().map(str::trim).filter(|l| l.contains("-->")).collect();
        let mut expected =
            vec![format!("[*] --> {}", name(Phase::Open)), format!("[*] --> {}", name(Phase::Proposed))];
        for phase in Phase::ALL {
            for (step, label) in STEPS {
                if let Some(next) = phase.after(step) {
                    expected.push(format!("{} --> {}: {label}", name(phase), name(next)));
                }
            }
            if phase.is_end() {
                expected.push(format!("{} --> [*]", name(phase)));
            }
        }
        drawn.sort_unstable();
        expected.sort_unstable();
        assert_eq!(drawn, expected);
    }
}
