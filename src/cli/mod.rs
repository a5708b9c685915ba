//! The command line: one file a command, results on stdout, all else on stderr.
//!
//! Commands parse their arguments, call what does the work and show the outcome; they decide nothing.

mod audit;
mod config_check;
mod database;
mod demo;
mod deploy;
mod keygen;
mod migrate;
mod output;
mod sandbox;
mod serve;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::{Config, ConfigError, Flags, load};

/// A broker for state channels.
#[derive(Debug, Parser)]
#[command(name = "clearnet", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Checks that the book keeps the laws.
    Audit(audit::Audit),
    /// Looks after the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Plays a whole story on local chains: deposits, a room, settlement, withdrawals.
    Demo(demo::Demo),
    /// Puts the contracts on a chain.
    Deploy(deploy::Deploy),
    /// Makes a private key for the broker.
    Keygen(keygen::Keygen),
    /// Brings the schema of the database up to this program.
    Migrate(migrate::Migrate),
    /// Runs a broker and a chain to develop against, with money for everybody.
    Sandbox(sandbox::Sandbox),
    /// Runs the broker.
    Serve(serve::Serve),
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Checks the configuration, and whether nodes, contracts, tokens and the database are as it says.
    Check(config_check::ConfigCheck),
}

/// What every command that needs the configuration takes.
#[derive(Debug, Args)]
struct ConfigArgs {
    /// The configuration.
    #[arg(long = "config", value_name = "FILE", default_value = "config.toml")]
    path: PathBuf,
    /// The address and port that clients connect to, instead of server.listen.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
}

impl Cli {
    /// Runs the command to its end; says with which code the process is to end.
    ///
    /// # Errors
    /// Whatever kept the command from its outcome, as a text for the operator.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Audit(command) => return Ok(command.run()),
            Command::Config(ConfigCommand::Check(command)) => return command.run(),
            Command::Demo(command) => return command.run(),
            Command::Deploy(command) => command.run()?,
            Command::Keygen(command) => command.run()?,
            Command::Migrate(command) => command.run()?,
            Command::Sandbox(command) => command.run()?,
            Command::Serve(command) => command.run()?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl ConfigArgs {
    fn load(&self) -> Result<Config, ConfigError> {
        load(&self.path, std::env::vars_os(), &Flags { listen: self.listen.clone() })
    }
}
