//! Reads of the book: balances, entries, transfers, and settlements.

use std::collections::BTreeMap;

use domain::ledger::{AccountKind, OwnerId, Side, TransferKind};
use domain::primitives::{Address, Amount, ChannelId};
use domain::protocol::method::get_ledger_balances::{Balance, BalanceKind};
use domain::protocol::method::get_ledger_entries::LedgerEntry;
use domain::protocol::method::get_settlement::{Settlement, SettlementStatus};
use domain::protocol::method::{get_ledger_balances, get_ledger_entries, get_ledger_transactions};
use domain::protocol::{Cursor, Refusal, Text};

use super::{bad_cursor, load, unavailable};
use crate::actors::services::Services;
use crate::store::{AccountRow, EntryId, EntryRow, PAGE_ROWS_MAX, TransferId, TransferRow};

/// The most entries of one account that a page of entries looks through.
const HISTORY_ROWS_MAX: u32 = 10_000;

/// All accounts of a participant, or those of one channel: the wallet first, then by channel.
async fn accounts(
    services: &Services,
    member: Address,
    of: Option<ChannelId>,
) -> Result<Vec<AccountRow>, Refusal> {
    let wallet = ChannelId::of_wallet(member);
    let mut rows = Vec::new();
    if of.is_none_or(|id| id == wallet) {
        rows.extend(load(services, OwnerId::Participant(member)).await?.accounts);
    }
    let mut ids: Vec<ChannelId> = of.into_iter().filter(|id| *id != wallet).collect();
    let mut after = None;
    while of.is_none() {
        let page = services.store.channels_of(member, after, PAGE_ROWS_MAX).await;
        let page = page.map_err(|error| unavailable(&error))?;
        let Some(last) = page.last() else { break };
        after = Some(*last);
        ids.extend(page);
    }
    for id in ids {
        let of_channel = load(services, OwnerId::Channel(id)).await?.accounts;
        rows.extend(of_channel.into_iter().filter(|row| row.key.participant() == member));
    }
    Ok(rows)
}

pub(super) async fn balances(
    services: &Services,
    member: Address,
    params: &get_ledger_balances::Params,
) -> Result<get_ledger_balances::Reply, Refusal> {
    let skip: usize = number_in(params.cursor.as_ref())?.unwrap_or_default();
    let limit = usize::from(params.limit.unwrap_or_default().get());
    let rows = accounts(services, member, params.account_id).await?;
    let held = rows.iter().filter(|row| !row.balance.is_zero());
    let mut shown: Vec<Balance> =
        held.filter_map(|row| Balance::of(&row.key, row.balance)).skip(skip).take(limit + 1).collect();
    let cursor = (shown.len() > limit).then(|| Text::new((skip + limit).to_string())).flatten();
    shown.truncate(limit);
    Ok(get_ledger_balances::Reply { ledger_balances: shown, cursor })
}

fn number_in<T: std::str::FromStr>(cursor: Option<&Cursor>) -> Result<Option<T>, Refusal> {
    cursor.map(|cursor| cursor.as_str().parse().map_err(|_| bad_cursor())).transpose()
}

/// The newest entries before `before` on these accounts, newest first.
async fn newest_entries(
    services: &Services,
    accounts: &[AccountRow],
    before: Option<EntryId>,
    max: usize,
) -> Result<Vec<(EntryRow, AccountRow)>, Refusal> {
    let mut newest: BTreeMap<EntryId, (EntryRow, AccountRow)> = BTreeMap::new();
    for account in accounts {
        let (mut at, mut seen, mut found) = (None, 0, 0);
        while found < max && seen < HISTORY_ROWS_MAX {
            let page = services.store.history(account.id, at, PAGE_ROWS_MAX).await;
            let page = page.map_err(|error| unavailable(&error))?;
            let Some(last) = page.last() else { break };
            at = Some(last.id);
            seen += u32::try_from(page.len()).unwrap_or(u32::MAX);
            for entry in page.into_iter().filter(|entry| before.is_none_or(|before| entry.id < before)) {
                found += 1;
                newest.insert(entry.id, (entry, account.clone()));
            }
        }
    }
    Ok(newest.into_values().rev().take(max).collect())
}

async fn transfer_row(services: &Services, id: TransferId) -> Result<Option<TransferRow>, Refusal> {
    let before = TransferId(id.0.saturating_sub(1));
    let page = services.store.transfer_page(Some(before), 1).await.map_err(|error| unavailable(&error))?;
    Ok(page.into_iter().find(|row| row.id == id))
}

fn shown_entry(entry: &EntryRow, account: &AccountRow, transfer: &TransferRow) -> Option<LedgerEntry> {
    let balance = Balance::of(&account.key, account.balance)?;
    let on = |side| if entry.posting.side() == side { entry.posting.amount() } else { Amount::ZERO };
    Some(LedgerEntry {
        id: entry.id.0,
        transaction_id: entry.transfer.0,
        kind: balance.kind,
        account_id: balance.account_id,
        participant: account.key.participant(),
        chain_id: balance.chain_id,
        token: balance.token,
        credit: on(Side::Credit),
        debit: on(Side::Debit),
        created_at: transfer.at,
    })
}

pub(super) async fn entries(
    services: &Services,
    member: Address,
    params: &get_ledger_entries::Params,
) -> Result<get_ledger_entries::Reply, Refusal> {
    let before = number_in(params.cursor.as_ref())?.map(EntryId);
    let limit = usize::from(params.limit.unwrap_or_default().get());
    let rows = accounts(services, member, params.account_id).await?;
    let mut found = newest_entries(services, &rows, before, limit + 1).await?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let mut shown = Vec::with_capacity(found.len());
    for (entry, account) in &found {
        let transfer = transfer_row(services, entry.transfer).await?;
        shown.extend(transfer.and_then(|transfer| shown_entry(entry, account, &transfer)));
    }
    let last = found.last().filter(|_| has_more);
    let cursor = last.and_then(|(entry, _)| Text::new(entry.id.to_string()));
    Ok(get_ledger_entries::Reply { ledger_entries: shown, cursor })
}

