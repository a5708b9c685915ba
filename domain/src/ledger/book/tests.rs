use proptest::prelude::*;

use super::*;
use crate::ledger::{RequestKey, Side};
use crate::primitives::{Address, ChainId, ChannelId, Token};

fn token(number: u8) -> Token {
    Token { chain_id: ChainId::new(u64::from(number % 2) + 1), address: Address::from_bytes([number; 20]) }
}

fn person(number: u8) -> Address {
    Address::from_bytes([0xA0 + number; 20])
}

fn key(kind: AccountKind, who: u8, of: u8) -> AccountKey {
    let channel = ChannelId::from_bytes([who; 32]);
    match kind {
        AccountKind::Direct => AccountKey::direct(channel, person(who), token(of)),
        AccountKind::Virtual => AccountKey::member(channel, person(who), token(of)),
        AccountKind::Wallet => AccountKey::wallet(person(who), token(of)),
        AccountKind::Settling => AccountKey::settling(channel, person(who), token(of)),
        AccountKind::Broker => AccountKey::broker(token(of)),
        AccountKind::Custody => AccountKey::custody(token(of)),
        AccountKind::Shortfall => AccountKey::shortfall(token(of)),
        AccountKind::Faucet => AccountKey::faucet(token(of)),
    }
}

fn cause() -> Cause {
    Cause::Request(RequestKey { at: Timestamp::from_millis(1), signer: person(0), id: 1 })
}

fn seal(ledger: &mut Ledger) -> Result<Transfer, LedgerError> {
    ledger.seal(TransferKind::Payment, cause(), Timestamp::from_millis(1))
}

#[test]
fn deposits_and_payments_move_balances_on_their_normal_side() {
    let (custody, alice, bob) =
        (key(AccountKind::Custody, 0, 1), key(AccountKind::Direct, 1, 1), key(AccountKind::Wallet, 2, 1));
    let mut ledger = Ledger::new();
    ledger.account(custody).transfer(alice, Amount::from(20_u64)).unwrap();
    ledger.account(alice).transfer(bob, Amount::from(5_u64)).unwrap();
    let transfer = seal(&mut ledger).unwrap();
    assert_eq!(transfer.entries().len(), 4);
    assert_eq!(ledger.account(custody).balance(), Amount::from(20_u64));
    assert_eq!(ledger.balance(alice), Amount::from(15_u64));
    assert_eq!(ledger.balance(bob), Amount::from(5_u64));
}

#[test]
fn refuses_in_the_documented_order_and_writes_nothing() {
    let (alice, bob) = (key(AccountKind::Direct, 1, 1), key(AccountKind::Direct, 2, 1));
    let other_token = key(AccountKind::Direct, 2, 2);
    let start = Ledger::with_balances([(alice, Amount::from(3_u64)), (bob, Amount::MAX)]);
    let mut ledger = start.clone();
    let differ = LedgerError::TokensDiffer { from: alice, to: other_token };
    assert_eq!(ledger.account(alice).transfer(other_token, Amount::ZERO), Err(differ));
    let zero = LedgerError::ZeroEntry { account: alice };
    assert_eq!(ledger.account(alice).transfer(bob, Amount::ZERO), Err(zero));
    let short = LedgerError::InsufficientBalance {
        account: alice,
        available: Amount::from(3_u64),
        requested: Amount::from(4_u64),
    };
    assert_eq!(ledger.account(alice).transfer(bob, Amount::from(4_u64)), Err(short));
    let full = LedgerError::Overflow { account: bob };
    assert_eq!(ledger.account(alice).transfer(bob, Amount::from(1_u64)), Err(full));
    assert_eq!(seal(&mut ledger), Err(LedgerError::NoEntries));
    assert!(ledger.balances().eq(start.balances()));
}

#[test]
fn entries_that_do_not_sum_to_zero_are_taken_back() {
    let alice = key(AccountKind::Wallet, 1, 1);
    let mut ledger = Ledger::with_balances([(alice, Amount::from(3_u64))]);
    let one = Amount::from(1_u64);
    ledger.account(alice).record(Delta::less(one)).unwrap();
    let unbalanced = LedgerError::Unbalanced { token: token(1), credits: Amount::ZERO, debits: one };
    assert_eq!(seal(&mut ledger), Err(unbalanced));
    assert_eq!(ledger.balance(alice), Amount::from(3_u64));
}

#[test]
fn a_balanced_sum_over_two_tokens_is_no_transfer() {
    let one = Amount::from(1_u64);
    let entries = vec![
        Entry::new(key(AccountKind::Custody, 0, 1), Side::Debit, one).unwrap(),
        Entry::new(key(AccountKind::Wallet, 1, 2), Side::Credit, one).unwrap(),
    ];
    assert!(matches!(transfer(entries), Err(LedgerError::Unbalanced { .. })));
}

#[test]
fn keys_come_back_from_their_parts_and_only_from_those_that_fit() {
    for kind in AccountKind::ALL {
        let key = key(kind, 1, 1);
        let parts = |channel| AccountKey::from_parts(kind, channel, key.participant(), key.token());
        assert_eq!(parts(key.channel()), Some(key));
        assert_eq!(AccountKind::from_code(kind.code()), Some(kind));
        let has_channel = matches!(kind, AccountKind::Direct | AccountKind::Virtual | AccountKind::Settling);
        assert_eq!(parts(ChannelId::from_bytes([9; 32])).is_some(), has_channel, "{kind:?}");
    }
}

