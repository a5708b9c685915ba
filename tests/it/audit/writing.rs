//! A book written by the real journal: random transfers between people, networks and channels.

use std::collections::BTreeMap;
use std::sync::Arc;

use clearnet::actors::journal::{
    Author, Commit, FromJournal, Incarnation, JournalActor, JournalHandle, Ticket,
};
use clearnet::store::{Revision, Store};
use domain::ledger::{
    AccountKey, Cause, Entry, EventKey, Ledger, OwnerId, RequestKey, Side, Transfer, TransferKind,
};
use domain::primitives::{Address, Amount, ChainId, ChannelId, Digest, Timestamp, Token};
use futures::StreamExt as _;
use futures::channel::mpsc::UnboundedReceiver;

use super::channels::{Direct, Room, State};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const PEOPLE: u8 = 4;
const TOKENS: u8 = 3;

/// What one author decides; amounts are cut to what the payer has.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// Tokens come in through the custody contract.
    Receive { who: u8, token: u8, amount: u16 },
    /// One pays another in up to two tokens, in one transfer.
    Pay { who: u8, to: u8, token: u8, amount: u16, is_double: bool },
    /// Tokens go out through the custody contract.
    Withdraw { who: u8, token: u8, amount: u16 },
    /// Wallet money goes into a direct channel, or out of it.
    Anchor { who: u8, token: u8, amount: u16, is_back: bool },
    /// The broker's own means grow.
    Fund { token: u8, amount: u16 },
    /// A settlement that is executed, or whose channel somebody else creates: one event, two transfers.
    Settle { who: u8, token: u8, amount: u16, is_executed: bool },
    /// A room is opened and updated, and perhaps closed.
    Meet { who: u8, to: u8, token: u8, amount: u16, is_closed: bool },
}

impl Step {
    /// Steps that touch every kind of account, the same for the same seed.
    pub(super) fn some(seed: u64, count: usize) -> Vec<Self> {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_be_bytes()
        };
        (0..count).map(|_| Self::of(next())).collect()
    }

    /// The step that these bytes stand for.
    pub(super) fn of(bytes: [u8; 8]) -> Self {
        let [kind, who, to, token, high, low, flag, _] = bytes;
        let (amount, is) = (u16::from_be_bytes([high, low]), flag.is_multiple_of(2));
        match kind % 10 {
            0..=2 => Self::Receive { who, token, amount },
            3 | 4 => Self::Pay { who, to, token, amount, is_double: is },
            5 => Self::Withdraw { who, token, amount },
            6 => Self::Anchor { who, token, amount, is_back: is },
            7 => Self::Fund { token, amount },
            8 => Self::Settle { who, token, amount, is_executed: is },
            _ => Self::Meet { who, to, token, amount, is_closed: is },
        }
    }
}

pub(super) fn broker() -> Address {
    Address::from_bytes([0xBB; 20])
}

fn token(number: u8) -> Token {
    let number = number % TOKENS;
    // Two tokens on one chain, one on another.
    Token { chain_id: ChainId::new(1 + u64::from(number / 2)), address: Address::from_bytes([number; 20]) }
}

fn person(number: u8) -> Address {
    Address::from_bytes([0xA0 + number % PEOPLE; 20])
}

fn event(number: u64) -> EventKey {
    let hash = Digest::from_bytes([7; 32]);
    EventKey { chain_id: ChainId::new(1), block_hash: hash, tx_hash: hash, log_index: number }
}

/// Writes a book of these steps to a store and returns when all of it is durable.
pub(super) async fn write(store: Arc<dyn Store>, steps: &[Step]) {
    write_by(store, steps, steps.len()).await;
}

/// Writes like [`write`], and waits for what was written after every `count` steps.
pub(super) async fn write_by(store: Arc<dyn Store>, steps: &[Step], count: usize) {
    let journal = JournalActor::open(store, broker(), NOW).await.unwrap();
    let mut book = Writing {
        journal,
        authors: BTreeMap::new(),
        revisions: BTreeMap::new(),
        ledger: Ledger::new(),
        number: 0,
    };
    for steps in steps.chunks(count.max(1)) {
        for step in steps {
            book.number += 1;
            book.step(*step).await;
        }
        for hand in book.authors.values_mut() {
            hand.written().await;
        }
    }
}

struct Writing {
    journal: JournalHandle,
    authors: BTreeMap<Author, Hand>,
    revisions: BTreeMap<ChannelId, Revision>,
    ledger: Ledger,
    number: u64,
}

