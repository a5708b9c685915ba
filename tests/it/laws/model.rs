//! A naive book: small whole numbers in maps, and of each request whether it is to be taken.
//!
//! Shares no rule with the program. What is to be refused is `None`, and leaves everything as it was: each
//! step makes a new book.

use std::collections::{BTreeMap, BTreeSet};

use domain::crypto::{Definition, DirectParams};
use domain::ledger::AccountKey;
use domain::primitives::{Amount, ChannelId};

use super::cast::{person, token};
use super::keys::Caps;

/// The most a version may grow at a time.
const VERSION_STEP_MAX: u64 = 1000;

/// What people own, in rooms and out of them: who, which token, how much.
pub(super) type Amounts = BTreeMap<(u8, u8), u64>;

/// Where in its life a direct channel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// Set aside for, and not on chain yet.
    Announced,
    Active,
    Closing,
    Closed,
    Ignored,
    /// Never came into being; the money went back.
    Abandoned,
}

impl Life {
    /// Whether it was ever counted.
    pub(super) const fn is_counted(self) -> bool {
        matches!(self, Self::Active | Self::Closing | Self::Closed)
    }
}

#[derive(Debug, Clone)]
pub(super) struct Channel {
    pub(super) params: DirectParams,
    pub(super) owner: u8,
    pub(super) token: u8,
    pub(super) locked: u64,
    pub(super) part: u64,
    pub(super) version: u64,
    pub(super) life: Life,
}

#[derive(Debug, Clone)]
pub(super) struct Room {
    pub(super) definition: Definition,
    pub(super) members: Vec<u8>,
    pub(super) amounts: Amounts,
    pub(super) version: u64,
    pub(super) is_open: bool,
    /// Of a proposal that waits: what is to be in it.
    pub(super) wanted: Amounts,
    pub(super) is_proposed: bool,
}

impl Room {
    pub(super) fn id(&self) -> ChannelId {
        self.definition.channel_id()
    }
}

/// The next state of a direct channel, as a request carries it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) channel: usize,
    pub(super) version: u64,
    pub(super) after: u64,
    pub(super) flaw: Option<Flaw>,
}

/// What may be wrong with a state besides its figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// It pays out more than is locked.
    Total,
    /// It does not hold the hash of its request.
    Hash,
    /// Somebody else signed it.
    Signer,
}

/// The next state of a room, as a request hands it in.
#[derive(Debug, Clone)]
pub(super) struct Next {
    pub(super) room: usize,
    pub(super) by: u8,
    pub(super) approvals: Vec<u8>,
    pub(super) version: u64,
    pub(super) amounts: Amounts,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Model {
    pub(super) wallets: Amounts,
    pub(super) channels: Vec<Channel>,
    pub(super) rooms: Vec<Room>,
    /// What the broker has available in the contracts, less what it has promised.
    pub(super) free: BTreeMap<u8, u64>,
    /// What of it is the broker's own.
    own: BTreeMap<u8, u64>,
    custody: BTreeMap<u8, u64>,
    /// What session keys have left.
    pub(super) caps: Caps,
    shortfall: BTreeMap<u8, u64>,
    faucet: BTreeMap<u8, u64>,
}

impl Model {
    /// The broker put money of its own into the contract.
    pub(super) fn endowed(&self, token: u8, amount: u64) -> Self {
        let mut after = self.clone();
        for book in [&mut after.free, &mut after.own, &mut after.custody] {
            *book.entry(token).or_default() += amount;
        }
        after
    }

    /// A channel came into being on chain.
    pub(super) fn opened(&self, channel: Channel) -> Self {
        let mut after = self.clone();
        if channel.life == Life::Active {
            *after.custody.entry(channel.token).or_default() += channel.locked;
        }
        after.channels.push(channel);
        after
    }

    /// A channel ended on chain, and the contract paid its owner this much.
    pub(super) fn ended(&self, channel: usize, paid: u64) -> Self {
        let mut after = self.clone();
        let Channel { owner, token, locked, part, life, .. } = after.channels[channel];
        if matches!(life, Life::Active | Life::Closing) {
            *after.free.entry(token).or_default() += locked - paid;
            *after.custody.entry(token).or_default() -= paid;
            *after.wallets.entry((owner, token)).or_default() += part.saturating_sub(paid);
            *after.shortfall.entry(token).or_default() += paid.saturating_sub(part);
            after.channels[channel].part = 0;
            after.channels[channel].life = Life::Closed;
        }
        after
    }