/// The model: every entry ever posted, balances summed anew each time, in plain integers.
#[derive(Default)]
struct Model {
    entries: Vec<Entry>,
}

impl Model {
    fn balance(&self, account: AccountKey) -> i128 {
        let signed = |entry: &Entry| {
            let amount: i128 = entry.posting.amount().to_string().parse().unwrap();
            if entry.posting.side() == account.kind().normal_side() { amount } else { -amount }
        };
        self.entries.iter().filter(|entry| entry.account == account).map(signed).sum()
    }

    /// Whether all entries fit one after another, each leaving its account at zero or above.
    fn post(&mut self, entries: &[Entry]) -> bool {
        let count = self.entries.len();
        for entry in entries {
            self.entries.push(*entry);
            if self.balance(entry.account) < 0 {
                self.entries.truncate(count);
                return false;
            }
        }
        true
    }

    fn assert_laws(&self, ledger: &Ledger) {
        for of in 0..3 {
            let side = |side: Side| -> i128 {
                let of_token = self
                    .entries
                    .iter()
                    .filter(|e| e.account.token() == token(of) && e.posting.side() == side);
                of_token.map(|e| e.posting.amount().to_string().parse::<i128>().unwrap()).sum()
            };
            assert_eq!(side(Side::Credit), side(Side::Debit), "L1: credits equal debits");
        }
        for account in self.entries.iter().map(|entry| entry.account) {
            let balance = self.balance(account);
            assert!(balance >= 0, "L2: no account below zero");
            assert_eq!(ledger.balance(account).to_string(), balance.to_string(), "L7: replay");
        }
    }
}

fn any_key() -> impl Strategy<Value = AccountKey> {
    (0..AccountKind::ALL.len(), 0..3_u8, 0..3_u8)
        .prop_map(|(kind, who, of)| key(AccountKind::ALL[kind], who, of))
}

fn pair(from: AccountKey, to: AccountKey, amount: u64) -> Vec<Entry> {
    let amount = Amount::from(amount);
    vec![Entry::new(from, Side::Debit, amount).unwrap(), Entry::new(to, Side::Credit, amount).unwrap()]
}

fn transfer(entries: Vec<Entry>) -> Result<Transfer, LedgerError> {
    Transfer::new(TransferKind::Payment, cause(), Timestamp::from_millis(1), entries)
}

/// A step: a few pairs of entries; a lone entry now and then, which cannot balance.
fn any_step() -> impl Strategy<Value = Vec<(AccountKey, AccountKey, u64, bool)>> {
    prop::collection::vec((any_key(), any_key(), 0..50_u64, prop::bool::weighted(0.9)), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn random_sequences_agree_with_the_naive_model(steps in prop::collection::vec(any_step(), 1..12)) {
        let (mut ledger, mut model, mut sealed) = (Ledger::new(), Model::default(), Ledger::new());
        for step in steps {
            let mut entries = Vec::new();
            for (from, to, amount, is_paired) in step {
                let amount = Amount::from(amount);
                if is_paired {
                    if ledger.account(from).transfer(to, amount).is_ok() {
                        prop_assert_eq!(from.token(), to.token());
                        entries.push(Entry::new(from, Side::Debit, amount).unwrap());
                        entries.push(Entry::new(to, Side::Credit, amount).unwrap());
                    }
                } else if ledger.account(to).record(Delta::more(amount)).is_ok() {
                    entries.push(Entry::new(to, Side::Credit, amount).unwrap());
                }
            }
            match seal(&mut ledger) {
                Ok(transfer) => {
                    prop_assert_eq!(transfer.entries(), &entries[..]);
                    prop_assert!(model.post(&entries), "the book took what the model refuses");
                    prop_assert_eq!(sealed.post(&transfer), Ok(()));
                }
                Err(LedgerError::NoEntries) => prop_assert!(entries.is_empty()),
                Err(error) => {
                    prop_assert!(matches!(error, LedgerError::Unbalanced { .. }), "{}", error);
                }
            }
            model.assert_laws(&ledger);
            prop_assert!(sealed.balances().eq(ledger.balances()), "posting equals writing");
        }
    }

    #[test]
    fn posting_refuses_exactly_what_the_model_refuses(
        start in 0..60_u64,
        steps in prop::collection::vec((any_key(), any_key(), 1..50_u64), 1..12),
    ) {
        let (mut ledger, mut model) = (Ledger::new(), Model::default());
        if start > 0 {
            let entries = pair(key(AccountKind::Custody, 0, 1), key(AccountKind::Direct, 1, 1), start);
            prop_assert!(model.post(&entries));
            prop_assert_eq!(ledger.post(&transfer(entries).unwrap()), Ok(()));
        }
        for (from, to, amount) in steps {
            let entries = pair(from, to, amount);
            if let Ok(transfer) = transfer(entries.clone()) {
                prop_assert_eq!(ledger.post(&transfer).is_ok(), model.post(&entries));
            }
            model.assert_laws(&ledger);
        }
    }
}
