//! A player that does not give up: it connects again and sends again what was not answered, as it was signed.

use std::time::Duration;

use client::{Client, ClientError, Part, together};
use domain::primitives::{Amount, ChannelId, Token};
use domain::protocol::method::Params;
use domain::protocol::method::get_channels::{self, Channel, ChannelStatus};
use domain::protocol::method::get_ledger_balances::BalanceKind;
use domain::protocol::{Code, Request};

use super::stage::Stage;

/// How long a player waits for news before it looks itself: news are not repeated for who was away.
const NEWS: Duration = Duration::from_millis(250);

/// How often a player tries before the test has failed.
const TRIES: usize = 120;

pub(crate) struct Player<'s> {
    stage: &'s Stage,
    label: &'static str,
    client: Option<Client>,
}

impl<'s> Player<'s> {
    pub(crate) fn new(stage: &'s Stage, label: &'static str) -> Self {
        Self { stage, label, client: None }
    }

    /// The connection, made again if it is gone.
    pub(crate) async fn client(&mut self) -> &mut Client {
        for _ in 0..TRIES {
            if self.client.is_some() {
                break;
            }
            self.stage.revive().await;
            let key = self.stage.key(self.label);
            self.client = Client::connect(&self.stage.url, key, Some(self.stage.broker_address)).await.ok();
        }
        self.client.as_mut().unwrap_or_else(|| panic!("{} cannot connect", self.label))
    }

    /// Connects again, so that nothing known of before is relied on.
    pub(crate) async fn renew(&mut self) {
        self.client = None;
        self.client().await;
    }

    /// Does something until the broker has said yes.
    pub(crate) async fn insist<T>(
        &mut self,
        what: impl AsyncFnMut(&mut Client) -> Result<T, ClientError>,
    ) -> T {
        self.insist_despite(&[], what).await
    }

    /// Like [`Self::insist`], where these refusals too may pass.
    async fn insist_despite<T>(
        &mut self,
        passing: &[Code],
        mut what: impl AsyncFnMut(&mut Client) -> Result<T, ClientError>,
    ) -> T {
        for _ in 0..TRIES {
            match what(self.client().await).await {
                Ok(done) => return done,
                Err(ClientError::Closed { .. } | ClientError::Socket(_) | ClientError::TimedOut) => {
                    self.client = None;
                }
                Err(ClientError::Refused(refusal))
                    if matches!(
                        refusal.code,
                        Code::Unavailable | Code::Overloaded | Code::LiquidityShort
                    ) || passing.contains(&refusal.code) => {}
                Err(error) => panic!("{}: {error:?}", self.label),
            }
        }
        panic!("{} gives up", self.label)
    }

    /// Signs a request by next states that give the player these parts, or as it is.
    pub(crate) async fn sign<P: Params>(&mut self, params: &P, parts: &[Part]) -> Request {
        self.insist(async |client| {
            let request = client.request(params);
            let agreement = client.agree(&request, parts).await?;
            Ok(together(request, [agreement]))
        })
        .await
    }

    /// Sends a signed request until it is answered: always the same bytes.
    pub(crate) async fn send<P: Params>(&mut self, request: &Request) -> P::Reply {
        let channels: Vec<ChannelId> = request.states().iter().map(|state| state.channel_id).collect();
        self.insist(async |client| {
            for channel in &channels {
                // Another member's channel is none of ours.
                let _other = client.channel(*channel).await;
            }
            client.send::<P>(request).await
        })
        .await
    }

    /// Sends a request that spends what somebody else has just paid, which may be on its way yet.
    pub(crate) async fn spend<P: Params>(&mut self, request: &Request) -> P::Reply {
        self.insist_despite(&[Code::InsufficientBalance], async |client| client.send::<P>(request).await)
            .await
    }

    /// Waits until a direct channel of the player's is as it should be.
    pub(crate) async fn channel_until(&mut self, is_it: impl Fn(&Channel) -> bool) -> Channel {
        for _ in 0..TRIES {
            let params = get_channels::Params { status: None, limit: None, cursor: None };
            let reply = self
                .insist(async |client| {
                    let request = client.request(&params);
                    client.send::<get_channels::Params>(&request).await
                })
                .await;
            if let Some(channel) = reply.channels.into_iter().find(&is_it) {
                return channel;
            }
            let waited = self.client().await.next(NEWS, |_| Some(())).await;
            if matches!(waited, Err(ClientError::Closed { .. } | ClientError::Socket(_))) {
                self.client = None;
            }
        }
        panic!("{} waits for a channel in vain", self.label)
    }

    pub(crate) async fn is_status(&mut self, channel: ChannelId, status: ChannelStatus) {
        self.channel_until(|seen| seen.channel_id == channel && seen.status == status).await;
    }

    /// What is on the player's accounts of a kind in a token, all together.
    pub(crate) async fn has(&mut self, kind: BalanceKind, token: Token) -> Amount {
        let balances = self.insist(async |client| client.balances().await).await;
        let is_it = |chain_id, address| Token { chain_id, address } == token;
        let of_it = balances.iter().filter(|it| it.kind == kind && is_it(it.chain_id, it.token));
        Amount::checked_sum(of_it.map(|balance| balance.amount)).unwrap()
    }
}
