//! `clearnet audit`: does the book keep the laws, and do the contracts hold what it says?
//!
//! Ends with 0 when every law that was to be checked holds, with 1 when one is broken, and with 2 when
//! that could not be found out.

use std::collections::BTreeMap;
use std::fmt;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use domain::primitives::{Amount, Token};
use evm::{Client, RpcLimits};
use secrecy::ExposeSecret as _;
use serde::Serialize;

use super::database::{Chosen, DatabaseArgs};
use super::output;
use crate::audit::{Contracts, Finding, Law, Report, Shortfall, Surplus, Verdict, audit};
use crate::chain::{ChainClient, EvmChain};
use crate::config::Config;
use crate::signer::load_key;
use crate::store::{SqlStore, StoreError};

/// A law is broken.
const BROKEN: u8 = 1;
/// A law that was to be checked was not.
const NOT_DONE: u8 = 2;

#[derive(Debug, Args)]
pub(super) struct Audit {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Shows the outcome as JSON.
    #[arg(long)]
    json: bool,
}

/// What the audit comes to.
#[derive(Debug, Serialize)]
struct Outcome {
    /// Whether no law was found broken.
    ok: bool,
    database: String,
    book: Book,
    laws: BTreeMap<&'static str, LawOutcome>,
    /// What contracts hold that nobody has booked.
    surplus: Vec<SurplusOutcome>,
    /// What the broker owes above what it has.
    shortfall: Vec<SurplusOutcome>,
    #[serde(skip)]
    shown: Vec<Law>,
}

#[derive(Debug, Serialize)]
struct SurplusOutcome {
    token: Token,
    amount: Amount,
}

#[derive(Debug, Serialize)]
struct Book {
    commit: u64,
    accounts: u64,
    transfers: u64,
    entries: u64,
}

#[derive(Debug, Serialize)]
struct LawOutcome {
    /// `None` when it was not checked.
    ok: Option<bool>,
    law: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_checked: Option<String>,
    /// How many findings there are; the first of them follow.
    found: u64,
    findings: Vec<FindingOutcome>,
}

#[derive(Debug, Serialize)]
struct FindingOutcome {
    text: String,
    account_id: Option<u64>,
    account: Option<String>,
    entry: Option<u64>,
    transfer: Option<u64>,
    expected: Option<String>,
    actual: Option<String>,
}

impl Audit {
    pub(super) fn run(self) -> ExitCode {
        match self.audit() {
            Ok(code) => code,
            Err(error) => {
                eprintln!("error: {error:#}");
                ExitCode::from(NOT_DONE)
            }
        }
    }

    fn audit(self) -> anyhow::Result<ExitCode> {
        let Chosen { url, shown, config } = self.database.choose()?;
        let contracts = config.as_ref().map(contracts).transpose()?;
        let report = actix_rt::System::new().block_on(read(url.expose_secret(), contracts.as_ref()))?;
        output::show(&Outcome::new(shown, &report), self.json)?;
        Ok(match (report.is_clean(), report.is_complete()) {
            (true, true) => ExitCode::SUCCESS,
            (true, false) => ExitCode::from(NOT_DONE),
            (false, _) => ExitCode::from(BROKEN),
        })
    }
}

/// The contracts of all networks; nothing is connected yet.
fn contracts(config: &Config) -> anyhow::Result<Contracts> {
    let broker = load_key(&config.broker.key)?.address();
    let chains = config.networks.iter().map(|network| {
        let client = Client::new(network.rpc_url.expose(), network.chain_id, RpcLimits::STANDARD)?;
        let chain: Arc<dyn ChainClient> = Arc::new(EvmChain::new(client, network.custody, broker));
        anyhow::Ok(chain)
    });
    Ok(Contracts { broker, chains: chains.collect::<anyhow::Result<_>>()? })
}

async fn read(url: &str, contracts: Option<&Contracts>) -> Result<Report, StoreError> {
    let store = SqlStore::open(url).await?;
    let report = audit(&store, contracts).await?;
    Ok(report)
}

impl Outcome {
    fn new(database: String, report: &Report) -> Self {
        let Report { head, accounts, transfers, entries, laws, surpluses, shortfalls } = report;
        let surplus = |it: &Surplus| SurplusOutcome { token: it.token, amount: it.amount };
        let shortfall = |it: &Shortfall| SurplusOutcome { token: it.token, amount: it.amount };
        let book = Book { commit: head.seq.0, accounts: *accounts, transfers: *transfers, entries: *entries };
        Self {
            ok: report.is_clean(),
            database,
            book,
            laws: laws.iter().map(|(law, verdict)| (law.name(), LawOutcome::new(*law, verdict))).collect(),
            surplus: surpluses.iter().map(surplus).collect(),
            shortfall: shortfalls.iter().map(shortfall).collect(),
            shown: laws.keys().copied().collect(),
        }
    }
}

impl LawOutcome {
    fn new(law: Law, verdict: &Verdict) -> Self {
        let law = law.words();
        match verdict {
            Verdict::Holds => Self { ok: Some(true), law, not_checked: None, found: 0, findings: Vec::new() },
            Verdict::NotChecked(why) => {
                Self { ok: None, law, not_checked: Some(why.to_string()), found: 0, findings: Vec::new() }
            }
            Verdict::Broken(findings) => {
                let kept = findings.kept().iter().map(FindingOutcome::new).collect();
                Self { ok: Some(false), law, not_checked: None, found: findings.found(), findings: kept }
            }
        }
    }
}

impl FindingOutcome {
    fn new(finding: &Finding) -> Self {
        Self {
            text: finding.to_string(),
            account_id: finding.account.map(|account| account.id.0),
            account: finding.account.and_then(|account| account.key).map(|key| key.to_string()),
            entry: finding.entry.map(|id| id.0),
            transfer: finding.transfer.map(|id| id.0),
            expected: finding.expected.clone(),
            actual: finding.actual.clone(),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Book { commit, accounts, transfers, entries } = &self.book;
        writeln!(f, "{} up to commit {commit}:", self.database)?;
        writeln!(f, "{accounts} accounts, {transfers} transfers, {entries} entries\n")?;
        for law in &self.shown {
            let outcome = &self.laws[law.name()];
            let verdict = match outcome.ok {
                Some(true) => "holds",
                Some(false) => "BROKEN",
                None => "not checked",
            };
            writeln!(f, "{:8}  {verdict:11}  {}", law.name(), outcome.law)?;
            if let Some(why) = &outcome.not_checked {
                writeln!(f, "          {why}")?;
            }
            for finding in &outcome.findings {
                writeln!(f, "          {}", finding.text)?;
            }
            let more = outcome.found - outcome.findings.len() as u64;
            if more > 0 {
                writeln!(f, "          and {more} more")?;
            }
        }
        for SurplusOutcome { token, amount } in &self.surplus {
            writeln!(f, "\nThe contract holds {amount} of {token} for the broker that are not in the book.")?;
        }
        for SurplusOutcome { token, amount } in &self.shortfall {
            writeln!(f, "\nThe broker owes {amount} of {token} more than it has: deposit them.")?;
        }
        let all = if self.ok { "Nothing is broken in what was checked." } else { "The book is BROKEN." };
        writeln!(f, "\n{all}")
    }
}
