//! A chain as a child process, which never outlives its parent.
//!
//! The child is started by a shell that holds the other end of a pipe from us and kills the child when
//! the pipe closes: when we say so, and when we die in whatever way, `kill -9` included. The kernel's
//! signal at the death of a parent would come too early: it follows the thread that started the child, and
//! tests and runtimes end threads all the time.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use domain::primitives::ChainId;
use evm::{Client, RpcLimits};
use tokio::sync::oneshot;
use tokio::time::{interval, timeout};

use super::cheats::Cheats;

/// Runs the program in `$@` until standard input ends. The program's output is the shell's, which keeps none
/// of it open, so that the reader sees when the program ends.
const SHELL: &str =
    r#""$@" </dev/null 2>&1 & child=$!; exec >/dev/null 2>&1; read -r _; kill -9 $child; wait $child"#;

/// What the program prints before its address.
const LISTENING: &str = "Listening on 127.0.0.1:";

/// How long a chain may take to start; a loaded machine takes a second.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// How often a starting chain is asked whether it is there.
const START_POLL: Duration = Duration::from_millis(20);

/// How much output is kept to explain a failed start.
const LINES_KEPT: usize = 20;

/// What kind of chain is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnvilOptions {
    /// Its number.
    pub chain_id: ChainId,
    /// Seconds between blocks; `None` makes a block of each transaction at once.
    pub block_time_secs: Option<u64>,
}

/// A running chain, on a free port of this machine. Ends when dropped, and with this process.
#[derive(Debug)]
pub struct Anvil {
    port: u16,
    client: Client,
    process: Process,
}

/// The shell that keeps the chain, and the thread that reads what it prints.
#[derive(Debug)]
struct Process {
    leash: Option<ChildStdin>,
    reader: Option<JoinHandle<()>>,
    lines: Arc<Mutex<VecDeque<String>>>,
}

impl Anvil {
    /// Starts a chain and waits until it answers.
    ///
    /// # Errors
    /// When the program cannot be started, ends at once or does not answer in time, with what it printed.
    pub async fn start(binary: &Path, options: AnvilOptions) -> Result<Self> {
        let (process, port) = Process::spawn(binary, options)?;
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
    pub fn kill(mut self) {
        self.process.leash = None;
        if let Some(reader) = self.process.reader.take() {
            // A reader that panicked has nothing left to wait for.
            let _ = reader.join();
        }
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

impl Process {
    fn spawn(binary: &Path, options: AnvilOptions) -> Result<(Self, oneshot::Receiver<u16>)> {
        let mut command = Command::new("sh");
        command.args(["-c", SHELL, "sh"]).arg(binary);
        command.args(["--port", "0", "--chain-id", &options.chain_id.to_string()]);
        if let Some(secs) = options.block_time_secs {
            command.args(["--block-time", &secs.to_string()]);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        // A Ctrl-C is for us; we end the chain when we are done.
        command.process_group(0);
        let mut child = command.spawn().context("sh cannot be started")?;
        let leash = child.stdin.take();
        let output = child.stdout.take().context("the output of the chain is not piped")?;
        let (port, listening) = oneshot::channel();
        let lines = Arc::new(Mutex::new(VecDeque::new()));
        let kept = Arc::clone(&lines);
        let reader = thread::Builder::new().name("anvil".to_owned());
        let reader = reader.spawn(move || read(child, output, port, &kept))?;
        Ok((Self { leash, reader: Some(reader), lines }, listening))
    }

    /// An error with the last lines of output.
    fn failure(&self, what: &'static str) -> anyhow::Error {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let said: Vec<&str> = lines.iter().map(String::as_str).collect();
        anyhow!("{}", said.join("\n")).context(what)
    }
}

/// Reads what the chain prints, so that it never waits for a reader, and buries the child.
fn read(mut child: Child, output: ChildStdout, port: oneshot::Sender<u16>, kept: &Mutex<VecDeque<String>>) {
    let mut port = Some(port);
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        if let Some(number) = line.strip_prefix(LISTENING).and_then(|number| number.trim().parse().ok())
            && let Some(port) = port.take()
        {
            // Whoever waited may have given up.
            let _ = port.send(number);
        }
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == LINES_KEPT {
            kept.pop_front();
        }
        kept.push_back(line);
    }
    // Without it, who waits for the port learns that none will come.
    drop(port);
    if let Err(error) = child.wait() {
        log::warn!(error:%; "the shell of a local chain cannot be waited for");
    }
}
