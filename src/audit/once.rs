//! L3, as far as the book can show it: what brings transfers about is applied once.
//!
//! All that one cause brings about stands in one commit, and so in transfers that follow each other. Hence
//! a cause must not come back later with transfers of the same kind, must not bring about the same transfer
//! twice, and must not be a chain event that still waits to be applied. Corrections are left out: they
//! name what they correct, as often as that is undone.
//!
//! Needs about 200 bytes for each chain event and each deadline that moved money, of which a channel has a
//! few. Of requests those of the last minutes are remembered: the journal takes none that is older.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use domain::ledger::{Cause, RequestKey, TransferKind};
use domain::primitives::{ChainId, Timestamp};

use super::finding::{Finding, Findings, Problem};
use crate::store::{EntryRow, InboxRow, TransferId, TransferRow};

/// How long requests are remembered, by the times of the transfers: far more than the window in which the
/// journal takes them.
const REQUEST_MILLIS: u64 = 10 * 60 * 1_000;

/// What was applied, while the book is read transfer by transfer.
#[derive(Debug)]
pub(super) struct Once {
    /// The last transfer that a cause brought about, by the code of its kind.
    applied: BTreeMap<(Cause, u8), TransferId>,
    requests: BTreeMap<(RequestKey, u8), TransferId>,
    /// The transfers that follow each other with one cause.
    run: Option<Run>,
    latest: Timestamp,
    open: DefaultHasher,
    findings: Findings,
}

#[derive(Debug)]
struct Run {
    cause: Cause,
    first: TransferId,
    /// Kind and entries of each transfer, hashed.
    said: BTreeSet<u64>,
}

impl Once {
    /// Begins with nothing applied.
    pub(super) fn new() -> Self {
        Self {
            applied: BTreeMap::new(),
            requests: BTreeMap::new(),
            run: None,
            latest: Timestamp::from_millis(0),
            open: DefaultHasher::new(),
            findings: Findings::default(),
        }
    }

    /// Counts an entry of the transfer being read.
    pub(super) fn entry(&mut self, entry: &EntryRow) {
        (entry.account, entry.posting).hash(&mut self.open);
    }

    /// Judges the transfer whose entries have been read.
    pub(super) fn end(&mut self, transfer: &TransferRow) {
        let mut hasher = std::mem::take(&mut self.open);
        if transfer.kind == TransferKind::Correction {
            self.run = None;
            return;
        }
        transfer.kind.hash(&mut hasher);
        let first = match self.run.take() {
            Some(mut run) if run.cause == transfer.cause => {
                if !run.said.insert(hasher.finish()) {
                    self.findings.push(Finding::new(Problem::SaidTwice).in_transfer(transfer.id));
                }
                self.run.insert(run).first
            }
            Some(_) | None => {
                let said = BTreeSet::from([hasher.finish()]);
                self.run.insert(Run { cause: transfer.cause, first: transfer.id, said }).first
            }
        };
        let before = self.remember(transfer);
        if let Some(before) = before.filter(|before| *before < first) {
            let finding = Finding::new(Problem::AppliedTwice).in_transfer(transfer.id);
            self.findings.push(finding.at(format_args!("applied by transfer {before}")));
        }
    }

    /// The chains on which something happened that was applied.
    pub(super) fn chains(&self) -> BTreeSet<ChainId> {
        let of_cause = |cause: &Cause| match cause {
            Cause::Chain(key) => Some(key.chain_id),
            Cause::Request(_) | Cause::Timer(..) | Cause::Operator(_) => None,
        };
        self.applied.keys().filter_map(|(cause, _)| of_cause(cause)).collect()
    }

    /// Looks at a chain event that waits to be applied; after all entries were read.
    pub(super) fn waiting(&mut self, row: &InboxRow) {
        let cause = Cause::Chain(row.key);
        let mut applied = self.applied.range((cause, 0)..=(cause, u8::MAX));
        if let Some((_, transfer)) = applied.next() {
            let finding = Finding::new(Problem::AppliedButWaiting).in_transfer(*transfer);
            self.findings.push(finding.at(format_args!("event {} of {}", row.id, row.owner)));
        }
    }

    /// What was found.
    pub(super) fn finish(self) -> Findings {
        self.findings
    }

    /// The transfer of this kind that this cause brought about last, if any; from now on it is this one.
    fn remember(&mut self, transfer: &TransferRow) -> Option<TransferId> {
        match transfer.cause {
            Cause::Request(key) => {
                self.latest = self.latest.max(transfer.at);
                let kept_from = self.latest.minus_millis(REQUEST_MILLIS);
                while self.requests.first_key_value().is_some_and(|((key, _), _)| key.at < kept_from) {
                    self.requests.pop_first();
                }
                self.requests.insert((key, transfer.kind.code()), transfer.id)
            }
            Cause::Chain(_) | Cause::Timer(..) | Cause::Operator(_) => {
                self.applied.insert((transfer.cause, transfer.kind.code()), transfer.id)
            }
        }
    }
}
