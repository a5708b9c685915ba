//! Bringing an owner to life: registered with the journal, read from the store, started where it belongs.

use std::sync::Arc;

use domain::channel::direct::DirectChannel;
use domain::channel::virtual_channel::VirtualChannel;
use domain::ledger::OwnerId;
use domain::participant::SessionKeys;
use domain::primitives::{ChainId, ChannelId};
use futures::channel::mpsc::UnboundedReceiver;

use super::{Author, FromJournal, OwnerHandle, Pen, Refused, Registered, Services};
use crate::actors::chain_sender::ChainSenderActor;
use crate::actors::direct_channel::DirectChannelActor;
use crate::actors::exit::ExitGuard;
use crate::actors::participant::ParticipantActor;
use crate::actors::virtual_channel::VirtualChannelActor;
use crate::store::StateKind;

/// Everything an owner's actor begins with.
pub(in crate::actors) struct Birth {
    pub(in crate::actors) services: Arc<Services>,
    pub(in crate::actors) registered: Registered,
    pub(in crate::actors) told: UnboundedReceiver<FromJournal>,
    pub(in crate::actors) exit: ExitGuard,
}

impl Birth {
    /// The pen of the new incarnation.
    pub(in crate::actors) fn pen<W>(&self, owner: OwnerId) -> Pen<W> {
        Pen::new(self.services.journal.clone(), Author::Owner(owner), &self.registered)
    }
}

/// Registers the owner, which ends any earlier incarnation, and starts its actor.
///
/// # Errors
/// [`Refused::NotFound`] for a channel of which nothing is stored, unless `new_on`;
/// [`Refused::Unavailable`] when it cannot be read.
pub(super) async fn bring_to_life(
    services: Arc<Services>,
    owner: OwnerId,
    new_on: Option<ChainId>,
) -> Result<OwnerHandle, Refused> {
    if matches!(owner, OwnerId::Channel(_)) && new_on.is_none() && !is_known(&services, owner).await? {
        return Err(Refused::NotFound { owner });
    }
    let journal = services.journal.clone();
    let (registered, told) = journal.register(Author::Owner(owner)).await.map_err(|error| {
        log::warn!(owner:% = owner, error:%; "cannot load an owner");
        Refused::Unavailable
    })?;
    let incarnation = registered.incarnation;
    let exit = ExitGuard::new(owner, Arc::clone(&services));
    let born = start(owner, Birth { services, registered, told, exit }, new_on);
    if born.is_err() {
        // A journal that is gone has ended the incarnation already.
        let _closed = journal.leave(Author::Owner(owner), incarnation);
    }
    born
}

/// Starts the actor of an owner that is registered.
fn start(owner: OwnerId, birth: Birth, new_on: Option<ChainId>) -> Result<OwnerHandle, Refused> {
    match owner {
        OwnerId::Participant(address) => {
            let state = birth.registered.stored.state.as_ref();
            let keys = state.map(|row| SessionKeys::from_stored(&row.body)).transpose().map_err(|error| {
                log::error!(participant:% = address, error:%; "stored session keys cannot be read");
                Refused::Unavailable
            })?;
            let keys = keys.unwrap_or_default();
            Ok(OwnerHandle::Participant(ParticipantActor::start(address, keys, birth)))
        }
        OwnerId::Network(chain_id) => ChainSenderActor::start(chain_id, birth)
            .map(OwnerHandle::Sender)
            .ok_or(Refused::NotFound { owner }),
        OwnerId::Channel(id) => channel(id, birth, new_on),
    }
}

/// Whether anything is stored of a channel. Looked up beside the journal, whose turns are for those who write: ids
/// that nobody knows can be asked for by everybody.
async fn is_known(services: &Services, owner: OwnerId) -> Result<bool, Refused> {
    let stored = services.store.load(owner).await.map_err(|error| {
        log::warn!(owner:% = owner, error:%; "cannot look for an owner");
        Refused::Unavailable
    })?;
    Ok(stored.state.is_some() || !stored.inbox.is_empty())
}

fn channel(id: ChannelId, birth: Birth, new_on: Option<ChainId>) -> Result<OwnerHandle, Refused> {
    let owner = OwnerId::Channel(id);
    let stored = &birth.registered.stored;
    let damaged = |error: &dyn std::fmt::Display| {
        log::error!(channel_id:% = id, error:%; "a stored channel cannot be read");
        Refused::Unavailable
    };
    match stored.state.as_ref().map(|state| (state.kind, &state.body)) {
        Some((StateKind::Direct, body)) => {
            let chain_id = DirectChannel::stored_chain(body).map_err(|error| damaged(&error))?;
            let terms =
                birth.services.terms_of(chain_id).ok_or_else(|| damaged(&"its chain is not configured"))?;
            let channel = DirectChannel::decode(id, terms, body).map_err(|error| damaged(&error))?;
            Ok(OwnerHandle::Direct(DirectChannelActor::start(channel, birth)))
        }
        Some((StateKind::Virtual, body)) => {
            let channel = VirtualChannel::from_stored(id, body).map_err(|error| damaged(&error))?;
            Ok(OwnerHandle::Virtual(VirtualChannelActor::start(channel, birth)))
        }
        Some((StateKind::Participant | StateKind::Sender, _)) => Err(damaged(&"it is no channel")),
        None => {
            let seen_on = stored.inbox.first().map(|event| event.key.chain_id);
            let terms = seen_on.or(new_on).and_then(|chain_id| birth.services.terms_of(chain_id));
            let terms = terms.ok_or(Refused::NotFound { owner })?;
            Ok(OwnerHandle::Direct(DirectChannelActor::start(DirectChannel::new(id, terms), birth)))
        }
    }
}
