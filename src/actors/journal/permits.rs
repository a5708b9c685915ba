//! Permits: the right to decide a request, given once per key (L3).
//!
//! Shared by all owners, because a decision must not wait between the check for a repeat and the
//! handing over. Holds the keys of what is being decided and of what was posted within the window;
//! the answers themselves, and older keys, are read from the store.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::ledger::RequestKey;
use domain::primitives::{Address, Digest, Timestamp};
use domain::protocol::{ANSWERS_KEPT_MS, REQUEST_WINDOW_MS};
use futures::channel::oneshot;
use thiserror::Error;

/// How far the time inside a request may lie from the broker's clock, before or ahead.
pub const WINDOW_MILLIS: u64 = REQUEST_WINDOW_MS;

/// How long answers are kept for repeats: a day, so that a client that was offline can still ask.
pub const KEPT_MILLIS: u64 = ANSWERS_KEPT_MS;

/// The most requests that may be decided and not yet durable: bounds what waits while the database is slow.
const PERMITS_MAX: usize = 10_000;

/// The most repeats that may wait for one first answer: bounds what a client's retries can hold.
const WAITERS_MAX: usize = 16;

/// Why no permit is given. Nothing has happened, unless it says that something had.
#[derive(Debug, Error)]
pub enum NoPermit {
    /// The request was posted: its first answer is in the store.
    #[error("the request was answered before")]
    Posted,
    /// The request is being decided: the first answer comes here, or nothing if it was not posted.
    #[error("the request is being answered")]
    InFlight(oneshot::Receiver<Vec<u8>>),
    /// Another request was made under the same key.
    #[error("another request was made with this id and time")]
    Conflict,
    /// The time inside lies before the window: only the store knows whether it was posted.
    #[error("the time of the request is before the window")]
    BeforeWindow,
    /// The time inside lies ahead of the window: not valid yet.
    #[error("the time of the request is ahead of the broker's clock")]
    Early,
    /// Too much is being decided.
    #[error("too many requests in flight")]
    Overloaded,
    /// The database is away, or another writer has taken over.
    #[error("the journal gives no permits")]
    Closed,
}

/// The right to decide one request; given back when dropped unused.
#[derive(Debug)]
pub struct Permit {
    key: RequestKey,
    body_hash: Digest,
    permits: Arc<Permits>,
    /// Whether the journal has said what became of it.
    is_settled: bool,
}

/// All keys that are being decided, and those posted within the window.
#[derive(Debug)]
pub struct Permits {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    keys: BTreeMap<RequestKey, Known>,
    in_flight: usize,
    is_open: bool,
    /// The latest time ever passed in: a clock that goes back must not reopen the window.
    latest: Timestamp,
}

#[derive(Debug)]
struct Known {
    body_hash: Digest,
    /// Who waits for the first answer; `None` once it is posted.
    waiters: Option<Vec<oneshot::Sender<Vec<u8>>>>,
}

impl Permits {
    /// Permits that know the keys `posted` within the window before now.
    pub(super) fn new<I: IntoIterator<Item = (RequestKey, Digest)>>(posted: I) -> Arc<Self> {
        let known = |(key, body_hash)| (key, Known { body_hash, waiters: None });
        let keys = posted.into_iter().map(known).collect();
        let latest = Timestamp::from_millis(0);
        Arc::new(Self { inner: Mutex::new(Inner { keys, in_flight: 0, is_open: true, latest }) })
    }

    /// Gives the right to decide the request `key` with the signed text of hash `body_hash`.
    ///
    /// # Errors
    /// First that applies: [`NoPermit::Conflict`], [`NoPermit::Posted`] or [`NoPermit::InFlight`] for a
    /// known key; [`NoPermit::Closed`]; [`NoPermit::BeforeWindow`], [`NoPermit::Early`];
    /// [`NoPermit::Overloaded`].
    pub fn take(
        self: &Arc<Self>,
        key: RequestKey,
        body_hash: Digest,
        now: Timestamp,
    ) -> Result<Permit, NoPermit> {
        let mut inner = self.lock();
        let now = inner.advance(now);
        if let Some(known) = inner.keys.get_mut(&key) {
            return Err(known.repeat(body_hash));
        }
        if !inner.is_open {
            return Err(NoPermit::Closed);
        }
        if let Some(outside) = outside_window(key, now) {
            return Err(outside);
        }
        if inner.in_flight >= PERMITS_MAX {
            return Err(NoPermit::Overloaded);
        }
        inner.in_flight += 1;
        inner.keys.insert(key, Known { body_hash, waiters: Some(Vec::new()) });
        Ok(Permit { key, body_hash, permits: Arc::clone(self), is_settled: false })
    }

