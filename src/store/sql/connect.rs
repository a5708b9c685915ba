//! Connections: how each database is set up, and whether its schema is ours.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use migration::Standing;
use sea_orm::sqlx::pool::PoolOptions;
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{ConnectOptions, Connection as _, Database, Postgres, Sqlite};
use sea_orm::{DatabaseConnection, SqlxError};

use super::{SqlStore, error};
use crate::store::StoreError;

/// How long a statement waits for another process's lock before the database counts as away.
const LOCK_WAIT: Duration = Duration::from_secs(5);
/// How long a caller waits for a connection before the database counts as away.
pub(super) const CONNECTION_WAIT: Duration = Duration::from_secs(5);
/// When PostgreSQL ends a transaction whose client has gone silent, so that the head row is free again.
const SILENT_CLIENT_WAIT: Duration = Duration::from_secs(10);
/// Reads at a time: more would only queue for the same few cores and the same disk.
const READERS: u32 = 4;
/// Connections for writing to PostgreSQL. There is one writer; the second is for asking how a write
/// ended whose connection hangs.
const POSTGRES_WRITERS: u32 = 2;
/// Prepared statements kept by a connection. Batches make many statements of different lengths, some of
/// them of megabytes, so few are kept.
const STATEMENTS_KEPT: usize = 32;
/// Pages of SQLite's log before they are moved into the file: at 4096 a commit stalls for up to 17 ms,
/// below 1000 throughput falls.
const CHECKPOINT_PAGES: &str = "2000";
/// SQLite's page cache, in KiB (negative by SQLite's convention): 64 MiB.
const CACHE_KIB: &str = "-65536";

/// Where a URL leads to.
pub(super) enum Place {
    Sqlite(SqliteConnectOptions),
    Postgres(PgConnectOptions),
}

impl Place {
    pub(super) fn of(url: &str) -> Result<Self, StoreError> {
        // Not the driver's text: it might repeat the URL, and with it the password.
        let refused = |_| StoreError::Unavailable { reason: "the database url is malformed".to_owned() };
        match url.split_once("://") {
            Some(("sqlite", _)) => {
                let options = SqliteConnectOptions::from_str(url).map_err(refused)?;
                Ok(Self::Sqlite(sqlite(options)))
            }
            Some(("postgres" | "postgresql", _)) => {
                let options = PgConnectOptions::from_str(url).map_err(refused)?;
                Ok(Self::Postgres(postgres(options)))
            }
            Some(_) | None => Err(StoreError::Unavailable {
                reason: "the database url must begin with sqlite:// or postgres://".to_owned(),
            }),
        }
    }
}

fn sqlite(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(LOCK_WAIT)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .pragma("cache_size", CACHE_KIB)
        .pragma("temp_store", "MEMORY")
        .statement_cache_capacity(STATEMENTS_KEPT)
        .disable_statement_logging()
}

fn postgres(options: PgConnectOptions) -> PgConnectOptions {
    let millis = |wait: Duration| wait.as_millis().to_string();
    options
        .options([
            ("synchronous_commit", "on".to_owned()),
            ("default_transaction_isolation", "read committed".to_owned()),
            ("lock_timeout", millis(LOCK_WAIT)),
            ("idle_in_transaction_session_timeout", millis(SILENT_CLIENT_WAIT)),
        ])
        .statement_cache_capacity(STATEMENTS_KEPT)
        .disable_statement_logging()
}

/// Brings the database of `url` to the schema of this program. Creates a missing SQLite file and its
/// directory; a PostgreSQL database must exist.
///
/// # Errors
/// [`StoreError::Unavailable`], or [`StoreError::Schema`] when the database is of a newer program. What
/// was migrated before an error stays.
pub async fn migrate(url: &str) -> Result<(), StoreError> {
    let db = match Place::of(url)? {
        Place::Sqlite(options) => {
            if let Some(directory) = options.get_filename().parent() {
                std::fs::create_dir_all(directory)
                    .map_err(|err| StoreError::Unavailable { reason: err.to_string() })?;
            }
            let options = options.journal_mode(SqliteJournalMode::Wal).create_if_missing(true);
            connect_sqlite(options, 1).await?
        }
        Place::Postgres(options) => connect_postgres(options, 1).await?,
    };
    let applied = migration::applied(&db).await.map_err(|err| error::unavailable(&err))?;
    match migration::standing(&applied) {
        Standing::Current => {}
        Standing::Older => migration::up(&db).await.map_err(|err| error::unavailable(&err))?,
        Standing::Newer => return Err(wrong_schema(&applied, ADVICE_NEWER)),
    }
    db.close().await.map_err(|err| error::unavailable(&err))
}

