//! The schema of the store and its history, append-only. Never imports `entity`: rows move on, history must not.
//!
//! One migration a change, named in the order they apply. A released migration is never edited.

mod m0001_book;

use sea_orm_migration::sea_orm::{DatabaseConnection, DbErr, EntityTrait, QueryOrder};
use sea_orm_migration::seaql_migrations;
use sea_orm_migration::{MigrationTrait, MigratorTrait, SchemaManager};

struct Migrator;

#[sea_orm_migration::async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m0001_book::Book)]
    }
}

/// How the schema of a database stands to the one this program needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// They are the same.
    Current,
    /// Migrations are missing, perhaps all of them.
    Older,
    /// It has migrations this program does not know.
    Newer,
}

/// The names of the migrations this program knows, oldest first.
#[must_use]
pub fn known() -> Vec<String> {
    Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect()
}

/// The names of the migrations a database has, oldest first. Creates nothing.
///
/// # Errors
/// What the database says.
pub async fn applied(db: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    if !SchemaManager::new(db).has_table("seaql_migrations").await? {
        return Ok(Vec::new());
    }
    let rows = seaql_migrations::Entity::find().order_by_asc(seaql_migrations::Column::Version);
    Ok(rows.all(db).await?.into_iter().map(|row| row.version).collect())
}

/// Applies the migrations a database lacks, each in its own transaction.
///
/// # Errors
/// What the database says; the migrations before the failed one stay.
pub async fn up(db: &DatabaseConnection) -> Result<(), DbErr> {
    Migrator::up(db, None).await
}

/// Takes back all migrations, the newest first. Everything kept is lost.
///
/// # Errors
/// What the database says; what was taken back before stays so.
pub async fn down(db: &DatabaseConnection) -> Result<(), DbErr> {
    Migrator::down(db, None).await
}

/// How a database with these migrations stands to this program.
#[must_use]
pub fn standing(applied: &[String]) -> Standing {
    let known = known();
    if applied.iter().any(|name| !known.contains(name)) {
        Standing::Newer
    } else if applied.len() < known.len() {
        Standing::Older
    } else {
        Standing::Current
    }
}
