//! A world on one machine: chains of our own, with our contracts and tokens that anybody can mint.
//!
//! For the demo, the sandbox and tests. The keys in here are known to everybody: nothing in this module
//! may touch a chain whose money is worth something, but [`deploy`], which takes any key.

mod anvil;
mod binary;
mod broker;
mod cheats;
mod config;
mod deploy;
mod local_chain;
mod local_world;
mod process;
mod wallet;

pub use anvil::{Anvil, AnvilOptions};
pub use binary::{TOOLS_DIR, anvil_binary};
pub use broker::LocalBroker;
pub use cheats::{Cheats, Snapshot};
pub use config::config_sections;
pub use deploy::{Deployed, deploy};
pub use local_chain::{ChainPlan, LocalChain, LocalToken, TokenPlan, dev_key, dev_secret};
pub use local_world::LocalWorld;
pub use wallet::{Participant, Wallet, WalletError};
