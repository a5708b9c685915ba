//! What owners answer and tell, as frames; the broker's signatures are made here.

use domain::channel::direct::{AgreedState, Phase};
use domain::channel::virtual_channel::{self, Message as RoomMessage};
use domain::crypto::Signable;
use domain::primitives::{ChannelId, Timestamp, Version};
use domain::protocol::method::get_app_sessions::{AppSession, AppSessionStatus};
use domain::protocol::method::get_channels::{Channel, ChannelStatus};
use domain::protocol::method::get_ledger_balances::Balance;
use domain::protocol::method::{
    Method, cancel_virtual_channel, close_app_session, close_channel, create_app_session,
    delegate_session_key, propose_virtual_channel, reject_virtual_channel, revoke_session_key, settle,
    submit_app_state, test_fund, test_reset, transfer, update_state,
};
use domain::protocol::notification::{Notification, balances, channel, virtual_channel as virtual_notice};
use domain::protocol::{
    AssetsFrame, CarriedState, CosignedState, RequestId, Response, ServerBody, ServerFrame, Stamp, State,
    Text, Uint53,
};
use serde_json::value::RawValue;

use super::SessionShared;
use crate::actors::answer::{Answer, Outcome};
use crate::actors::push::{ChannelView, Push};
use crate::actors::services::Services;
use crate::clock;
use domain::ledger::AccountKey;

/// The list of assets that precedes everything else.
pub(super) fn assets(shared: &SessionShared, now: Timestamp) -> String {
    let frame = AssetsFrame::new(&shared.facts.assets, now);
    let signature = shared.services.key.sign(frame.text().digests().first());
    frame.encode(signature)
}

/// Signs a response of the broker.
pub(super) fn sign(services: &Services, response: Response) -> ServerBody {
    let signature = services.key.sign(response.text(services.broker).digests().first());
    ServerBody::Rpc(response.signed(signature))
}

/// The answer to a request, the same bytes each time.
pub(super) fn answer(services: &Services, id: RequestId, method: Method, answer: &Answer) -> ServerBody {
    let response = reply(id, method, answer);
    let states = answer.states.iter().map(|answered| CarriedState {
        channel_id: answered.channel_id,
        sig: services.key.sign(answered.state.of_channel(answered.channel_id).hash()),
        state: answered.state.clone(),
    });
    sign(services, response.carrying(states.collect()))
}

fn reply(id: RequestId, method: Method, answer: &Answer) -> Response {
    let at = answer.at;
    match &answer.outcome {
        Outcome::Moved { balances } if method == Method::UpdateState => {
            Response::answer(id, method, &update_state::Reply { balances: balances.clone() }, at)
        }
        Outcome::Moved { balances } if method == Method::TestFund => {
            Response::answer(id, method, &test_fund::Reply { balances: balances.clone() }, at)
        }
        Outcome::Moved { balances } => {
            Response::answer(id, method, &transfer::Reply { balances: balances.clone() }, at)
        }
        Outcome::Opened { channel_id, expires_at } => {
            let reply = create_app_session::Reply {
                app_session_id: *channel_id,
                version: Version::ZERO.next().unwrap_or_default(),
                status: AppSessionStatus::Open,
                expires_at: *expires_at,
            };
            Response::answer(id, method, &reply, at)
        }
        Outcome::Proposed { channel_id, expires_at } => {
            let reply = propose_virtual_channel::Reply {
                app_session_id: *channel_id,
                version: Version::ZERO,
                status: AppSessionStatus::Proposed,
                expires_at: *expires_at,
            };
            Response::answer(id, method, &reply, at)
        }
        Outcome::Declined { channel_id } if method == Method::RejectVirtualChannel => {
            let (app_session_id, status) = (*channel_id, AppSessionStatus::Rejected);
            Response::answer(id, method, &reject_virtual_channel::Reply { app_session_id, status }, at)
        }
        Outcome::Declined { channel_id } => {
            let (app_session_id, status) = (*channel_id, AppSessionStatus::Cancelled);
            Response::answer(id, method, &cancel_virtual_channel::Reply { app_session_id, status }, at)
        }
        Outcome::Updated { channel_id, version, is_expiring, expires_at } => {
            let reply = submit_app_state::Reply {
                app_session_id: *channel_id,
                version: *version,
                status: if *is_expiring { AppSessionStatus::Expiring } else { AppSessionStatus::Open },
                expires_at: *expires_at,
            };
            Response::answer(id, method, &reply, at)
        }
        Outcome::Closed { channel_id, version } => {
            let (app_session_id, version, status) = (*channel_id, *version, AppSessionStatus::Closed);
            let reply = close_app_session::Reply { app_session_id, version, status };
            Response::answer(id, method, &reply, at)
        }
        Outcome::Finalized { channel_id } => {
            Response::answer(id, method, &close_channel::Reply { channel_id: *channel_id }, at)
        }
        Outcome::Delegated { key, expires_at } => {
            let reply = delegate_session_key::Reply { session_key: *key, expires_at: *expires_at };
            Response::answer(id, method, &reply, at)
        }
        Outcome::Revoked { key } => {
            Response::answer(id, method, &revoke_session_key::Reply { session_key: *key }, at)
        }
        Outcome::BegunAnew => Response::answer(id, method, &test_reset::Reply {}, at),
        Outcome::Settling { channel_id } => {
            Response::answer(id, method, &settle::Reply { channel_id: *channel_id }, at)
        }
    }
}

