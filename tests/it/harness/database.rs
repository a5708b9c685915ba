//! A database of its own for each test, given back at its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use clearnet::store::{MemoryStore, SqlStore, Store, migrate};
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, DbErr};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use url::Url;

use super::cluster::Cluster;

/// Makes of each function that takes a migrated [`Database`] a test on SQLite and a test on PostgreSQL.
macro_rules! on_every_database {
    ($($test:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[actix::test]
            async fn $test() {
                super::$test($crate::harness::database::Database::sqlite().await).await;
            })+
        }
        mod on_postgres {
            $(#[actix::test]
            async fn $test() {
                super::$test($crate::harness::database::Database::postgres().await).await;
            })+
        }
    };
}
pub(crate) use on_every_database;

/// Where `scripts/test` says that its PostgreSQL cluster is.
const POSTGRES_URL: &str = "CLEARNET_TEST_POSTGRES_URL";

/// A place that a store can be opened at, more than once. Dropping it drops what was kept there.
#[derive(Debug)]
pub(crate) enum Database {
    Memory(MemoryStore),
    Sqlite {
        directory: TempDir,
    },
    Postgres(Postgres),
    /// All of a PostgreSQL cluster that can be restarted.
    Cluster(Cluster),
}

impl Database {
    pub(crate) fn memory() -> Self {
        Self::Memory(MemoryStore::new())
    }

    /// An SQLite file that was migrated.
    pub(crate) async fn sqlite() -> Self {
        let database = Self::empty_sqlite();
        migrate(&database.url()).await.unwrap();
        database
    }

    /// A directory without an SQLite file.
    pub(crate) fn empty_sqlite() -> Self {
        Self::Sqlite { directory: TempDir::new().unwrap() }
    }

    /// A PostgreSQL database that was migrated.
    pub(crate) async fn postgres() -> Self {
        Self::Postgres(Postgres::create(Some(Postgres::template().await)).await)
    }

    /// A PostgreSQL database without tables.
    pub(crate) async fn empty_postgres() -> Self {
        Self::Postgres(Postgres::create(None).await)
    }

    /// A PostgreSQL cluster of its own, migrated.
    pub(crate) async fn cluster() -> Self {
        let cluster = Cluster::start().await;
        migrate(&cluster.url()).await.unwrap();
        Self::Cluster(cluster)
    }

    /// Where the database is, as a store takes it. There is none for one in memory.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Memory(_) => panic!("a book in memory has no url"),
            Self::Sqlite { directory } => format!("sqlite://{}", directory.path().join("book.db").display()),
            Self::Postgres(database) => database.url(),
            Self::Cluster(cluster) => cluster.url(),
        }
    }

    /// Opens it: once more, or again after all that was open has gone.
    pub(crate) async fn open(&self) -> Arc<dyn Store> {
        match self {
            Self::Memory(store) => Arc::new(store.clone()),
            Self::Sqlite { .. } | Self::Postgres(_) | Self::Cluster(_) => {
                Arc::new(SqlStore::open(&self.url()).await.unwrap())
            }
        }
    }

    /// Where the database is, as `database.url` of a configuration takes it.
    pub(crate) fn config_url(&self) -> String {
        let url = self.url();
        url.strip_prefix("sqlite://").map_or(url.clone(), |file| format!("sqlite:{file}"))
    }

    /// One more of the same kind, migrated.
    pub(crate) async fn another(&self) -> Self {
        match self {
            Self::Memory(_) => Self::memory(),
            Self::Sqlite { .. } => Self::sqlite().await,
            Self::Postgres(_) => Self::postgres().await,
            Self::Cluster(_) => Self::cluster().await,
        }
    }

    /// One more of the same kind with nothing in it.
    pub(crate) async fn another_empty(&self) -> Self {
        match self {
            Self::Memory(_) => Self::memory(),
            Self::Sqlite { .. } => Self::empty_sqlite(),
            Self::Postgres(_) => Self::empty_postgres().await,
            Self::Cluster(_) => Self::Cluster(Cluster::start().await),
        }
    }

    /// One connection past the store, to spoil and inspect what it keeps.
    pub(crate) async fn connect(&self) -> DatabaseConnection {
        connect(self.url()).await
    }
}

/// A database in the test cluster.
#[derive(Debug)]
pub(crate) struct Postgres {
    name: String,
}

impl Postgres {
    /// Each number names one database of this process.
    fn next_name() -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        format!("clearnet_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// The migrated database that others are copied from. It stays as long as its cluster.
    async fn template() -> &'static str {
        static TEMPLATE: OnceCell<String> = OnceCell::const_new();
        let make = || async {
            let name = Self::next_name();
            execute(&admin_url(), &format!("CREATE DATABASE {name}")).await;
            migrate(url_of(&name).as_str()).await.unwrap();
            name
        };
        TEMPLATE.get_or_init(make).await
    }

    async fn create(template: Option<&str>) -> Self {
        let name = Self::next_name();
        let template = template.unwrap_or("template0");
        execute(&admin_url(), &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        Self { name }
    }

    /// Ends all sessions and lets none in until it is let go.
    pub(crate) async fn shut(&self) {
        execute(&admin_url(), &format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", self.name)).await;
        self.end_sessions().await;
    }

    /// Ends all sessions.
    pub(crate) async fn end_sessions(&self) {
        let name = &self.name;
        let sessions = format!("FROM pg_stat_activity WHERE datname = '{name}'");
        execute(&admin_url(), &format!("SELECT pg_terminate_backend(pid, 30000) {sessions}")).await;
    }

    /// Lets sessions in again.
    pub(crate) async fn let_go(&self) {
        execute(&admin_url(), &format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", self.name)).await;
    }

    fn url(&self) -> String {
        url_of(&self.name).into()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let drop_it = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        // Not on the runtime of the test: it may be gone, and must not be blocked.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(execute(&admin_url(), &drop_it));
        });
        if dropping.join().is_err() && !std::thread::panicking() {
            panic!("database {} was not dropped", self.name);
        }
    }
}

fn admin_url() -> Url {
    let Ok(url) = std::env::var(POSTGRES_URL) else {
        panic!("{POSTGRES_URL} is not set: run scripts/test, which starts a private PostgreSQL cluster");
    };
    Url::parse(&url).unwrap()
}

fn url_of(database: &str) -> Url {
    let mut url = admin_url();
    url.set_path(database);
    url
}

async fn execute(url: &Url, sql: &str) {
    let db = connect(url.to_string()).await;
    db.execute_unprepared(sql).await.unwrap();
    db.close().await.unwrap();
}

async fn connect(url: String) -> DatabaseConnection {
    try_connect(url).await.unwrap()
}

pub(super) async fn try_connect(url: String) -> Result<DatabaseConnection, DbErr> {
    let options = ConnectOptions::new(url).max_connections(1).to_owned();
    sea_orm::Database::connect(options).await
}
