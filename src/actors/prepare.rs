//! Requests that concern several owners: each holds its share, then one commit moves it all.
//!
//! Owners are asked one after another in the order of their ids, so that two askers never wait for each
//! other in a circle. A hold is memory and ends in seconds; dropping a [`Preparation`] releases it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix::prelude::*;
use domain::channel::{MovementError, PartMove};
use domain::crypto::{DirectParams, DirectState, Signed, Signers};
use domain::ledger::OwnerId;
use domain::participant::{KeyUse, ParticipantError};
use domain::primitives::{Address, Amount, ChannelId, Digest, Timestamp, Token};

use super::journal::{Commit, Incarnation, NewState};
use super::request::Refused;
use super::services::Services;
use crate::clock;

/// How long an asker may take from its first hold to its commit.
pub const PREPARE_MILLIS_MAX: u64 = 4_000;

/// How long a hold lasts when nobody uses or releases it: longer than any asker takes.
pub const HOLD_MILLIS_MAX: u64 = 5_000;

/// Names one preparation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HoldId(u64);

impl HoldId {
    pub(super) fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// The number by which machines know it.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// Asks a direct channel to hold its next state.
///
/// Held in memory for at most [`HOLD_MILLIS_MAX`]; ends with the commit that uses it or with [`Release`].
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<PreparedPart, Refused>")]
pub struct PreparePart {
    /// For which preparation.
    pub hold: HoldId,
    /// The next state, signed by the channel's owner.
    pub next: Signed<DirectState>,
    /// The hash of the request that it must carry.
    pub request_hash: Digest,
}

/// Asks a direct channel of which nothing is known to hold that a settlement will create it.
///
/// Held like [`PreparePart`].
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<PreparedPart, Refused>")]
pub struct PrepareAnnouncement {
    /// For which preparation.
    pub hold: HoldId,
    /// The hash of the request.
    pub request_hash: Digest,
    /// The token that is settled.
    pub token: Token,
    /// How much.
    pub amount: Amount,
    /// The terms of the channel.
    pub params: DirectParams,
    /// The INITIALIZE that the broker will send, signed by the participant.
    pub initial: Signed<DirectState>,
}

/// Asks the sender of a network to hold liquidity for a channel that the broker creates.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Result<Incarnation, Refused>")]
pub struct PrepareLiquidity {
    /// For which preparation.
    pub hold: HoldId,
    /// The channel that is to be created.
    pub channel: ChannelId,
    /// Whose it will be.
    pub participant: Address,
    /// The token.
    pub token: Token,
    /// How much.
    pub amount: Amount,
}

/// A next state that a direct channel holds.
#[derive(Debug, Clone)]
pub struct PreparedPart {
    /// Which incarnation holds it.
    pub incarnation: Incarnation,
    /// Which channel holds it.
    pub channel: ChannelId,
    /// What it moves; `None` for an announcement.
    pub part: Option<PartMove>,
    /// The stored state that the commit must contain.
    pub state: NewState,
}

/// Asks a participant to hold wallet money for a commit of somebody else.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<PreparedDebit, Refused>")]
pub struct PrepareDebit {
    /// For which preparation.
    pub hold: HoldId,
    /// The hash of the request.
    pub request_hash: Digest,
    /// How much of each token, each above zero.
    pub amounts: BTreeMap<Token, Amount>,
    /// The session key that signed for the participant, and what for; `None` when it did itself.
    pub by_key: Option<(Address, KeyUse)>,
}

/// Wallet money that a participant holds.
#[derive(Debug, Clone)]
pub struct PreparedDebit {
    /// Which incarnation holds it.
    pub incarnation: Incarnation,
    /// What a session key has left afterwards: the commit must contain it. `None` when no key pays.
    pub state: Option<NewState>,
}

/// The preparation is over without a commit. Without effect on another hold.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Release {
    /// Which preparation.
    pub hold: HoldId,
}

/// What others hold for one request; releases it when dropped unused.
#[derive(Debug)]
pub struct Preparation {
    hold: HoldId,
    began_at: Timestamp,
    parts: Vec<PreparedPart>,
    others: Vec<(OwnerId, Incarnation)>,
    /// What session keys have left afterwards.
    keys: Vec<NewState>,
    held: Vec<Recipient<Release>>,
}

impl Preparation {
    /// Nothing held yet.
    #[must_use]
    pub fn begin() -> Self {
        Self {
            hold: HoldId::next(),
            began_at: clock::now(),
            parts: Vec::new(),
            others: Vec::new(),
            keys: Vec::new(),
            held: Vec::new(),
        }
    }

