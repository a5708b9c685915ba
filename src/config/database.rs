//! `[database]`: where the book is kept.

use std::fmt;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use url::Url;

use super::problem::ProblemKind;
use super::reader::Section;

const URL_DEFAULT: &str = "sqlite:data/clearnet.db";

/// Where the book is kept. Shown without password and parameters.
#[derive(Clone)]
pub enum DatabaseConfig {
    /// The embedded database, in one file; a relative path was resolved against the configuration's
    /// directory. Neither the file nor its directory need exist.
    Sqlite {
        /// The file.
        path: PathBuf,
    },
    /// A server.
    Postgres {
        /// The whole URL, `postgres://…` or `postgresql://…`; it may carry a password.
        url: SecretString,
        /// The same without password and parameters.
        shown: String,
    },
}

pub(super) fn read(mut section: Section<'_>) -> Option<DatabaseConfig> {
    let url = section.text("url").or(URL_DEFAULT.to_owned());
    section.finish();
    let url = url?;
    let parsed = parse(&url.value, url.directory());
    parsed.map_err(|kind| url.report(kind)).ok()
}

fn parse(text: &str, directory: &Path) -> Result<DatabaseConfig, ProblemKind> {
    if let Some(path) = text.strip_prefix("sqlite:") {
        // `sqlite://data/x` would be read by some as relative and by others as absolute, and options
        // after `?` are the store's to choose.
        return match path {
            "" => Err(ProblemKind::EmptyPath),
            path if path.starts_with("//") || path.contains(['?', '#']) => Err(ProblemKind::SqlitePath),
            path => Ok(DatabaseConfig::Sqlite { path: directory.join(path) }),
        };
    }
    let url = Url::parse(text).map_err(|_| ProblemKind::DatabaseUrl)?;
    let has_database = url.has_authority() && url.path().len() > "/".len();
    if !matches!(url.scheme(), "postgres" | "postgresql") || !has_database {
        return Err(ProblemKind::DatabaseUrl);
    }
    let user = if url.username().is_empty() { String::new() } else { format!("{}@", url.username()) };
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let shown = format!("{}://{user}{host}{port}{}", url.scheme(), url.path());
    Ok(DatabaseConfig::Postgres { url: text.into(), shown })
}

impl DatabaseConfig {
    /// Reads what `database.url` may say; a relative path is taken from `directory`.
    ///
    /// # Errors
    /// What is wrong with it, without repeating it.
    pub fn from_url(text: &str, directory: &Path) -> Result<Self, ProblemKind> {
        parse(text, directory)
    }

    /// The URL as a store takes it; may carry a password and must not be shown or logged.
    #[must_use]
    pub fn store_url(&self) -> SecretString {
        match self {
            // A store reads `?` as the beginning of options and `%` as that of a coded byte.
            Self::Sqlite { path } => {
                let path = path.display().to_string().replace('%', "%25").replace('?', "%3F");
                format!("sqlite://{path}").into()
            }
            Self::Postgres { url, .. } => url.clone(),
        }
    }
}

impl fmt::Display for DatabaseConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite { path } => write!(f, "sqlite:{}", path.display()),
            Self::Postgres { shown, .. } => f.write_str(shown),
        }
    }
}

impl fmt::Debug for DatabaseConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
