//! L11, and the like for virtual channels: what stands on a channel's accounts is what its state pays.
//!
//! The newest state of a direct channel that the contract would enforce gives the `direct` account, the
//! settlement on its way into it the `settling` account; the agreed state of a virtual channel gives each
//! member's account. Money on the account of a channel that has no state would be nobody's.
//!
//! A channel that seems wrong is read again until it stood still meanwhile, so that a journal may write.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::channel::direct::{DirectChannel, Terms};
use domain::channel::virtual_channel::VirtualChannel;
use domain::crypto::CustodyDomain;
use domain::ledger::{AccountKey, AccountKind, OwnerId};
use domain::primitives::{Address, Amount, ChainId, ChannelId, Token};

use super::finding::{Finding, Findings, Problem};
use super::report::Law;
use crate::store::{AccountRow, PAGE_ROWS_MAX, Revision, StateKind, StateRow, Store, StoreError};

/// How often a channel is read again that does not stand still.
const READS_MAX: usize = 8;

/// What the states of channels come to.
#[derive(Debug, Default)]
pub(super) struct ClaimsAudit {
    pub(super) enforceable: Findings,
    pub(super) agreed: Findings,
    /// A channel that did not stand still long enough to be judged; `None` when all were.
    pub(super) moving: Option<(Law, ChannelId)>,
    /// The direct channels whose money is in the contract and counts, with their tokens.
    pub(super) counted: Vec<(ChannelId, Token)>,
}

/// What one state says: what its channel's accounts hold, each above zero.
#[derive(Debug, Default, PartialEq, Eq)]
struct Claims {
    amounts: BTreeMap<AccountKey, Amount>,
    /// The token of a direct channel that counts.
    counted: Option<Token>,
}

/// Compares every channel's state with what stands on its accounts; `funded` are the accounts of channels
/// that hold something.
///
/// # Errors
/// What the store says when it cannot be read. Damaged rows are findings.
pub(super) async fn check(
    store: &dyn Store,
    funded: &BTreeMap<AccountKey, AccountRow>,
) -> Result<ClaimsAudit, StoreError> {
    let mut audit = ClaimsAudit::default();
    let mut channels: BTreeMap<ChannelId, Vec<&AccountRow>> = BTreeMap::new();
    for row in funded.values() {
        channels.entry(row.key.channel()).or_default().push(row);
    }
    let mut after = None;
    loop {
        let page = match store.state_page(after, PAGE_ROWS_MAX).await {
            Err(StoreError::Damaged { table, row, reason }) => {
                let place = format_args!("row {row} of {table}: {reason}");
                audit.enforceable.push(Finding::new(Problem::DamagedRow).at(place));
                return Ok(audit);
            }
            page => page?,
        };
        let Some(last) = page.last() else { break };
        after = Some(last.owner);
        for row in &page {
            let OwnerId::Channel(id) = row.owner else { continue };
            let accounts = channels.remove(&id).unwrap_or_default();
            if !audit.judge(row, accounts.into_iter()) {
                audit.judge_again(store, id).await?;
            }
        }
    }
    for rows in channels.into_values() {
        for row in rows {
            let finding = Finding::new(Problem::NoState).on(row).figures(0, row.balance);
            audit.of(law_of(row.key.kind())).push(finding);
        }
    }
    Ok(audit)
}

impl ClaimsAudit {
    /// Whether the accounts hold what the state says; keeps a direct channel that counts.
    fn judge<'a>(&mut self, state: &StateRow, accounts: impl Iterator<Item = &'a AccountRow>) -> bool {
        let Ok(claims) = claims_of(state) else { return false };
        self.counted.extend(claims.counted.and_then(|token| Some((channel_of(state)?, token))));
        differences(&claims, &held(accounts)).is_empty()
    }

    /// Reads a channel again until it stood still meanwhile, and says what is wrong with it.
    async fn judge_again(&mut self, store: &dyn Store, id: ChannelId) -> Result<(), StoreError> {
        let owner = OwnerId::Channel(id);
        let mut law = Law::Enforceable;
        for _ in 0..READS_MAX {
            let before = revision(store, owner).await?;
            let stored = match store.load(owner).await {
                // Where it is damaged was found when the tables were read.
                Err(StoreError::Damaged { .. }) => return Ok(()),
                stored => stored?,
            };
            let Some(state) = &stored.state else { return Ok(()) };
            law = if state.kind == StateKind::Virtual { Law::Agreed } else { Law::Enforceable };
            if before == Some(state.revision) && before == revision(store, owner).await? {
                self.tell(law, state, &stored.accounts);
                return Ok(());
            }
        }
        self.moving = Some((law, id));
        Ok(())
    }

    fn tell(&mut self, law: Law, state: &StateRow, accounts: &[AccountRow]) {
        let findings = self.of(law);
        match claims_of(state) {
            Err(reason) => {
                let finding = Finding::new(Problem::UnreadableState);
                findings.push(finding.at(format_args!("{}: {reason}", state.owner)));
            }
            Ok(claims) => {
                for (key, expected, actual) in differences(&claims, &held(accounts.iter())) {
                    let finding = Finding::new(Problem::NotItsState).figures(expected, actual);
                    let row = accounts.iter().find(|row| row.key == key);
                    findings.push(match row {
                        Some(row) => finding.on(row),
                        None => finding.at(format_args!("{key}, which has no account")),
                    });
                }
            }
        }
    }

    fn of(&mut self, law: Law) -> &mut Findings {
        if law == Law::Agreed { &mut self.agreed } else { &mut self.enforceable }
    }
}

