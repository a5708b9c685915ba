//! Where the real program lives in a test: its directory with key, configuration and log.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use clearnet::devnet::LocalBroker;
use clearnet::signer::create_key_file;
use domain::crypto::SigningKey;
use domain::primitives::Address;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::timeout;

use super::database::Database;

/// A network whose node does not answer, for brokers that need none.
pub(crate) const NO_CHAIN: &str = "[[networks]]\nname = \"away\"\nchain_id = 137\nrpc_url = \"ws://127.0.0.1:1\"\n\
    custody = \"0x1000000000000000000000000000000000000001\"\n\
    adjudicator = \"0x1000000000000000000000000000000000000002\"\n\
    confirmations = 0\ndev = true\nmin_challenge_secs = 3600\n\
    [[assets]]\nsymbol = \"usdc\"\ndecimals = 6\n\
    [[assets.tokens]]\nnetwork = \"away\"\naddress = \"0x1000000000000000000000000000000000000003\"\ndecimals = 6\n";

/// Longer than any command takes that comes to an end.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program; it runs without the variables of this process.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_clearnet");

pub(crate) struct Home {
    pub(crate) broker: Address,
    directory: TempDir,
}

impl Home {
    /// A broker with a key of its own, on this database and these networks.
    pub(crate) fn new(database: &Database, networks: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let broker = create_key_file(&directory.path().join("broker.key")).unwrap().address();
        let url = database.config_url();
        let config = format!(
            "[broker]\nkey_file = \"broker.key\"\n[database]\nurl = \"{url}\"\n\
             [server]\nlisten = \"127.0.0.1:0\"\n{networks}"
        );
        std::fs::write(directory.path().join("config.toml"), config).unwrap();
        Self { broker, directory }
    }

    /// The broker's key once more.
    pub(crate) fn key(&self) -> SigningKey {
        std::fs::read_to_string(self.file("broker.key")).unwrap().trim().parse().unwrap()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// What the broker that was started last has printed.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.file("broker.log")).unwrap_or_default()
    }

    /// Starts the broker and waits until clients can connect. Dropping it is SIGKILL.
    pub(crate) async fn start(&self) -> LocalBroker {
        let started = self.try_start().await;
        started.unwrap_or_else(|error| panic!("the broker does not start: {error:#}\n{}", self.log()))
    }

    /// The same where it may be refused.
    pub(crate) async fn try_start(&self) -> anyhow::Result<LocalBroker> {
        LocalBroker::start(Path::new(PROGRAM), &self.file("config.toml"), &self.file("broker.log")).await
    }

    /// Runs a command of the program to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(PROGRAM);
        command.current_dir(self.directory.path()).env_clear().args(arguments).kill_on_drop(true);
        let ended = timeout(PATIENCE, command.output()).await;
        ended.unwrap_or_else(|_| panic!("{arguments:?} does not end")).unwrap()
    }
}
