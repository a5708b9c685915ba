//! `clearnet keygen`: a private key for the broker, in a file and nowhere else.

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use domain::primitives::Address;
use serde::Serialize;

use super::output;
use crate::signer::create_key_file;

#[derive(Debug, Args)]
pub(super) struct Keygen {
    /// Where to keep the key; a file that exists is not overwritten.
    #[arg(long = "out", value_name = "FILE", default_value = "broker.key")]
    key_file: PathBuf,
    /// Shows the outcome as JSON.
    #[arg(long)]
    json: bool,
}

/// What was made; never the key itself.
#[derive(Debug, Serialize)]
struct Outcome {
    address: Address,
    key_file: PathBuf,
}

impl Keygen {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let key = create_key_file(&self.key_file)?;
        let outcome = Outcome { address: key.address(), key_file: self.key_file };
        Ok(output::show(&outcome, self.json)?)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "address   {}", self.address)?;
        writeln!(f, "key file  {}", self.key_file.display())
    }
}
