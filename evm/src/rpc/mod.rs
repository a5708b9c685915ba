//! One node, reached over WebSocket, that may go away and come back at any time.
//!
//! The provider underneath dies for good when a connection ends. So a connection is made when it is
//! needed, given up at the first sign of trouble (an answer that does not come is one: a socket whose
//! other end is gone says nothing), and made anew after a pause that grows while attempts fail.
//! Deliberately absent: repeating a request, which is the asker's decision; background tasks.

mod wake;
pub(crate) mod wire;

use std::fmt::{self, Debug};
use std::sync::Arc;
use std::time::Duration;

use domain::primitives::ChainId;
use ethers_core::types::U64;
use ethers_providers::{JsonRpcClient, JsonRpcError, Ws, WsClientError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use url::Url;

use crate::custody::Revert;
use crate::error::ChainError;

/// How long to wait for a node, and how often to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RpcLimits {
    /// How long a request may take; longer, and the connection is given up.
    pub request_timeout: Duration,
    /// How long making a connection may take.
    pub connect_timeout: Duration,
    /// The pause after a connection was lost or a first attempt failed.
    pub pause_min: Duration,
    /// Failed attempts double the pause up to this.
    pub pause_max: Duration,
    /// A subscription that says nothing for so long is checked for life.
    pub silence_max: Duration,
}

impl RpcLimits {
    /// What fits public nodes: a scan of many blocks takes seconds there, and new blocks come at least
    /// every 12 s on the slowest chains in use.
    pub const STANDARD: Self = Self {
        request_timeout: Duration::from_secs(20),
        connect_timeout: Duration::from_secs(10),
        pause_min: Duration::from_millis(100),
        pause_max: Duration::from_secs(10),
        silence_max: Duration::from_secs(20),
    };
}

/// The provider's own reconnects are switched off: they cannot be paced and lose what happened meanwhile.
const PROVIDER_RECONNECTS: usize = 0;

/// A node; clones share the connection.
#[derive(Clone)]
pub struct Rpc {
    shared: Arc<Shared>,
}

struct Shared {
    url: Url,
    chain_id: Option<ChainId>,
    limits: RpcLimits,
    link: Mutex<Link>,
}

/// The connection, or when the next one may be tried.
enum Link {
    Up(Arc<Ws>),
    Down { failures: u32, retry_at: Instant },
}

impl Rpc {
    /// Names a node; nothing is connected yet. With `chain_id` given, a connection counts only after
    /// the node has named that chain.
    ///
    /// # Errors
    /// [`ChainError::InvalidUrl`].
    pub fn new(url: &str, chain_id: Option<ChainId>, limits: RpcLimits) -> Result<Self, ChainError> {
        let url = Url::parse(url).map_err(|_| ChainError::InvalidUrl)?;
        if !matches!(url.scheme(), "ws" | "wss") || url.host_str().is_none() {
            return Err(ChainError::InvalidUrl);
        }
        let link = Mutex::new(Link::Down { failures: 0, retry_at: Instant::now() });
        Ok(Self { shared: Arc::new(Shared { url, chain_id, limits, link }) })
    }

    /// The chain that the node was named for; `None` when it was not told.
    #[must_use]
    pub fn expected_chain_id(&self) -> Option<ChainId> {
        self.shared.chain_id
    }