/// What an owner tells, as a frame; `None` when the client has nothing of it, or it has to be looked up first.
pub(super) fn push(shared: &SessionShared, push: Push) -> Option<ServerFrame> {
    let services = &shared.services;
    let tell = |notification, at| {
        Some(ServerFrame { id: None, body: sign(services, Response::notify(&notification, at)) })
    };
    match push {
        Push::Channel { channel: view, agreed } => {
            let content = channel::Content {
                channel: channel_of(&view)?,
                state: agreed.and_then(|agreed| cosigned(services, &agreed)).map(Box::new),
            };
            tell(Notification::Channel(content), clock::now())
        }
        Push::Balances { participant, wallet, at } => {
            let balance = |(token, amount)| Balance::of(&AccountKey::wallet(participant, token), amount);
            let balances = wallet.into_iter().filter_map(balance).collect();
            tell(Notification::Balances(balances::Content { balances }), at)
        }
        Push::VirtualChannel(notice) => {
            let at = notice.channel.updated_at;
            let app_session = app_session(&notice.channel)?;
            tell(Notification::VirtualChannel(virtual_notice::Content { app_session }), at)
        }
        Push::Message { channel, message: said } | Push::RoomRpc { channel, message: said } => {
            message(channel, &said)
        }
        Push::Settlement { .. }
        | Push::TopicEnded { .. }
        | Push::KeyRevoked { .. }
        | Push::ParticipantEnded => None,
    }
}

/// What somebody said in a room.
pub(super) fn message(channel: ChannelId, said: &RoomMessage) -> Option<ServerFrame> {
    let stamp = Stamp { seq: said.seq, timestamp: said.at, sender: said.sender };
    let data = RawValue::from_string(said.payload.to_string()).ok()?;
    let body = if said.receiver.is_some() {
        ServerBody::RoomRpc { stamp, call: domain::protocol::RoomCall::decode(channel, &data).ok()? }
    } else {
        ServerBody::Message { channel, stamp, data }
    };
    Some(ServerFrame { id: None, body })
}

/// A state with the participant's signature and the broker's.
pub(super) fn cosigned(services: &Services, agreed: &AgreedState) -> Option<CosignedState> {
    let signature = services.key.sign(agreed.state.hash());
    Some(CosignedState {
        channel_id: agreed.state.channel_id,
        state: State::of(&agreed.state)?,
        signatures: [agreed.participant_signature, signature],
    })
}

/// A direct channel; `None` before it was seen on chain, and for one that never counts.
pub(super) fn channel_of(view: &ChannelView) -> Option<Channel> {
    let (params, token) = (view.params.as_ref()?, view.token?);
    Some(Channel {
        channel_id: view.id,
        status: status_of(view.phase)?,
        participant: params.participants[0],
        chain_id: token.chain_id,
        token: token.address,
        amount: view.locked,
        part: view.part,
        version: view.version,
        adjudicator: params.adjudicator,
        challenge: Uint53::new(params.challenge_secs)?,
        nonce: Uint53::new(params.nonce)?,
    })
}

const fn status_of(phase: Phase) -> Option<ChannelStatus> {
    match phase {
        Phase::Created => Some(ChannelStatus::Opening),
        Phase::Active => Some(ChannelStatus::Open),
        Phase::Closing => Some(ChannelStatus::Closing),
        Phase::Disputed | Phase::Halted => Some(ChannelStatus::Frozen),
        Phase::Closed => Some(ChannelStatus::Closed),
        Phase::Void | Phase::Announced | Phase::Abandoned | Phase::Ignored => None,
    }
}

/// A virtual channel as its members see it.
pub(super) fn app_session(shown: &virtual_channel::Snapshot) -> Option<AppSession> {
    let data = shown.data.as_deref().map(Text::new);
    Some(AppSession {
        app_session_id: shown.channel_id,
        status: match shown.phase {
            virtual_channel::Phase::Proposed => AppSessionStatus::Proposed,
            virtual_channel::Phase::Rejected => AppSessionStatus::Rejected,
            virtual_channel::Phase::Cancelled => AppSessionStatus::Cancelled,
            virtual_channel::Phase::Lapsed => AppSessionStatus::Lapsed,
            virtual_channel::Phase::Open => AppSessionStatus::Open,
            virtual_channel::Phase::Expiring => AppSessionStatus::Expiring,
            virtual_channel::Phase::Closed => AppSessionStatus::Closed,
            virtual_channel::Phase::Expired => AppSessionStatus::Expired,
        },
        definition: create_app_session::AppDefinition::of(&shown.definition)?,
        version: shown.version,
        allocations: shown.allocations.iter().copied().map(Into::into).collect(),
        session_data: data.flatten(),
        created_at: shown.created_at,
        updated_at: shown.updated_at,
        expires_at: shown.expires_at,
    })
}
