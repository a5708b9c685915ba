//! `clearnet sandbox`: a whole world for people who write front ends, the same at every start.
//!
//! One local chain, contracts and tokens at addresses that never change, funded accounts whose keys everybody
//! knows, and the real broker in test mode. It runs until it is stopped and takes everything down with it.

mod ready;
mod stage;

use std::path::PathBuf;

use clap::Args;

use super::output;
use super::workspace::Workspace;
use crate::app::App;
use crate::config::{Flags, load};
use ready::Ready;
use stage::{Stage, broker_key};

#[derive(Debug, Args)]
pub(super) struct Sandbox {
    /// The port that clients connect to; 0 for a free one.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port: u16,
    /// The port of the chain; 0 for a free one.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    chain_port: u16,
    /// Where configuration, key and database of the broker are kept, a directory of no sandbox before; a temporary
    /// one otherwise.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Says as JSON, on one line, what there is when it is ready.
    #[arg(long)]
    json: bool,
}

impl Sandbox {
    pub(super) fn run(self) -> anyhow::Result<()> {
        // The chain ends with the process, however it ends; the directory goes when it ends in order.
        let directory = Workspace::new(self.data_dir, "clearnet-sandbox-")?;
        actix_rt::System::new().block_on(async {
            let stage = Stage::set(directory.path(), self.chain_port, self.port).await?;
            // What the environment says of another broker is not for this one.
            let config = load(stage.config(), [], &Flags::default())?;
            let app = App::build(&config, broker_key()).await?;
            output::show(&Ready::new(&stage, app.addr()), self.json)?;
            app.run_until_stopped().await?;
            stage.strike();
            Ok(())
        })
    }
}
