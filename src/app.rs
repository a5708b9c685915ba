//! The composition root: the only file that knows every module.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix::prelude::*;
use anyhow::Context as _;
use domain::channel::direct::{CONTRACT_CHALLENGE_SECS_MIN, Terms};
use domain::crypto::{CustodyDomain, SigningKey};
use domain::ledger::{AccountKey, OwnerId};
use domain::participant::{AssetOf, AssetTable};
use domain::primitives::{Address, ChainId, Token};
use domain::protocol::method::{get_assets, get_config};
use evm::{Client, ContractMismatch, RpcLimits};
use secrecy::ExposeSecret as _;

use crate::actors::chain_sender::kept_contract;
use crate::actors::chain_watcher::{ChainWatcherActor, WatchPlan};
use crate::actors::directory::Directory;
use crate::actors::journal::{JournalActor, JournalHealth};
use crate::actors::proposals::Proposals;
use crate::actors::services::{CheckedChains, ReadChains, Services};
use crate::actors::session::{Facts, SessionShared};
use crate::actors::stop::Stop;
use crate::actors::supervisor::SupervisorActor;
use crate::chain::{ChainClient, EvmChain};
use crate::clock;
use crate::config::{Config, Mode, NetworkConfig};
use crate::http::{self, Listening};
use crate::store::{Claim, SqlStore, Store};

/// How long the start waits for a chain to answer before it serves without it.
const CHAIN_WAIT: Duration = Duration::from_secs(10);

/// How often the start looks whether the chains have been read.
const CATCH_UP_POLL: Duration = Duration::from_millis(10);

/// How long a chain that did not answer is left alone before it is asked again.
const CHAIN_RETRY: Duration = Duration::from_secs(5);

/// How many such whiles pass between two looks at what the broker has for gas: a minute.
const COIN_TURNS: u32 = 12;

/// A broker that runs.
pub struct App {
    claim: Claim,
    services: Arc<Services>,
    listening: Listening,
}

impl App {
    /// Builds everything and begins to serve: the book first, then the chains, then the clients.
    ///
    /// A chain that does not answer is waited for in the background; clients are served meanwhile.
    ///
    /// # Errors
    /// When the database cannot be opened, another broker runs on it, contracts on a chain are not this program's, or the address
    /// cannot be bound.
    pub async fn build(config: &Config, key: SigningKey) -> anyhow::Result<Self> {
        let url = config.database.store_url();
        // Before anything is changed: the schema may be that of a broker that runs.
        let claim = Claim::take(url.expose_secret()).await.context("cannot open the database")?;
        crate::store::migrate(url.expose_secret()).await.context("cannot bring the database up to date")?;
        // Connections of its own for the journal: what clients read, however much, keeps nobody from writing.
        let [own, store] = [url.expose_secret(), url.expose_secret()].map(SqlStore::open);
        let own = own.await.context("cannot open the database")?;
        let store: Arc<dyn Store> = Arc::new(store.await.context("cannot open the database")?);
        let broker = key.address();
        let journal = JournalActor::open(Arc::new(own), broker, clock::now()).await?;
        let mut chains: BTreeMap<ChainId, Arc<dyn ChainClient>> = BTreeMap::new();
        let mut clients = BTreeMap::new();
        for network in &config.networks {
            journal.figures().add_chain(network.chain_id);
            let client = Client::new(network.rpc_url.expose(), network.chain_id, RpcLimits::STANDARD)?;
            chains.insert(network.chain_id, Arc::new(EvmChain::new(client.clone(), network.custody, broker)));
            clients.insert(network.chain_id, client);
        }
        let tokens: BTreeSet<Token> =
            config.assets.iter().flat_map(|asset| &asset.tokens).map(|token| token.token).collect();
        match config.broker.mode {
            Mode::Live => refuse_test_money(store.as_ref(), &tokens).await?,
            Mode::Test => log::warn!("test mode: anybody can make money from nothing and empty the book"),
        }
        let terms = config
            .networks
            .iter()
            .map(|network| (network.chain_id, Arc::new(terms(network, &tokens, broker))));
        let confirmations =
            config.networks.iter().map(|network| (network.chain_id, network.confirmations.into()));
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let services = Arc::new(Services {
            broker,
            key: Arc::new(key),
            chains,
            confirmations: confirmations.collect(),
            terms: terms.collect(),
            tokens,
            assets: assets(config),
            journal,
            store,
            directory: Directory::default(),
            arbiters: (0..threads).map(|_| Arbiter::new().handle()).collect(),
            is_serving: AtomicBool::new(false),
            proposals: Proposals::default(),
            checked_chains: CheckedChains::default(),
            read_chains: ReadChains::default(),
            stop: Stop::default(),
        });
        SupervisorActor::open(Arc::clone(&services))
            .await
            .map_err(|_| anyhow::anyhow!("the journal has stopped"))?;
        for network in &config.networks {
            let client = clients.remove(&network.chain_id).context("every network has a client")?;
            watch(&services, network, client).await?;
        }
        catch_up(&services).await;
        let (facts, serves_tests) = (facts(config, &services), config.broker.mode == Mode::Test);
        let shared = SessionShared { services: Arc::clone(&services), facts, serves_tests };
        let listening = http::listen(config.server.listen, Arc::new(shared)).context("cannot listen")?;
        services.is_serving.store(true, Ordering::Relaxed);
        Ok(Self { claim, services, listening })
    }