    /// Somebody got money from nothing.
    pub(super) fn fund(&self, to: u8, (of, amount): (u8, u64)) -> Option<Self> {
        let mut after = self.clone();
        *after.wallets.entry((to, of)).or_default() += amount;
        *after.faucet.entry(of).or_default() += amount;
        (amount > 0).then_some(after)
    }

    pub(super) fn pay(&self, by: u8, to: u8, payments: &BTreeMap<u8, u64>, parts: &[Part]) -> Option<Self> {
        let mut after = self.clone();
        let paid: Amounts = payments.iter().map(|(token, amount)| ((by, *token), *amount)).collect();
        after.move_parts(parts, &[by], &paid, &Amounts::new())?;
        for (token, amount) in payments {
            *after.wallets.entry((to, *token)).or_default() += amount;
        }
        (to != by && !payments.is_empty()).then_some(after)
    }

    /// Somebody's key may spend this much of each token.
    pub(super) fn delegate(&self, by: u8, caps: &BTreeMap<u8, u64>) -> Option<Self> {
        let mut after = self.clone();
        after.caps.insert(by, caps.clone()).is_none().then_some(after)
    }

    pub(super) fn revoke(&self, by: u8) -> Option<Self> {
        let mut after = self.clone();
        after.caps.remove(&by).is_some().then_some(after)
    }

    /// What these pay is paid by their keys.
    pub(super) fn spent_by_keys(&self, keyed: &BTreeSet<u8>, paid: &Amounts) -> Option<Self> {
        let mut after = self.clone();
        for ((who, of), amount) in paid.iter().filter(|((who, _), _)| keyed.contains(who)) {
            let left = after.caps.get_mut(who)?.get_mut(of)?;
            *left = left.checked_sub(*amount)?;
        }
        Some(after)
    }

    pub(super) fn anchor(&self, by: u8, parts: &[Part]) -> Option<Self> {
        let mut after = self.clone();
        after.move_parts(parts, &[by], &Amounts::new(), &Amounts::new())?;
        let has_effect = parts.iter().any(|part| self.channels[part.channel].part != part.after);
        has_effect.then_some(after)
    }

    pub(super) fn open(&self, room: Room, parts: &[Part]) -> Option<Self> {
        let mut after = self.clone();
        after.move_parts(parts, &room.members, &room.amounts, &Amounts::new())?;
        let are_there = room.members.iter().all(|member| self.is_there(*member));
        after.rooms.push(room);
        are_there.then_some(after)
    }

    /// Only the share of who proposes is taken.
    pub(super) fn propose(&self, by: u8, room: Room, parts: &[Part]) -> Option<Self> {
        let mut after = self.clone();
        let share: Amounts = room.wanted.clone().into_iter().filter(|((who, _), _)| *who == by).collect();
        after.move_parts(parts, &[by], &share, &Amounts::new())?;
        let is_right = by == room.members[0] && room.members.iter().all(|member| self.is_there(*member));
        after.rooms.push(Room { amounts: share, version: 0, is_open: false, is_proposed: true, ..room });
        is_right.then_some(after)
    }

    pub(super) fn accept(&self, room: usize, by: u8, wanted: &Amounts, parts: &[Part]) -> Option<Self> {
        let Room { members, amounts, is_proposed, wanted: proposed, .. } = &self.rooms[room];
        let is_right = *is_proposed && by == members[1] && wanted == proposed;
        let is_right = is_right && members.iter().all(|member| self.is_there(*member));
        let mut after = self.clone();
        let share: Amounts = proposed.clone().into_iter().filter(|((who, _), _)| *who == by).collect();
        after.move_parts(parts, &[by], &share, &Amounts::new())?;
        let mut all = amounts.clone();
        all.extend(share);
        let room = &mut after.rooms[room];
        (room.amounts, room.version, room.is_open, room.is_proposed) = (all, 1, true, false);
        is_right.then_some(after)
    }

