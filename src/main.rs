//! The `clearnet` program: starts the log, parses the arguments and runs the command.

use std::process::ExitCode;

use clap::Parser as _;
use clearnet::cli::Cli;

fn main() -> ExitCode {
    env_logger::Builder::from_env(
        env_logger::Env::default()
            .default_filter_or("info,ethers_providers=warn,actix_server=warn,sqlx=warn"),
    )
    .init();
    match Cli::parse().run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