/// One author.
struct Hand {
    incarnation: Incarnation,
    told: UnboundedReceiver<FromJournal>,
    ticket: u64,
    durable: u64,
}

impl Hand {
    async fn written(&mut self) {
        while self.durable < self.ticket {
            match self.told.next().await.unwrap() {
                FromJournal::Durable { upto } => self.durable = upto.0,
                FromJournal::Lost { reason, .. } => panic!("refused: {reason}"),
                FromJournal::Posted { .. } | FromJournal::Happened { .. } | FromJournal::Decided { .. } => {}
            }
        }
    }
}

/// From where to where.
type Move = (AccountKey, AccountKey);

impl Writing {
    async fn step(&mut self, step: Step) {
        let seen = Cause::Chain(event(self.number));
        match step {
            Step::Receive { who, token: of, amount } => {
                let moved = (AccountKey::custody(token(of)), AccountKey::wallet(person(who), token(of)));
                let opened = self.transfer(TransferKind::ChannelOpened, seen, &[moved], amount);
                self.commit(OwnerId::Participant(person(who)), opened, None).await;
            }
            Step::Pay { who, to, token: of, amount, is_double } => {
                let wallets = |of| (AccountKey::wallet(person(who), of), AccountKey::wallet(person(to), of));
                let both = [wallets(token(of)), wallets(token((of % TOKENS) + 1))];
                let moves = if is_double { &both[..] } else { &both[..1] };
                let paid = self.transfer(TransferKind::Payment, self.request(), moves, amount);
                self.commit(OwnerId::Participant(person(who)), paid, None).await;
            }
            Step::Withdraw { who, token: of, amount } => {
                let moved = (AccountKey::wallet(person(who), token(of)), AccountKey::custody(token(of)));
                let closed = self.transfer(TransferKind::ChannelClosed, seen, &[moved], amount);
                self.commit(OwnerId::Participant(person(who)), closed, None).await;
            }
            Step::Anchor { who, token: of, amount, is_back } => {
                self.anchor(person(who), token(of), amount, is_back).await;
            }
            Step::Fund { token: of, amount } => {
                let moved = (AccountKey::custody(token(of)), AccountKey::broker(token(of)));
                let funded = self.transfer(TransferKind::BrokerDeposited, seen, &[moved], amount);
                self.commit(OwnerId::Network(token(of).chain_id), funded, None).await;
            }
            Step::Settle { who, token: of, amount, is_executed } => {
                self.settle(person(who), token(of), amount, is_executed).await;
            }
            Step::Meet { who, to, token: of, amount, is_closed } => {
                if person(who) != person(to) {
                    self.meet([person(who), person(to)], token(of), amount, is_closed).await;
                }
            }
        }
    }

    async fn anchor(&mut self, who: Address, of: Token, amount: u16, is_back: bool) {
        // The token is no part of a channel's terms: the nonce tells the channels of one person apart.
        let direct = Direct::new(who, of, u64::MAX - u64::from(of.address.as_bytes()[0]));
        let (wallet, part) = (AccountKey::wallet(who, of), AccountKey::direct(direct.id(), who, of));
        let (author, moved) = if is_back {
            (OwnerId::Channel(direct.id()), (part, wallet))
        } else {
            (OwnerId::Participant(who), (wallet, part))
        };
        let anchored = self.transfer(TransferKind::Anchor, self.request(), &[moved], amount);
        let state = direct.active(self.ledger.balance(part));
        self.commit(author, anchored, Some(state)).await;
    }

    async fn settle(&mut self, who: Address, of: Token, amount: u16, is_executed: bool) {
        let direct = Direct::new(who, of, self.number);
        let id = direct.id();
        let wallet = AccountKey::wallet(who, of);
        let (on_its_way, part) = (AccountKey::settling(id, who, of), AccountKey::direct(id, who, of));
        let asked = self.request();
        let asked = self.transfer(TransferKind::SettlementRequested, asked, &[(wallet, on_its_way)], amount);
        let state = direct.announced(self.ledger.balance(on_its_way));
        self.commit(OwnerId::Participant(who), asked, Some(state)).await;
        let seen = Cause::Chain(event(self.number));
        let ended = if is_executed {
            self.transfer(TransferKind::SettlementExecuted, seen, &[(on_its_way, part)], amount)
        } else if amount.is_multiple_of(2) {
            // It stays on its way.
            Vec::new()
        } else {
            let custody = AccountKey::custody(of);
            let mut both = self.transfer(TransferKind::ChannelOpened, seen, &[(custody, part)], amount);
            both.extend(self.transfer(
                TransferKind::SettlementRefunded,
                seen,
                &[(on_its_way, wallet)],
                amount,
            ));
            both
        };
        let state = direct.active(self.ledger.balance(part));
        self.commit(OwnerId::Channel(id), ended, Some(state)).await;
    }

