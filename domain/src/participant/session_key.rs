//! Session keys: what a participant lets another key sign for it, how much of what, and until when.
//!
//! A key never closes a direct channel, settles, moves parts, or delegates: those requests are refused whoever its
//! participant is. Deliberately absent: signatures, and what an asset's tokens are.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use crate::primitives::{Address, Amount, Asset, Timestamp};

/// The most session keys of a participant that live at a time.
pub const KEYS_MAX: usize = 16;

/// The most assets of which one key may spend.
pub const CAPS_MAX: usize = 32;

/// The longest life of a session key, in seconds: a year. Who wants more delegates again.
pub const KEY_LIFETIME_SECS_MAX: u64 = 365 * 24 * 60 * 60;

/// What a session key may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Payments.
    Transfer,
    /// Everything about virtual channels: openings, proposals, updates, closes.
    Rooms,
}

impl Scope {
    /// Every scope, in the order of the document.
    pub const ALL: [Self; 2] = [Self::Transfer, Self::Rooms];

    /// The name on the wire and in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transfer => "transfer",
            Self::Rooms => "rooms",
        }
    }

    /// The scope of this name; `None` when there is none.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

/// What a session key is used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyUse {
    /// A payment.
    Transfer,
    /// Something about a virtual channel of this application.
    Room {
        /// The application of its definition.
        application: String,
    },
}

/// How much of an asset a key may spend, and has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cap {
    /// The most, in the asset's smallest unit.
    pub most: Amount,
    /// How much of it is spent.
    pub used: Amount,
}

impl Cap {
    /// What is left.
    #[must_use]
    pub fn left(&self) -> Amount {
        self.most.checked_sub(self.used).unwrap_or_default()
    }
}

/// A session key and what it may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionKey {
    /// What it may sign; at least one.
    pub scope: BTreeSet<Scope>,
    /// The only application in whose virtual channels it signs; `None` for all of them.
    pub application: Option<String>,
    /// How much it may spend, per asset; of any other asset nothing.
    pub caps: BTreeMap<Asset, Cap>,
    /// When it was delegated to.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// A use of a session key that costs its participant money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySpend {
    /// The key.
    pub key: Address,
    /// What for.
    pub usage: KeyUse,
    /// How much leaves the participant's wallet, per asset, in its smallest unit.
    pub spent: BTreeMap<Asset, Amount>,
}

/// Why a session key cannot be had, or used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    /// The zero address, the broker, or the participant itself.
    #[error("{key} cannot be a session key of this participant")]
    NoKey {
        /// What was to be one.
        key: Address,
    },
    /// The key ends before it begins, or lives longer than [`KEY_LIFETIME_SECS_MAX`].
    #[error("a session key lives for 1 to {KEY_LIFETIME_SECS_MAX} seconds")]
    LifetimeOutOfBounds,
    /// The key is a living session key of the participant.
    #[error("{key} is a session key already")]
    Exists {
        /// The key.
        key: Address,
    },
    /// There are as many as there may be.
    #[error("there are {KEYS_MAX} session keys already")]
    TooMany,
    /// The key is none, or has ended.
    #[error("{key} is no session key of this participant, or has ended")]
    Unknown {
        /// The key.
        key: Address,
    },
    /// The key may not sign this.
    #[error("session key {key} may not sign this")]
    OutOfScope {
        /// The key.
        key: Address,
    },
    /// The key would spend more than it may.
    #[error("session key has {left} of {asset} left, {requested} requested")]
    CapExceeded {
        /// The asset.
        asset: Asset,
        /// What it may still spend.
        left: Amount,
        /// What it would spend.
        requested: Amount,
    },
    /// Another use of a session key has not been decided yet.
    #[error("another use of a session key is being decided")]
    Busy,
}

impl SessionKey {
    /// Whether it has not ended by itself.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }

    /// Whether it may be used for this.
    #[must_use]
    pub fn allows(&self, usage: &KeyUse) -> bool {
        match usage {
            KeyUse::Transfer => self.scope.contains(&Scope::Transfer),
            KeyUse::Room { application } => {
                self.scope.contains(&Scope::Rooms)
                    && self.application.as_ref().is_none_or(|only| only == application)
            }
        }
    }
}

/// The session keys of one participant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SessionKeys(pub(super) BTreeMap<Address, SessionKey>);

impl SessionKeys {
    /// The key, if it lives.
    #[must_use]
    pub fn live(&self, key: Address, now: Timestamp) -> Option<&SessionKey> {
        self.0.get(&key).filter(|session_key| session_key.is_live(now))
    }

    /// Those that live, in the order of their addresses.
    pub fn all_live(&self, now: Timestamp) -> impl Iterator<Item = (Address, &SessionKey)> {
        self.0.iter().filter(move |(_, key)| key.is_live(now)).map(|(address, key)| (*address, key))
    }

    /// Whether a living key may be used for this.
    ///
    /// # Errors
    /// First that applies: [`KeyError::Unknown`], [`KeyError::OutOfScope`].
    pub fn check(&self, key: Address, usage: &KeyUse, now: Timestamp) -> Result<&SessionKey, KeyError> {
        let found = self.live(key, now).ok_or(KeyError::Unknown { key })?;
        if found.allows(usage) { Ok(found) } else { Err(KeyError::OutOfScope { key }) }
    }

    /// The keys with one more; those that have ended are forgotten.
    pub(super) fn with(&self, key: Address, new: SessionKey, now: Timestamp) -> Result<Self, KeyError> {
        let mut live: BTreeMap<_, _> =
            self.all_live(now).map(|(address, key)| (address, key.clone())).collect();
        if live.contains_key(&key) {
            return Err(KeyError::Exists { key });
        }
        if live.len() >= KEYS_MAX {
            return Err(KeyError::TooMany);
        }
        live.insert(key, new);
        Ok(Self(live))
    }

    /// The keys without one.
    pub(super) fn without(&self, key: Address, now: Timestamp) -> Result<Self, KeyError> {
        self.live(key, now).ok_or(KeyError::Unknown { key })?;
        let mut rest = self.clone();
        rest.0.remove(&key);
        Ok(rest)
    }

    /// The keys after one of them has spent something.
    pub(super) fn after(&self, spend: &KeySpend, now: Timestamp) -> Result<Self, KeyError> {
        let mut key = self.check(spend.key, &spend.usage, now)?.clone();
        for (asset, requested) in &spend.spent {
            let exceeded = |left| KeyError::CapExceeded { asset: asset.clone(), left, requested: *requested };
            let cap = key.caps.get_mut(asset).ok_or_else(|| exceeded(Amount::ZERO))?;
            if *requested > cap.left() {
                return Err(exceeded(cap.left()));
            }
            cap.used = cap.used.checked_add(*requested).ok_or_else(|| exceeded(cap.left()))?;
        }
        let mut after = self.clone();
        after.0.insert(spend.key, key);
        Ok(after)
    }
}
