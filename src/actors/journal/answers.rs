//! What is answered to a request that gets no permit because its key may be an old one.

use domain::ledger::RequestKey;
use domain::primitives::{Digest, Timestamp};

use super::permits::KEPT_MILLIS;
use crate::store::{Store, StoreError};

/// What the store says of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FirstAnswer {
    /// It was posted, and this was the answer.
    Answered(Vec<u8>),
    /// Another request was posted under its key.
    Conflict,
    /// It was not posted and never will be.
    Expired,
    /// Its answer, if there was one, is no longer kept: nothing can be said of its effect.
    TooOld,
}

/// The first answer to the request `key`, whose signed text has the hash `body_hash`.
///
/// Only right after [`super::Permits::take`] has refused with [`super::NoPermit::Posted`] or
/// [`super::NoPermit::BeforeWindow`]: else the request might be in flight.
///
/// # Errors
/// [`StoreError`]: nothing is known, ask again.
pub async fn first_answer(
    store: &dyn Store,
    key: RequestKey,
    body_hash: Digest,
    now: Timestamp,
) -> Result<FirstAnswer, StoreError> {
    Ok(match store.answer(key).await? {
        Some(row) if row.body_hash == body_hash => FirstAnswer::Answered(row.answer),
        Some(_) => FirstAnswer::Conflict,
        None if now.millis_since(key.at) > KEPT_MILLIS => FirstAnswer::TooOld,
        None => FirstAnswer::Expired,
    })
}
