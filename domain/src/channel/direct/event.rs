//! What can happen to a direct channel.

use crate::chain::CustodyEvent;
use crate::crypto::{DirectParams, DirectState, Signed};
use crate::ledger::{Cause, EventKey};
use crate::primitives::{Amount, Digest, Token};

/// What happens to a direct channel, or is asked of it.
///
/// While something is held, only [`DirectEvent::Adopt`], [`DirectEvent::Release`] and
/// [`DirectEvent::Resume`] are taken in. The shell keeps everything else, chain events too, in its order
/// until the hold ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DirectEvent {
    /// Something happened in the custody contract that names this channel; it is confirmed.
    ///
    /// In the order of the chain, each once; a repeat moves no money. An event that means nothing in the
    /// channel's phase changes nothing.
    ///
    /// # Errors
    /// First that applies: `WrongChannel`, `Busy`.
    Happened {
        /// The name of the log, the cause of what is posted.
        key: EventKey,
        /// What happened.
        event: Box<CustodyEvent>,
    },
    /// Asks the channel to hold a next state, signed by the participant along with a request: at most one.
    ///
    /// Nothing is agreed yet. Answered by [`DirectEffect::Held`](super::DirectEffect::Held): who asks commits the
    /// encoded state with its own entries.
    ///
    /// # Errors
    /// First that applies: `WrongChannel`, `NotActive` or `Frozen`, `ChallengeTooShort`, `WrongIntent`,
    /// `WrongData`, `StaleVersion`, `VersionTooHigh`, `WrongAllocations`, `TotalDiffers`,
    /// `NotSignedByOwner`, `Busy`.
    Propose {
        /// The hash of the request's signed text: the data that the state must carry, and the hold's name.
        request_hash: Digest,
        /// The state.
        next: Box<Signed<DirectState>>,
    },
    /// Asks the channel to hold that a settlement is going to create it: held, answered and committed like
    /// [`DirectEvent::Propose`].
    ///
    /// Only what will count once it is on chain can be announced, and only for an id that is not known.
    ///
    /// # Errors
    /// First that applies: `AlreadyKnown`, `NeverCounts`, `NotTheSettlement`, `NotSignedByOwner`, `Busy`.
    Announce {
        /// The hash of the request's signed text, the hold's name.
        request_hash: Digest,
        /// The token that is settled.
        token: Token,
        /// How much.
        amount: Amount,
        /// The terms of the channel.
        params: Box<DirectParams>,
        /// The INITIALIZE that the broker will send, signed by the participant.
        initial: Box<Signed<DirectState>>,
    },
    /// What is held is committed and durable: it becomes the channel's state.
    ///
    /// # Errors
    /// `NothingHeld`: memory and store have come apart.
    Adopt,
    /// What is held under this name is given up. Without effect when nothing is held under it.
    Release {
        /// The hold's name.
        request_hash: Digest,
    },
    /// Asks the channel to agree to its end.
    ///
    /// The version is one above the newest, the parts are those of the newest state, and there is no data. From
    /// here on the channel is frozen. The same FINALIZE again gets the same answer.
    ///
    /// # Errors
    /// First that applies: `WrongChannel`, `NotActive` or `Frozen`, `WrongIntent`, `WrongData`,
    /// `StaleVersion`, `VersionTooHigh`, `WrongAllocations`, `TotalDiffers`, `PartDiffers`,
    /// `NotSignedByOwner`, `Busy`.
    Finalize {
        /// The FINALIZE.
        state: Box<Signed<DirectState>>,
    },
    /// The creation by a settlement finally cannot happen: what was set aside returns to the wallet.
    ///
    /// Without effect when nothing is set aside.
    ///
    /// # Errors
    /// `Busy`.
    SettlementFailed {
        /// What the refund is posted under.
        cause: Cause,
    },
    /// The process has started again: emits once more what the stored state still owes. Changes nothing.
    ///
    /// Every signature that the broker owes follows from the stored state, at any time.
    Resume,
}
