//! The sender of a network: the broker's own means there, and the transactions that were decided.

use actix::prelude::*;
use domain::crypto::{DirectParams, DirectState, Signed};
use domain::primitives::{Address, ChainId, ChannelId};

use super::journal::{FromJournal, Incarnation, NewOutbox};
use super::prepare::{PrepareLiquidity, Release};
use super::request::Refused;
use super::supervisor::Birth;

/// The sender of a network.
pub struct ChainSenderActor;

impl ChainSenderActor {
    /// Starts the sender; `None` for a chain that is not configured.
    pub(super) fn start(_chain_id: ChainId, _birth: Birth) -> Option<Addr<Self>> {
        None
    }
}

/// The transaction by which the broker creates the channel of a settlement.
pub(super) fn creation(
    chain_id: ChainId,
    channel: ChannelId,
    _params: &DirectParams,
    _initial: &Signed<DirectState>,
    _participant: Address,
) -> NewOutbox {
    NewOutbox {
        changes: None,
        chain_id,
        owner: domain::ledger::OwnerId::Channel(channel),
        status: crate::store::OutboxStatus::Open,
        body: Vec::new(),
    }
}

impl Actor for ChainSenderActor {
    type Context = Context<Self>;
}

impl Handler<PrepareLiquidity> for ChainSenderActor {
    type Result = Result<Incarnation, Refused>;

    fn handle(&mut self, _: PrepareLiquidity, _: &mut Context<Self>) -> Self::Result {
        Err(Refused::Unavailable)
    }
}

impl Handler<Release> for ChainSenderActor {
    type Result = ();

    fn handle(&mut self, _: Release, _: &mut Context<Self>) {}
}

impl StreamHandler<FromJournal> for ChainSenderActor {
    fn handle(&mut self, _: FromJournal, _: &mut Context<Self>) {}
}
