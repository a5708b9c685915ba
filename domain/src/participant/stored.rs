//! The form in which session keys are kept: JSON with a format number, the same bytes every time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::session_key::{Cap, Scope, SessionKey, SessionKeys};
use crate::primitives::{Address, Amount, Asset, Timestamp};

/// The format that is written, and the only one that is read.
const FORMAT: u32 = 1;

/// Why bytes are no session keys.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoredKeysError {
    /// No JSON of this form.
    #[error("stored session keys are malformed at line {line}, column {column}")]
    Malformed {
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
    },
    /// A format that this version does not know.
    #[error("stored session keys have format {format}, expected {FORMAT}")]
    UnknownFormat {
        /// Its format.
        format: u32,
    },
    /// A scope that there is not, a key or an asset twice, or more spent than there was.
    #[error("stored session key {key} is impossible")]
    Impossible {
        /// The key.
        key: Address,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    format: u32,
    keys: Vec<StoredKey>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredKey {
    key: Address,
    scope: Vec<String>,
    application: Option<String>,
    caps: Vec<StoredCap>,
    created_at: Timestamp,
    expires_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredCap {
    asset: Asset,
    most: Amount,
    used: Amount,
}

impl SessionKeys {
    /// The bytes to keep.
    ///
    /// # Panics
    /// Never: everything in it has a JSON form.
    #[must_use]
    pub fn to_stored(&self) -> Vec<u8> {
        let keys = self.0.iter().map(|(address, key)| StoredKey {
            key: *address,
            scope: key.scope.iter().map(|scope| scope.name().to_owned()).collect(),
            application: key.application.clone(),
            caps: key.caps.iter().map(|(asset, cap)| stored_cap(asset, *cap)).collect(),
            created_at: key.created_at,
            expires_at: key.expires_at,
        });
        let stored = Stored { format: FORMAT, keys: keys.collect() };
        serde_json::to_vec(&stored).expect("it holds only texts, numbers and lists of them")
    }

    /// Reads session keys back.
    ///
    /// # Errors
    /// First that applies, in the order of the variants of [`StoredKeysError`].
    pub fn from_stored(bytes: &[u8]) -> Result<Self, StoredKeysError> {
        let stored: Stored = serde_json::from_slice(bytes)
            .map_err(|error| StoredKeysError::Malformed { line: error.line(), column: error.column() })?;
        if stored.format != FORMAT {
            return Err(StoredKeysError::UnknownFormat { format: stored.format });
        }
        let mut keys = BTreeMap::new();
        for stored in stored.keys {
            let key = stored.key;
            let impossible = StoredKeysError::Impossible { key };
            let read = read(stored).ok_or_else(|| impossible.clone())?;
            if keys.insert(key, read).is_some() {
                return Err(impossible);
            }
        }
        Ok(Self(keys))
    }
}

fn stored_cap(asset: &Asset, cap: Cap) -> StoredCap {
    StoredCap { asset: asset.clone(), most: cap.most, used: cap.used }
}

fn read(stored: StoredKey) -> Option<SessionKey> {
    let StoredKey { scope, application, caps: lines, created_at, expires_at, .. } = stored;
    let scope = scope.iter().map(|name| Scope::from_name(name)).collect::<Option<_>>()?;
    let mut caps = BTreeMap::new();
    for StoredCap { asset, most, used } in lines {
        let is_first = caps.insert(asset, Cap { most, used }).is_none();
        if !is_first || used > most {
            return None;
        }
    }
    Some(SessionKey { scope, application, caps, created_at, expires_at })
}