    /// Where clients connect.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.listening.addr
    }

    /// What the actors share: for tests.
    #[must_use]
    pub fn services(&self) -> &Arc<Services> {
        &self.services
    }

    /// Serves until the process is told to stop, or the journal can write no more.
    ///
    /// Told to stop, it takes nothing more, makes durable and answers what it has taken, and ends within seconds.
    ///
    /// # Errors
    /// When another broker has taken over the store, the server failed, or the process was told to stop twice.
    pub async fn run_until_stopped(self) -> anyhow::Result<()> {
        let Self { mut claim, services, listening } = self;
        let (handle, mut server) = (listening.server.handle(), listening.server);
        let mut health = services.journal.health();
        let fenced = async move {
            // An ended journal has nothing more to say, and nothing can be done without it.
            let _ended = health.wait_for(|health| *health == JournalHealth::Fenced).await;
        };
        tokio::select! {
            served = &mut server => return served.context("the server failed"),
            never = claim.keep() => match never {},
            () = stop_signal() => log::info!("stopping: nothing more is taken"),
            () = fenced => {
                anyhow::bail!("another broker has taken over the store, or the journal has failed");
            }
        }
        let stopped = async {
            // The server works while it is waited for.
            let ended = async {
                services.wind_down().await;
                handle.stop(true).await;
            };
            let (served, ()) = futures::join!(&mut server, ended);
            served.context("the server failed")
        };
        tokio::select! {
            stopped = stopped => stopped.inspect(|()| log::info!("stopped")),
            () = stop_signal() => Err(anyhow::anyhow!("told to stop once more: what was not durable was not acknowledged")),
        }
    }
}

/// Refuses to serve people from a book in which money was made from nothing: it would be owed to somebody.
async fn refuse_test_money(store: &dyn Store, tokens: &BTreeSet<Token>) -> anyhow::Result<()> {
    let faucets: Vec<AccountKey> = tokens.iter().map(|token| AccountKey::faucet(*token)).collect();
    let given = store.accounts(&faucets).await.context("cannot read the book")?;
    match given.iter().find(|account| !account.balance.is_zero()) {
        Some(account) => Err(anyhow::anyhow!(
            "the book holds {} of {} that were made from nothing in test mode: it is not continued as \"live\", begin another database",
            account.balance,
            account.key.token()
        )),
        None => Ok(()),
    }
}

