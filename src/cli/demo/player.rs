//! A player: a login at the broker, and what it waits for there.

use std::time::Duration;

use anyhow::{Context as _, Result};
use client::{Client, Cosigned, Event, Part};
use domain::primitives::{Amount, ChainId, ChannelId, Token};
use domain::protocol::method::get_channels::ChannelStatus;
use domain::protocol::method::get_ledger_balances::BalanceKind;
use domain::protocol::method::get_settlement::SettlementStatus;
use domain::protocol::notification::Notification;

use super::stage::Stage;
use crate::devnet::{LocalChain, Participant, dev_key};

/// How long the broker may take to tell what happened on a chain.
const TOLD_WITHIN: Duration = Duration::from_secs(30);

/// Alice or Charlie.
pub(super) struct Player {
    label: &'static str,
    pub(super) client: Client,
}

impl Player {
    /// Logs in, at the broker of this stage and at no other.
    pub(super) async fn log_in(stage: &Stage, label: &'static str) -> Result<Self> {
        let client = Client::connect(stage.ws_url(), dev_key(label), Some(stage.broker_address)).await?;
        Ok(Self { label, client })
    }

    /// The player's own hands on a chain.
    fn on(&self, chain: &LocalChain) -> Participant {
        chain.participant(dev_key(self.label))
    }

    /// Locks money in a direct channel and waits until it counts.
    pub(super) async fn lock(
        &mut self,
        chain: &LocalChain,
        token: Token,
        amount: Amount,
    ) -> Result<ChannelId> {
        let Cosigned { params, state, signatures } = self.client.create_channel(token, amount).await?;
        let channel_id = state.channel_id;
        self.on(chain).open_channel(params, state, signatures).await?;
        self.channel_is(channel_id, ChannelStatus::Open).await?;
        Ok(channel_id)
    }

    /// Closes a direct channel on chain, takes the money out and waits until the broker has booked that.
    pub(super) async fn leave(&mut self, chain: &LocalChain, channel_id: ChannelId) -> Result<()> {
        let last = self.client.close_channel(channel_id).await?;
        self.on(chain).close_and_withdraw(last.state, last.signatures).await?;
        self.channel_is(channel_id, ChannelStatus::Closed).await
    }

    /// Waits until the broker tells that a direct channel is in this status.
    async fn channel_is(&mut self, channel_id: ChannelId, status: ChannelStatus) -> Result<()> {
        let told = self.client.next(TOLD_WITHIN, |event| {
            let Event::Notification(Notification::Channel(content)) = event else { return None };
            (content.channel.channel_id == channel_id && content.channel.status == status).then_some(())
        });
        told.await.with_context(|| format!("{} waits for {status:?} of channel {channel_id}", self.label))
    }

    /// Waits until the broker tells of a virtual channel.
    pub(super) async fn virtual_channel_changes(&mut self, channel_id: ChannelId) -> Result<()> {
        let told = self.client.next(TOLD_WITHIN, |event| {
            let Event::Notification(Notification::VirtualChannel(content)) = event else { return None };
            (content.app_session.app_session_id == channel_id).then_some(())
        });
        told.await.with_context(|| format!("{} waits for virtual channel {channel_id}", self.label))
    }

    /// Waits until a co-signed state gives the player this part, and returns that part as a request names it.
    pub(super) async fn part_is(&mut self, channel_id: ChannelId, amount: Amount) -> Result<Part> {
        if self.client.channel(channel_id).await?.part() != amount {
            let told = self.client.next(TOLD_WITHIN, |event| {
                let Event::Notification(Notification::Channel(content)) = event else { return None };
                let is_it = content.channel.channel_id == channel_id && content.channel.part == amount;
                (is_it && content.state.is_some()).then_some(())
            });
            told.await.with_context(|| format!("{} waits for a part of {amount}", self.label))?;
        }
        Ok(Part { channel_id, amount })
    }

    /// Waits until a settlement has ended, which must be well.
    pub(super) async fn settlement_ends(&mut self, channel_id: ChannelId) -> Result<()> {
        let told = self.client.next(TOLD_WITHIN, |event| {
            let Event::Notification(Notification::Settlement(settlement)) = event else { return None };
            let has_ended =
                matches!(settlement.status, SettlementStatus::Confirmed | SettlementStatus::Refunded);
            (settlement.channel_id == channel_id && has_ended).then_some(settlement.status)
        });
        let status = told.await.with_context(|| format!("{} waits for the settlement", self.label))?;
        anyhow::ensure!(status == SettlementStatus::Confirmed, "the settlement ended with {status:?}");
        Ok(())
    }

    /// What is on the player's accounts of a kind in a token, all together.
    pub(super) async fn has(&mut self, kind: BalanceKind, token: Token) -> Result<Amount> {
        let balances = self.client.balances().await?;
        let is_it = |chain_id: ChainId, address| Token { chain_id, address } == token;
        let amounts = balances
            .into_iter()
            .filter(|balance| balance.kind == kind && is_it(balance.chain_id, balance.token))
            .map(|balance| balance.amount);
        Amount::checked_sum(amounts).context("more than there can be")
    }
}
