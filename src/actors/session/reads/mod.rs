//! Reads: from the store only, which every acknowledged write has reached, and only what is the asker's.

mod ledger;

pub(super) use ledger::settlement;

use domain::channel::direct::DirectChannel;
use domain::channel::virtual_channel::VirtualChannel;
use domain::ledger::OwnerId;
use domain::participant::{Cap, SessionKey};
use domain::primitives::{Address, Asset, ChannelId};
use domain::protocol::method::delegate_session_key::Scope;
use domain::protocol::method::{
    Call, Method, get_app_sessions, get_assets, get_channels, get_config, get_session_keys, get_state, ping,
};
use domain::protocol::{
    ChannelTerms, Code, CosignedState, Cursor, Details, PageSize, Refusal, RequestId, Response, Text,
};

use super::{SessionShared, keys, refusal, render};
use crate::actors::push::ChannelView;
use crate::actors::services::Services;
use crate::clock;
use crate::store::{PAGE_ROWS_MAX, StateKind, StateRow, StoreError, Stored};

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
            Response::answer(id, method, &ledger::balances(services, member, &params).await?, now)
        }
        Call::GetLedgerEntries(params) => {
            Response::answer(id, method, &ledger::entries(services, member, &params).await?, now)
        }
        Call::GetLedgerTransactions(params) => {
            Response::answer(id, method, &ledger::transactions(services, member, &params).await?, now)
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
            let found = settlement(services, member, params.channel_id).await?;
            let found = found.ok_or_else(|| refusal::unknown_channel(params.channel_id))?;
            Response::answer(id, method, &found, now)
        }
        Call::GetSessionKeys(_) => Response::answer(id, method, &session_keys(services, member).await?, now),
        Call::Ping(_)
        | Call::Transfer(_)
        | Call::UpdateState(_)
        | Call::CreateAppSession(_)
        | Call::ProposeVirtualChannel(_)
        | Call::AcceptVirtualChannel(_)
        | Call::RejectVirtualChannel(_)
        | Call::CancelVirtualChannel(_)
        | Call::SubmitAppState(_)
        | Call::CloseAppSession(_)
        | Call::CreateChannel(_)
        | Call::CloseChannel(_)
        | Call::Settle(_)
        | Call::DelegateSessionKey(_)
        | Call::RevokeSessionKey(_)
        | Call::TestFund(_)
        | Call::TestReset(_) => Response::answer(id, Method::Ping, &ping::Reply {}, now),
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

/// The session keys of the member that live.
async fn session_keys(services: &Services, member: Address) -> Result<get_session_keys::Reply, Refusal> {
    let keys = keys::of_one(services, member).await?;
    let shown = |(address, key): (Address, &SessionKey)| get_session_keys::Key {
        session_key: address,
        scope: key.scope.iter().copied().map(Scope).collect(),
        application: key.application.as_deref().and_then(Text::new),
        caps: key.caps.iter().map(|(asset, cap)| shown_cap(asset, *cap)).collect(),
        created_at: key.created_at,
        expires_at: key.expires_at,
    };
    Ok(get_session_keys::Reply { session_keys: keys.all_live(clock::now()).map(shown).collect() })
}

fn shown_cap(asset: &Asset, cap: Cap) -> get_session_keys::Cap {
    get_session_keys::Cap { asset: asset.clone(), amount: cap.most, used: cap.used }
}

async fn load(services: &Services, owner: OwnerId) -> Result<Stored, Refusal> {
    services.store.load(owner).await.map_err(|error| unavailable(&error))
}

fn unavailable(error: &StoreError) -> Refusal {
    log::warn!(error:%; "a read failed");
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