/// Waits for SIGINT or SIGTERM.
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = match signal(SignalKind::terminate()) {
        Ok(terminate) => terminate,
        Err(error) => {
            log::warn!(error:%; "cannot listen for SIGTERM");
            let _interrupted = tokio::signal::ctrl_c().await;
            return;
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

fn terms(network: &NetworkConfig, tokens: &BTreeSet<Token>, broker: Address) -> Terms {
    let on_chain = tokens.iter().filter(|token| token.chain_id == network.chain_id);
    Terms {
        chain_id: network.chain_id,
        broker,
        custody: CustodyDomain::new(network.chain_id, network.custody),
        adjudicator: network.adjudicator,
        tokens: on_chain.map(|token| token.address).collect(),
        challenge_secs_max: network.max_challenge_secs,
        debit_challenge_secs_min: network.min_challenge_secs,
    }
}

fn assets(config: &Config) -> AssetTable {
    let tokens = config.assets.iter().flat_map(|asset| {
        asset.tokens.iter().map(|token| {
            let (token_decimals, asset_decimals) = (token.decimals, asset.decimals);
            (token.token, AssetOf { asset: asset.symbol.clone(), token_decimals, asset_decimals })
        })
    });
    tokens.collect()
}

fn facts(config: &Config, services: &Services) -> Facts {
    let networks = config.networks.iter().map(|network| get_config::Network {
        chain_id: network.chain_id,
        name: network.name.to_string(),
        custody_address: network.custody,
        adjudicator_address: network.adjudicator,
        challenge_min: network.min_challenge_secs.max(CONTRACT_CHALLENGE_SECS_MIN),
        challenge_max: network.max_challenge_secs,
        confirmations: network.confirmations.into(),
    });
    let assets = config.assets.iter().flat_map(|asset| {
        asset.tokens.iter().map(|token| get_assets::AssetToken {
            token: token.token.address,
            chain_id: token.token.chain_id,
            symbol: asset.symbol.clone(),
            decimals: token.decimals,
        })
    });
    let infos = config.assets.iter();
    let infos =
        infos.map(|asset| get_config::AssetInfo { symbol: asset.symbol.clone(), decimals: asset.decimals });
    Facts {
        config: get_config::Reply {
            broker_address: services.broker,
            networks: networks.collect(),
            assets: infos.collect(),
        },
        assets: get_assets::Reply { assets: assets.collect() },
    }
}

/// Begins to watch a chain, and sees to it that it is watched: one that does not answer in time is tried again in
/// the background, and so is one whose watcher ended.
///
/// # Errors
/// When the contracts there are not this program's.
async fn watch(services: &Arc<Services>, network: &NetworkConfig, client: Client) -> anyhow::Result<()> {
    let watcher = match tokio::time::timeout(CHAIN_WAIT, try_watch(services, network, &client)).await {
        Ok(Ok(watcher)) => Some(watcher),
        Ok(Err(NotWatched::Foreign(error))) => {
            return Err(error).with_context(|| format!("network {}", network.name));
        }
        Ok(Err(NotWatched::Later(reason))) => {
            let reason = format!("{reason:#}");
            log::error!(chain_id:% = network.chain_id, reason:%; "the chain is not watched yet");
            None
        }
        Err(_) => {
            log::error!(chain_id:% = network.chain_id; "the chain does not answer; it is tried again");
            None
        }
    };
    Arbiter::current().spawn(keep_watching(Arc::clone(services), network.clone(), client, watcher));
    Ok(())
}

async fn keep_watching(
    services: Arc<Services>,
    network: NetworkConfig,
    client: Client,
    mut watcher: Option<Addr<ChainWatcherActor>>,
) {
    for turn in 0_u32.. {
        if turn.is_multiple_of(COIN_TURNS) {
            look_at_coin(&services, &client).await;
        }
        tokio::time::sleep(CHAIN_RETRY).await;
        match &watcher {
            Some(watcher) if watcher.connected() => continue,
            Some(_) => {
                log::error!(chain_id:% = network.chain_id; "the watcher has ended; another one follows")
            }
            None => {}
        }
        match try_watch(&services, &network, &client).await {
            Ok(following) => watcher = Some(following),
            Err(NotWatched::Foreign(error)) => {
                log::error!(chain_id:% = network.chain_id, error:%; "the chain is never watched");
                return;
            }
            Err(NotWatched::Later(reason)) => {
                let reason = format!("{reason:#}");
                log::warn!(chain_id:% = network.chain_id, reason:%; "the chain is not watched yet");
            }
        }
    }
}

/// Looks how much the broker has for gas. A chain that does not answer leaves the figure as it was.
async fn look_at_coin(services: &Services, client: &Client) {
    let read = async { client.balance(services.broker, Address::ZERO, client.head().await?).await };
    if let Ok(Ok(balance)) = tokio::time::timeout(CHAIN_WAIT, read).await {
        // For people to look at; the book counts in the smallest unit.
        let coins = balance.to_string().parse::<f64>().unwrap_or_default() / 1e18;
        services.journal.figures().set_coin_balance(client.chain_id(), coins);
    }
}

/// Waits until all chains that are watched have been read to their end, for a while at most: what is not read by then
/// is not moved until it is.
async fn catch_up(services: &Services) {
    let chains = services.checked_chains.all();
    let all_read = async {
        while chains.iter().any(|chain_id| services.read_chains.check(*chain_id, clock::now()).is_err()) {
            tokio::time::sleep(CATCH_UP_POLL).await;
        }
    };
    if tokio::time::timeout(CHAIN_WAIT, all_read).await.is_err() {
        log::warn!(
            "not everything that happened on the chains has been read yet; it is read while clients are served"
        );
    }
}

/// Why a chain is not watched.
enum NotWatched {
    /// Its contracts are not this program's, or not those of this book: none of its rules would be safe there.
    Foreign(anyhow::Error),
    /// It may be later.
    Later(anyhow::Error),
}

/// The book of a chain belongs to one custody contract: what it says of channels is not true of another one's.
async fn check_same_contract(services: &Services, network: &NetworkConfig) -> Result<(), NotWatched> {
    let terms = services.terms_of(network.chain_id);
    let terms = terms.ok_or_else(|| NotWatched::Later(anyhow::anyhow!("the network has no terms")))?;
    let stored = services.store.load(OwnerId::Network(network.chain_id)).await;
    let stored = stored.map_err(|error| NotWatched::Later(error.into()))?;
    kept_contract(stored.state.as_ref(), &terms.custody).map_err(|error| NotWatched::Foreign(error.into()))
}

async fn try_watch(
    services: &Arc<Services>,
    network: &NetworkConfig,
    client: &Client,
) -> Result<Addr<ChainWatcherActor>, NotWatched> {
    let later = |error: evm::ChainError| NotWatched::Later(error.into());
    let head = client.head().await.map_err(later)?;
    match client.check_contracts(network.custody, network.adjudicator, head).await {
        Ok(()) => {}
        Err(ContractMismatch::Chain(error)) => return Err(later(error)),
        Err(mismatch) => return Err(NotWatched::Foreign(mismatch.into())),
    }
    check_same_contract(services, network).await?;
    // From now on money may be sent there.
    services.checked_chains.insert(network.chain_id);
    if let Err(refused) = services.owner(OwnerId::Network(network.chain_id)).await {
        log::warn!(chain_id:% = network.chain_id, refused:%; "the sender does not run yet");
    }
    let chain = services.chains.get(&network.chain_id);
    let chain = Arc::clone(chain.ok_or_else(|| NotWatched::Later(anyhow::anyhow!("no client")))?);
    let plan = WatchPlan {
        chain_id: network.chain_id,
        confirmations: network.confirmations.into(),
        start_block: network.start_block,
    };
    ChainWatcherActor::open(Arc::clone(services), chain, plan)
        .await
        .inspect(|_| log::info!(chain_id:% = network.chain_id; "the chain is watched"))
        .map_err(|error| NotWatched::Later(error.into()))
}
