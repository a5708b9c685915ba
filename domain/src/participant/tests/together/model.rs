//! What should come of it all, in plain numbers: no states, no signatures, no accounts.

use std::collections::BTreeMap;

use crate::channel::direct::Phase;

/// Where the channel should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Void,
    Announced,
    Abandoned,
    Created,
    Active,
    Closing,
    Disputed,
    Halted,
    Closed,
    Ignored,
}

impl Stage {
    pub(super) fn of(phase: Phase) -> Self {
        match phase {
            Phase::Void => Self::Void,
            Phase::Announced => Self::Announced,
            Phase::Abandoned => Self::Abandoned,
            Phase::Created => Self::Created,
            Phase::Active => Self::Active,
            Phase::Closing => Self::Closing,
            Phase::Disputed => Self::Disputed,
            Phase::Halted => Self::Halted,
            Phase::Closed => Self::Closed,
            Phase::Ignored => Self::Ignored,
        }
    }

    pub(super) fn is_counted(self) -> bool {
        [Self::Active, Self::Closing, Self::Disputed, Self::Halted].contains(&self)
    }

    fn is_unseen(self) -> bool {
        [Self::Void, Self::Announced, Self::Abandoned].contains(&self)
    }
}

/// Two tokens; Alice has a channel in one of them, Bob is somebody she deals with.
pub(super) struct Model {
    pub(super) stage: Stage,
    pub(super) alice: [i64; 2],
    pub(super) bob: [i64; 2],
    pub(super) room: [i64; 2],
    pub(super) broker: [i64; 2],
    pub(super) custody: [i64; 2],
    pub(super) shortfall: [i64; 2],
    /// Token and amount on their way into the channel.
    pub(super) settling: Option<(usize, i64)>,
    /// The channel's token.
    pub(super) token: usize,
    pub(super) locked: i64,
    pub(super) version: u64,
    pub(super) finalize: bool,
    /// The version of the state that the channel holds.
    pub(super) held: Option<u64>,
    /// Token and amount that others hold, by the amount as a name.
    pub(super) held_for_others: BTreeMap<u64, (usize, i64)>,
    part: i64,
    paid_by_broker: bool,
    can_shrink: bool,
}

impl Model {
    pub(super) fn new(can_shrink: bool) -> Self {
        Self {
            stage: Stage::Void,
            alice: [30, 10],
            bob: [40, 40],
            room: [0, 0],
            broker: [1000, 1000],
            custody: [1070, 1050],
            shortfall: [0, 0],
            settling: None,
            token: 0,
            locked: 0,
            version: 0,
            finalize: false,
            held: None,
            held_for_others: BTreeMap::new(),
            part: 0,
            paid_by_broker: false,
            can_shrink,
        }
    }

    pub(super) fn part(&self) -> u64 {
        if self.stage.is_counted() { self.part.try_into().unwrap() } else { 0 }
    }

    pub(super) fn locked(&self) -> u64 {
        self.locked.try_into().unwrap()
    }

    pub(super) fn created(&mut self, fits: bool, by_broker: bool, token: usize, part: u64) {
        if !self.stage.is_unseen() {
            return;
        }
        if !fits {
            self.stage = Stage::Ignored;
            return;
        }
        self.stage = Stage::Created;
        self.paid_by_broker = by_broker;
        self.token = token;
        self.locked = part.try_into().unwrap();
        self.part = self.locked;
    }

    pub(super) fn opened(&mut self) {
        if self.stage.is_unseen() {
            self.stage = Stage::Ignored;
        }
        if self.stage != Stage::Created {
            return;
        }
        if self.paid_by_broker {
            // The money has been in custody all along.
            if self.settling != Some((self.token, self.part)) {
                self.stage = Stage::Ignored;
                return;
            }
            self.settling = None;
        } else {
            self.custody[self.token] += self.part;
            self.refund();
        }
        self.stage = Stage::Active;
    }

