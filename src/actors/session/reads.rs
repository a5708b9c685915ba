//! Reads: from the store only, which every acknowledged write has reached, and only what is the asker's.

use std::collections::BTreeMap;

use domain::channel::direct::DirectChannel;
use domain::channel::virtual_channel::VirtualChannel;
use domain::ledger::{AccountKind, OwnerId, Side, TransferKind};
use domain::primitives::{Address, Amount, ChannelId};
use domain::protocol::method::get_ledger_balances::{Balance, BalanceKind};
use domain::protocol::method::get_ledger_entries::LedgerEntry;
use domain::protocol::method::get_settlement::{Settlement, SettlementStatus};
use domain::protocol::method::{
    Call, Method, get_app_sessions, get_assets, get_channels, get_config, get_ledger_balances,
    get_ledger_entries, get_ledger_transactions, get_state, ping,
};
use domain::protocol::{
    ChannelTerms, Code, CosignedState, Cursor, Details, PageSize, Refusal, RequestId, Response, Text,
};

use super::{SessionShared, refusal, render};
use crate::actors::push::ChannelView;
use crate::actors::services::Services;
use crate::clock;
use crate::store::{
    AccountRow, EntryId, EntryRow, PAGE_ROWS_MAX, StateKind, StateRow, StoreError, Stored, TransferId,
    TransferRow,
};

/// The most entries of one account that a page of entries looks through.
const HISTORY_ROWS_MAX: u32 = 10_000;

/// What does not change while the broker runs.
pub struct Facts {
    /// Who the broker is and on which chains.
    pub config: get_config::Reply,
    /// The tokens that it takes.
    pub assets: get_assets::Reply,
}

/// Answers a request that changes nothing.
///
/// # Errors
/// What `docs/protocol.md` lists for the method; `unavailable` when the store does not answer.
pub(super) async fn answer(
    shared: &SessionShared,
    member: Address,
    id: RequestId,
    call: Call,
) -> Result<Response, Refusal> {
    let (services, now, method) = (&shared.services, clock::now(), call.method());
    Ok(match call {
        Call::GetConfig(_) => Response::answer(id, method, &shared.facts.config, now),
        Call::GetAssets(params) => Response::answer(id, method, &assets(&shared.facts, params)?, now),
        Call::GetChannels(params) => {
            Response::answer(id, method, &channels(services, member, &params).await?, now)
        }
        Call::GetState(params) => {
            let channel = direct_of(services, member, params.channel_id).await?;
            let channel = channel.ok_or_else(|| refusal::unknown_channel(params.channel_id))?;
            let reply =
                state(services, &channel).ok_or_else(|| refusal::unknown_channel(params.channel_id))?;
            Response::answer(id, method, &reply, now)
        }
        Call::GetLedgerBalances(params) => {
            Response::answer(id, method, &balances(services, member, &params).await?, now)
        }
        Call::GetLedgerEntries(params) => {
            Response::answer(id, method, &entries(services, member, &params).await?, now)
        }
        Call::GetLedgerTransactions(params) => {
            Response::answer(id, method, &transactions(services, member, &params).await?, now)
        }
        Call::GetAppSessions(params) => {
            Response::answer(id, method, &app_sessions(services, member, &params).await?, now)
        }
        Call::GetAppDefinition(params) => {
            let channel = virtual_of(services, member, params.app_session_id).await?;
            let shown = channel.and_then(|channel| render::app_session(&channel.snapshot()));
            let shown = shown.ok_or_else(|| refusal::unknown_channel(params.app_session_id))?;
            Response::answer(id, method, &shown.definition, now)
        }
        Call::GetSettlement(params) => {
            let settlement = settlement(services, member, params.channel_id).await?;
            let settlement = settlement.ok_or_else(|| refusal::unknown_channel(params.channel_id))?;
            Response::answer(id, method, &settlement, now)
        }
        Call::Ping(_)
        | Call::Transfer(_)
        | Call::UpdateState(_)
        | Call::CreateAppSession(_)
        | Call::SubmitAppState(_)
        | Call::CloseAppSession(_)
        | Call::CreateChannel(_)
        | Call::CloseChannel(_)
        | Call::Settle(_) => Response::answer(id, Method::Ping, &ping::Reply {}, now),
    })
}

/// The newest co-signed state of a direct channel of the member, with both signatures.
pub(super) async fn current(
    services: &Services,
    member: Address,
    channel: ChannelId,
) -> Option<CosignedState> {
    let channel = direct_of(services, member, channel).await.ok()??;
    render::cosigned(services, &channel.current()?)
}

/// The members of a virtual channel; `None` when there is none of this id.
pub(super) async fn members(
    services: &Services,
    channel: ChannelId,
) -> Result<Option<Vec<Address>>, Refusal> {
    let stored = load(services, OwnerId::Channel(channel)).await?;
    let channel = stored.state.and_then(|row| virtual_channel(&row));
    Ok(channel.map(|channel| channel.members().to_vec()))
}

async fn load(services: &Services, owner: OwnerId) -> Result<Stored, Refusal> {
    services.store.load(owner).await.map_err(|error| unavailable(&error))
}

fn unavailable(error: &StoreError) -> Refusal {
    log::warn!("a read failed: {error}");
    Refusal::new(Code::Unavailable)
}

