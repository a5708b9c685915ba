//! The configuration: a raw file, the environment and flags become validated structs.
//!
//! [`load`] is the only way to a [`Config`]: it reads the file, lays environment variables and flags over
//! it, checks everything that can be checked without asking anybody, and reports *all* problems it finds,
//! each with its place. Every module gets the small struct it needs, never the whole.
//! Deliberately absent: opening the database, reading the key, asking a chain.

mod asset;
mod broker;
mod database;
mod entry;
mod network;
mod overlay;
mod problem;
mod reader;
mod server;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use thiserror::Error;

pub use asset::{AssetConfig, TokenConfig};
pub use broker::{BrokerConfig, KeySource, Mode};
pub use database::DatabaseConfig;
pub use network::{NetworkConfig, NetworkName, RpcUrl};
pub use problem::{Place, Problem, ProblemKind};
pub use server::ServerConfig;

use overlay::Overlay;
use reader::Document;

/// Everything an operator decides, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Who the broker is.
    pub broker: BrokerConfig,
    /// Where the book is kept.
    pub database: DatabaseConfig,
    /// Where clients connect.
    pub server: ServerConfig,
    /// The chains, in the order of the file; at least one, names and chain ids unique.
    pub networks: Vec<NetworkConfig>,
    /// The assets, in the order of the file; symbols and tokens unique, every token's network known.
    pub assets: Vec<AssetConfig>,
}

/// What the command line says about the configuration; goes before the environment and the file.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--listen`, for `server.listen`; `None` when it was not given.
    pub listen: Option<String>,
}

/// Why there is no configuration.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file that was asked for.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// What was read is not valid; the problems are in the order of the file, and never empty.
    #[error("invalid configuration, {} found:{}", count(problems), lines(problems))]
    Invalid {
        /// Everything that is wrong.
        problems: Vec<Problem>,
    },
}

/// Reads and checks the configuration in `path`, overlaid by `environment` and then by `flags`.
///
/// Of `environment` only the variables that begin with `CLEARNET__` count. Relative paths in the
/// configuration are taken from the directory of `path`, wherever they were written.
///
/// # Errors
/// First that applies: [`ConfigError::Unreadable`], [`ConfigError::Invalid`].
pub fn load(
    path: &Path,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    flags: &Flags,
) -> Result<Config, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    let document = Document::parse(path, &text, Overlay::new(environment, flags))
        .map_err(|problems| ConfigError::Invalid { problems })?;
    let config = read(&document);
    let problems = document.into_problems();
    match config {
        Some(config) if problems.is_empty() => Ok(config),
        Some(_) | None => Err(ConfigError::Invalid { problems }),
    }
}

/// Reads every section; `None` goes with at least one problem.
fn read(document: &Document<'_>) -> Option<Config> {
    let mut root = document.root();
    let broker = broker::read(root.table("broker"));
    let database = database::read(root.table("database"));
    let server = server::read(root.table("server"));
    let networks = network::read_all(&mut root);
    let assets = asset::read_all(&mut root, &networks);
    root.finish();
    let broker = broker.into_config(&networks);
    Some(Config {
        broker: broker?,
        database: database?,
        server: server?,
        networks: networks.into_configs()?,
        assets: assets?,
    })
}

/// `1 problem`, `2 problems`, …
fn count(problems: &[Problem]) -> String {
    let ending = if problems.len() == 1 { "" } else { "s" };
    format!("{} problem{ending}", problems.len())
}

/// The problems, each on a line of its own.
fn lines(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("\n{problem}")).collect()
}