fn law_of(kind: AccountKind) -> Law {
    if kind == AccountKind::Virtual { Law::Agreed } else { Law::Enforceable }
}

fn channel_of(state: &StateRow) -> Option<ChannelId> {
    match state.owner {
        OwnerId::Channel(id) => Some(id),
        OwnerId::Participant(_) | OwnerId::Network(_) => None,
    }
}

async fn revision(store: &dyn Store, owner: OwnerId) -> Result<Option<Revision>, StoreError> {
    match store.load(owner).await {
        Err(StoreError::Damaged { .. }) => Ok(None),
        stored => Ok(stored?.state.map(|state| state.revision)),
    }
}

/// What the accounts hold, each above zero.
fn held<'a>(accounts: impl Iterator<Item = &'a AccountRow>) -> BTreeMap<AccountKey, Amount> {
    accounts.filter(|row| !row.balance.is_zero()).map(|row| (row.key, row.balance)).collect()
}

/// Where the state and the accounts differ: what the state says, and what the account holds.
fn differences(claims: &Claims, held: &BTreeMap<AccountKey, Amount>) -> Vec<(AccountKey, Amount, Amount)> {
    let keys: BTreeSet<AccountKey> = claims.amounts.keys().chain(held.keys()).copied().collect();
    let of = |map: &BTreeMap<AccountKey, Amount>, key| map.get(&key).copied().unwrap_or_default();
    let rows = keys.into_iter().map(|key| (key, of(&claims.amounts, key), of(held, key)));
    rows.filter(|(_, expected, actual)| expected != actual).collect()
}

/// What a channel's state says that its accounts hold, or why the state cannot be read.
fn claims_of(row: &StateRow) -> Result<Claims, String> {
    let Some(id) = channel_of(row) else { return Ok(Claims::default()) };
    match row.kind {
        StateKind::Direct => of_direct(id, row),
        StateKind::Virtual => {
            let channel = VirtualChannel::from_stored(id, &row.body).map_err(|error| error.to_string())?;
            check_phase(row, channel.phase().code())?;
            Ok(Claims { amounts: channel.balances().collect(), counted: None })
        }
        StateKind::Participant | StateKind::Sender => {
            Err("a channel with the state of another kind".to_owned())
        }
    }
}

fn of_direct(id: ChannelId, row: &StateRow) -> Result<Claims, String> {
    let chain_id = DirectChannel::stored_chain(&row.body).map_err(|error| error.to_string())?;
    let terms = Arc::new(terms_to_read(chain_id));
    let channel = DirectChannel::decode(id, terms, &row.body).map_err(|error| error.to_string())?;
    check_phase(row, channel.phase().code())?;
    let counted = channel.token().filter(|_| channel.phase().is_counted());
    let part = channel.owner().zip(counted).map(|(owner, token)| {
        let account = AccountKey::direct(id, owner, token);
        (account, channel.part())
    });
    let settling = channel.settlement().map(|settlement| {
        let account = AccountKey::settling(id, settlement.owner, settlement.token);
        (account, settlement.amount)
    });
    let amounts = part.into_iter().chain(settling).filter(|(_, amount)| !amount.is_zero()).collect();
    Ok(Claims { amounts, counted })
}

fn check_phase(row: &StateRow, phase: u8) -> Result<(), String> {
    if row.phase == phase {
        return Ok(());
    }
    Err(format!("its row is in phase {}, its state in phase {phase}", row.phase))
}

/// Terms that reading a state needs and does not use: what the broker demands of channels plays no part in
/// what a stored one says.
fn terms_to_read(chain_id: ChainId) -> Terms {
    Terms {
        chain_id,
        broker: Address::ZERO,
        custody: CustodyDomain::new(chain_id, Address::ZERO),
        adjudicator: Address::ZERO,
        tokens: BTreeSet::new(),
        challenge_secs_max: 0,
        debit_challenge_secs_min: 0,
    }
}
