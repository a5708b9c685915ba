//! What a session hands to owners, and what they answer.
//!
//! A request has been read and verified when it gets here: owners compare addresses, versions and funds
//! and know nothing of frames and curves.

use domain::channel::direct::DirectError;
use domain::channel::virtual_channel::{OpeningError, VirtualChannelError};
use domain::crypto::{DirectState, RequestText, Signed};
use domain::ledger::{OwnerId, RequestKey};
use domain::participant::ParticipantError;
use domain::primitives::{Address, Amount, ChainId, Digest, Timestamp, Token};
use thiserror::Error;

use super::journal::{NoPermit, Permit, Permits};

/// A request as it was signed.
#[derive(Debug, Clone)]
pub struct Request {
    /// The text that was signed.
    pub text: RequestText,
    /// The id inside.
    pub id: u64,
    /// The time inside.
    pub at: Timestamp,
}

impl AsRef<RequestText> for Request {
    fn as_ref(&self) -> &RequestText {
        &self.text
    }
}

/// A verified request of a participant.
#[derive(Debug, Clone)]
pub struct Asked<P> {
    /// Whose session it came through; one of its signers.
    pub by: Address,
    /// The request, with everybody who signed it or a carried state with its hash.
    pub request: Signed<Request>,
    /// The next states of direct channels that it carries.
    pub states: Vec<Signed<DirectState>>,
    /// What is asked for.
    pub params: P,
}

impl<P> Asked<P> {
    /// The key under which it happens once, over all devices of the participant.
    #[must_use]
    pub fn key(&self) -> RequestKey {
        let request = self.request.body();
        RequestKey { at: request.at, signer: self.by, id: request.id }
    }

    /// H, the hash of the signed text.
    #[must_use]
    pub fn hash(&self) -> Digest {
        self.request.body().text.hash()
    }

    /// The same request, read further.
    #[must_use]
    pub fn about<Q>(self, params: Q) -> Asked<Q> {
        let Self { by, request, states, params: _ } = self;
        Asked { by, request, states, params }
    }

    /// Refuses a repeat of what is being decided or was posted.
    ///
    /// # Errors
    /// [`Refused::NoPermit`].
    pub fn check_new(&self, permits: &Permits) -> Result<(), Refused> {
        match permits.known(self.key(), self.hash()) {
            Some(known) => Err(known.into()),
            None => Ok(()),
        }
    }

    /// Takes the permit to decide it.
    ///
    /// # Errors
    /// [`Refused::NoPermit`].
    pub fn permit(&self, permits: &std::sync::Arc<Permits>, now: Timestamp) -> Result<Permit, Refused> {
        Ok(permits.take(self.key(), self.hash(), now)?)
    }
}

/// Why an owner does not do what it is asked to. Nothing has changed, unless it says that nobody knows.
#[derive(Debug, Error)]
pub enum Refused {
    /// A repeat, or not the time to decide: see [`NoPermit`].
    #[error(transparent)]
    NoPermit(#[from] NoPermit),
    /// There is no such channel, or it is not for the asker to see.
    #[error("{owner} is not known")]
    NotFound {
        /// What was asked for.
        owner: OwnerId,
    },
    /// There is a channel of these terms already.
    #[error("{owner} exists already")]
    Exists {
        /// What was to be made.
        owner: OwnerId,
    },
    /// The direct channel refuses.
    #[error(transparent)]
    Direct(#[from] DirectError),
    /// The participant's own means do not allow it.
    #[error(transparent)]
    Participant(#[from] ParticipantError),
    /// The virtual channel refuses.
    #[error(transparent)]
    Virtual(#[from] VirtualChannelError),
    /// The virtual channel cannot be opened.
    #[error(transparent)]
    Opening(#[from] OpeningError),
    /// The broker has too little on that chain to pay out now.
    #[error("the broker's available balance is short: {available} available, {requested} requested")]
    LiquidityShort {
        /// The token.
        token: Token,
        /// What it could pay out.
        available: Amount,
        /// What was asked for.
        requested: Amount,
    },
    /// There are as many of these as there may be.
    #[error("there are {max} of these already")]
    TooMany {
        /// How many there may be.
        max: usize,
    },
    /// Too many of these were made lately.
    #[error("too many were made lately; one more in {retry_after_ms} ms")]
    TooOften {
        /// How long to wait.
        retry_after_ms: u64,
    },
    /// The chain does not answer, or has not been read lately.
    #[error("chain {chain_id} cannot be reached at the moment")]
    ChainUnavailable {
        /// The chain.
        chain_id: ChainId,
    },
    /// Too many requests wait for one owner, or too many owners were asked too slowly.
    #[error("too much is being done with the same money, try again")]
    Overloaded,
    /// The outcome is unknown: the same signed request may be sent again.
    #[error("the outcome is unknown, send the same request again")]
    Unavailable,
}