    /// Asks for anything by its JSON-RPC method, connecting first when there is no connection.
    ///
    /// # Errors
    /// First that applies: [`ChainError::Reconnecting`], [`ChainError::Unreachable`],
    /// [`ChainError::WrongChain`], [`ChainError::TimedOut`], [`ChainError::ConnectionLost`];
    /// [`ChainError::Reverted`] and [`ChainError::Refused`] as the node says; [`ChainError::Malformed`].
    pub async fn request<P, T>(&self, method: &'static str, params: P) -> Result<T, ChainError>
    where
        P: Serialize + Debug + Send + Sync,
        T: DeserializeOwned,
    {
        let ws = self.connection().await?;
        let answer = self.ask(&ws, method, params).await;
        if let Err(ChainError::TimedOut { .. } | ChainError::ConnectionLost { .. }) = answer {
            self.give_up(&ws, 0).await;
        }
        answer
    }

    /// The connection; makes it when there is none and the pause is over.
    async fn connection(&self) -> Result<Arc<Ws>, ChainError> {
        let mut link = self.shared.link.lock().await;
        let failures = match &*link {
            Link::Up(ws) => return Ok(Arc::clone(ws)),
            Link::Down { failures, retry_at } => {
                let pause = retry_at.saturating_duration_since(Instant::now());
                if !pause.is_zero() {
                    return Err(ChainError::Reconnecting { retry_after_ms: millis_rounded_up(pause) });
                }
                *failures
            }
        };
        match self.connect().await {
            Ok(ws) => {
                let ws = Arc::new(ws);
                *link = Link::Up(Arc::clone(&ws));
                Ok(ws)
            }
            Err(error) => {
                *link = self.down(failures.saturating_add(1));
                Err(error)
            }
        }
    }

    /// Makes a connection and checks what is at its other end.
    async fn connect(&self) -> Result<Ws, ChainError> {
        let attempt = Ws::connect_with_reconnects(self.shared.url.as_str(), PROVIDER_RECONNECTS);
        let ws = match timeout(self.shared.limits.connect_timeout, attempt).await {
            Ok(Ok(ws)) => ws,
            Ok(Err(error)) => return Err(ChainError::Unreachable { detail: error.to_string() }),
            Err(_) => return Err(ChainError::Unreachable { detail: "connecting takes too long".to_owned() }),
        };
        if let Some(expected) = self.shared.chain_id {
            let actual: U64 = self.ask(&ws, "eth_chainId", ()).await?;
            let actual = ChainId::new(actual.as_u64());
            if actual != expected {
                return Err(ChainError::WrongChain { expected, actual });
            }
        }
        Ok(ws)
    }

    /// Asks over one connection.
    async fn ask<P, T>(&self, ws: &Ws, method: &'static str, params: P) -> Result<T, ChainError>
    where
        P: Serialize + Debug + Send + Sync,
        T: DeserializeOwned,
    {
        let limit = self.shared.limits.request_timeout;
        let answer: Box<RawValue> = match timeout(limit, ws.request(method, params)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(WsClientError::JsonRpcError(error))) => return Err(refusal(method, error)),
            Ok(Err(_)) => return Err(ChainError::ConnectionLost { method }),
            Err(_) => return Err(ChainError::TimedOut { method, timeout_ms: millis_rounded_up(limit) }),
        };
        serde_json::from_str(answer.get())
            .map_err(|error| ChainError::Malformed { method, detail: error.to_string() })
    }

    /// Gives a connection up, unless another has taken its place already.
    async fn give_up(&self, ws: &Arc<Ws>, failures: u32) {
        let mut link = self.shared.link.lock().await;
        if matches!(&*link, Link::Up(current) if Arc::ptr_eq(current, ws)) {
            *link = self.down(failures);
        }
    }

    /// No connection, and a pause that doubles with each failed attempt.
    fn down(&self, failures: u32) -> Link {
        let limits = &self.shared.limits;
        let pause = limits.pause_min.saturating_mul(1 << failures.min(16)).min(limits.pause_max);
        Link::Down { failures, retry_at: Instant::now() + pause }
    }
}

impl Debug for Rpc {
    /// Shows the host only: path and user of the URL may hold a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rpc").field("host", &self.shared.url.host_str()).finish_non_exhaustive()
    }
}

/// Whole milliseconds, never zero for a time above zero.
fn millis_rounded_up(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// What a node's refusal means.
fn refusal(method: &'static str, error: JsonRpcError) -> ChainError {
    match error.as_revert_data() {
        Some(data) if method != "eth_sendRawTransaction" => ChainError::Reverted(Revert::decode(&data)),
        _ => ChainError::Refused { method, code: error.code, message: error.message },
    }
}