    async fn meet(&mut self, members: [Address; 2], of: Token, amount: u16, is_closed: bool) {
        let room = Room::new(members, self.number);
        let [host, guest] = members.map(|member| AccountKey::member(room.id(), member, of));
        let [host_wallet, guest_wallet] = members.map(|member| AccountKey::wallet(member, of));
        let author = OwnerId::Channel(room.id());
        let opened =
            self.transfer(TransferKind::VirtualOpened, self.request(), &[(host_wallet, host)], amount);
        let state = room.state(of, [host, guest].map(|member| self.ledger.balance(member)), false);
        self.commit(OwnerId::Participant(members[0]), opened, Some(state)).await;
        self.number += 1;
        let won = self.transfer(TransferKind::VirtualUpdated, self.request(), &[(host, guest)], amount / 2);
        let amounts = [host, guest].map(|member| self.ledger.balance(member));
        self.commit(author, won, Some(room.state(of, amounts, false))).await;
        if is_closed {
            self.number += 1;
            let moves = [(host, host_wallet), (guest, guest_wallet)];
            let closed = self.transfer(TransferKind::VirtualClosed, self.request(), &moves, u16::MAX);
            self.commit(author, closed, Some(room.state(of, amounts, true))).await;
        }
    }

    fn request(&self) -> Cause {
        let at = NOW.plus_millis(self.number);
        Cause::Request(RequestKey { at, signer: person(0), id: self.number })
    }

    /// One transfer that moves `amount`, or what there is, along each of `moves`; none if that is nothing.
    fn transfer(&mut self, kind: TransferKind, cause: Cause, moves: &[Move], amount: u16) -> Vec<Transfer> {
        let mut entries = Vec::new();
        for &(from, to) in moves {
            let wanted = Amount::from(u64::from(amount));
            // The outside world has as much as it takes.
            let is_outside = from.kind().normal_side() == Side::Debit;
            let amount = if is_outside { wanted } else { wanted.min(self.ledger.balance(from)) };
            if !amount.is_zero() && from != to {
                entries.push(Entry::new(from, Side::Debit, amount).unwrap());
                entries.push(Entry::new(to, Side::Credit, amount).unwrap());
            }
        }
        if entries.is_empty() {
            return Vec::new();
        }
        let transfer = Transfer::new(kind, cause, NOW.plus_millis(self.number), entries).unwrap();
        self.ledger.post(&transfer).unwrap();
        vec![transfer]
    }

    /// Commits transfers, if there are any, with the state of a channel that has prepared them.
    async fn commit(&mut self, owner: OwnerId, transfers: Vec<Transfer>, state: Option<State>) {
        if transfers.is_empty() {
            return;
        }
        let author = Author::Owner(owner);
        let mut prepared = Vec::new();
        let channel = state.as_ref().map(|state| OwnerId::Channel(state.channel));
        if let Some(channel) = channel.filter(|channel| *channel != owner) {
            prepared.push((channel, self.hand(Author::Owner(channel)).await.incarnation));
        }
        let hand = self.hand(author).await;
        hand.ticket += 1;
        let mut commit = Commit::new(author, hand.incarnation, Ticket(hand.ticket));
        (commit.transfers, commit.prepared) = (transfers, prepared);
        if let Some(state) = state {
            let replaces = self.revisions.get(&state.channel).copied();
            self.revisions.insert(state.channel, replaces.unwrap_or_default().next());
            commit.states = vec![state.replacing(replaces)];
        }
        self.journal.hand_over(commit).unwrap();
    }

    async fn hand(&mut self, author: Author) -> &mut Hand {
        if !self.authors.contains_key(&author) {
            let (registered, told) = self.journal.register(author).await.unwrap();
            let hand = Hand { incarnation: registered.incarnation, told, ticket: 0, durable: 0 };
            self.authors.insert(author, hand);
        }
        self.authors.get_mut(&author).unwrap()
    }
}