    /// What was paid in goes back.
    pub(super) fn decline(&self, room: usize, by: u8) -> Option<Self> {
        let mut after = self.clone();
        let Room { members, amounts, is_proposed, .. } = &mut after.rooms[room];
        let is_right = *is_proposed && members.contains(&by);
        *is_proposed = false;
        let back = std::mem::take(amounts);
        after.move_parts(&[], &[], &Amounts::new(), &back)?;
        is_right.then_some(after)
    }

    fn is_there(&self, member: u8) -> bool {
        self.channels.iter().any(|channel| channel.owner == member && channel.life == Life::Active)
    }

    /// Money comes in (or goes out); who pays has signed.
    pub(super) fn reshape(
        &self,
        next: &Next,
        is_deposit: bool,
        signers: &[u8],
        parts: &[Part],
    ) -> Option<Self> {
        let room = &self.rooms[next.room];
        let of = |amounts: &Amounts, whose: &(u8, u8)| amounts.get(whose).copied().unwrap_or_default();
        let (mut paid, mut received) = (Amounts::new(), Amounts::new());
        for whose in room.amounts.keys().chain(next.amounts.keys()) {
            let (before, after) = (of(&room.amounts, whose), of(&next.amounts, whose));
            if after > before {
                paid.insert(*whose, after - before);
            } else if after < before {
                received.insert(*whose, before - after);
            }
        }
        let (moving, other) = if is_deposit { (&paid, &received) } else { (&received, &paid) };
        let is_right = !moving.is_empty()
            && other.is_empty()
            && self.is_next(next)
            && paid.keys().all(|(who, _)| signers.contains(who));
        let mut after = self.clone();
        after.move_parts(parts, &room.members, &paid, &received)?;
        let room = &mut after.rooms[next.room];
        (room.version, room.amounts) = (next.version, next.amounts.clone());
        is_right.then_some(after)
    }

    pub(super) fn update(&self, next: &Next) -> Option<Self> {
        self.follows(next)?;
        let mut after = self.clone();
        let room = &mut after.rooms[next.room];
        (room.version, room.amounts) = (next.version, next.amounts.clone());
        Some(after)
    }

    pub(super) fn close(&self, next: &Next, parts: &[Part]) -> Option<Self> {
        let mut after = self.update(next)?;
        let members = after.rooms[next.room].members.clone();
        after.move_parts(parts, &members, &Amounts::new(), &next.amounts)?;
        let room = &mut after.rooms[next.room];
        (room.is_open, room.amounts) = (false, Amounts::new());
        Some(after)
    }

    /// The end is agreed; agreeing to the same end again changes nothing.
    pub(super) fn finalize(&self, by: u8, part: &Part) -> Option<Self> {
        let mut after = self.clone();
        let channel = &mut after.channels[part.channel];
        let is_end = channel.owner == by
            && part.flaw.is_none()
            && part.version == channel.version + 1
            && part.after == channel.part
            && matches!(channel.life, Life::Active | Life::Closing);
        channel.life = Life::Closing;
        is_end.then_some(after)
    }

    /// Money is set aside for a channel that the broker is to make; what is signed is what is settled.
    pub(super) fn settle(&self, channel: Channel, amount: u64, signer: u8) -> Option<Self> {
        let mut after = self.clone();
        let wallet = after.wallets.entry((channel.owner, channel.token)).or_default();
        *wallet = wallet.checked_sub(amount)?;
        let free = after.free.entry(channel.token).or_default();
        *free = free.checked_sub(amount)?;
        let is_right = amount > 0 && amount == channel.locked && signer == channel.owner;
        let id = channel.params.channel_id();
        let is_new = self.channels.iter().all(|other| other.params.channel_id() != id);
        after.channels.push(channel);
        (is_right && is_new).then_some(after)
    }

    /// The broker has made the channel.
    pub(super) fn executed(&self, channel: usize) -> Self {
        let mut after = self.clone();
        let Channel { locked, part, life, .. } = &mut after.channels[channel];
        (*part, *life) = (*locked, Life::Active);
        after
    }

    /// The channel will not be made by the broker.
    pub(super) fn refunded(&self, channel: usize) -> Self {
        let mut after = self.clone();
        let Channel { owner, token, locked, life, .. } = &mut after.channels[channel];
        *life = Life::Abandoned;
        *after.wallets.entry((*owner, *token)).or_default() += *locked;
        *after.free.entry(*token).or_default() += *locked;
        after
    }

