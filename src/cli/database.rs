//! Which database a command is about: that of the configuration, or one named on the command line.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::{Config, DatabaseConfig, Flags, ProblemKind, load};

/// What commands take that read or change the database and nothing else of ours.
#[derive(Debug, Args)]
pub(super) struct DatabaseArgs {
    /// The configuration; config.toml unless --database-url is given.
    #[arg(long = "config", value_name = "FILE")]
    path: Option<PathBuf>,
    /// The database instead of database.url, as that key is written: sqlite:<file> or postgres://…
    #[arg(long, value_name = "URL")]
    database_url: Option<SecretString>,
}

/// A database, and the configuration it came with.
pub(super) struct Chosen {
    /// As the store takes it; must not be shown.
    pub(super) url: SecretString,
    /// The same for people, without password.
    pub(super) shown: String,
    /// `None` when only a database was named.
    pub(super) config: Option<Config>,
}

impl DatabaseArgs {
    /// Reads the configuration if there is to be one.
    pub(super) fn choose(&self) -> anyhow::Result<Chosen> {
        let path = match (&self.path, &self.database_url) {
            (Some(path), _) => Some(path.as_path()),
            (None, Some(_)) => None,
            (None, None) => Some(Path::new("config.toml")),
        };
        let read = |path| load(path, std::env::vars_os(), &Flags::default());
        let config = path.map(read).transpose()?;
        let named = self.database_url.as_ref().map(named).transpose().context("--database-url")?;
        let database = named.or_else(|| config.as_ref().map(|config| config.database.clone()));
        let database = database.context("neither a configuration nor a database was named")?;
        Ok(Chosen { url: database.store_url(), shown: database.to_string(), config })
    }
}

/// The database that the command line names; `sqlite://<file>`, as other programs write it, is taken too.
fn named(url: &SecretString) -> Result<DatabaseConfig, ProblemKind> {
    let url = url.expose_secret();
    let file = url.strip_prefix("sqlite://").map(|file| format!("sqlite:{file}"));
    DatabaseConfig::from_url(file.as_deref().unwrap_or(url), Path::new(""))
}