pub(super) async fn open(url: &str) -> Result<SqlStore, StoreError> {
    let store = match Place::of(url)? {
        Place::Sqlite(options) => {
            if !Path::exists(options.get_filename()) {
                return Err(wrong_schema(&[], ADVICE_OLDER));
            }
            let writer = connect_sqlite(options.clone().journal_mode(SqliteJournalMode::Wal), 1).await?;
            let readers = connect_sqlite(options.pragma("query_only", "ON"), READERS).await?;
            SqlStore { writer, readers }
        }
        Place::Postgres(options) => {
            let writer = connect_postgres(options.clone(), POSTGRES_WRITERS).await?;
            let readers = options.options([("default_transaction_read_only", "on")]);
            SqlStore { writer, readers: connect_postgres(readers, READERS).await? }
        }
    };
    let applied = migration::applied(&store.readers).await.map_err(|err| error::unavailable(&err))?;
    match migration::standing(&applied) {
        Standing::Current => Ok(store),
        Standing::Older => Err(wrong_schema(&applied, ADVICE_OLDER)),
        Standing::Newer => Err(wrong_schema(&applied, ADVICE_NEWER)),
    }
}

/// How the schema of a database stands to the one of this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaStanding {
    /// There is none yet, nor a file if it is one.
    None,
    /// They are the same.
    Current {
        /// The newest migration.
        schema: String,
    },
    /// Migrations are open.
    Older {
        /// The newest one that was applied.
        schema: String,
        /// Those that were not, in their order.
        open: Vec<String>,
    },
    /// A newer program has been here.
    Newer {
        /// The newest migration.
        schema: String,
    },
}

/// Looks at the schema of the database of `url`, and changes nothing there: a file that is missing stays so.
///
/// # Errors
/// [`StoreError::Unavailable`].
pub async fn schema_of(url: &str) -> Result<SchemaStanding, StoreError> {
    let db = match Place::of(url)? {
        Place::Sqlite(options) => {
            if !Path::exists(options.get_filename()) {
                return Ok(SchemaStanding::None);
            }
            // Without a log beside it nobody has it open. Whoever looks then must leave no log behind, least of all
            // one that the broker's own user cannot write.
            let mut log = options.get_filename().as_os_str().to_owned();
            log.push("-wal");
            let is_closed = !Path::new(&log).exists();
            connect_sqlite(options.read_only(true).immutable(is_closed), 1).await?
        }
        Place::Postgres(options) => {
            let options = options.options([("default_transaction_read_only", "on")]);
            // A pool tries again until its time is over, and then says no more than that.
            let tried = options.connect().await.map_err(|err| unreachable_database(&err))?;
            tried.close().await.map_err(|err| unreachable_database(&err))?;
            connect_postgres(options, 1).await?
        }
    };
    let applied = migration::applied(&db).await.map_err(|err| error::unavailable(&err))?;
    db.close().await.map_err(|err| error::unavailable(&err))?;
    let Some(schema) = applied.last().cloned() else { return Ok(SchemaStanding::None) };
    Ok(match migration::standing(&applied) {
        Standing::Current => SchemaStanding::Current { schema },
        Standing::Older => {
            let open = migration::known().into_iter().filter(|name| !applied.contains(name)).collect();
            SchemaStanding::Older { schema, open }
        }
        Standing::Newer => SchemaStanding::Newer { schema },
    })
}

const ADVICE_OLDER: &str = "run `clearnet migrate`";
const ADVICE_NEWER: &str = "run the newer program that migrated it";

fn wrong_schema(applied: &[String], advice: &'static str) -> StoreError {
    let newest = |names: &[String]| names.last().map_or("none", String::as_str).to_owned();
    StoreError::Schema { found: newest(applied), needed: newest(&migration::known()), advice }
}

async fn connect_sqlite(
    options: SqliteConnectOptions,
    connections: u32,
) -> Result<DatabaseConnection, StoreError> {
    // A connection to a file does not wear out, and asking whether it still lives costs a statement.
    let pool = pool::<Sqlite>(connections).test_before_acquire(false).idle_timeout(None).max_lifetime(None);
    pool.connect_with(options).await.map(DatabaseConnection::from).map_err(|err| unreachable_database(&err))
}

async fn connect_postgres(
    options: PgConnectOptions,
    connections: u32,
) -> Result<DatabaseConnection, StoreError> {
    let pool = pool::<Postgres>(connections).connect_with(options).await;
    pool.map(DatabaseConnection::from).map_err(|err| unreachable_database(&err))
}

fn pool<D: Database>(connections: u32) -> PoolOptions<D> {
    PoolOptions::new().max_connections(connections).acquire_timeout(CONNECTION_WAIT)
}

fn unreachable_database(err: &SqlxError) -> StoreError {
    StoreError::Unavailable { reason: err.to_string() }
}