    /// Why [`Permits::take`] would refuse because of what is known of `key`; `None` when nothing is.
    ///
    /// For whoever must do something before it may decide: a repeat must not be judged by what the
    /// first one has changed.
    #[must_use]
    pub fn known(&self, key: RequestKey, body_hash: Digest) -> Option<NoPermit> {
        self.lock().keys.get_mut(&key).map(|known| known.repeat(body_hash))
    }

    /// Why [`Permits::take`] would refuse `key` now, apart from how busy the journal is: a cheap early look.
    #[must_use]
    pub fn refusal(&self, key: RequestKey, body_hash: Digest, now: Timestamp) -> Option<NoPermit> {
        let mut inner = self.lock();
        let now = inner.advance(now);
        let known = inner.keys.get_mut(&key).map(|known| known.repeat(body_hash));
        known.or_else(|| outside_window(key, now))
    }

    /// How many requests are decided and not yet durable.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.lock().in_flight
    }

    pub(super) fn set_open(&self, is_open: bool) {
        self.lock().is_open = is_open;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every change below is complete before it can panic, so a poisoned lock still guards the truth.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settle(&self, key: RequestKey, answer: Option<&[u8]>) {
        let mut inner = self.lock();
        inner.in_flight = inner.in_flight.saturating_sub(1);
        let Entry::Occupied(mut known) = inner.keys.entry(key) else { return };
        let waiters = known.get_mut().waiters.take().unwrap_or_default();
        match answer {
            Some(answer) => {
                for waiter in waiters {
                    // A repeat that no longer waits needs no answer.
                    let _gone = waiter.send(answer.to_vec());
                }
            }
            None => {
                known.remove();
            }
        }
    }
}

fn outside_window(key: RequestKey, now: Timestamp) -> Option<NoPermit> {
    if now.millis_since(key.at) > WINDOW_MILLIS {
        return Some(NoPermit::BeforeWindow);
    }
    (key.at.millis_since(now) > WINDOW_MILLIS).then_some(NoPermit::Early)
}

impl Inner {
    /// The time now, never before an earlier now; forgets posted keys that the window has passed.
    fn advance(&mut self, now: Timestamp) -> Timestamp {
        self.latest = self.latest.max(now);
        let begin = self.latest.minus_millis(WINDOW_MILLIS);
        while let Some(oldest) = self.keys.first_entry() {
            if oldest.key().at >= begin || oldest.get().waiters.is_some() {
                break;
            }
            oldest.remove();
        }
        self.latest
    }
}

impl Known {
    fn repeat(&mut self, body_hash: Digest) -> NoPermit {
        if self.body_hash != body_hash {
            return NoPermit::Conflict;
        }
        let Some(waiters) = &mut self.waiters else { return NoPermit::Posted };
        waiters.retain(|waiter| !waiter.is_canceled());
        // It is being decided: nobody may be told that nothing has happened.
        if waiters.len() >= WAITERS_MAX {
            return NoPermit::Closed;
        }
        let (waiter, answer) = oneshot::channel();
        waiters.push(waiter);
        NoPermit::InFlight(answer)
    }
}

impl Permit {
    /// The request it is for.
    #[must_use]
    pub const fn key(&self) -> RequestKey {
        self.key
    }

    /// Who asked.
    #[must_use]
    pub const fn signer(&self) -> Address {
        self.key.signer
    }

    /// The hash of the signed text.
    #[must_use]
    pub const fn body_hash(&self) -> Digest {
        self.body_hash
    }

    /// The answer is durable: repeats get it from now on.
    pub(super) fn posted(mut self, answer: &[u8]) {
        self.is_settled = true;
        self.permits.settle(self.key, Some(answer));
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.is_settled {
            self.permits.settle(self.key, None);
        }
    }
}

#[cfg(test)]
mod tests;
