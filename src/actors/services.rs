//! What all actors share: the way to the journal, the store to read from, and who lives where.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use actix::prelude::*;
use domain::channel::direct::{Phase, Terms};
use domain::crypto::SigningKey;
use domain::ledger::OwnerId;
use domain::participant::AssetTable;
use domain::primitives::{Address, ChainId, ChannelId, Timestamp, Token};

use super::chain_sender::ChainSenderActor;
use super::direct_channel::DirectChannelActor;
use super::directory::{Directory, OwnerHandle};
use super::journal::JournalHandle;
use super::participant::ParticipantActor;
use super::proposals::Proposals;
use super::request::Refused;
use super::stop::Stop;
use super::supervisor::{Load, SupervisorActor};
use super::virtual_channel::VirtualChannelActor;
use crate::chain::ChainClient;
use crate::store::{StateKind, Store};

/// How long a virtual channel waits after its lifetime for a state that was agreed on: time for a member
/// that was away, short enough that nobody's money hangs.
pub const EXPIRY_WINDOW_SECS: u64 = 60 * 60;

/// How long what was taken may take to be answered when the broker stops, and how long the sessions after that to end.
/// Together with what the server takes, less than the ten seconds that service managers give.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
const LEAVE_WAIT: Duration = Duration::from_secs(2);

/// What all actors share.
pub struct Services {
    /// The broker's address.
    pub broker: Address,
    /// The broker's key.
    pub key: Arc<SigningKey>,
    /// The chains that the broker is on.
    pub chains: BTreeMap<ChainId, Arc<dyn ChainClient>>,
    /// How many blocks must follow before something on a chain counts.
    pub confirmations: BTreeMap<ChainId, u64>,
    /// What the broker demands of direct channels, per chain.
    pub terms: BTreeMap<ChainId, Arc<Terms>>,
    /// The tokens that the broker keeps books of.
    pub tokens: BTreeSet<Token>,
    /// The assets that they belong to.
    pub assets: AssetTable,
    /// The way to the journal.
    pub journal: JournalHandle,
    /// To read from; only the journal writes.
    pub store: Arc<dyn Store>,
    /// Who lives where.
    pub directory: Directory,
    /// Where owners live: each on the arbiter that its participant's address chooses.
    pub arbiters: Vec<ArbiterHandle>,
    /// Whether clients can connect: only then does it mean something that one does not.
    pub is_serving: AtomicBool,
    /// The proposals that wait for an answer.
    pub proposals: Proposals,
    /// Where the broker's money may be spent.
    pub checked_chains: CheckedChains,
    /// Up to when chains were read.
    pub read_chains: ReadChains,
    /// Whether the broker is stopping.
    pub stop: Stop,
}

/// When the log of each chain was last read to its confirmed end.
///
/// Who has brought an old state on chain must not go on spending the newer one before the broker has seen it: what a
/// channel holds is only moved while its chain is being read.
#[derive(Debug, Default)]
pub struct ReadChains(RwLock<BTreeMap<ChainId, Timestamp>>);

/// How long ago that may be: far less than any challenge lasts, long enough for a node that restarts.
const UNREAD_MILLIS_MAX: u64 = 10 * 60 * 1_000;

impl ReadChains {
    /// Everything that is confirmed has been read.
    pub fn insert(&self, chain_id: ChainId, now: Timestamp) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(chain_id, now);
    }

    /// When everything confirmed was last known to be read; `None` when it never was.
    #[must_use]
    pub fn last(&self, chain_id: ChainId) -> Option<Timestamp> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&chain_id).copied()
    }

    /// Whether the chain has been read lately.
    ///
    /// # Errors
    /// [`Refused::ChainUnavailable`] when it has not.
    pub fn check(&self, chain_id: ChainId, now: Timestamp) -> Result<(), Refused> {
        let is_read = self.last(chain_id).is_some_and(|at| now.millis_since(at) <= UNREAD_MILLIS_MAX);
        if is_read { Ok(()) } else { Err(Refused::ChainUnavailable { chain_id }) }
    }
}

/// The chains whose contracts were found to be this program's. On no other is anything sent: none of its rules
/// would be safe there.
#[derive(Debug, Default)]
pub struct CheckedChains(RwLock<BTreeSet<ChainId>>);

