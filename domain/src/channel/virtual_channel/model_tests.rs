//! Random lives of a channel, judged by a naive model and by the laws after every step.
//!
//! The model knows numbers only: it keeps small integers in arrays, and says of each step whether it is taken
//! and, if not, why. It shares no rule with the machine.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::effect::VirtualChannelEffect;
use super::error::{VirtualChannelError, WrongStateError};
use super::event::{Close, Update, VirtualChannelEvent};
use super::opening::OpeningRequest;
use super::samples::{
    BROKER, Key, LIFETIME_SECS, WINDOW_SECS, alice, amount, at, bob, carol, line, open_with, opening, part,
    pepe, request, shib, signed, signers, table,
};
use super::state::VirtualChannel;
use crate::channel::{Machine as _, PartMove};
use crate::crypto::{VirtualAllocations, VirtualIntent, VirtualState};
use crate::ledger::{AccountKey, AccountKind, Ledger, Transfer};
use crate::primitives::{Address, Amount, Timestamp, Token, Version};

const CASES: u32 = 10_000;
const MEMBERS: usize = 3;
const TOKENS: usize = 2;
const WEIGHTS: [u64; MEMBERS] = [2, 1, 1];
const QUORUM: u64 = 3;
/// What everybody has in each wallet and each direct channel before the opening.
const START: u64 = 1_000;

type Parts = [[u64; TOKENS]; MEMBERS];

/// One thing that happens.
#[derive(Debug, Clone)]
enum Act {
    Wait { secs: u64 },
    Tick,
    Hand(Hand),
}

/// A state that is handed in.
#[derive(Debug, Clone)]
struct Hand {
    /// As a close, not as an update.
    as_close: bool,
    /// 0 operate, 1 deposit, 2 withdraw, 3 close; `None` for one that fits: close or operate.
    intent: Option<usize>,
    /// What comes in with a deposit or goes out with a withdrawal: member, token, most.
    outside: Vec<(usize, usize, u64)>,
    /// Who signs the request.
    consents: [bool; MEMBERS],
    /// By how much the version exceeds the current one.
    ahead: i64,
    /// Money from one member to another: from, to, token, most.
    moves: Vec<(usize, usize, usize, u64)>,
    /// One line that grows out of nothing: member, token, how much.
    minted: Option<(usize, usize, u64)>,
    /// Whether each member signs.
    signs: [bool; MEMBERS],
    data: Option<u8>,
    /// Whether the state holds the hash of other data.
    other_data: bool,
    /// What parts become along with a close: of whom, token, after.
    parts: BTreeMap<(usize, usize), u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    Ended,
    Late,
    Intent,
    Version,
    Data,
    Money,
    Quorum,
    Consent,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Model {
    phase: &'static str,
    version: u64,
    parts: Parts,
    expires: u64,
    window_ends: u64,
}

impl Hand {
    fn intent(&self) -> usize {
        self.intent.unwrap_or(if self.as_close { 3 } else { 0 })
    }
}

impl Model {
    fn is_over(&self) -> bool {
        self.phase == "closed" || self.phase == "expired"
    }

    fn tick(&mut self, now: u64) {
        if self.phase == "open" && now >= self.expires {
            self.phase = "expiring";
            self.window_ends = now + WINDOW_SECS;
        } else if self.phase == "expiring" && now >= self.window_ends {
            self.phase = "expired";
        }
    }

    fn next_parts(&self, hand: &Hand) -> Parts {
        let mut parts = self.parts;
        for &(from, to, token, most) in &hand.moves {
            let moved = most.min(parts[from][token]);
            parts[from][token] -= moved;
            parts[to][token] += moved;
        }
        if let Some((member, token, minted)) = hand.minted {
            parts[member][token] += minted;
        }
        for &(member, token, most) in &hand.outside {
            match hand.intent() {
                1 => parts[member][token] += most,
                2 => parts[member][token] -= most.min(parts[member][token]),
                _ => {}
            }
        }
        parts
    }

