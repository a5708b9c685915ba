//! What the demo shows at its end.

use std::collections::BTreeMap;
use std::fmt;

use domain::primitives::{Address, Amount, ChainId, Timestamp, encode_hex};
use serde::Serialize;

use super::book::{Audit, Book, Line};
use super::progress::{Progress, Step};
use super::stage::Stage;
use super::story::OnChain;

/// The decimals of both tokens.
const DECIMALS: u8 = 18;

/// The headings of the table, as the specification calls its columns.
const HEADINGS: [&str; 8] =
    ["id", "chain_id", "channel_id", "participant", "token_address", "credit", "debit", "created_at"];

/// Everything, for machines.
#[derive(Serialize)]
pub(super) struct Outcome {
    ok: bool,
    seconds: f64,
    steps: Vec<Step>,
    participants: BTreeMap<&'static str, Address>,
    networks: Vec<Network>,
    ledger: Vec<Line>,
    on_chain: BTreeMap<&'static str, BTreeMap<&'static str, Amount>>,
    audit: Audit,
    database: String,
    ws_url: String,
    /// What is not as it must be.
    #[serde(skip)]
    wrong: Vec<&'static str>,
}

#[derive(Serialize)]
struct Network {
    name: String,
    chain_id: ChainId,
    rpc_url: String,
    custody: Address,
}

impl Outcome {
    pub(super) fn new(stage: &Stage, ended: OnChain, book: Book, progress: Progress) -> Self {
        let Book { lines, is_empty, audit } = book;
        let figures = [
            (ended == OnChain::expected(), "the balances on chain are not what they must be"),
            (is_empty, "accounts in the book are not empty though everybody has left"),
            (audit.is_complete(), "the audit could not find that every law holds"),
        ];
        let wrong: Vec<_> =
            figures.into_iter().filter(|(is_right, _)| !is_right).map(|(_, what)| what).collect();
        let networks = stage.chains().into_iter().zip(stage.rpc_urls()).map(|(chain, rpc_url)| Network {
            name: chain.name().to_owned(),
            chain_id: chain.deployed().chain_id,
            rpc_url,
            custody: chain.deployed().custody,
        });
        let (seconds, steps) = progress.end();
        Self {
            ok: wrong.is_empty(),
            seconds,
            steps,
            participants: BTreeMap::from([
                ("alice", stage.alice),
                ("charlie", stage.charlie),
                ("broker", stage.broker_address),
            ]),
            networks: networks.collect(),
            ledger: lines,
            on_chain: BTreeMap::from([
                ("alice", BTreeMap::from([("SHIB", ended.alice_shib)])),
                ("charlie", BTreeMap::from([("PEPE", ended.charlie_pepe), ("SHIB", ended.charlie_shib)])),
            ]),
            audit,
            database: stage.database(),
            ws_url: stage.ws_url().to_owned(),
            wrong,
        }
    }

    /// Whether every figure is what it must be.
    pub(super) fn is_right(&self) -> bool {
        self.ok
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "The ledger (amounts in whole tokens, ids shortened, times in UTC):\n")?;
        write_table(f, &self.ledger)?;
        writeln!(f, "\nWho is who:\n")?;
        for (who, address) in &self.participants {
            writeln!(f, "  {who:8}  {address}")?;
        }
        writeln!(f, "\nOn chain, outside of the contracts:\n")?;
        for (who, balances) in &self.on_chain {
            for (symbol, amount) in balances {
                writeln!(f, "  {who:8}  {:>11} {symbol}", amount.to_units(DECIMALS))?;
            }
        }
        writeln!(f, "\nThe audit:\n")?;
        for (law, said) in &self.audit.laws {
            let verdict = match said["ok"].as_bool() {
                Some(true) => "holds",
                Some(false) => "BROKEN",
                None => "not checked",
            };
            writeln!(f, "  {law:8}  {verdict:11}  {}", said["law"].as_str().unwrap_or_default())?;
        }
        writeln!(f)?;
        for what in &self.wrong {
            writeln!(f, "WRONG: {what}")?;
        }
        let all = if self.ok { "Every figure is right" } else { "NOT every figure is right" };
        writeln!(f, "{all}, after {:.1} seconds.", self.seconds)
    }
}

/// Writes entries in columns: figures to the right, all else to the left.
fn write_table(f: &mut fmt::Formatter<'_>, lines: &[Line]) -> fmt::Result {
    let mut rows = vec![HEADINGS.map(str::to_owned)];
    rows.extend(lines.iter().map(cells));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 8] = std::array::from_fn(width);
    for row in &rows {
        for (column, cell) in row.iter().enumerate() {
            let width = widths[column];
            if matches!(HEADINGS[column], "id" | "chain_id" | "credit" | "debit") {
                write!(f, "  {cell:>width$}")?;
            } else {
                write!(f, "  {cell:width$}")?;
            }
        }
        writeln!(f)?;
    }
    Ok(())
}

fn cells(line: &Line) -> [String; 8] {
    let amount = |amount: Amount| if amount.is_zero() { String::new() } else { amount.to_units(DECIMALS) };
    [
        line.id.to_string(),
        line.chain_id.to_string(),
        shortened(line.channel_id.as_bytes()),
        shortened(line.participant.as_bytes()),
        shortened(line.token_address.as_bytes()),
        amount(line.credit),
        amount(line.debit),
        time_of_day(line.created_at),
    ]
}

/// The beginning and the end of an id; nothing for zero, which stands for nobody.
fn shortened(bytes: &[u8]) -> String {
    if bytes.iter().all(|byte| *byte == 0) {
        return "-".to_owned();
    }
    let hex = encode_hex(bytes);
    format!("{}…{}", &hex[..6], &hex[hex.len() - 4..])
}

fn time_of_day(at: Timestamp) -> String {
    let millis = at.as_millis();
    let (seconds, millis) = (millis / 1_000, millis % 1_000);
    let (hours, minutes, seconds) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}.{millis:03}")
}
