//! `clearnet migrate`: brings the schema of the database up to this program, and says what it did.

use std::fmt;

use clap::Args;
use secrecy::ExposeSecret as _;
use serde::Serialize;

use super::database::{Chosen, DatabaseArgs};
use super::output;
use crate::store::{Claim, SqlStore, StoreError, migrate};

#[derive(Debug, Args)]
pub(super) struct Migrate {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Shows the outcome as JSON.
    #[arg(long)]
    json: bool,
}

/// What was done.
#[derive(Debug, Serialize)]
struct Outcome {
    database: String,
    /// Whether anything was.
    migrated: bool,
    /// The newest migration before; `None` when nothing was done, or there was none.
    from: Option<String>,
    /// The newest migration after; `None` when nothing was done.
    to: Option<String>,
}

impl Migrate {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let chosen = self.database.choose()?;
        let outcome = actix_rt::System::new().block_on(bring_up(chosen))?;
        Ok(output::show(&outcome, self.json)?)
    }
}

async fn bring_up(chosen: Chosen) -> Result<Outcome, StoreError> {
    let Chosen { url, shown: database, .. } = chosen;
    let url = url.expose_secret();
    match SqlStore::open(url).await {
        Ok(_) => Ok(Outcome { database, migrated: false, from: None, to: None }),
        Err(StoreError::Schema { found, needed, .. }) => {
            // Not under a broker that runs.
            let _claim = Claim::take(url).await?;
            migrate(url).await?;
            let from = (found != "none").then_some(found);
            Ok(Outcome { database, migrated: true, from, to: Some(needed) })
        }
        Err(error) => Err(error),
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let database = &self.database;
        match (&self.from, &self.to) {
            (_, None) => writeln!(f, "{database}: the schema is the one of this program, nothing was done"),
            (None, Some(to)) => writeln!(f, "{database}: the schema was made, up to {to}"),
            (Some(from), Some(to)) => writeln!(f, "{database}: the schema was brought from {from} to {to}"),
        }
    }
}
