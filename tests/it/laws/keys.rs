//! Session keys that pay, open rooms and put money into them, up to their caps.

use std::collections::{BTreeMap, BTreeSet};

use domain::crypto::VirtualIntent;
use domain::ledger::OwnerId;
use rand::Rng as _;
use rand::seq::SliceRandom as _;

use super::cast::{Draft, PEOPLE, TOKENS, definition, person};
use super::model::{Amounts, Life, Room};
use super::play::Play;

impl Play<'_> {
    /// Somebody delegates to its key, or ends it; both may be too late.
    pub(super) async fn change_key(&mut self) {
        let (by, draft) = (self.anybody(), Draft::new(self.next()));
        let usurped = self.rng.random_bool(0.2).then_some(OwnerId::Participant(person(by)));
        let has_key = self.model.caps.contains_key(&by);
        if has_key == self.rng.random_bool(0.9) {
            let expected = self.model.revoke(by);
            self.expect(draft.revoke(by), expected, usurped).await;
        } else {
            let caps = (0..TOKENS).map(|of| (of, self.rng.random_range(0..=80))).collect();
            let expected = self.model.delegate(by, &caps);
            self.expect(draft.delegate(by, &caps), expected, usurped).await;
        }
    }

    /// Keys sign for people, some of whom have none, or one that has spent too much.
    pub(super) async fn use_keys(&mut self) {
        match self.rng.random_range(0..3) {
            0 => self.pay_by_key().await,
            1 => self.open_by_keys().await,
            _ => self.deposit_by_keys().await,
        }
    }

    async fn pay_by_key(&mut self) {
        let (by, draft) = (self.someone_with_key(), Draft::new(self.next()));
        let to = (by + 1) % PEOPLE;
        let payments = self.payments(by);
        let paid: Amounts = payments.iter().map(|(of, amount)| ((by, *of), *amount)).collect();
        let expected = self.model.pay(by, to, &payments, &[]);
        let expected = expected.and_then(|model| model.spent_by_keys(&[by].into(), &paid));
        let usurped = self.rng.random_bool(0.2).then_some(OwnerId::Participant(person(by)));
        let draft = draft.by_keys([by]);
        self.expect(draft.pay(by, Some(to), &payments, Vec::new()), expected, usurped).await;
    }

    async fn open_by_keys(&mut self) {
        let mut members: Vec<u8> = (0..PEOPLE).collect();
        members.shuffle(&mut self.rng);
        members.truncate(self.rng.random_range(2..=members.len()));
        let mut amounts = Amounts::new();
        for member in &members {
            let is_there =
                self.model.channels.iter().any(|it| it.owner == *member && it.life == Life::Active);
            if !is_there {
                self.open_channel(*member, *member, Life::Active).await;
            }
            let (of, amount) = self.sum_of(*member);
            amounts.insert((*member, of), amount);
        }
        let keyed = self.some_of(&members);
        let definition = definition(&members, self.next());
        let wanted = Amounts::new();
        let room = Room {
            definition,
            members,
            amounts: amounts.clone(),
            version: 1,
            is_open: true,
            wanted,
            is_proposed: false,
        };
        let expected = self.model.open(room.clone(), &[]);
        let expected = expected.and_then(|model| model.spent_by_keys(&keyed, &amounts));
        let usurped = keyed.first().filter(|_| self.rng.random_bool(0.1));
        let usurped = usurped.map(|who| OwnerId::Participant(person(*who)));
        let draft = Draft::new(self.next()).by_keys(keyed);
        self.expect(draft.open(room.members[0], &room, Vec::new()), expected, usurped).await;
    }

    async fn deposit_by_keys(&mut self) {
        let Some(place) = self.any_room() else { return };
        let room = self.model.rooms[place].clone();
        let (mut amounts, mut paid) = (room.amounts.clone(), Amounts::new());
        for member in &room.members {
            let (of, amount) = self.sum_of(*member);
            *amounts.entry((*member, of)).or_default() += amount;
            paid.insert((*member, of), amount);
        }
        let next = self.agreed(place, amounts);
        let mut signers = room.members.clone();
        signers.push(next.by);
        signers.sort_unstable();
        signers.dedup();
        let keyed = self.some_of(&signers);
        let expected = self.model.reshape(&next, true, &signers, &[]);
        let expected = expected.and_then(|model| model.spent_by_keys(&keyed, &paid));
        let usurped = self.rng.random_bool(0.1).then_some(OwnerId::Channel(room.id()));
        let draft = Draft::new(self.next()).by_keys(keyed);
        let ask = draft.reshape(&room, &next, VirtualIntent::Deposit, &signers, Vec::new());
        self.expect(ask, expected, usurped).await;
    }

    /// Mostly somebody who has a key.
    fn someone_with_key(&mut self) -> u8 {
        let anybody = self.anybody();
        let with_key = self.model.caps.keys().copied().next();
        if self.rng.random_bool(0.9) { with_key.unwrap_or(anybody) } else { anybody }
    }

    /// Those of them for whom keys sign: mostly some of those who have one.
    fn some_of(&mut self, people: &[u8]) -> BTreeSet<u8> {
        let mut keyed = BTreeSet::new();
        for who in people {
            let likely = if self.model.caps.contains_key(who) { 0.7 } else { 0.05 };
            if self.rng.random_bool(likely) {
                keyed.insert(*who);
            }
        }
        keyed
    }
}

/// What keys have left, per person and token.
pub(super) type Caps = BTreeMap<u8, BTreeMap<u8, u64>>;
