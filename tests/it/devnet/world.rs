//! Contracts of its own for each test, on one chain that all share.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clearnet::devnet::{
    Anvil, AnvilOptions, ChainPlan, Cheats, LocalChain, Participant, TOOLS_DIR, TokenPlan, anvil_binary,
    dev_key,
};
use domain::chain::CustodyEvent;
use domain::crypto::{Allocation, DirectParams, DirectState, Intent, Signature, SigningKey, eip191_digest};
use domain::primitives::{Address, Amount, ChainId, Version};
use evm::custody::{SignedState, decode_log};
use evm::{Client, RpcLimits};
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;

pub(crate) const CHAIN_ID: ChainId = ChainId::new(31_337);
pub(crate) const CHALLENGE_SECS: u64 = 3_600;

/// Short enough that a test sees a timeout, long enough for a loaded machine.
pub(crate) const LIMITS: RpcLimits = RpcLimits {
    request_timeout: Duration::from_secs(2),
    connect_timeout: Duration::from_secs(2),
    pause_min: Duration::from_millis(10),
    pause_max: Duration::from_millis(100),
    silence_max: Duration::from_millis(500),
};

/// Nothing in these tests takes longer unless it is broken.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("takes too long")
}

pub(crate) async fn binary() -> PathBuf {
    spawn_blocking(|| anvil_binary(Path::new(TOOLS_DIR))).await.unwrap().unwrap()
}

pub(crate) async fn private_chain(chain_id: ChainId) -> Anvil {
    Anvil::start(&binary().await, AnvilOptions { chain_id, block_time_secs: None }).await.unwrap()
}

pub(crate) async fn shared_chain() -> &'static Anvil {
    static SHARED: OnceCell<Anvil> = OnceCell::const_new();
    SHARED.get_or_init(|| private_chain(CHAIN_ID)).await
}

pub(crate) struct World {
    pub(crate) chain: LocalChain,
    pub(crate) cheats: Cheats,
    pub(crate) alice: Participant,
    pub(crate) broker: Participant,
    alice_key: SigningKey,
    broker_key: SigningKey,
    pub(crate) token: Address,
}

/// How a side signs.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    Raw,
    Eip191,
}

impl World {
    /// Everybody has coin for transactions; Alice has a thousand tokens.
    pub(crate) async fn on(anvil: &Anvil, label: &str) -> Self {
        let client = Client::new(&anvil.url(), CHAIN_ID, LIMITS).unwrap();
        let cheats = Cheats::new(client.rpc().clone());
        let token = TokenPlan { symbol: "usdc".to_owned(), decimals: 6 };
        let plan = ChainPlan { name: "local".to_owned(), tokens: vec![token] };
        let key = |who: &str| dev_key(&format!("{label}/{who}"));
        let chain = LocalChain::build(client, plan, key("treasury")).await.unwrap();
        let (alice, broker) = (chain.participant(key("alice")), chain.participant(key("broker")));
        let token = chain.tokens()[0].address;
        for who in [&alice, &broker] {
            chain.give_coin(who.address(), Amount::from(10_u128.pow(18))).await.unwrap();
        }
        chain.give_tokens(token, alice.address(), amount(1_000)).await.unwrap();
        Self { chain, cheats, alice, broker, alice_key: key("alice"), broker_key: key("broker"), token }
    }

    pub(crate) fn client(&self) -> &Client {
        self.chain.client()
    }

    pub(crate) fn custody(&self) -> Address {
        self.chain.deployed().custody
    }

    pub(crate) fn params(&self, nonce: u64) -> DirectParams {
        DirectParams {
            participants: [self.alice.address(), self.broker.address()],
            adjudicator: self.chain.deployed().adjudicator,
            challenge_secs: CHALLENGE_SECS,
            nonce,
            chain_id: CHAIN_ID,
        }
    }

    pub(crate) fn state(
        &self,
        params: &DirectParams,
        intent: Intent,
        version: u64,
        parts: [u64; 2],
    ) -> DirectState {
        let allocation = |side: usize| Allocation {
            destination: params.participants[side],
            token: self.token,
            amount: amount(parts[side]),
        };
        DirectState {
            channel_id: params.channel_id(),
            intent,
            version: Version::new(version).unwrap(),
            data: Vec::new(),
            allocations: [allocation(0), allocation(1)],
        }
    }

    pub(crate) fn signed(&self, state: DirectState, alice: Form, broker: Form) -> SignedState {
        let sign = |key: &SigningKey, form| match form {
            Form::Raw => key.sign(state.hash()),
            Form::Eip191 => key.sign(eip191_digest(&state.packed())),
        };
        let signatures = vec![sign(&self.alice_key, alice), sign(&self.broker_key, broker)];
        SignedState { state, signatures }
    }

    pub(crate) fn challenge_by_alice(&self, state: &DirectState) -> Signature {
        self.alice_key.sign(state.challenge_digest())
    }

    /// What the contract wrote so far, in order.
    pub(crate) async fn events(&self) -> Vec<CustodyEvent> {
        let head = self.client().head().await.unwrap();
        let logs = self.client().logs(self.custody(), self.chain.deployed().start_block, head).await.unwrap();
        logs.iter().map(|log| decode_log(log, CHAIN_ID).unwrap()).collect()
    }
}

pub(crate) fn amount(value: u64) -> Amount {
    Amount::from(value)
}
