//! What can happen to a participant's wallet accounts.

use std::collections::BTreeMap;

use super::session_key::{KeySpend, SessionKey, SessionKeys};
use crate::channel::PartMove;
use crate::ledger::Cause;
use crate::primitives::{Address, Amount, ChannelId, Digest, Token};

/// What happens to a participant's wallet accounts, or is asked of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParticipantEvent {
    /// Asks to pay another participant, moving parts of direct channels along with it.
    ///
    /// Per token the wallet account gives what the parts do not. The payee gets it on its wallet account.
    ///
    /// # Errors
    /// First that applies: `PaysNobody`, `PaysBroker`, `PaysItself`, `NothingPaid`, `ZeroPayment`, then
    /// those of [`ParticipantEvent::Anchor`] but `NoEffect`.
    Pay {
        /// What it is posted under.
        cause: Cause,
        /// Who is paid.
        to: Address,
        /// How much of each token, each above zero.
        payments: BTreeMap<Token, Amount>,
        /// The parts that move, as their channels hold them.
        parts: Vec<PartMove>,
    },
    /// Asks to move wallet money into parts of direct channels, or parts into the wallet.
    ///
    /// # Errors
    /// First that applies: `NoEffect`; per token in order `Movement`, `InsufficientBalance`, `Overflow`.
    Anchor {
        /// What it is posted under.
        cause: Cause,
        /// The parts that move, as their channels hold them.
        parts: Vec<PartMove>,
    },
    /// Asks to set wallet money aside on the `settling` account of the channel that will carry it out.
    ///
    /// # Errors
    /// First that applies: `NothingSettled`, `InsufficientBalance`.
    Settle {
        /// What it is posted under.
        cause: Cause,
        /// Which token.
        token: Token,
        /// How much, above zero.
        amount: Amount,
        /// The channel.
        channel: ChannelId,
    },
    /// Asks to give somebody wallet money from nothing. Only in test mode.
    ///
    /// # Errors
    /// First that applies: `PaysNobody`, `PaysBroker`, `NothingPaid`, `ZeroPayment`, `Overflow`.
    Fund {
        /// What it is posted under.
        cause: Cause,
        /// Who gets it: anybody, also the participant itself.
        to: Address,
        /// How much of each token, each above zero.
        amounts: BTreeMap<Token, Amount>,
    },
    /// Asks to hold wallet money while another owner makes the commit that takes it. In memory only.
    ///
    /// The same hold again gets the same answer.
    ///
    /// # Errors
    /// First that applies: `HeldDifferently`, `NothingHeld`, `TooManyHolds`, `InsufficientBalance` for the
    /// first token.
    Hold {
        /// The hold's name: the hash of the request it is for.
        request_hash: Digest,
        /// How much of each token, each above zero.
        amounts: BTreeMap<Token, Amount>,
    },
    /// What is held under this name is given up. Without effect when nothing is.
    Release {
        /// The hold's name.
        request_hash: Digest,
    },
    /// A commit of another owner took wallet money; a hold under this name, if there still is one, ends.
    ///
    /// # Errors
    /// `InsufficientBalance`: memory and store have come apart.
    Spent {
        /// The hold's name.
        request_hash: Digest,
        /// What was posted.
        amounts: BTreeMap<Token, Amount>,
    },
    /// The same, asked for by a session key: a payment without parts, or a hold. Judged first.
    ///
    /// # Errors
    /// First that applies: those of [`KeyError`](super::KeyError), then those of the event.
    ByKey {
        /// What it costs the key.
        spend: KeySpend,
        /// What is asked for.
        event: Box<ParticipantEvent>,
    },
    /// Lets a key sign for the participant.
    ///
    /// # Errors
    /// First that applies, as [`KeyError`](super::KeyError): `NoKey`, `LifetimeOutOfBounds`, `Busy`, `Exists`,
    /// `TooMany`.
    Delegate {
        /// The key.
        key: Address,
        /// What it may do.
        session_key: SessionKey,
    },
    /// Ends a session key.
    ///
    /// # Errors
    /// As [`KeyError`](super::KeyError): `Busy`, `Unknown`.
    Revoke {
        /// The key.
        key: Address,
    },
    /// A commit of another owner has replaced the session keys, as a hold by a key had allowed.
    Adopt {
        /// The keys now.
        keys: SessionKeys,
    },
    /// A commit of another owner gave wallet money.
    ///
    /// # Errors
    /// `Overflow`.
    Credited {
        /// Which token.
        token: Token,
        /// How much.
        amount: Amount,
    },
}
