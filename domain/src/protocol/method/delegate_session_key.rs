//! `delegate_session_key`: lets another key sign for the requester.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::participant::{self, CAPS_MAX};
use crate::primitives::{Address, Amount, Asset, Timestamp};
use crate::protocol::json::{Text, list, objects};
use crate::protocol::limits::NAME_BYTES_MAX;

/// The name of an application.
pub type Application = Text<NAME_BYTES_MAX>;

/// Which key, and what it may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The requester, for whom the key signs: so the key's signature is for nobody else.
    pub participant: Address,
    /// The key, which signs this request too.
    pub session_key: Address,
    /// What it may sign; at least one.
    #[serde(deserialize_with = "list::<_, _, SCOPES_MAX>")]
    pub scope: Vec<Scope>,
    /// The only application in whose virtual channels it signs; all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application: Option<Application>,
    /// How much it may spend, one line per asset; of other assets nothing.
    #[serde(deserialize_with = "objects::<_, _, CAPS_MAX>")]
    pub caps: Vec<AssetAmount>,
    /// When it ends.
    pub expires_at: Timestamp,
}

const SCOPES_MAX: usize = participant::Scope::ALL.len();

/// How much of an asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssetAmount {
    /// The asset.
    pub asset: Asset,
    /// How much, in its smallest unit.
    pub amount: Amount,
}

/// What a session key may sign, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scope(pub participant::Scope);

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.name())
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        participant::Scope::from_name(&name).map(Self).ok_or_else(|| de::Error::custom("unknown scope"))
    }
}

/// The key that may sign from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The key.
    pub session_key: Address,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// An example of [`Params`].
pub const PARAMS_EXAMPLE: &str = r#"{"participant":"0x14791697260E4c9A71f18484C9f997B308e59325","session_key":"0x5CbDd86a2FA8Dc4bDdd8a8f69dBa48572EeC07FB","scope":["transfer","rooms"],"application":"tic-tac-toe","caps":[{"asset":"usdc","amount":"50000000"}],"expires_at":1700086400000}"#;

/// An example of [`Reply`].
pub const REPLY_EXAMPLE: &str =
    r#"{"session_key":"0x5CbDd86a2FA8Dc4bDdd8a8f69dBa48572EeC07FB","expires_at":1700086400000}"#;
