//! The broker's book as its database has it, and what the audit says of it.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result};
use domain::ledger::Side;
use domain::primitives::{Address, Amount, ChainId, ChannelId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::process::Command;

use super::stage::Stage;
use crate::store::{AccountRow, PAGE_ROWS_MAX, SqlStore, Store, StoreError, TransferRow};

/// How often the audit is asked before it is believed that something cannot be checked.
const AUDITS_MAX: usize = 20;

/// How long the broker gets between two audits.
const AUDIT_PAUSE: Duration = Duration::from_millis(250);

/// What was read.
pub(super) struct Book {
    pub(super) lines: Vec<Line>,
    /// Whether all accounts are empty, as they must be when everybody has left.
    pub(super) is_empty: bool,
    pub(super) audit: Audit,
}

/// An entry, in the words of the specification.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    pub(super) id: u64,
    pub(super) chain_id: ChainId,
    pub(super) channel_id: ChannelId,
    pub(super) participant: Address,
    pub(super) token_address: Address,
    pub(super) credit: Amount,
    pub(super) debit: Amount,
    pub(super) created_at: Timestamp,
}

/// What `clearnet audit` says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Audit {
    pub(super) ok: bool,
    pub(super) laws: BTreeMap<String, Value>,
}

impl Audit {
    /// Whether every law was checked and holds.
    pub(super) fn is_complete(&self) -> bool {
        self.ok && self.laws.values().all(|law| law["ok"] == true)
    }
}

/// Reads and audits the book while the broker runs.
pub(super) async fn read(stage: &Stage) -> Result<Book> {
    let store = SqlStore::open(&stage.database()).await?;
    let accounts = accounts(&store).await?;
    let transfers = transfers(&store).await?;
    let lines = lines(&store, &accounts, &transfers).await?;
    let is_empty = accounts.values().all(|account| account.balance.is_zero());
    Ok(Book { lines, is_empty, audit: audit(stage).await? })
}

async fn accounts(store: &dyn Store) -> Result<BTreeMap<u64, AccountRow>, StoreError> {
    let mut rows = BTreeMap::new();
    let mut after = None;
    loop {
        let page = store.account_page(after, PAGE_ROWS_MAX).await?;
        let Some(last) = page.last() else { return Ok(rows) };
        after = Some(last.id);
        rows.extend(page.into_iter().map(|row| (row.id.0, row)));
    }
}

async fn transfers(store: &dyn Store) -> Result<BTreeMap<u64, TransferRow>, StoreError> {
    let mut rows = BTreeMap::new();
    let mut after = None;
    loop {
        let page = store.transfer_page(after, PAGE_ROWS_MAX).await?;
        let Some(last) = page.last() else { return Ok(rows) };
        after = Some(last.id);
        rows.extend(page.into_iter().map(|row| (row.id.0, row)));
    }
}

async fn lines(
    store: &dyn Store,
    accounts: &BTreeMap<u64, AccountRow>,
    transfers: &BTreeMap<u64, TransferRow>,
) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    let mut after = None;
    loop {
        let page = store.entry_page(after, PAGE_ROWS_MAX).await?;
        let Some(last) = page.last() else { return Ok(lines) };
        after = Some(last.id);
        for row in &page {
            let key = accounts.get(&row.account.0).context("an entry has no account")?.key;
            let transfer = transfers.get(&row.transfer.0).context("an entry has no transfer")?;
            let (credit, debit) = match row.posting.side() {
                Side::Credit => (row.posting.amount(), Amount::ZERO),
                Side::Debit => (Amount::ZERO, row.posting.amount()),
            };
            lines.push(Line {
                id: row.id.0,
                chain_id: key.token().chain_id,
                channel_id: key.channel(),
                participant: key.participant(),
                token_address: key.token().address,
                credit,
                debit,
                created_at: transfer.at,
            });
        }
    }
}

/// Audits until everything could be checked: the broker may still be taking in what happened last.
async fn audit(stage: &Stage) -> Result<Audit> {
    for _ in 1..AUDITS_MAX {
        let audit = audit_once(stage).await?;
        if audit.is_complete() || !audit.ok {
            return Ok(audit);
        }
        tokio::time::sleep(AUDIT_PAUSE).await;
    }
    audit_once(stage).await
}

/// Runs the command that an operator would run.
async fn audit_once(stage: &Stage) -> Result<Audit> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let mut command = Command::new(program);
    command.args(["audit", "--json", "--config"]).arg(stage.config()).env_clear();
    let output = command.output().await.context("cannot run the audit")?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    serde_json::from_slice(&output.stdout).with_context(|| format!("the audit failed: {said}"))
}
