//! What can be wrong with a configuration, and where it was written.
//!
//! Deliberately absent from every text: the values themselves, since a URL may carry a password.

use std::fmt;
use std::path::PathBuf;

use domain::primitives::{Address, AddressError, AssetError};
use thiserror::Error;

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In the file, on this line, counted from 1.
    File {
        /// The file as it was named by whoever asked for it.
        path: PathBuf,
        /// The line of the key, or of its table where the key is missing.
        line: usize,
    },
    /// In this environment variable.
    Variable(String),
    /// In this flag of the command line.
    Flag(&'static str),
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{place}: {}{kind}", prefix(key))]
pub struct Problem {
    /// Where it was written.
    pub place: Place,
    /// The key, such as `networks[0].custody`; empty where no key is concerned.
    pub key: String,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// What is wrong with a key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProblemKind {
    /// The file is no TOML.
    #[error("{}", .0.message())]
    Syntax(toml::de::Error),
    /// No such key in this table.
    #[error("unknown key, {}", suggestion_or_list(nearest.as_deref(), known))]
    UnknownKey {
        /// The known key that looks most like it, if one does.
        nearest: Option<String>,
        /// All keys that the table may have, in alphabetical order.
        known: Vec<&'static str>,
    },
    /// The variable begins with `CLEARNET__` and names no key that a variable can set.
    #[error("unknown variable{}", suggestion(nearest.as_deref()))]
    UnknownVariable {
        /// The known variable that looks most like it, if one does.
        nearest: Option<String>,
    },
    /// The variable's name or value is not Unicode.
    #[error("not valid unicode")]
    NotUnicode,
    /// A key without default is missing.
    #[error("missing")]
    Missing,
    /// There must be at least one.
    #[error("at least one is needed")]
    Empty,
    /// A value of another type.
    #[error("expected {expected}, got {actual}")]
    WrongType {
        /// What the key takes.
        expected: &'static str,
        /// What was written.
        actual: &'static str,
    },
    /// A number outside its bounds.
    #[error("must be {min} to {max}")]
    OutOfRange {
        /// The least that is allowed.
        min: u64,
        /// The most that is allowed.
        max: u64,
    },
    /// A secret that must not stand in the file.
    #[error("must not stand in the file: set {variable}")]
    SecretInFile {
        /// The environment variable to use.
        variable: &'static str,
    },
    /// A path without a name in it.
    #[error("path is empty")]
    EmptyPath,
    /// Not `sqlite:PATH`, nor a URL of PostgreSQL.
    #[error("must be sqlite:PATH or postgres://USER@HOST/DATABASE")]
    DatabaseUrl,
    /// `sqlite:` followed by more than a path.
    #[error("after sqlite: comes a path, without leading // and without ? or #")]
    SqlitePath,
    /// Not an address and a port.
    #[error("must be an address and a port, such as 127.0.0.1:8000")]
    ListenAddress,
    /// Not a mode.
    #[error("must be \"live\" or \"test\"")]
    Mode,
    /// Test mode, in which money is made from nothing, where money may be worth something.
    #[error("\"test\" needs dev = true on every network, {network} has not: money is made from nothing")]
    TestWithMoney {
        /// The first of them.
        network: String,
    },
    /// Not a name of a network.
    #[error("must be 1 to 32 lower-case letters, digits and dashes, with a letter or digit at either end")]
    NetworkName,
    /// A URL that is none, or has no host.
    #[error("must be a URL with a host, such as wss://rpc.example/key")]
    RpcUrl,
    /// Not a WebSocket.
    #[error("must begin with ws:// or wss://: logs are subscribed to, which plain http cannot do")]
    RpcScheme,
    /// Not an address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// Written without capitals, so that a typing error could not be seen.
    #[error("address has no checksum, write {expected}")]
    ChecksumMissing {
        /// The address as its checksum has it.
        expected: Address,
    },
    /// The zero address, which is no contract.
    #[error("the zero address is no contract")]
    ZeroAddress,
    /// The adjudicator's address is the custody's.
    #[error("same address as custody: the two are different contracts")]
    AdjudicatorIsCustody,
    /// No confirmations on a chain that others pay for.
    #[error("0 is allowed only with dev = true: a reorg would take back money that was spent")]
    NoConfirmations,
    /// No challenge would be long enough and short enough.
    #[error("below min_challenge_secs ({min})")]
    ChallengeBounds {
        /// The least of this network.
        min: u64,
    },
    /// Not a symbol of an asset.
    #[error(transparent)]
    Symbol(#[from] AssetError),
    /// A token on a network that the file does not name.
    #[error("no network has this name{}", suggestion(nearest.as_deref()))]
    UnknownNetwork {
        /// The network whose name looks most like it, if one does.
        nearest: Option<String>,
    },
    /// A second one that must be unique.
    #[error("already used by {first}")]
    Duplicate {
        /// The key of the first.
        first: String,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::Flag(name) => f.write_str(name),
        }
    }
}

/// The key as it stands before the text, or nothing where no key is concerned.
fn prefix(key: &str) -> String {
    if key.is_empty() { String::new() } else { format!("{key}: ") }
}

/// A question after the text, or nothing where nothing looks alike.
fn suggestion(nearest: Option<&str>) -> String {
    nearest.map(|name| format!(", did you mean {name}?")).unwrap_or_default()
}

/// A question, or all that is known where nothing looks alike.
fn suggestion_or_list(nearest: Option<&str>, known: &[&str]) -> String {
    match nearest {
        Some(name) => format!("did you mean {name}?"),
        None => format!("known are {}", known.join(", ")),
    }
}

/// The one of `names` that was most likely meant by `name`, if any: a beginning of it, or one that is a few typing
/// errors away. Capitals are no error of their own.
pub(super) fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    /// From so many letters on, one error more is still a likeness: `seconds` is three away from `secs`.
    const LONG: usize = 12;
    let name = name.to_ascii_lowercase();
    let most = if name.len() >= LONG { 3 } else { 2 };
    let distance = |known: &str| {
        let known = known.to_ascii_lowercase();
        let errors = strsim::damerau_levenshtein(&name, &known);
        let is_near = errors <= most && 2 * errors < name.len();
        (is_near || (!name.is_empty() && known.starts_with(&name))).then_some(errors)
    };
    let near = names.into_iter().filter_map(|known| Some((distance(known)?, known)));
    near.min().map(|(_, known)| known.to_owned())
}
