//! The subscription: hints that the chain has moved, as long as one connection lasts.

use std::sync::{Arc, Weak};

use ethers_core::types::{U64, U256};
use ethers_providers::{PubsubClient, Ws};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use tokio::time::{sleep_until, timeout};

use super::{Link, Rpc};
use crate::error::ChainError;
use crate::types::Wake;

type Notifications = <Ws as PubsubClient>::NotificationStream;

/// How far a stream of hints has come. It does not keep the connection: when that is given up elsewhere,
/// the notifications end.
enum Stage {
    Beginning,
    Following(Weak<Ws>, Notifications),
}

impl Rpc {
    /// Hints at every head, over one connection.
    ///
    /// Waits, as long as it takes, until a connection and a subscription stand, then says
    /// [`Wake::Connected`]. Ends when the connection does, a silent one included; call again for the
    /// following connection. Hints that pile up while nobody reads are handed over as one. A connection
    /// carries each subscription until it ends, so keep one stream at a time.
    #[must_use]
    pub fn wake_ups(&self) -> BoxStream<'static, Wake> {
        let steps = stream::unfold((self.clone(), Stage::Beginning), |(rpc, stage)| async move {
            match stage {
                Stage::Beginning => {
                    let (ws, notifications) = rpc.subscribe_patiently().await;
                    Some((Wake::Connected, (rpc, Stage::Following(ws, notifications))))
                }
                Stage::Following(ws, mut notifications) => {
                    rpc.next_head(&ws, &mut notifications).await?;
                    Some((Wake::Head, (rpc, Stage::Following(ws, notifications))))
                }
            }
        });
        steps.boxed()
    }

    /// Subscribes, however many attempts it takes; the pauses between attempts are those of [`Rpc`].
    async fn subscribe_patiently(&self) -> (Weak<Ws>, Notifications) {
        let mut refusals = 0;
        loop {
            self.pause().await;
            let Ok(ws) = self.connection().await else { continue };
            match self.subscribe(&ws).await {
                Ok(notifications) => return (Arc::downgrade(&ws), notifications),
                Err(_) => self.give_up(&ws, refusals).await,
            }
            refusals += 1;
        }
    }

    async fn subscribe(&self, ws: &Ws) -> Result<Notifications, ChainError> {
        let method = "eth_subscribe";
        let id: U256 = self.ask(ws, method, ["newHeads"]).await?;
        ws.subscribe(id).map_err(|_| ChainError::ConnectionLost { method })
    }

    /// Waits until the next attempt at a connection is due.
    async fn pause(&self) {
        let due = match &*self.shared.link.lock().await {
            Link::Up(_) => return,
            Link::Down { retry_at, .. } => *retry_at,
        };
        sleep_until(due).await;
    }

    /// Waits for a notification and takes those that wait behind it; `None` when the connection is over.
    async fn next_head(&self, ws: &Weak<Ws>, notifications: &mut Notifications) -> Option<()> {
        loop {
            match timeout(self.shared.limits.silence_max, notifications.next()).await {
                Ok(Some(_)) => {
                    while notifications.try_recv().is_ok() {}
                    return Some(());
                }
                Ok(None) => break,
                Err(_) => {
                    let head: Result<U64, _> = self.ask(&*ws.upgrade()?, "eth_blockNumber", ()).await;
                    if head.is_err() {
                        break;
                    }
                }
            }
        }
        self.give_up(&ws.upgrade()?, 0).await;
        None
    }
}