    /// Has the direct channels of `states` hold them, in the order of their ids.
    ///
    /// # Errors
    /// A channel that is named twice; then [`Refused`] of the first that refuses, [`Refused::NotFound`] for one
    /// that does not exist.
    pub async fn parts(
        &mut self,
        services: &Services,
        states: &[Signed<DirectState>],
        request_hash: Digest,
    ) -> Result<(), Refused> {
        let mut states: Vec<_> = states.iter().collect();
        states.sort_by_key(|state| state.body().channel_id);
        // The second would wait for the first, which nobody lets go.
        let is_repeated =
            |pair: &[&Signed<DirectState>]| pair[0].body().channel_id == pair[1].body().channel_id;
        if let Some(pair) = states.windows(2).find(|pair| is_repeated(pair)) {
            let channel = pair[0].body().channel_id;
            return Err(ParticipantError::Movement(MovementError::RepeatedPart { channel }).into());
        }
        for next in states {
            let channel = services.direct_channel(next.body().channel_id).await?;
            self.held.push(channel.clone().recipient());
            let ask = PreparePart { hold: self.hold, next: next.clone(), request_hash };
            self.parts
                .push(channel.send(ask).timeout(self.time_left()?).await.map_err(|_| Refused::Overloaded)??);
        }
        Ok(())
    }

    /// Has participants hold wallet money, in the order of their addresses. `signers` are those of the request, of which
    /// session keys may spend so much for this use.
    ///
    /// # Errors
    /// [`Refused`] of the first that refuses.
    pub async fn debits(
        &mut self,
        services: &Services,
        debits: &BTreeMap<(Address, Token), Amount>,
        request_hash: Digest,
        (signers, usage): (&Signers, &KeyUse),
    ) -> Result<(), Refused> {
        let mut by_participant: BTreeMap<Address, BTreeMap<Token, Amount>> = BTreeMap::new();
        for ((participant, token), amount) in debits {
            by_participant.entry(*participant).or_default().insert(*token, *amount);
        }
        for (address, amounts) in by_participant {
            let participant = services.participant(address).await?;
            self.held.push(participant.clone().recipient());
            let by_key = signers.key_of(address).map(|key| (key, usage.clone()));
            let ask = PrepareDebit { hold: self.hold, request_hash, amounts, by_key };
            let PreparedDebit { incarnation, state } =
                participant.send(ask).timeout(self.time_left()?).await.map_err(|_| Refused::Overloaded)??;
            self.others.push((OwnerId::Participant(address), incarnation));
            self.keys.extend(state);
        }
        Ok(())
    }

    /// Has the channel that a settlement of so much will create hold its announcement.
    ///
    /// # Errors
    /// [`Refused`] of the channel.
    pub async fn announcement(
        &mut self,
        services: &Services,
        request_hash: Digest,
        (token, amount): (Token, Amount),
        params: DirectParams,
        initial: Signed<DirectState>,
    ) -> Result<(), Refused> {
        let channel = services.new_direct_channel(params.channel_id(), token.chain_id).await?;
        self.held.push(channel.clone().recipient());
        let ask = PrepareAnnouncement { hold: self.hold, request_hash, token, amount, params, initial };
        self.parts
            .push(channel.send(ask).timeout(self.time_left()?).await.map_err(|_| Refused::Overloaded)??);
        Ok(())
    }

    /// Has the sender of the token's network hold liquidity.
    ///
    /// # Errors
    /// [`Refused`] of the sender.
    pub async fn liquidity(
        &mut self,
        services: &Services,
        (channel, participant): (ChannelId, Address),
        token: Token,
        amount: Amount,
    ) -> Result<(), Refused> {
        let sender = services.sender(token.chain_id)?;
        self.held.push(sender.clone().recipient());
        let ask = PrepareLiquidity { hold: self.hold, channel, participant, token, amount };
        let incarnation =
            sender.send(ask).timeout(self.time_left()?).await.map_err(|_| Refused::Overloaded)??;
        self.others.push((OwnerId::Network(token.chain_id), incarnation));
        Ok(())
    }

    /// The parts that are held.
    #[must_use]
    pub fn part_moves(&self) -> Vec<PartMove> {
        self.parts.iter().filter_map(|prepared| prepared.part).collect()
    }

    /// Refuses what took too long: holds may have ended. Right before deciding.
    ///
    /// # Errors
    /// [`Refused::Overloaded`].
    pub fn check_in_time(&self) -> Result<(), Refused> {
        self.time_left().map(|_| ())
    }

    /// Puts what is held into the commit that uses it; nothing is released any more.
    pub fn spend(mut self, commit: &mut Commit) {
        for prepared in self.parts.drain(..) {
            commit.prepared.push((OwnerId::Channel(prepared.channel), prepared.incarnation));
            commit.states.push(prepared.state);
        }
        commit.prepared.append(&mut self.others);
        commit.states.append(&mut self.keys);
        self.held.clear();
    }

    /// How long the asker still has.
    fn time_left(&self) -> Result<Duration, Refused> {
        let left = PREPARE_MILLIS_MAX.saturating_sub(clock::now().millis_since(self.began_at));
        if left == 0 { Err(Refused::Overloaded) } else { Ok(Duration::from_millis(left)) }
    }
}

impl Drop for Preparation {
    fn drop(&mut self) {
        for holder in self.held.drain(..) {
            // A holder that does not hear of it releases by itself in a moment.
            let _full = holder.try_send(Release { hold: self.hold });
        }
    }
}
