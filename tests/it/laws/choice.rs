//! What people come up with: mostly what can be done, now and then what cannot.

use std::collections::BTreeMap;

use domain::crypto::{DirectState, Signed};
use rand::Rng as _;
use rand::seq::{IndexedRandom as _, SliceRandom as _};

use super::cast::{Draft, PEOPLE, TOKENS, carried};
use super::model::{Amounts, Channel, Flaw, Life, Next, Part, Room};
use super::play::Play;

impl Play<'_> {
    pub(super) fn anybody(&mut self) -> u8 {
        self.rng.random_range(0..PEOPLE)
    }

    /// A payment: mostly of what the payer has on the wallet.
    pub(super) fn payments(&mut self, by: u8) -> BTreeMap<u8, u64> {
        let mut payments = BTreeMap::new();
        for _ in 0..self.rng.random_range(1..=2) {
            let (of, amount) = self.sum_of(by);
            payments.insert(of, amount);
        }
        payments
    }

    /// A token and so much of it: mostly some of what somebody has on the wallet.
    pub(super) fn sum_of(&mut self, who: u8) -> (u8, u64) {
        let own: Vec<(u8, u64)> = (0..TOKENS)
            .filter_map(|of| Some((of, *self.model.wallets.get(&(who, of))?)))
            .filter(|(_, amount)| *amount > 0)
            .collect();
        match own.choose(&mut self.rng) {
            Some((of, most)) if self.rng.random_bool(0.85) => (*of, self.rng.random_range(1..=*most)),
            _ => (self.rng.random_range(0..TOKENS), self.rng.random_range(1..=60)),
        }
    }

    pub(super) fn any_part(&mut self) -> Option<Part> {
        let known = |place: &usize| self.model.channels[*place].life != Life::Ignored;
        let channels: Vec<usize> = (0..self.model.channels.len()).filter(known).collect();
        let channel = *channels.choose(&mut self.rng)?;
        let Channel { locked, version, .. } = self.model.channels[channel];
        let version = match self.rng.random_range(0..24) {
            0 => version,
            1 => version + 1_001,
            _ => version + self.rng.random_range(1..=3),
        };
        let flaw = match self.rng.random_range(0..40) {
            0 => Some(Flaw::Total),
            1 => Some(Flaw::Hash),
            2 => Some(Flaw::Signer),
            _ => None,
        };
        Some(Part { channel, version, after: self.rng.random_range(0..=locked), flaw })
    }

    /// Next states of up to two channels, mostly of these people, often just enough to pay this much.
    pub(super) fn parts(&mut self, owners: &[u8], paid: &BTreeMap<u8, u64>) -> Vec<Part> {
        let mut parts: Vec<Part> = Vec::new();
        for _ in 0..self.rng.random_range(0..=8) {
            let Some(mut part) = self.any_part() else { break };
            let Channel { owner, token, part: before, life, .. } = self.model.channels[part.channel];
            let is_likely = owners.contains(&owner) && life == Life::Active;
            let is_there = parts.iter().any(|other| other.channel == part.channel);
            if is_there || parts.len() >= 2 || !(is_likely || self.rng.random_bool(0.03)) {
                continue;
            }
            let rest = paid.get(&token).and_then(|amount| before.checked_sub(*amount));
            if let (Some(rest), true) = (rest, self.rng.random_bool(0.7)) {
                part.after = rest;
            }
            parts.push(part);
        }
        parts
    }

    pub(super) fn states(&self, draft: &Draft, parts: &[Part]) -> Vec<Signed<DirectState>> {
        let state = |part: &Part| carried(&self.model.channels[part.channel], part, draft.hash());
        parts.iter().map(state).collect()
    }

    /// Some room, mostly an open one.
    pub(super) fn any_room(&mut self) -> Option<usize> {
        let all = 0..self.model.rooms.len();
        let open: Vec<usize> = all.clone().filter(|room| self.model.rooms[*room].is_open).collect();
        let among = if self.rng.random_bool(0.9) { open } else { all.collect() };
        among.choose(&mut self.rng).copied()
    }

    /// What the members of some room might agree on next: money goes around, now and then out of nothing.
    pub(super) fn next_of_room(&mut self) -> Option<Next> {
        let room = self.any_room()?;
        let Room { members, mut amounts, .. } = self.model.rooms[room].clone();
        for ((_, of), amount) in amounts.clone() {
            let (from, to) = (*members.choose(&mut self.rng)?, *members.choose(&mut self.rng)?);
            let there = amounts.get(&(from, of)).copied().unwrap_or_default();
            let moved = self.rng.random_range(0..=amount).min(there);
            *amounts.entry((from, of)).or_default() -= moved;
            *amounts.entry((to, of)).or_default() += moved;
        }
        if self.rng.random_bool(0.05) {
            *amounts.entry((members[0], 0)).or_default() += 1;
        }
        Some(self.agreed(room, amounts))
    }

    /// What members agree on, mostly enough of them, and mostly as the next version.
    pub(super) fn agreed(&mut self, room: usize, amounts: Amounts) -> Next {
        let Room { members, version, .. } = self.model.rooms[room].clone();
        let version = match self.rng.random_range(0..16) {
            0 => version,
            1 => version + 2,
            _ => version + 1,
        };
        let mut approvals = members.clone();
        approvals.shuffle(&mut self.rng);
        approvals.truncate(if self.rng.random_bool(0.95) { 2 } else { 1 });
        let by = if self.rng.random_bool(0.9) { members[0] } else { self.anybody() };
        Next { room, by, approvals, version, amounts }
    }
}
