//! Who may be the broker of a store: one process at a time, for as long as it lives.
//!
//! Keeps a second broker out before it changes anything. It is no proof of being the one writer: a claim can be lost
//! with its connection while its holder lives. The last word has the fence in the head row.

use std::convert::Infallible;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;
use std::time::Duration;

use sea_orm::SqlxError;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection};
use sea_orm::sqlx::{self, ConnectOptions};
use tokio::time::{sleep, timeout};

use super::connect::{CONNECTION_WAIT, Place};
use crate::store::StoreError;

/// The advisory lock of a PostgreSQL database that its broker holds.
const LOCK: i64 = i64::from_be_bytes(*b"clearnet");
/// How often, and after which pauses, a claim is tried that another process has: one that was killed a moment ago
/// may not have let go yet.
const TRIES: u32 = 50;
const TRY_AGAIN: Duration = Duration::from_millis(100);
/// After which time a claim is looked after again.
const LOOK_AFTER: Duration = Duration::from_secs(5);
/// When PostgreSQL gives up a client that vanished without a word, in seconds of silence, seconds between questions,
/// and questions: after twenty seconds another broker may take the place of a machine that lost its power.
const KEEPALIVE: [(&str, &str); 3] =
    [("tcp_keepalives_idle", "5"), ("tcp_keepalives_interval", "5"), ("tcp_keepalives_count", "3")];

/// The claim of one process to be the broker of a store. Given up when dropped, and when the process ends in whatever
/// way.
#[derive(Debug)]
pub struct Claim {
    by: Means,
}

/// What a claim is made by.
#[derive(Debug)]
enum Means {
    /// A lock on a file beside that of SQLite. Not on SQLite's own: closing that would give up SQLite's locks.
    File(File),
    /// A lock that a session of PostgreSQL holds.
    Session { options: Box<PgConnectOptions>, connection: Option<PgConnection> },
}

impl Claim {
    /// Claims the store at `url`, which need not exist yet; of a missing SQLite file the directory is made. Waits for
    /// seconds for another process to end.
    ///
    /// # Errors
    /// First that applies: [`StoreError::Unavailable`]; [`StoreError::Taken`] when another process has the claim.
    pub async fn take(url: &str) -> Result<Self, StoreError> {
        let by = match Place::of(url)? {
            Place::Sqlite(options) => Means::File(lock_file(options.get_filename()).map_err(failed)?),
            Place::Postgres(options) => {
                Means::Session { options: Box::new(options.options(KEEPALIVE)), connection: None }
            }
        };
        let mut claim = Self { by };
        for _ in 0..TRIES {
            if claim.try_now().await? {
                return Ok(claim);
            }
            sleep(TRY_AGAIN).await;
        }
        Err(StoreError::Taken)
    }

    /// Takes the claim again whenever it was lost with its connection, for as long as this is polled.
    pub async fn keep(&mut self) -> Infallible {
        let mut was_held = true;
        loop {
            sleep(LOOK_AFTER).await;
            let is_held = match self.try_now().await {
                Ok(is_held) => is_held,
                Err(error) => {
                    log::debug!(error:%; "the claim on the store cannot be looked after");
                    false
                }
            };
            match (was_held, is_held) {
                (true, false) => log::warn!("the claim on the store is lost, it is tried again"),
                (false, true) => log::warn!("the claim on the store is held again"),
                (true, true) | (false, false) => {}
            }
            was_held = is_held;
        }
    }

    /// Takes the claim, or makes sure that it is still held; says whether it is.
    async fn try_now(&mut self) -> Result<bool, StoreError> {
        match &mut self.by {
            Means::File(file) => match file.try_lock() {
                Ok(()) => Ok(true),
                Err(TryLockError::WouldBlock) => Ok(false),
                Err(TryLockError::Error(error)) => Err(failed(error)),
            },
            Means::Session { options, connection } => {
                // A connection that has not answered is not kept.
                let before = connection.take();
                let answered = timeout(CONNECTION_WAIT, lock_session(options, before)).await;
                let (is_held, alive) = answered.map_err(failed)?.map_err(failed)?;
                *connection = Some(alive);
                Ok(is_held)
            }
        }
    }
}

/// The file to be locked, beside the one that `path` leads to.
fn lock_file(path: &Path) -> io::Result<File> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    // One file has one claim, by whatever links it was found.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut name = path.into_os_string();
    name.push(".lock");
    File::options().create(true).truncate(false).write(true).open(name)
}

/// Takes the lock in a session of its own, once more if the session has it already, which does no harm.
async fn lock_session(
    options: &PgConnectOptions,
    before: Option<PgConnection>,
) -> Result<(bool, PgConnection), SqlxError> {
    let mut connection = match before {
        Some(connection) => connection,
        None => options.connect().await?,
    };
    let lock = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(LOCK);
    let is_held = lock.fetch_one(&mut connection).await?;
    Ok((is_held, connection))
}

fn failed(error: impl std::fmt::Display) -> StoreError {
    StoreError::Unavailable { reason: error.to_string() }
}
