//! A book written by the real journal: random transfers between people, networks and channels.

use std::collections::BTreeMap;
use std::sync::Arc;

use clearnet::actors::journal::{
    Author, Commit, FromJournal, Incarnation, JournalActor, JournalHandle, NewEvent, Ticket,
};
use clearnet::store::Store;
use domain::ledger::{
    AccountKey, Cause, Entry, EventKey, Ledger, OwnerId, RequestKey, Side, Transfer, TransferKind,
};
use domain::primitives::{Address, Amount, ChainId, ChannelId, Digest, Timestamp, Token};
use futures::StreamExt as _;
use futures::channel::mpsc::UnboundedReceiver;

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
    /// One event, two transfers: a settlement that is booked out and in again.
    Settle { who: u8, token: u8, amount: u16 },
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
        let (amount, is) = (u16::from_be_bytes([high, low]), flag % 2 == 0);
        match kind % 9 {
            0..=2 => Self::Receive { who, token, amount },
            3 | 4 => Self::Pay { who, to, token, amount, is_double: is },
            5 => Self::Withdraw { who, token, amount },
            6 => Self::Anchor { who, token, amount, is_back: is },
            7 => Self::Fund { token, amount },
            _ => Self::Settle { who, token, amount },
        }
    }
}

pub(super) fn broker() -> Address {
    Address::from_bytes([0xBB; 20])
}

pub(super) fn token(number: u8) -> Token {
    let number = number % TOKENS;
    // Two tokens on one chain, one on another.
    Token { chain_id: ChainId::new(1 + u64::from(number / 2)), address: Address::from_bytes([number; 20]) }
}

fn person(number: u8) -> Address {
    Address::from_bytes([0xA0 + number % PEOPLE; 20])
}

fn channel(who: u8, of: u8) -> ChannelId {
    ChannelId::from_bytes([0x10 + 0x10 * (who % PEOPLE) + of % TOKENS; 32])
}

pub(super) fn event(number: u64) -> EventKey {
    let hash = Digest::from_bytes([7; 32]);
    EventKey { chain_id: ChainId::new(1), block_hash: hash, tx_hash: hash, log_index: number }
}

/// Writes a book of these steps to a store and returns when all of it is durable.
pub(super) async fn write(store: Arc<dyn Store>, steps: &[Step]) {
    let journal = JournalActor::open(store, broker(), NOW).await.unwrap();
    let mut book = Writing { journal, authors: BTreeMap::new(), ledger: Ledger::new(), number: 0 };
    for step in steps {
        book.step(*step).await;
    }
    for hand in book.authors.values_mut() {
        hand.written().await;
    }
}

struct Writing {
    journal: JournalHandle,
    authors: BTreeMap<Author, Hand>,
    ledger: Ledger,
    number: u64,
}

/// One author.
struct Hand {
    incarnation: Incarnation,
    told: UnboundedReceiver<FromJournal>,
    ticket: u64,
}

impl Hand {
    async fn written(&mut self) {
        let last = Ticket(self.ticket);
        while self.ticket > 0 {
            match self.told.next().await.unwrap() {
                FromJournal::Durable { upto } if upto == last => break,
                FromJournal::Lost { reason, .. } => panic!("refused: {reason}"),
                FromJournal::Durable { .. }
                | FromJournal::Posted { .. }
                | FromJournal::Happened { .. }
                | FromJournal::Decided { .. } => {}
            }
        }
    }
}