    /// Whether the amounts are those that the intent allows.
    fn money_fits(&self, hand: &Hand) -> bool {
        let next = self.next_parts(hand);
        let all = || (0..MEMBERS).flat_map(|member| (0..TOKENS).map(move |token| (member, token)));
        let grows = all().any(|(member, token)| next[member][token] > self.parts[member][token]);
        let shrinks = all().any(|(member, token)| next[member][token] < self.parts[member][token]);
        match hand.intent() {
            1 => grows && !shrinks,
            2 => shrinks && !grows,
            _ => hand.minted.is_none_or(|(_, _, minted)| minted == 0),
        }
    }

    fn hand(&mut self, hand: &Hand, now: u64) -> Result<(), Refusal> {
        if self.is_over() {
            return Err(Refusal::Ended);
        }
        let late = self.phase == "expiring" && now >= self.window_ends;
        if late {
            return Err(Refusal::Late);
        }
        let in_window = now >= self.expires || self.phase == "expiring";
        let moves_outside = [1, 2].contains(&hand.intent());
        if moves_outside && in_window && !hand.as_close {
            return Err(Refusal::Late);
        }
        if (hand.intent() == 3) != hand.as_close {
            return Err(Refusal::Intent);
        }
        let skips = in_window && !hand.as_close;
        if hand.ahead < 1 || (hand.ahead > 1 && !skips) {
            return Err(Refusal::Version);
        }
        if hand.other_data {
            return Err(Refusal::Data);
        }
        if !self.money_fits(hand) {
            return Err(Refusal::Money);
        }
        let weight: u64 =
            (0..MEMBERS).filter(|member| hand.signs[*member]).map(|member| WEIGHTS[member]).sum();
        if weight < QUORUM {
            return Err(Refusal::Quorum);
        }
        let next = self.next_parts(hand);
        let pays = |member: usize| (0..TOKENS).any(|token| next[member][token] > self.parts[member][token]);
        if hand.intent() == 1 && (0..MEMBERS).any(|member| pays(member) && !hand.consents[member]) {
            return Err(Refusal::Consent);
        }
        if self.phase == "open" && in_window {
            self.phase = "expiring";
            self.window_ends = now + WINDOW_SECS;
        }
        self.parts = self.next_parts(hand);
        self.version += u64::try_from(hand.ahead).unwrap();
        if hand.as_close {
            self.phase = "closed";
        }
        Ok(())
    }
}

fn keys() -> [Key; MEMBERS] {
    [alice(), bob(), carol()]
}

fn token(number: usize) -> Token {
    [shib(), pepe()][number]
}

/// The number that names the direct channel of a member and token.
fn channel_number(member: usize, token: usize) -> u8 {
    u8::try_from(1 + member * TOKENS + token).unwrap()
}

fn direct_account(member: usize, number: usize) -> AccountKey {
    let part = part(keys()[member], channel_number(member, number), token(number), 0, 0);
    AccountKey::direct(part.channel, part.participant, part.token)
}

/// Moves of parts, from what the book says they are.
fn part_moves(book: &Ledger, afters: &BTreeMap<(usize, usize), u64>) -> Vec<PartMove> {
    let move_of = |(&(member, number), after): (&(usize, usize), &u64)| {
        let part = part(keys()[member], channel_number(member, number), token(number), 0, *after);
        PartMove { before: book.balance(direct_account(member, number)), ..part }
    };
    afters.iter().map(move_of).collect()
}

fn allocations_of(channel: &VirtualChannel, parts: &Parts) -> VirtualAllocations {
    let lines = keys().into_iter().zip(parts).flat_map(|(key, of_member)| {
        let line_of = |number: usize| line(key, token(number), of_member[number]);
        (0..TOKENS).map(line_of).collect::<Vec<_>>()
    });
    VirtualAllocations::new(channel.members(), lines).unwrap()
}

/// The event for what is handed in; `None` when nobody signs or the version would be none.
fn event_of(
    channel: &VirtualChannel,
    book: &Ledger,
    hand: &Hand,
    next: &Parts,
) -> Option<VirtualChannelEvent> {
    let data = hand.data.map(|byte| byte.to_string());
    let hashed = if hand.other_data { Some("other") } else { data.as_deref() };
    let version = i64::try_from(channel.version().get()).unwrap() + hand.ahead;
    let state = VirtualState {
        broker: BROKER,
        channel_id: channel.id(),
        version: Version::new(u64::try_from(version).ok()?)?,
        intent: [
            VirtualIntent::Operate,
            VirtualIntent::Deposit,
            VirtualIntent::Withdraw,
            VirtualIntent::Close,
        ][hand.intent()],
        data_hash: VirtualState::hash_of_data(hashed),
        allocations: allocations_of(channel, next),
    };
    let signing = keys().into_iter().zip(hand.signs).filter(|(_, signs)| *signs);
    let signing: Vec<Key> = signing.map(|(key, _)| key).collect();
    if signing.is_empty() {
        return None;
    }
    let state = signed(state, &signing);
    let consents = keys().into_iter().zip(hand.consents).filter(|(_, signs)| *signs);
    let consents: Vec<Key> = consents.map(|(key, _)| key).collect();
    if consents.is_empty() {
        return None;
    }
    // An operating update carries none.
    let carried = if hand.intent() == 0 { BTreeMap::new() } else { hand.parts.clone() };
    let parts = part_moves(book, &carried);
    Some(if hand.as_close {
        VirtualChannelEvent::Close(Close { request: request(3), state, data, parts })
    } else {
        let consents = signers(&consents);
        VirtualChannelEvent::Update(Update { request: request(2), state, data, consents, parts })
    })
}

fn class_of(error: &VirtualChannelError) -> Refusal {
    match error {
        VirtualChannelError::Ended { .. } => Refusal::Ended,
        VirtualChannelError::WindowEnded { .. } | VirtualChannelError::LifetimeOver { .. } => Refusal::Late,
        VirtualChannelError::MissingConsent { .. } => Refusal::Consent,
        VirtualChannelError::WrongState(error) => match error {
            WrongStateError::WrongIntent { .. } => Refusal::Intent,
            WrongStateError::StaleVersion { .. } | WrongStateError::VersionGap { .. } => Refusal::Version,
            WrongStateError::WrongDataHash { .. } => Refusal::Data,
            WrongStateError::UnknownToken { .. }
            | WrongStateError::ConservationBroken { .. }
            | WrongStateError::WrongDirection { .. }
            | WrongStateError::NothingMoves => Refusal::Money,
            WrongStateError::WrongBroker { .. }
            | WrongStateError::WrongChannel { .. }
            | WrongStateError::DataTooLarge { .. }
            | WrongStateError::Allocations(_)
            | WrongStateError::AllocationsOutOfOrder
            | WrongStateError::TooManyTokens
            | WrongStateError::TotalOverflow { .. } => panic!("the model makes no such state: {error}"),
        },
        VirtualChannelError::Quorum(_) => Refusal::Quorum,
        VirtualChannelError::WrongPhase { .. }
        | VirtualChannelError::NotTheGuest { .. }
        | VirtualChannelError::ProposalOver { .. }
        | VirtualChannelError::TermsDiffer { .. }
        | VirtualChannelError::NoDirectChannel { .. } => panic!("nothing was proposed: {error}"),
        VirtualChannelError::Plan(_) | VirtualChannelError::Ledger(_) => panic!("the amounts fit: {error}"),
    }
}

/// A channel beside its model, and the book that both are judged by.
struct World {
    channel: VirtualChannel,
    model: Model,
    book: Ledger,
    /// What every member put in and has not taken out.
    stakes: [[i64; TOKENS]; MEMBERS],
    /// What each part in a direct channel should be.
    directs: Parts,
    now: u64,
    ends: usize,
}

impl World {
    fn open(parts: Parts, afters: &BTreeMap<(usize, usize), u64>) -> Self {
        let mut start = BTreeMap::new();
        for (member, key) in keys().into_iter().enumerate() {
            for number in 0..TOKENS {
                start.insert(direct_account(member, number), amount(START));
                start.insert(AccountKey::wallet(key.address(), token(number)), amount(START));
            }
        }
        let mut book = Ledger::with_balances(start);
        let lines = (0..MEMBERS)
            .flat_map(|member| (0..TOKENS).map(move |number| (member, number)))
            .filter(|(member, number)| parts[*member][*number] > 0)
            .map(|(member, number)| line(keys()[member], token(number), parts[member][number]))
            .collect();
        let request = OpeningRequest { parts: part_moves(&book, afters), ..opening(table(), lines) };
        let opened = open_with(request).unwrap();
        post(&mut book, &opened.transition.transfers);
        let model = Model {
            phase: "open",
            version: 1,
            parts,
            expires: LIFETIME_SECS,
            window_ends: LIFETIME_SECS + WINDOW_SECS,
        };
        let mut directs = [[START; TOKENS]; MEMBERS];
        carry(&mut directs, afters);
        let stakes = parts.map(|of_member| of_member.map(|amount| i64::try_from(amount).unwrap()));
        Self { channel: opened.channel, model, book, stakes, directs, now: 0, ends: 0 }
    }

