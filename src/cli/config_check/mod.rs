//! `clearnet config check`: is the configuration valid, what does it come to, and is the world as it says?
//!
//! Asks every node, looks at every contract and token and at the database, and changes nothing anywhere. All checks
//! run, whichever fails. `--offline` looks at the configuration and the key only.

mod online;
mod summary;

use std::fmt;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use tokio::runtime::Runtime;

use super::{ConfigArgs, output};
use crate::signer::load_key;
use online::Check;
use summary::Summary;

#[derive(Debug, Args)]
pub(super) struct ConfigCheck {
    #[command(flatten)]
    config: ConfigArgs,
    /// Looks at the configuration and the key only: asks no node and opens no database.
    #[arg(long)]
    offline: bool,
    /// Shows the outcome as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Outcome {
    /// Whether no check failed.
    ok: bool,
    /// Which checks ran: `online` or `offline`.
    checks: &'static str,
    #[serde(flatten)]
    summary: Summary,
    /// One by one what was looked at; empty when offline.
    results: Vec<Check>,
}

impl ConfigCheck {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.config.load()?;
        let key = load_key(&config.broker.key).map(|key| key.address());
        let path = &self.config.path;
        let outcome = if self.offline {
            let summary = Summary::new(path, &config, Some(key?));
            Outcome { ok: true, checks: "offline", summary, results: Vec::new() }
        } else {
            let summary = Summary::new(path, &config, key.as_ref().ok().copied());
            let results = Runtime::new()?.block_on(online::check(&config, key));
            let ok = results.iter().all(|check| check.ok);
            Outcome { ok, checks: "online", summary, results }
        };
        output::show(&outcome, self.json)?;
        Ok(if outcome.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.summary)?;
        if self.results.is_empty() {
            return writeln!(
                f,
                "Only the offline checks ran: no node was asked, no contract seen, no database opened."
            );
        }
        let width = self.results.iter().map(|check| check.check.chars().count()).max().unwrap_or_default();
        for Check { check, ok, reason } in &self.results {
            writeln!(f, "{check:width$}  {}  {reason}", if *ok { "ok    " } else { "FAILED" })?;
        }
        let failed = self.results.iter().filter(|check| !check.ok).count();
        match failed {
            0 => writeln!(f, "\nAll {} checks passed.", self.results.len()),
            failed => writeln!(f, "\n{failed} of {} checks failed.", self.results.len()),
        }
    }
}