impl Writing {
    async fn step(&mut self, step: Step) {
        self.number += 1;
        let (seen, asked) = (Cause::Chain(event(self.number)), self.request());
        match step {
            Step::Receive { who, token: of, amount } => {
                let (to, of) = (person(who), token(of));
                let moved = (AccountKey::custody(of), AccountKey::wallet(to, of));
                let opened = self.transfer(TransferKind::ChannelOpened, seen, &[moved], amount);
                self.commit(OwnerId::Participant(to), opened).await;
            }
            Step::Pay { who, to, token: of, amount, is_double } => {
                let wallets = |of| (AccountKey::wallet(person(who), of), AccountKey::wallet(person(to), of));
                let both = [wallets(token(of)), wallets(token(of.wrapping_add(1)))];
                let moves =
                    if is_double && token(of) != token(of.wrapping_add(1)) { &both } else { &both[..1] };
                let paid = self.transfer(TransferKind::Payment, asked, moves, amount);
                self.commit(OwnerId::Participant(person(who)), paid).await;
            }
            Step::Withdraw { who, token: of, amount } => {
                let of = token(of);
                let moved = (AccountKey::wallet(person(who), of), AccountKey::custody(of));
                let closed = self.transfer(TransferKind::ChannelClosed, seen, &[moved], amount);
                self.commit(OwnerId::Participant(person(who)), closed).await;
            }
            Step::Anchor { who, token: of, amount, is_back } => {
                let (id, to, of) = (channel(who, of), person(who), token(of));
                let (wallet, part) = (AccountKey::wallet(to, of), AccountKey::direct(id, to, of));
                let (author, moved) = if is_back {
                    (OwnerId::Channel(id), (part, wallet))
                } else {
                    (OwnerId::Participant(to), (wallet, part))
                };
                let anchored = self.transfer(TransferKind::Anchor, asked, &[moved], amount);
                self.commit(author, anchored).await;
            }
            Step::Fund { token: of, amount } => {
                let of = token(of);
                let moved = (AccountKey::custody(of), AccountKey::broker(of));
                let funded = self.transfer(TransferKind::BrokerDeposited, seen, &[moved], amount);
                self.commit(OwnerId::Network(of.chain_id), funded).await;
            }
            Step::Settle { who, token: of, amount } => {
                let (id, to, of) = (channel(who, of), person(who), token(of));
                let (wallet, on_its_way) = (AccountKey::wallet(to, of), AccountKey::settling(id, to, of));
                let mut both =
                    self.transfer(TransferKind::SettlementRequested, asked, &[(wallet, on_its_way)], amount);
                self.commit(OwnerId::Participant(to), both.split_off(0)).await;
                let half = amount / 2;
                let part = AccountKey::direct(id, to, of);
                both.extend(self.transfer(
                    TransferKind::SettlementExecuted,
                    seen,
                    &[(on_its_way, part)],
                    half,
                ));
                let rest =
                    self.transfer(TransferKind::SettlementRefunded, seen, &[(on_its_way, wallet)], half);
                both.extend(rest);
                self.commit(OwnerId::Channel(id), both).await;
            }
        }
    }

    fn request(&self) -> Cause {
        let at = Timestamp::from_millis(NOW.as_millis() + self.number);
        Cause::Request(RequestKey { at, signer: person(0), id: self.number })
    }

    /// One transfer that moves `amount`, or what there is, along each of `moves`; none if that is nothing.
    fn transfer(
        &mut self,
        kind: TransferKind,
        cause: Cause,
        moves: &[(AccountKey, AccountKey)],
        amount: u16,
    ) -> Vec<Transfer> {
        let mut entries = Vec::new();
        for &(from, to) in moves {
            let is_outside = from.kind().normal_side() == Side::Debit;
            let wanted = Amount::from(u64::from(amount));
            let amount = if is_outside { wanted } else { wanted.min(self.ledger.balance(from)) };
            let lost = to.kind().normal_side() == Side::Debit && amount > self.ledger.balance(to);
            if !amount.is_zero() && from != to && !lost {
                entries.push(Entry::new(from, Side::Debit, amount).unwrap());
                entries.push(Entry::new(to, Side::Credit, amount).unwrap());
            }
        }
        if entries.is_empty() {
            return Vec::new();
        }
        let at = Timestamp::from_millis(NOW.as_millis() + self.number);
        let transfer = Transfer::new(kind, cause, at, entries).unwrap();
        self.ledger.post(&transfer).unwrap();
        vec![transfer]
    }

    async fn commit(&mut self, owner: OwnerId, transfers: Vec<Transfer>) {
        let author = Author::Owner(owner);
        let hand = self.hand(author).await;
        hand.ticket += 1;
        let mut commit = Commit::new(author, hand.incarnation, Ticket(hand.ticket));
        commit.transfers = transfers;
        self.journal.hand_over(commit).unwrap();
    }

    async fn hand(&mut self, author: Author) -> &mut Hand {
        if !self.authors.contains_key(&author) {
            let (registered, told) = self.journal.register(author).await.unwrap();
            let hand = Hand { incarnation: registered.incarnation, told, ticket: 0 };
            self.authors.insert(author, hand);
        }
        self.authors.get_mut(&author).unwrap()
    }
}

/// Makes the watcher of chain 1 write an event that nobody has handled.
pub(super) async fn see(store: Arc<dyn Store>, key: EventKey) {
    let journal = JournalActor::open(store, broker(), NOW).await.unwrap();
    let author = Author::Watcher(key.chain_id);
    let (registered, told) = journal.register(author).await.unwrap();
    let mut hand = Hand { incarnation: registered.incarnation, told, ticket: 1 };
    let mut commit = Commit::new(author, hand.incarnation, Ticket(1));
    let owner = OwnerId::Participant(person(0));
    commit.events = vec![NewEvent { key, height: 1, owner, body: Vec::new() }];
    journal.hand_over(commit).unwrap();
    hand.written().await;
}
