//! `clearnet serve`: runs the broker until it is told to stop.

use std::fmt;

use clap::Args;
use serde::Serialize;

use super::{ConfigArgs, output};
use crate::app::App;
use crate::signer::load_key;

#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    config: ConfigArgs,
    /// Says as JSON when it is ready.
    #[arg(long)]
    json: bool,
}

/// What is shown when clients can connect.
#[derive(Debug, Serialize)]
struct Ready {
    ws_url: String,
}

impl Serve {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let key = load_key(&config.broker.key)?;
        actix_rt::System::new().block_on(async move {
            let app = App::build(&config, key).await?;
            output::show(&Ready { ws_url: format!("ws://{}/ws", app.addr()) }, self.json)?;
            app.run_until_stopped().await
        })
    }
}

impl fmt::Display for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "listening on {}", self.ws_url)
    }
}
