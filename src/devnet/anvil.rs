//! A chain as a child process, which never outlives its parent.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use domain::primitives::ChainId;
use evm::{Client, RpcLimits};
use tokio::time::{interval, timeout};

use super::cheats::Cheats;
use super::process::Process;

/// What the program prints before its address.
const LISTENING: &str = "Listening on 127.0.0.1:";

/// How long a chain may take to start; a loaded machine takes a second.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// How often a starting chain is asked whether it is there.
const START_POLL: Duration = Duration::from_millis(20);

/// What kind of chain is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnvilOptions {
    /// Its number.
    pub chain_id: ChainId,
    /// Seconds between blocks; `None` makes a block of each transaction at once.
    pub block_time_secs: Option<u64>,
}

/// A running chain, by default on a free port of this machine. Ends when dropped, and with this process.
#[derive(Debug)]
pub struct Anvil {
    port: u16,
    client: Client,
    process: Process,
}

impl Anvil {
    /// Starts a chain on a free port and waits until it answers.
    ///
    /// # Errors
    /// When the program cannot be started, ends at once or does not answer in time, with what it printed.
    pub async fn start(binary: &Path, options: AnvilOptions) -> Result<Self> {
        Self::start_at(binary, options, 0).await
    }

    /// Starts a chain on this port, or on a free one for 0, and waits until it answers.
    ///
    /// # Errors
    /// As [`Anvil::start`]; a port that is taken ends the program at once.
    pub async fn start_at(binary: &Path, options: AnvilOptions, port: u16) -> Result<Self> {
        let (chain_id, port) = (options.chain_id.to_string(), port.to_string());
        let block_time = options.block_time_secs.map(|secs| secs.to_string());
        let mut command_line = vec![
            binary.as_os_str(),
            "--port".as_ref(),
            port.as_ref(),
            "--chain-id".as_ref(),
            chain_id.as_ref(),
        ];
        command_line.extend(block_time.iter().flat_map(|secs| [OsStr::new("--block-time"), secs.as_ref()]));
        let (process, port) = Process::spawn(&command_line, &[], port_in)?;
        let port = match timeout(START_TIMEOUT, port).await {
            Ok(Ok(port)) => port,
            Ok(Err(_)) => return Err(process.failure("anvil ended before it listened")),
            Err(_) => return Err(process.failure("anvil does not start in time")),
        };
        let client = Client::new(&url(port), options.chain_id, LOCAL_LIMITS)?;
        let mut ticks = interval(START_POLL);
        let answers = async {
            while client.head().await.is_err() {
                ticks.tick().await;
            }
        };
        timeout(START_TIMEOUT, answers)
            .await
            .map_err(|_| process.failure("anvil does not answer in time"))?;
        let anvil = Self { port, client, process };
        anvil.cheats().set_logging(false).await?;
        Ok(anvil)
    }

    /// Where it is reached.
    #[must_use]
    pub fn url(&self) -> String {
        url(self.port)
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A client of it.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// What only a local chain can do.
    #[must_use]
    pub fn cheats(&self) -> Cheats {
        Cheats::new(self.client.rpc().clone())
    }

    /// Kills the chain and returns when it is dead. Blocks for milliseconds.
    pub fn kill(self) {
        self.process.kill();
    }
}

/// A local chain answers in milliseconds; what it does not answer in seconds, it never does.
const LOCAL_LIMITS: RpcLimits = RpcLimits {
    request_timeout: Duration::from_secs(10),
    connect_timeout: Duration::from_secs(5),
    pause_min: Duration::from_millis(20),
    pause_max: Duration::from_millis(500),
    silence_max: Duration::from_secs(5),
};

fn url(port: u16) -> String {
    format!("ws://127.0.0.1:{port}")
}

/// The port in a line that tells it.
fn port_in(line: &str) -> Option<u16> {
    line.strip_prefix(LISTENING)?.trim().parse().ok()
}
