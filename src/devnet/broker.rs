//! A broker as a child process, which never outlives its parent.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use tokio::time::timeout;

use super::process::Process;

/// How long a broker may take until clients can connect: it makes its database and looks at its chains.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// A running broker, on a free port of this machine. Ends when dropped, and with this process.
#[derive(Debug)]
pub struct LocalBroker {
    ws_url: String,
    process: Process,
}

/// What a broker says when it is ready.
#[derive(Deserialize)]
struct Ready {
    ws_url: String,
}

impl LocalBroker {
    /// Starts the program with a configuration and waits until clients can connect. What it prints is kept in the
    /// file `log`.
    ///
    /// # Errors
    /// When the program cannot be started, ends at once or is not ready in time, with what it printed.
    pub async fn start(program: &Path, config: &Path, log: &Path) -> Result<Self> {
        Self::start_with(program, config, log, &[]).await
    }

    /// The same with these variables beside those of this process.
    ///
    /// # Errors
    /// As [`LocalBroker::start`].
    pub async fn start_with(
        program: &Path,
        config: &Path,
        log: &Path,
        variables: &[(&str, &str)],
    ) -> Result<Self> {
        let mut log = File::create(log).with_context(|| format!("cannot make {}", log.display()))?;
        let command_line = [
            program.as_os_str(),
            "serve".as_ref(),
            "--json".as_ref(),
            "--config".as_ref(),
            config.as_os_str(),
        ];
        let (process, ready) = Process::spawn(&command_line, variables, move |line| {
            // A log that cannot be written must not stop the broker.
            let _ = writeln!(log, "{line}");
            serde_json::from_str(line).ok()
        })?;
        match timeout(START_TIMEOUT, ready).await {
            Ok(Ok(Ready { ws_url })) => Ok(Self { ws_url, process }),
            Ok(Err(_)) => Err(process.failure("the broker ended before it was ready")),
            Err(_) => Err(process.failure("the broker is not ready in time")),
        }
    }

    /// Tells the broker to stop, as an operator does (SIGTERM).
    ///
    /// # Errors
    /// When it is gone already.
    pub fn terminate(&mut self) -> Result<()> {
        self.process.signal("TERM")
    }

    /// Waits until the broker has ended by itself; its exit code.
    ///
    /// # Errors
    /// When that cannot be found out.
    pub async fn ended(self) -> Result<i32> {
        self.process.ended().await
    }

    /// Where clients connect.
    #[must_use]
    pub fn ws_url(&self) -> &str {
        &self.ws_url
    }
}
