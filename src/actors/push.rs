//! What owners tell sessions without having been asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix::prelude::*;
use domain::channel::direct::{AgreedState, DirectChannel, Phase, SettlementEnd};
use domain::channel::virtual_channel::{Message as RoomMessage, Notification};
use domain::crypto::DirectParams;
use domain::primitives::{Address, Amount, ChannelId, Timestamp, Token, Version};

/// One thing a session passes on to its client, in the order in which it came.
///
/// Whoever sends it does not wait: see [`Tell`].
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub enum Push {
    /// A direct channel of the participant changed; with the state that the broker owes its signature under.
    Channel {
        /// The channel.
        channel: Box<ChannelView>,
        /// What the broker signs, if it owes a signature.
        agreed: Option<Box<AgreedState>>,
    },
    /// Wallet balances of the participant changed.
    Balances {
        /// The participant.
        participant: Address,
        /// The wallet balances that changed, as they stand.
        wallet: Vec<(Token, Amount)>,
        /// When.
        at: Timestamp,
    },
    /// A virtual channel that the participant is a member of changed.
    VirtualChannel(Box<Notification>),
    /// A settlement of the participant ended.
    Settlement {
        /// The channel that it creates.
        channel: ChannelId,
        /// How.
        end: SettlementEnd,
        /// When.
        at: Timestamp,
    },
    /// Somebody published in a room that the session subscribed to.
    Message {
        /// The room.
        channel: ChannelId,
        /// What.
        message: RoomMessage,
    },
    /// Somebody called or answered in a room.
    RoomRpc {
        /// The room.
        channel: ChannelId,
        /// The stamped call.
        message: RoomMessage,
    },
    /// A room that the session subscribed to has ended, or will be rebuilt: nothing more comes from it.
    TopicEnded {
        /// The room.
        channel: ChannelId,
    },
    /// A session key of the participant was revoked: who logged in with it ends.
    KeyRevoked {
        /// The key.
        key: Address,
    },
    /// The participant's actor has ended: the session has to attach to the next one.
    ParticipantEnded,
}

/// Where a session is told things.
///
/// Nobody who tells waits. A session that cannot take one has missed it, and must not go on as if it had heard
/// everything: it closes as a slow consumer as soon as it gets to it.
#[derive(Debug, Clone)]
pub struct Tell {
    session: Recipient<Push>,
    has_missed: Arc<AtomicBool>,
}

impl Tell {
    /// To this session, which looks at `has_missed`.
    #[must_use]
    pub const fn new(session: Recipient<Push>, has_missed: Arc<AtomicBool>) -> Self {
        Self { session, has_missed }
    }

    /// Tells something; says whether the session can be told more.
    pub fn tell(&self, push: Push) -> bool {
        let is_told = self.session.try_send(push).is_ok();
        if !is_told {
            self.has_missed.store(true, Ordering::Relaxed);
        }
        is_told
    }

    /// Whether the session is there.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.session.connected()
    }
}

/// What a direct channel shows to its participant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelView {
    /// Its id.
    pub id: ChannelId,
    /// Where in its life it is.
    pub phase: Phase,
    /// Its terms; `None` before it was seen on chain.
    pub params: Option<DirectParams>,
    /// Its token; `None` when nobody has named one.
    pub token: Option<Token>,
    /// What the contract holds for both sides.
    pub locked: Amount,
    /// The participant's part of that.
    pub part: Amount,
    /// What is on its way into it.
    pub settling: Amount,
    /// The version of the newest co-signed state.
    pub version: Version,
}

impl ChannelView {
    /// The channel as it stands.
    #[must_use]
    pub fn of(channel: &DirectChannel) -> Self {
        Self {
            id: channel.id(),
            phase: channel.phase(),
            params: channel.params().cloned(),
            token: channel.token(),
            locked: channel.locked(),
            part: channel.part(),
            settling: channel.settling(),
            version: channel.version(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hears nothing for as long as it waits.
    struct Deaf;

    impl Actor for Deaf {
        type Context = Context<Self>;

        fn started(&mut self, ctx: &mut Context<Self>) {
            ctx.set_mailbox_capacity(1);
            ctx.wait(std::future::pending::<()>().into_actor(self));
        }
    }

    impl Handler<Push> for Deaf {
        type Result = ();

        fn handle(&mut self, _: Push, _: &mut Context<Self>) {}
    }

    #[actix::test]
    async fn who_misses_something_can_find_out() {
        let has_missed = Arc::<AtomicBool>::default();
        let tell = Tell::new(Deaf.start().recipient(), Arc::clone(&has_missed));
        assert!(tell.tell(Push::ParticipantEnded));
        assert!(!has_missed.load(Ordering::Relaxed));
        let told = std::iter::repeat_with(|| tell.tell(Push::ParticipantEnded)).take(100);
        assert!(told.filter(|is_told| !is_told).count() > 0);
        assert!(has_missed.load(Ordering::Relaxed));
    }
}
