//! How many proposals of each Host wait for an answer, and how fast they come: each keeps an actor alive until then, and
//! each leaves something behind with its Guest.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::primitives::{Address, Timestamp};
use domain::protocol::{PROPOSALS_AT_ONCE_MAX, PROPOSALS_MAX};

use super::request::Refused;

/// How long it takes until a Host that has used up its proposals may make one more.
const REFILL_MILLIS: u64 = 60_000;

/// From how many Hosts on those are forgotten of whom nothing has to be known.
const FORGET_FROM: usize = 10_000;

/// The proposals that wait, by Host.
#[derive(Debug, Clone, Default)]
pub struct Proposals(Arc<Mutex<BTreeMap<Address, Host>>>);

/// What is known of a Host.
#[derive(Debug, Clone, Copy)]
struct Host {
    /// How many of its proposals wait.
    waiting: usize,
    /// How many it may make at once.
    left: u64,
    /// Up to when what it may make has been counted.
    counted_at: Timestamp,
}

/// Stands for one proposal of its Host until it is dropped.
#[derive(Debug)]
pub struct ProposalSlot {
    proposals: Proposals,
    host: Address,
}

impl Host {
    const fn new(now: Timestamp) -> Self {
        Self { waiting: 0, left: PROPOSALS_AT_ONCE_MAX, counted_at: now }
    }

    fn refill(&mut self, now: Timestamp) {
        let more = now.millis_since(self.counted_at) / REFILL_MILLIS;
        self.counted_at = self.counted_at.plus_millis(more * REFILL_MILLIS);
        self.left = self.left.saturating_add(more).min(PROPOSALS_AT_ONCE_MAX);
    }

    fn is_fresh(&self) -> bool {
        self.waiting == 0 && self.left == PROPOSALS_AT_ONCE_MAX
    }
}

impl Proposals {
    /// A place for one more proposal of this Host.
    ///
    /// # Errors
    /// First that applies: [`Refused::TooMany`] when it has as many as may wait, [`Refused::TooOften`] when it has made
    /// too many lately.
    pub fn take(&self, host: Address, now: Timestamp) -> Result<ProposalSlot, Refused> {
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() >= FORGET_FROM {
            hosts.retain(|_, host| {
                host.refill(now);
                !host.is_fresh()
            });
        }
        let known = hosts.entry(host).or_insert(Host::new(now));
        known.refill(now);
        if known.waiting >= PROPOSALS_MAX {
            return Err(Refused::TooMany { max: PROPOSALS_MAX });
        }
        let Some(left) = known.left.checked_sub(1) else {
            let waited = now.millis_since(known.counted_at);
            return Err(Refused::TooOften { retry_after_ms: REFILL_MILLIS.saturating_sub(waited) });
        };
        (known.left, known.waiting) = (left, known.waiting + 1);
        Ok(ProposalSlot { proposals: self.clone(), host })
    }

    /// The place of a proposal that there is, however many there may be.
    #[must_use]
    pub fn count_in(&self, host: Address, now: Timestamp) -> ProposalSlot {
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.entry(host).or_insert(Host::new(now)).waiting += 1;
        ProposalSlot { proposals: self.clone(), host }
    }
}

impl Drop for ProposalSlot {
    fn drop(&mut self) {
        let mut hosts = self.proposals.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = hosts.get_mut(&self.host) {
            host.waiting = host.waiting.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    #[test]
    fn a_place_is_free_again_when_its_proposal_has_ended() {
        let (proposals, host) = (Proposals::default(), Address::from_bytes([1; 20]));
        let mut taken: Vec<_> = (0..PROPOSALS_MAX).map(|_| proposals.take(host, NOW).unwrap()).collect();
        assert!(matches!(proposals.take(host, NOW), Err(Refused::TooMany { max: PROPOSALS_MAX })));
        assert!(proposals.take(Address::from_bytes([2; 20]), NOW).is_ok(), "each Host has its own");
        taken.pop();
        taken.push(proposals.take(host, NOW).unwrap());
        let _more_after_a_restart = proposals.count_in(host, NOW);
        taken.pop();
        assert!(proposals.take(host, NOW).is_err());
    }

    #[test]
    fn who_proposes_again_and_again_is_slowed_down() {
        let (proposals, host) = (Proposals::default(), Address::from_bytes([1; 20]));
        for _ in 0..PROPOSALS_AT_ONCE_MAX {
            drop(proposals.take(host, NOW).unwrap());
        }
        let too_often = |now, wait| {
            let refused = proposals.take(host, now);
            assert!(
                matches!(refused, Err(Refused::TooOften { retry_after_ms }) if retry_after_ms == wait),
                "{refused:?}"
            );
        };
        too_often(NOW, REFILL_MILLIS);
        too_often(NOW.plus_millis(REFILL_MILLIS - 1), 1);
        let later = NOW.plus_millis(REFILL_MILLIS);
        drop(proposals.take(host, later).unwrap());
        too_often(later, REFILL_MILLIS);
        let much_later = later.plus_millis(1_000 * REFILL_MILLIS);
        for _ in 0..PROPOSALS_AT_ONCE_MAX {
            drop(proposals.take(host, much_later).unwrap());
        }
        assert!(proposals.take(host, much_later).is_err(), "no more is saved up than may be made at once");
    }
}