fn direct(services: &Services, row: &StateRow) -> Option<DirectChannel> {
    let OwnerId::Channel(id) = row.owner else { return None };
    let terms = services.terms_of(DirectChannel::stored_chain(&row.body).ok()?)?;
    DirectChannel::decode(id, terms, &row.body).ok().filter(|_| row.kind == StateKind::Direct)
}

fn virtual_channel(row: &StateRow) -> Option<VirtualChannel> {
    let OwnerId::Channel(id) = row.owner else { return None };
    (row.kind == StateKind::Virtual).then(|| VirtualChannel::from_stored(id, &row.body).ok()).flatten()
}

async fn direct_of(
    services: &Services,
    member: Address,
    id: ChannelId,
) -> Result<Option<DirectChannel>, Refusal> {
    let stored = load(services, OwnerId::Channel(id)).await?;
    let channel = stored.state.and_then(|row| direct(services, &row));
    Ok(channel.filter(|channel| channel.owner() == Some(member)))
}

pub(super) async fn virtual_of(
    services: &Services,
    member: Address,
    id: ChannelId,
) -> Result<Option<VirtualChannel>, Refusal> {
    let stored = load(services, OwnerId::Channel(id)).await?;
    let channel = stored.state.and_then(|row| virtual_channel(&row));
    Ok(channel.filter(|channel| channel.is_member(member)))
}

fn assets(facts: &Facts, params: get_assets::Params) -> Result<get_assets::Reply, Refusal> {
    let Some(chain_id) = params.chain_id else { return Ok(facts.assets.clone()) };
    if !facts.config.networks.iter().any(|network| network.chain_id == chain_id) {
        let details = Details { chain_id: Some(chain_id), ..Details::default() };
        return Err(Refusal::new(Code::UnknownChain).with(details));
    }
    let assets = facts.assets.assets.iter().filter(|token| token.chain_id == chain_id);
    Ok(get_assets::Reply { assets: assets.cloned().collect() })
}

/// What the broker signs and the participant signed last, with the terms that the contract asks for beside it.
fn state(services: &Services, channel: &DirectChannel) -> Option<get_state::Reply> {
    let cosigned = render::cosigned(services, &channel.current()?)?;
    let params = channel.params()?;
    Some(get_state::Reply {
        channel_id: cosigned.channel_id,
        chain_id: params.chain_id,
        channel: ChannelTerms::of(params)?,
        state: cosigned.state,
        signatures: cosigned.signatures,
    })
}

/// Walks the channels of a member in the order of their ids, from a cursor on, until a page is full.
async fn page<T>(
    services: &Services,
    member: Address,
    limit: Option<PageSize>,
    cursor: Option<&Cursor>,
    show: impl Fn(&StateRow) -> Option<T>,
) -> Result<(Vec<T>, Option<Cursor>), Refusal> {
    let limit = usize::from(limit.unwrap_or_default().get());
    let mut after = cursor.map(channel_in).transpose()?;
    let mut shown = Vec::new();
    loop {
        let ids = services.store.channels_of(member, after, PAGE_ROWS_MAX).await;
        let ids = ids.map_err(|error| unavailable(&error))?;
        if ids.is_empty() {
            return Ok((shown, None));
        }
        for id in ids {
            if shown.len() == limit {
                return Ok((shown, after.and_then(|after| Text::new(after.to_string()))));
            }
            after = Some(id);
            let row = load(services, OwnerId::Channel(id)).await?.state;
            shown.extend(row.and_then(|row| show(&row)));
        }
    }
}

fn channel_in(cursor: &Cursor) -> Result<ChannelId, Refusal> {
    cursor.as_str().parse().map_err(|_| bad_cursor())
}

fn bad_cursor() -> Refusal {
    let details = Details { field: Some("cursor".to_owned()), ..Details::default() };
    Refusal::new(Code::InvalidParams).with(details)
}

async fn channels(
    services: &Services,
    member: Address,
    params: &get_channels::Params,
) -> Result<get_channels::Reply, Refusal> {
    let show = |row: &StateRow| {
        let channel = render::channel_of(&ChannelView::of(&direct(services, row)?))?;
        let is_wanted = params.status.is_none_or(|status| status == channel.status);
        (channel.participant == member && is_wanted).then_some(channel)
    };
    let (channels, cursor) = page(services, member, params.limit, params.cursor.as_ref(), show).await?;
    Ok(get_channels::Reply { channels, cursor })
}

async fn app_sessions(
    services: &Services,
    member: Address,
    params: &get_app_sessions::Params,
) -> Result<get_app_sessions::Reply, Refusal> {
    let show = |row: &StateRow| {
        let session = render::app_session(&virtual_channel(row)?.snapshot())?;
        let is_wanted = params.status.is_none_or(|status| status == session.status)
            && params.app_session_id.is_none_or(|id| id == session.app_session_id);
        is_wanted.then_some(session)
    };
    let (app_sessions, cursor) = page(services, member, params.limit, params.cursor.as_ref(), show).await?;
    Ok(get_app_sessions::Reply { app_sessions, cursor })
}

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

async fn balances(
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

async fn entries(
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

async fn transactions(
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
pub(super) async fn settlement(
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
        | TransferKind::BrokerDeposited
        | TransferKind::BrokerWithdrawn
        | TransferKind::Correction => SettlementStatus::Requested,
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