    /// The owner has made the announced channel itself, with money of its own.
    pub(super) fn created_by_owner(&self, channel: usize) -> Self {
        let mut after = self.refunded(channel);
        let Channel { token, locked, part, life, .. } = &mut after.channels[channel];
        (*part, *life) = (*locked, Life::Active);
        *after.custody.entry(*token).or_default() += *locked;
        after
    }

    fn follows(&self, next: &Next) -> Option<()> {
        let room = &self.rooms[next.room];
        let total = |amounts: &Amounts, of: u8| -> u64 {
            amounts.iter().filter(|((_, token), _)| *token == of).map(|(_, amount)| amount).sum()
        };
        let is_kept = (0..super::cast::TOKENS).all(|of| total(&room.amounts, of) == total(&next.amounts, of));
        (is_kept && self.is_next(next)).then_some(())
    }

    /// Whether a state may follow, whatever money it moves.
    fn is_next(&self, next: &Next) -> bool {
        let room = &self.rooms[next.room];
        room.is_open
            && room.members.contains(&next.by)
            && next.version == room.version + 1
            && next.approvals.len() >= 2
    }

    /// Wallets give and take what the parts do not.
    fn move_parts(
        &mut self,
        parts: &[Part],
        owners: &[u8],
        paid: &Amounts,
        received: &Amounts,
    ) -> Option<()> {
        let mut deltas: BTreeMap<(u8, u8), i128> = BTreeMap::new();
        for (whose, amount) in received {
            *deltas.entry(*whose).or_default() += i128::from(*amount);
        }
        for (whose, amount) in paid {
            *deltas.entry(*whose).or_default() -= i128::from(*amount);
        }
        for part in parts {
            let channel = &mut self.channels[part.channel];
            let is_next = channel.life == Life::Active
                && owners.contains(&channel.owner)
                && part.flaw.is_none()
                && part.version > channel.version
                && part.version <= channel.version + VERSION_STEP_MAX
                && part.after <= channel.locked;
            if !is_next {
                return None;
            }
            let delta = i128::from(channel.part) - i128::from(part.after);
            *deltas.entry((channel.owner, channel.token)).or_default() += delta;
            (channel.part, channel.version) = (part.after, part.version);
        }
        for (whose, delta) in deltas {
            let wallet = self.wallets.entry(whose).or_default();
            *wallet = u64::try_from(i128::from(*wallet) + delta).ok()?;
        }
        Some(())
    }

    /// Every account that holds something.
    pub(super) fn accounts(&self) -> BTreeMap<AccountKey, Amount> {
        let mut accounts = BTreeMap::new();
        let mut add = |key, amount: u64| {
            if amount > 0 {
                accounts.insert(key, Amount::from(amount));
            }
        };
        for ((who, of), amount) in &self.wallets {
            add(AccountKey::wallet(person(*who), token(*of)), *amount);
        }
        for channel in &self.channels {
            let Channel { params, owner, token: of, part, locked, life, .. } = channel;
            add(AccountKey::direct(params.channel_id(), person(*owner), token(*of)), *part);
            let set_aside = if *life == Life::Announced { *locked } else { 0 };
            add(AccountKey::settling(params.channel_id(), person(*owner), token(*of)), set_aside);
        }
        for Room { definition, amounts, .. } in &self.rooms {
            for ((who, of), amount) in amounts {
                add(AccountKey::member(definition.channel_id(), person(*who), token(*of)), *amount);
            }
        }
        for (of, amount) in &self.own {
            add(AccountKey::broker(token(*of)), *amount);
        }
        for (of, amount) in &self.custody {
            add(AccountKey::custody(token(*of)), *amount);
        }
        for (of, amount) in &self.faucet {
            add(AccountKey::faucet(token(*of)), *amount);
        }
        for (of, amount) in &self.shortfall {
            add(AccountKey::shortfall(token(*of)), *amount);
        }
        accounts
    }

    /// The version of the newest agreed state of each channel that counts.
    pub(super) fn versions(&self) -> BTreeMap<ChannelId, u64> {
        let counted = self.channels.iter().filter(|channel| channel.life.is_counted());
        let direct = counted.map(|channel| (channel.params.channel_id(), channel.version));
        let rooms = self.rooms.iter().map(|room| (room.definition.channel_id(), room.version));
        direct.chain(rooms).collect()
    }
}