    fn act(&mut self, act: &Act) -> Result<(), TestCaseError> {
        let (before, parts_before) = (self.channel.clone(), self.model.parts);
        let (event, expected) = match act {
            Act::Wait { secs } => {
                self.now += secs;
                return Ok(());
            }
            Act::Tick => {
                self.model.tick(self.now);
                (VirtualChannelEvent::Tick, Ok(()))
            }
            Act::Hand(hand) => {
                let next = self.model.next_parts(hand);
                let Some(event) = event_of(&self.channel, &self.book, hand, &next) else { return Ok(()) };
                (event, self.model.hand(hand, self.now))
            }
        };
        let grows = matches!(event, VirtualChannelEvent::Update(_) | VirtualChannelEvent::Close(_));
        match self.channel.apply(event, at(self.now)) {
            Ok(applied) => {
                prop_assert_eq!(expected, Ok(()), "the model refuses what was taken");
                prop_assert!(!grows || self.channel.version() > before.version(), "versions grow (L4)");
                post(&mut self.book, &applied.transfers);
                if let Act::Hand(hand) = act {
                    self.handed_in(hand, &parts_before);
                }
                self.ends += applied.effects.iter().filter(|e| **e == VirtualChannelEffect::EndTopic).count();
            }
            Err(error) => {
                prop_assert_eq!(expected, Err(class_of(&error)), "{}", error);
                prop_assert_eq!(&self.channel, &before, "a refusal changed something");
            }
        }
        Ok(())
    }