    pub(super) fn closed(&mut self, paid: u64) {
        if self.stage == Stage::Ignored || self.stage == Stage::Closed {
            return;
        }
        if self.stage.is_counted() {
            let paid: i64 = paid.try_into().unwrap();
            self.custody[self.token] -= paid;
            if paid < self.part {
                self.alice[self.token] += self.part - paid;
            } else {
                self.shortfall[self.token] += paid - self.part;
            }
        }
        self.stage = Stage::Closed;
    }

    pub(super) fn challenged(&mut self) {
        if self.stage == Stage::Active || self.stage == Stage::Closing {
            self.stage = Stage::Disputed;
        }
    }

    pub(super) fn checkpointed(&mut self, is_known: bool) {
        if !self.stage.is_counted() {
            return;
        }
        if !is_known {
            self.stage = Stage::Halted;
        } else if self.stage == Stage::Disputed {
            self.stage = if self.finalize { Stage::Closing } else { Stage::Active };
        }
    }

    pub(super) fn resized(&mut self) {
        if self.stage.is_counted() {
            self.stage = Stage::Halted;
        }
    }

    /// Whether Alice can set so much aside; if so, she has.
    pub(super) fn settles(&mut self, token: usize, value: u64) -> bool {
        let value: i64 = value.try_into().unwrap();
        let has = self.free(token) >= value;
        if has {
            self.alice[token] -= value;
            self.settling = Some((token, value));
            self.stage = Stage::Announced;
        }
        has
    }

    pub(super) fn settlement_failed(&mut self) {
        self.refund();
        if self.stage == Stage::Announced {
            self.stage = Stage::Abandoned;
        }
    }

    fn refund(&mut self) {
        if let Some((token, value)) = self.settling.take() {
            self.alice[token] += value;
        }
    }

    /// Whether the channel would hold a state of a fitting version with this part.
    pub(super) fn proposes(&self, part: u64) -> bool {
        let part: i64 = part.try_into().unwrap();
        self.stage == Stage::Active && part <= self.locked && (self.can_shrink || part >= self.part)
    }

    /// Whether Alice can pay Bob so much of a token while her part becomes `part`; if so, she has.
    pub(super) fn pays(&mut self, token: usize, value: u64, part: Option<i64>) -> bool {
        let mut needs = [0, 0];
        needs[token] += i64::try_from(value).unwrap();
        needs[self.token] += part.map_or(0, |after| after - self.part);
        if (0..2).any(|of| needs[of] > 0 && needs[of] > self.free(of)) {
            return false;
        }
        (0..2).for_each(|of| self.alice[of] -= needs[of]);
        self.bob[token] += i64::try_from(value).unwrap();
        if let Some(after) = part {
            self.part = after;
            self.version = self.held.take().unwrap();
        }
        true
    }

    /// Whether the channel agrees to its end; if so, it has.
    pub(super) fn finalizes(&mut self) -> bool {
        let agrees = self.stage == Stage::Active || self.stage == Stage::Closing;
        if agrees {
            self.stage = Stage::Closing;
            self.finalize = true;
        }
        agrees
    }

    pub(super) fn bob_pays(&mut self, token: usize, value: u64) -> bool {
        let value: i64 = value.try_into().unwrap();
        let has = self.bob[token] >= value;
        if has {
            self.bob[token] -= value;
            self.alice[token] += value;
        }
        has
    }

    /// Whether so much can be held under its own name.
    pub(super) fn holds(&mut self, token: usize, value: u64) -> bool {
        let number: i64 = value.try_into().unwrap();
        match self.held_for_others.get(&value) {
            Some((of, _)) => *of == token,
            None if number <= self.free(token) => {
                self.held_for_others.insert(value, (token, number));
                true
            }
            None => false,
        }
    }

    /// Ends a hold; the token when it was there and is spent.
    pub(super) fn ends_hold(&mut self, name: u64, is_spent: bool) -> Option<usize> {
        let (token, value) = self.held_for_others.remove(&name)?;
        if is_spent {
            self.alice[token] -= value;
            self.room[token] += value;
        }
        is_spent.then_some(token)
    }

    fn free(&self, token: usize) -> i64 {
        let held: i64 = self.held_for_others.values().filter(|(of, _)| *of == token).map(|(_, v)| v).sum();
        self.alice[token] - held
    }
}
