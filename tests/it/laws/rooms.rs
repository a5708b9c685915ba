//! Money that comes into rooms and goes out of them, and rooms that are proposed first.

use std::collections::BTreeMap;

use domain::crypto::VirtualIntent;
use domain::ledger::OwnerId;
use rand::Rng as _;
use rand::seq::SliceRandom as _;

use super::cast::{Draft, PEOPLE, definition};
use super::model::{Amounts, Channel, Life, Room};
use super::play::Play;

impl Play<'_> {
    /// Members of a room put money in, or take some out; now and then both at once, or somebody else's.
    pub(super) async fn reshape_room(&mut self) {
        let Some(place) = self.any_room() else { return };
        let room = self.model.rooms[place].clone();
        let is_deposit = self.rng.random_bool(0.6);
        let (mut amounts, mut paid) = (room.amounts.clone(), BTreeMap::new());
        let mut signers = vec![room.members[0]];
        for member in &room.members {
            if !self.rng.random_bool(0.6) {
                continue;
            }
            let (of, amount) = self.sum_of(*member);
            let there = amounts.entry((*member, of)).or_default();
            if is_deposit != self.rng.random_bool(0.03) {
                *there += amount;
                *paid.entry(of).or_default() += amount;
                signers.extend((self.rng.random_bool(0.95)).then_some(*member));
            } else {
                *there -= amount.min(*there);
            }
        }
        let next = self.agreed(place, amounts);
        signers.push(next.by);
        signers.sort_unstable();
        signers.dedup();
        let parts = self.parts(&room.members, &paid);
        // Who carries a state with the hash of the request has signed it too.
        let mut consenting = signers.clone();
        consenting.extend(parts.iter().map(|part| self.model.channels[part.channel].owner));
        let expected = self.model.reshape(&next, is_deposit, &consenting, &parts);
        let intent = if is_deposit { VirtualIntent::Deposit } else { VirtualIntent::Withdraw };
        let usurped = self.rng.random_bool(0.1).then_some(OwnerId::Channel(room.id()));
        let draft = Draft::new(self.next());
        let states = self.states(&draft, &parts);
        self.expect(draft.reshape(&room, &next, intent, &signers, states), expected, usurped).await;
    }

    /// Somebody proposes a room to somebody, who takes it or does not. All in one step: a Host without sessions may
    /// not wait for long.
    pub(super) async fn propose_room(&mut self) {
        let mut members: Vec<u8> = (0..PEOPLE).collect();
        members.shuffle(&mut self.rng);
        members.truncate(2);
        let mut wanted = Amounts::new();
        for member in &members {
            let is_there = |channel: &Channel| channel.owner == *member && channel.life == Life::Active;
            if !self.model.channels.iter().any(is_there) && self.rng.random_bool(0.9) {
                self.open_channel(*member, *member, Life::Active).await;
            }
            if self.rng.random_bool(0.8) {
                let (of, amount) = self.sum_of(*member);
                wanted.insert((*member, of), amount);
            }
        }
        let paid = paid_by(members[0], &wanted);
        let parts = self.parts(&members[..1], &paid);
        let definition = definition(&members, self.next());
        let amounts = Amounts::new();
        let room =
            Room { definition, members, amounts, version: 0, is_open: false, wanted, is_proposed: true };
        let by = if self.rng.random_bool(0.95) { room.members[0] } else { room.members[1] };
        let (draft, rooms) = (Draft::new(self.next()), self.model.rooms.len());
        let expected = self.model.propose(by, room.clone(), &parts);
        let states = self.states(&draft, &parts);
        self.expect(draft.propose(by, &room, states), expected, None).await;
        self.check().await;
        while self.model.rooms.get(rooms).is_some_and(|room| room.is_proposed) {
            self.answer_proposal(rooms).await;
            self.check().await;
        }
    }

    async fn answer_proposal(&mut self, place: usize) {
        let room = self.model.rooms[place].clone();
        let (by, draft) = (self.anybody(), Draft::new(self.next()));
        let by = if self.rng.random_bool(0.7) { room.members[1] } else { by };
        let usurped = self.rng.random_bool(0.2).then_some(OwnerId::Channel(room.id()));
        match self.rng.random_range(0..8) {
            0 => self.restart().await,
            1 | 2 => {
                let expected = self.model.decline(place, by);
                self.expect(draft.decline(by, &room), expected, usurped).await;
            }
            3 => {
                // More than was proposed.
                let mut wanted = room.wanted.clone();
                *wanted.entry((room.members[0], 0)).or_default() += 1;
                self.expect(draft.accept(by, &room, &wanted, Vec::new()), None, usurped).await;
            }
            _ => {
                let parts = self.parts(&[by], &paid_by(by, &room.wanted));
                let expected = self.model.accept(place, by, &room.wanted, &parts);
                let states = self.states(&draft, &parts);
                self.expect(draft.accept(by, &room, &room.wanted, states), expected, usurped).await;
            }
        }
    }
}

/// What this member is to pay, per token.
fn paid_by(who: u8, wanted: &Amounts) -> BTreeMap<u8, u64> {
    wanted.iter().filter(|((member, _), _)| *member == who).map(|((_, of), amount)| (*of, *amount)).collect()
}
