//! How many proposals of each Host wait for an answer: each keeps an actor alive until then.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::primitives::Address;
use domain::protocol::PROPOSALS_MAX;

use super::request::Refused;

/// The proposals that wait, by Host.
#[derive(Debug, Clone, Default)]
pub struct Proposals(Arc<Mutex<BTreeMap<Address, usize>>>);

/// Stands for one proposal of its Host until it is dropped.
#[derive(Debug)]
pub struct ProposalSlot {
    proposals: Proposals,
    host: Address,
}

impl Proposals {
    /// A place for one more proposal of this Host.
    ///
    /// # Errors
    /// [`Refused::TooMany`] when it has as many as it may.
    pub fn take(&self, host: Address) -> Result<ProposalSlot, Refused> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(host).or_default();
        if *count >= PROPOSALS_MAX {
            return Err(Refused::TooMany { max: PROPOSALS_MAX });
        }
        *count += 1;
        Ok(ProposalSlot { proposals: self.clone(), host })
    }

    /// The place of a proposal that there is, however many there may be.
    #[must_use]
    pub fn count_in(&self, host: Address) -> ProposalSlot {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(host).or_default() += 1;
        ProposalSlot { proposals: self.clone(), host }
    }
}

impl Drop for ProposalSlot {
    fn drop(&mut self) {
        let mut counts = self.proposals.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.host) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.host);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_proposal_has_ended() {
        let (proposals, host) = (Proposals::default(), Address::from_bytes([1; 20]));
        let mut taken: Vec<_> = (0..PROPOSALS_MAX).map(|_| proposals.take(host).unwrap()).collect();
        assert!(matches!(proposals.take(host), Err(Refused::TooMany { max: PROPOSALS_MAX })));
        assert!(proposals.take(Address::from_bytes([2; 20])).is_ok(), "each Host has its own");
        taken.pop();
        taken.push(proposals.take(host).unwrap());
        let _more_after_a_restart = proposals.count_in(host);
        taken.pop();
        assert!(proposals.take(host).is_err());
        drop((taken, _more_after_a_restart));
        assert!(proposals.0.lock().unwrap().is_empty());
    }
}