pub(super) async fn transactions(
    services: &Services,
    member: Address,
    params: &get_ledger_transactions::Params,
) -> Result<get_ledger_transactions::Reply, Refusal> {
    let before = number_in(params.cursor.as_ref())?.map(EntryId);
    let limit = usize::from(params.limit.unwrap_or_default().get());
    let rows = accounts(services, member, params.account_id).await?;
    // A transfer posts at most a few entries on the accounts of one participant.
    let found = newest_entries(services, &rows, before, 4 * (limit + 1)).await?;
    let mut by_transfer: BTreeMap<TransferId, Vec<&(EntryRow, AccountRow)>> = BTreeMap::new();
    for entry in &found {
        by_transfer.entry(entry.0.transfer).or_default().push(entry);
    }
    let has_more = by_transfer.len() > limit;
    let (mut shown, mut first_entry) = (Vec::new(), None);
    for (id, mut own) in by_transfer.into_iter().rev().take(limit) {
        own.sort_by_key(|(entry, _)| entry.id);
        first_entry = own.first().map(|(entry, _)| entry.id);
        let Some(transfer) = transfer_row(services, id).await? else { continue };
        let (from, to) = parties(services, &transfer, own.first().map(|(entry, _)| entry.id)).await?;
        shown.push(get_ledger_transactions::Transaction {
            id: id.0,
            kind: transfer.kind.name().to_owned(),
            from,
            to,
            entries: own
                .iter()
                .filter_map(|(entry, account)| shown_entry(entry, account, &transfer))
                .collect(),
            created_at: transfer.at,
        });
    }
    let cursor = first_entry.filter(|_| has_more).and_then(|id| Text::new(id.to_string()));
    Ok(get_ledger_transactions::Reply { ledger_transactions: shown, cursor })
}

/// Who paid whom, in a payment: the entries of a transfer stand together in the book.
async fn parties(
    services: &Services,
    transfer: &TransferRow,
    near: Option<EntryId>,
) -> Result<(Option<Address>, Option<Address>), Refusal> {
    const AROUND: u64 = 64;
    let (TransferKind::Payment, Some(near)) = (transfer.kind, near) else { return Ok((None, None)) };
    let after = Some(EntryId(near.0.saturating_sub(AROUND)));
    let page = services.store.entry_page(after, u32::try_from(2 * AROUND).unwrap_or(u32::MAX)).await;
    let page = page.map_err(|error| unavailable(&error))?;
    let (mut from, mut to) = (None, None);
    for entry in page.iter().filter(|entry| entry.transfer == transfer.id) {
        let before = Some(crate::store::AccountId(entry.account.0.saturating_sub(1)));
        let account = services.store.account_page(before, 1).await.map_err(|error| unavailable(&error))?;
        let participant = account.first().map(|row| row.key.participant());
        match entry.posting.side() {
            Side::Debit => from = from.or(participant),
            // The payer may be credited too, when a part gives more than is paid: the payee comes last.
            Side::Credit => to = participant,
        }
    }
    Ok((from, to))
}

/// How far the settlement into a channel has come; `None` when there is none of the member's.
pub(in crate::actors::session) async fn settlement(
    services: &Services,
    member: Address,
    channel: ChannelId,
) -> Result<Option<Settlement>, Refusal> {
    let accounts = load(services, OwnerId::Channel(channel)).await?.accounts;
    let is_it = |row: &AccountRow| row.key.kind() == AccountKind::Settling && row.key.participant() == member;
    let Some(account) = accounts.into_iter().find(is_it) else { return Ok(None) };
    let entries = services.store.history(account.id, None, PAGE_ROWS_MAX).await;
    let entries = entries.map_err(|error| unavailable(&error))?;
    let (Some(last), Some(first)) = (entries.first(), entries.last()) else { return Ok(None) };
    let (began, ended) =
        (transfer_row(services, first.transfer).await?, transfer_row(services, last.transfer).await?);
    let (Some(began), Some(ended)) = (began, ended) else { return Ok(None) };
    let status = match ended.kind {
        TransferKind::SettlementExecuted => SettlementStatus::Confirmed,
        TransferKind::SettlementRefunded => SettlementStatus::Refunded,
        TransferKind::SettlementRequested
        | TransferKind::ChannelOpened
        | TransferKind::ChannelClosed
        | TransferKind::Payment
        | TransferKind::Anchor
        | TransferKind::VirtualOpened
        | TransferKind::VirtualUpdated
        | TransferKind::VirtualClosed
        | TransferKind::VirtualExpired
        | TransferKind::VirtualProposed
        | TransferKind::VirtualReturned
        | TransferKind::VirtualDeposited
        | TransferKind::VirtualWithdrawn
        | TransferKind::BrokerDeposited
        | TransferKind::BrokerWithdrawn
        | TransferKind::Correction
        | TransferKind::TestFunded
        | TransferKind::BookBegun => SettlementStatus::Requested,
    };
    let token = account.key.token();
    debug_assert_eq!(
        Balance::of(&account.key, account.balance).map(|it| it.kind),
        Some(BalanceKind::Settling)
    );
    Ok(Some(Settlement {
        channel_id: channel,
        chain_id: token.chain_id,
        token: token.address,
        amount: first.posting.amount(),
        status,
        created_at: began.at,
        updated_at: ended.at,
    }))
}
