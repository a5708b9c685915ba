//! `clearnet demo`: the whole story of two participants, played on local chains with the real broker.
//!
//! Alice locks SHIB on one chain, Charlie PEPE on another. They open a room with money in it, talk and play;
//! Charlie wins and takes his SHIB out on a chain on which he never had any. Ends with 0 only if every figure is
//! right.

mod book;
mod outcome;
mod player;
mod progress;
mod stage;
mod story;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use tokio::runtime::Runtime;

use super::output;
use super::workspace::Workspace;
use outcome::Outcome;
use progress::Progress;
use stage::Stage;

#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Leaves chains and broker running after the story, until Ctrl-C.
    #[arg(long)]
    keep: bool,
    /// Where configuration, key, database and log of the broker are kept, a directory of no demo before; a
    /// temporary one otherwise.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Shows the outcome as JSON.
    #[arg(long)]
    json: bool,
}

impl Demo {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        Runtime::new()?.block_on(self.play())
    }

    async fn play(self) -> anyhow::Result<ExitCode> {
        let mut progress = Progress::begin();
        let directory = Workspace::new(self.data_dir, "clearnet-demo-")?;
        let played = async {
            let stage = Stage::set(directory.path(), &mut progress).await?;
            let ended = story::play(&stage, &mut progress).await?;
            anyhow::Ok((stage, ended))
        };
        let (stage, ended) = match played.await {
            Ok(played) => played,
            Err(error) => {
                let kept = directory.keep();
                return Err(error.context(format!("the demo failed; its files are in {}", kept.display())));
            }
        };
        let book = progress.step("the book is read and audited", book::read(&stage)).await?;
        let outcome = Outcome::new(&stage, ended, book, progress);
        output::show(&outcome, self.json)?;
        if self.keep {
            eprint!("{}", stage.invitation());
            tokio::signal::ctrl_c().await.context("cannot wait for Ctrl-C")?;
        }
        Ok(if outcome.is_right() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
