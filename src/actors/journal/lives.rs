//! Counts channels that come into being and end, as their states are written.

use domain::channel::{direct, virtual_channel};

use crate::metrics::Figures;
use crate::store::{StateKind, StateRow};

/// Where in its life a channel is, as far as it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Life {
    /// It does not count, or not yet.
    Before,
    Open,
    Closed,
    Expired,
}

/// Counts what the state `row` changes; `before` is the phase that it replaces.
pub(super) fn count(figures: &Figures, before: Option<u8>, row: &StateRow) {
    let life = |phase: Option<u8>| match row.kind {
        StateKind::Direct => phase.and_then(direct::Phase::from_code).map_or(Life::Before, of_direct),
        StateKind::Virtual => {
            phase.and_then(virtual_channel::Phase::from_code).map_or(Life::Before, of_virtual)
        }
        StateKind::Participant | StateKind::Sender => Life::Before,
    };
    let (before, after) = (life(before), life(Some(row.phase)));
    if before == after {
        return;
    }
    let is_direct = row.kind == StateKind::Direct;
    let counter = match (before, after) {
        (Life::Before, Life::Open) if is_direct => &figures.direct_channels_opened,
        (Life::Before, Life::Open) => &figures.virtual_channels_opened,
        (Life::Open, Life::Closed) if is_direct => &figures.direct_channels_closed,
        (Life::Open, Life::Closed) => &figures.virtual_channels_closed,
        (Life::Open, Life::Expired) => &figures.virtual_channels_expired,
        // A channel that ended without having counted, and one that opened and ended in one batch.
        (Life::Before | Life::Open | Life::Closed | Life::Expired, _) => return,
    };
    counter.inc();
}

fn of_direct(phase: direct::Phase) -> Life {
    use direct::Phase;
    match phase {
        Phase::Void | Phase::Announced | Phase::Abandoned | Phase::Created | Phase::Ignored => Life::Before,
        Phase::Active | Phase::Closing | Phase::Disputed | Phase::Halted => Life::Open,
        Phase::Closed => Life::Closed,
    }
}

fn of_virtual(phase: virtual_channel::Phase) -> Life {
    use virtual_channel::Phase;
    match phase {
        Phase::Proposed | Phase::Rejected | Phase::Cancelled | Phase::Lapsed => Life::Before,
        Phase::Open | Phase::Expiring => Life::Open,
        Phase::Closed => Life::Closed,
        Phase::Expired => Life::Expired,
    }
}

#[cfg(test)]
mod tests {
    use domain::ledger::OwnerId;
    use domain::primitives::{ChannelId, Timestamp};

    use super::*;
    use crate::store::Revision;

    #[test]
    fn a_channel_is_counted_once_when_it_opens_and_once_when_it_ends() {
        let figures = Figures::new(Timestamp::from_millis(0));
        let row = |kind, phase| StateRow {
            owner: OwnerId::Channel(ChannelId::from_bytes([1; 32])),
            revision: Revision(1),
            kind,
            phase,
            due_at: None,
            body: Vec::new(),
        };
        let (open, over) = (virtual_channel::Phase::Open.code(), virtual_channel::Phase::Expiring.code());
        let (closed, expired) =
            (virtual_channel::Phase::Closed.code(), virtual_channel::Phase::Expired.code());
        for (before, after) in [(None, open), (Some(open), open), (Some(open), over), (Some(over), expired)] {
            count(&figures, before, &row(StateKind::Virtual, after));
        }
        count(&figures, Some(open), &row(StateKind::Virtual, closed));
        let proposed = virtual_channel::Phase::Proposed.code();
        count(&figures, None, &row(StateKind::Virtual, proposed));
        for never in [
            virtual_channel::Phase::Rejected,
            virtual_channel::Phase::Cancelled,
            virtual_channel::Phase::Lapsed,
        ] {
            count(&figures, Some(proposed), &row(StateKind::Virtual, never.code()));
        }
        let opened = figures.virtual_channels_opened.get();
        assert_eq!(opened, 1);
        count(&figures, Some(proposed), &row(StateKind::Virtual, open));
        let opened = figures.virtual_channels_opened.get() - opened;
        let ended = (figures.virtual_channels_closed.get(), figures.virtual_channels_expired.get());
        assert_eq!((opened, ended), (1, (1, 1)));
        use direct::Phase::{Active, Closed, Created, Disputed, Ignored, Void};
        let steps = [
            (None, Created),
            (Some(Created), Active),
            (Some(Active), Disputed),
            (Some(Disputed), Active),
            (Some(Active), Closed),
            (None, Ignored),
            (Some(Void), Closed),
            (Some(Created), Closed),
        ];
        for (before, after) in steps {
            count(&figures, before.map(direct::Phase::code), &row(StateKind::Direct, after.code()));
        }
        assert_eq!((figures.direct_channels_opened.get(), figures.direct_channels_closed.get()), (1, 1));
    }
}