impl CheckedChains {
    /// The contracts of this chain are this program's.
    pub fn insert(&self, chain_id: ChainId) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(chain_id);
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> BTreeSet<ChainId> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Services {
    /// The arbiter on which everything of this participant or virtual channel lives.
    #[must_use]
    pub fn arbiter_of(&self, key: &[u8]) -> &ArbiterHandle {
        let last = key.last().copied().unwrap_or_default();
        &self.arbiters[usize::from(last) % self.arbiters.len()]
    }

    /// Ends what is done for clients: nothing more is taken, and what was taken is made durable and answered, for
    /// a while at most. What is not durable by then is lost, and was not acknowledged.
    pub async fn wind_down(&self) {
        self.stop.begin();
        let open = || self.journal.figures().sessions_open.get();
        if !within(ANSWER_WAIT, || open() == 0).await {
            log::warn!(sessions:% = open(); "not everything was answered in time; clients ask again");
        }
        self.stop.leave();
        let in_flight = || self.journal.permits().in_flight();
        if !within(LEAVE_WAIT, || open() == 0 && in_flight() == 0).await {
            log::warn!(in_flight:% = in_flight(); "not everything is durable; it was not acknowledged");
        }
    }

    /// What the broker demands of direct channels on this chain; `None` when it is not on it.
    #[must_use]
    pub fn terms_of(&self, chain_id: ChainId) -> Option<Arc<Terms>> {
        self.terms.get(&chain_id).cloned()
    }

    /// Who brings owners to life and opens virtual channels.
    ///
    /// # Errors
    /// [`Refused::Overloaded`] when there is none at the moment: nothing has happened.
    pub fn supervisor(&self) -> Result<Addr<SupervisorActor>, Refused> {
        self.directory.supervisor().ok_or(Refused::Overloaded)
    }

    /// The owner, loaded if need be.
    ///
    /// # Errors
    /// [`Refused::NotFound`] for a channel that does not exist, [`Refused::Unavailable`] when it could not
    /// be loaded.
    pub async fn owner(&self, owner: OwnerId) -> Result<OwnerHandle, Refused> {
        self.load(owner, None).await
    }

    async fn load(&self, owner: OwnerId, new_on: Option<ChainId>) -> Result<OwnerHandle, Refused> {
        if let Some(handle) = self.directory.find(owner) {
            return Ok(handle);
        }
        let supervisor = self.supervisor()?;
        supervisor.send(Load { owner, new_on }).await.map_err(|_| Refused::Unavailable)?
    }

    /// The direct channel of this id.
    ///
    /// # Errors
    /// As [`Services::owner`]; [`Refused::NotFound`] also for a virtual channel.
    pub async fn direct_channel(&self, id: ChannelId) -> Result<Addr<DirectChannelActor>, Refused> {
        let owner = OwnerId::Channel(id);
        match self.owner(owner).await? {
            OwnerHandle::Direct(addr) => Ok(addr),
            OwnerHandle::Virtual(_) | OwnerHandle::Participant(_) | OwnerHandle::Sender(_) => {
                Err(Refused::NotFound { owner })
            }
        }
    }

    /// The direct channel of this id on a chain, brought to life even if nothing is known of it.
    ///
    /// # Errors
    /// As [`Services::direct_channel`].
    pub async fn new_direct_channel(
        &self,
        id: ChannelId,
        chain_id: ChainId,
    ) -> Result<Addr<DirectChannelActor>, Refused> {
        let owner = OwnerId::Channel(id);
        match self.load(owner, Some(chain_id)).await? {
            OwnerHandle::Direct(addr) => Ok(addr),
            OwnerHandle::Virtual(_) | OwnerHandle::Participant(_) | OwnerHandle::Sender(_) => {
                Err(Refused::NotFound { owner })
            }
        }
    }

    /// Those of the participants that have an ACTIVE direct channel, of any token.
    ///
    /// # Errors
    /// [`Refused::Unavailable`] when the store cannot be read.
    pub async fn with_direct_channel(&self, participants: &[Address]) -> Result<BTreeSet<Address>, Refused> {
        let mut found = BTreeSet::new();
        for participant in participants {
            let has_one = self.store.has_channel(*participant, StateKind::Direct, Phase::Active.code()).await;
            if has_one.map_err(|_| Refused::Unavailable)? {
                found.insert(*participant);
            }
        }
        Ok(found)
    }

    /// The virtual channel of this id.
    ///
    /// # Errors
    /// As [`Services::owner`]; [`Refused::NotFound`] also for a direct channel.
    pub async fn virtual_channel(&self, id: ChannelId) -> Result<Addr<VirtualChannelActor>, Refused> {
        let owner = OwnerId::Channel(id);
        match self.owner(owner).await? {
            OwnerHandle::Virtual(addr) => Ok(addr),
            OwnerHandle::Direct(_) | OwnerHandle::Participant(_) | OwnerHandle::Sender(_) => {
                Err(Refused::NotFound { owner })
            }
        }
    }

    /// The participant, known or not.
    ///
    /// # Errors
    /// [`Refused::Unavailable`] when it could not be loaded.
    pub async fn participant(&self, address: Address) -> Result<Addr<ParticipantActor>, Refused> {
        match self.owner(OwnerId::Participant(address)).await? {
            OwnerHandle::Participant(addr) => Ok(addr),
            OwnerHandle::Direct(_) | OwnerHandle::Virtual(_) | OwnerHandle::Sender(_) => {
                Err(Refused::Unavailable)
            }
        }
    }

    /// The sender of a network.
    ///
    /// # Errors
    /// [`Refused::ChainUnavailable`] when it does not run: the chain has not answered since the start, or the
    /// sender is being rebuilt.
    pub fn sender(&self, chain_id: ChainId) -> Result<Addr<ChainSenderActor>, Refused> {
        self.directory.sender(chain_id).ok_or(Refused::ChainUnavailable { chain_id })
    }
}

/// Waits until something is so, for `wait` at most; says whether it is.
async fn within(wait: Duration, is_so: impl Fn() -> bool) -> bool {
    const LOOK: Duration = Duration::from_millis(10);
    let waited = async {
        while !is_so() {
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout(wait, waited).await.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_read_until_nobody_has_looked_for_a_while() {
        let (read, now) = (ReadChains::default(), Timestamp::from_millis(1_700_000_000_000));
        let (one, other) = (ChainId::new(1), ChainId::new(2));
        assert!(read.check(one, now).is_err());
        read.insert(one, now);
        assert!(read.check(one, now.plus_millis(UNREAD_MILLIS_MAX)).is_ok());
        assert!(read.check(one, now.plus_millis(UNREAD_MILLIS_MAX + 1)).is_err());
        assert!(read.check(other, now).is_err());
    }
}