    /// What a state that was taken moved outside the channel.
    fn handed_in(&mut self, hand: &Hand, before: &Parts) {
        if hand.intent() != 0 {
            carry(&mut self.directs, &hand.parts);
        }
        if [1, 2].contains(&hand.intent()) {
            for member in 0..MEMBERS {
                for token in 0..TOKENS {
                    let amount = |parts: &Parts| i64::try_from(parts[member][token]).unwrap();
                    self.stakes[member][token] += amount(&self.model.parts) - amount(before);
                }
            }
        }
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let Self { channel, model, book, .. } = self;
        prop_assert_eq!(channel.phase().name(), model.phase);
        prop_assert_eq!(channel.version().get(), model.version);
        prop_assert_eq!(allocations_of(channel, &model.parts), channel.agreed_state().allocations);
        let deadline = match model.phase {
            "open" => Some(at(model.expires)),
            "expiring" => Some(at(model.window_ends)),
            _ => None,
        };
        prop_assert_eq!(channel.deadline(), deadline);
        prop_assert_eq!(self.ends, usize::from(model.is_over()), "it ends exactly once (L6)");
        let in_book: BTreeMap<_, _> =
            book.balances().filter(|(account, _)| account.kind() == AccountKind::Virtual).collect();
        prop_assert_eq!(in_book, channel.balances().collect(), "the book and the channel agree (L7)");
        let mut owned: BTreeMap<(Address, Token), Vec<Amount>> = BTreeMap::new();
        for (account, amount) in book.balances() {
            owned.entry((account.participant(), account.token())).or_default().push(amount);
        }
        for (member, key) in keys().into_iter().enumerate() {
            for number in 0..TOKENS {
                let owns = owned.get(&(key.address(), token(number))).cloned().unwrap_or_default();
                let dealt = i64::try_from(2 * START + model.parts[member][number]).unwrap();
                let fair = u64::try_from(dealt - self.stakes[member][number]).unwrap();
                prop_assert_eq!(Amount::checked_sum(owns), Some(amount(fair)), "money is conserved (L1)");
                let direct = book.balance(direct_account(member, number));
                prop_assert_eq!(direct, amount(self.directs[member][number]), "parts are as signed (L11)");
            }
        }
        Ok(())
    }
}

/// Parts become what was signed.
fn carry(directs: &mut Parts, afters: &BTreeMap<(usize, usize), u64>) {
    for ((member, number), after) in afters {
        directs[*member][*number] = *after;
    }
}

fn post(book: &mut Ledger, transfers: &[Transfer]) {
    for transfer in transfers {
        book.post(transfer).unwrap();
    }
}

fn hands() -> impl Strategy<Value = Hand> {
    let moves = prop::collection::vec((0..MEMBERS, 0..MEMBERS, 0..TOKENS, 0..30_u64), 0..3);
    let minted = prop::option::weighted(0.1, (0..MEMBERS, 0..TOKENS, 0..3_u64));
    let intent = prop::option::weighted(0.4, prop_oneof![4 => 1..3_usize, 1 => 0..4_usize]);
    let outside = prop::collection::vec((0..MEMBERS, 0..TOKENS, 0..20_u64), 1..3);
    let consents = prop_oneof![4 => Just([true; MEMBERS]), 1 => any::<[bool; MEMBERS]>()];
    let outside = (outside, consents);
    let ahead = prop_oneof![8 => Just(1_i64), 1 => Just(0), 1 => Just(-1), 2 => 2..5_i64];
    let signs = prop_oneof![3 => Just([true, true, false]), 2 => any::<[bool; MEMBERS]>()];
    let parts = prop::collection::btree_map((0..MEMBERS, 0..TOKENS), 900..1_100_u64, 0..3);
    let data = (prop::option::of(any::<u8>()), prop::bool::weighted(0.05));
    let close = prop::bool::weighted(0.15);
    (close, intent, ahead, moves, minted, signs, data, parts, outside).prop_map(
        |(as_close, intent, ahead, moves, minted, signs, (data, other_data), parts, outside)| Hand {
            as_close,
            intent,
            outside: outside.0,
            consents: outside.1,
            ahead,
            moves,
            minted,
            signs,
            data,
            other_data,
            parts,
        },
    )
}

fn acts() -> impl Strategy<Value = Act> {
    // Some waits end exactly at a deadline.
    let wait = prop_oneof![0..1_500_u64, Just(LIFETIME_SECS), Just(WINDOW_SECS)];
    prop_oneof![
        2 => wait.prop_map(|secs| Act::Wait { secs }),
        2 => Just(Act::Tick),
        5 => hands().prop_map(Act::Hand),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn random_lives_follow_the_model_and_keep_the_laws(
        parts in any::<[[u8; TOKENS]; MEMBERS]>(),
        afters in prop::collection::btree_map((0..MEMBERS, 0..TOKENS), 900..1_100_u64, 0..3),
        acts in prop::collection::vec(acts(), 0..12),
    ) {
        let parts = parts.map(|of_member| of_member.map(|amount| u64::from(amount % 32).saturating_sub(8)));
        let mut world = World::open(parts, &afters);
        world.check()?;
        for act in &acts {
            world.act(act)?;
            world.check()?;
        }
        let reread = VirtualChannel::from_stored(world.channel.id(), &world.channel.to_stored());
        prop_assert_eq!(reread.as_ref(), Ok(&world.channel));
        // Whatever happened: ticks alone bring every channel to its end (L9).
        for _ in 0..2 {
            world.now += LIFETIME_SECS + WINDOW_SECS;
            world.act(&Act::Tick)?;
            world.check()?;
        }
        prop_assert!(world.channel.phase().is_end());
        prop_assert_eq!(world.channel.deadline(), None::<Timestamp>);
    }
}
