//! What a wallet account pays, holds and refuses.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::super::{HOLDS_MAX, Participant, ParticipantEffect, ParticipantError, ParticipantEvent};
use crate::channel::direct::tests::support::{
    BROKER, NOW, PEPE, SHIB, alice, amount, mallory, request_cause,
};
use crate::channel::{Machine, MovementError, PartMove, Transition};
use crate::ledger::{AccountKey, Entry, Side, Transfer, TransferKind};
use crate::primitives::{Address, Amount, ChannelId, Digest, Timestamp, Token};

const BOB: Address = Address::from_bytes([0xb0; 20]);

/// Alice with 10 SHIB and 5 PEPE.
fn rich() -> Participant {
    Participant::new(alice(), BROKER, [(SHIB, amount(10)), (PEPE, amount(5))])
}

fn amounts(of: &[(Token, u64)]) -> BTreeMap<Token, Amount> {
    of.iter().map(|(token, value)| (*token, amount(*value))).collect()
}

fn channel(number: u8) -> ChannelId {
    ChannelId::from_bytes([number; 32])
}

fn name(number: u8) -> Digest {
    Digest::from_bytes([number; 32])
}

fn part(number: u8, token: Token, before: u64, after: u64) -> PartMove {
    let (before, after) = (amount(before), amount(after));
    PartMove { channel: channel(number), participant: alice(), token, before, after }
}

fn pay(to: Address, payments: &[(Token, u64)], parts: Vec<PartMove>) -> ParticipantEvent {
    ParticipantEvent::Pay { cause: request_cause(), to, payments: amounts(payments), parts }
}

fn anchor(parts: Vec<PartMove>) -> ParticipantEvent {
    ParticipantEvent::Anchor { cause: request_cause(), parts }
}

fn settle(token: Token, value: u64) -> ParticipantEvent {
    ParticipantEvent::Settle { cause: request_cause(), token, amount: amount(value), channel: channel(9) }
}

fn hold(number: u8, of: &[(Token, u64)]) -> ParticipantEvent {
    ParticipantEvent::Hold { request_hash: name(number), amounts: amounts(of) }
}

fn spent(number: u8, of: &[(Token, u64)]) -> ParticipantEvent {
    ParticipantEvent::Spent { request_hash: name(number), amounts: amounts(of) }
}

fn apply(participant: &mut Participant, event: ParticipantEvent) -> Transition<ParticipantEffect> {
    participant.apply(event, NOW).unwrap()
}

fn refuse(participant: &mut Participant, event: ParticipantEvent) -> ParticipantError {
    let before = participant.clone();
    let error = participant.apply(event, NOW).unwrap_err();
    assert_eq!(*participant, before);
    error
}

fn short(token: Token, available: u64, requested: u64) -> ParticipantError {
    ParticipantError::InsufficientBalance {
        token,
        available: amount(available),
        requested: amount(requested),
    }
}

fn transfer(kind: TransferKind, entries: &[(AccountKey, Side, u64)]) -> Transfer {
    let entry =
        |(account, side, value): &(AccountKey, Side, u64)| Entry::new(*account, *side, amount(*value));
    let entries = entries.iter().map(|row| entry(row).unwrap()).collect();
    Transfer::new(kind, request_cause(), NOW, entries).unwrap()
}

fn wallet(of: Address, token: Token) -> AccountKey {
    AccountKey::wallet(of, token)
}

#[test]
fn pays_from_the_wallet() {
    let mut participant = rich();
    let transition = apply(&mut participant, pay(BOB, &[(SHIB, 10), (PEPE, 1)], vec![]));
    let expected = [
        (wallet(alice(), SHIB), Side::Debit, 10),
        (wallet(alice(), PEPE), Side::Debit, 1),
        (wallet(BOB, SHIB), Side::Credit, 10),
        (wallet(BOB, PEPE), Side::Credit, 1),
    ];
    assert_eq!(transition.transfers, [transfer(TransferKind::Payment, &expected)]);
    let tokens = BTreeSet::from([SHIB, PEPE]);
    assert_eq!(transition.effects, [ParticipantEffect::BalancesChanged { tokens }]);
    assert_eq!((participant.balance(SHIB), participant.balance(PEPE)), (Amount::ZERO, amount(4)));
    assert_eq!(participant.balances().collect::<Vec<_>>(), [(PEPE, amount(4))]);
}

fn fund(to: Address, of: &[(Token, u64)]) -> ParticipantEvent {
    ParticipantEvent::Fund { cause: request_cause(), to, amounts: amounts(of) }
}

#[test]
fn gives_from_the_faucet_to_anybody_and_takes_from_nobody() {
    let faucet = |token| AccountKey::faucet(token);
    let mut participant = rich();
    let before = participant.clone();
    let transition = apply(&mut participant, fund(BOB, &[(SHIB, 7)]));
    let expected = [(faucet(SHIB), Side::Debit, 7), (wallet(BOB, SHIB), Side::Credit, 7)];
    assert_eq!(transition.transfers, [transfer(TransferKind::TestFunded, &expected)]);
    assert_eq!((participant.clone(), transition.effects), (before, vec![]));
    let transition = apply(&mut participant, fund(alice(), &[(SHIB, 7), (PEPE, 1)]));
    let expected = [
        (faucet(SHIB), Side::Debit, 7),
        (wallet(alice(), SHIB), Side::Credit, 7),
        (faucet(PEPE), Side::Debit, 1),
        (wallet(alice(), PEPE), Side::Credit, 1),
    ];
    assert_eq!(transition.transfers, [transfer(TransferKind::TestFunded, &expected)]);
    let tokens = BTreeSet::from([SHIB, PEPE]);
    assert_eq!(transition.effects, [ParticipantEffect::BalancesChanged { tokens }]);
    assert_eq!((participant.balance(SHIB), participant.balance(PEPE)), (amount(17), amount(6)));
}

#[test]
fn refuses_to_fund_in_the_documented_order() {
    let mut participant = rich();
    assert_eq!(refuse(&mut participant, fund(Address::ZERO, &[])), ParticipantError::PaysNobody);
    assert_eq!(refuse(&mut participant, fund(BROKER, &[])), ParticipantError::PaysBroker);
    assert_eq!(refuse(&mut participant, fund(BOB, &[])), ParticipantError::NothingPaid);
    let nothing = fund(BOB, &[(SHIB, 0)]);
    assert_eq!(refuse(&mut participant, nothing), ParticipantError::ZeroPayment { token: SHIB });
    let amounts = BTreeMap::from([(SHIB, Amount::MAX)]);
    let too_much = ParticipantEvent::Fund { cause: request_cause(), to: alice(), amounts };
    assert_eq!(refuse(&mut participant, too_much), ParticipantError::Overflow { token: SHIB });
}

#[test]
fn pays_from_a_part_and_anchors_with_the_same_state() {
    // The part gives 5, the payment takes 3: the wallet gains 2.
    let mut participant = rich();
    let direct = AccountKey::direct(channel(1), alice(), SHIB);
    let transition = apply(&mut participant, pay(BOB, &[(SHIB, 3)], vec![part(1, SHIB, 20, 15)]));
    let expected = [
        (wallet(alice(), SHIB), Side::Credit, 2),
        (direct, Side::Debit, 5),
        (wallet(BOB, SHIB), Side::Credit, 3),
    ];
    assert_eq!(transition.transfers, [transfer(TransferKind::Payment, &expected)]);
    assert_eq!(participant.balance(SHIB), amount(12));
    // The part takes 5 and the payment 3: the wallet gives all of it.
    let transition = apply(&mut participant, pay(BOB, &[(SHIB, 3)], vec![part(1, SHIB, 15, 20)]));
    assert_eq!(transition.transfers[0].entries()[0].posting.amount(), amount(8));
    assert_eq!(participant.balance(SHIB), amount(4));
}

#[test]
fn a_payment_in_one_token_can_anchor_another() {
    let mut participant = rich();
    let transition = apply(&mut participant, pay(BOB, &[(PEPE, 5)], vec![part(1, SHIB, 0, 10)]));
    assert_eq!(transition.transfers.len(), 1);
    assert_eq!(participant.balances().count(), 0);
    let mut participant = rich();
    let both = pay(BOB, &[(PEPE, 5)], vec![part(1, SHIB, 0, 11)]);
    assert_eq!(refuse(&mut participant, both), short(SHIB, 10, 11));
}

#[test]
fn anchors_wallet_money_and_moves_parts_to_the_wallet_and_to_each_other() {
    let direct = |number| AccountKey::direct(channel(number), alice(), SHIB);
    let mut participant = rich();
    let transition = apply(&mut participant, anchor(vec![part(1, SHIB, 0, 10)]));
    let expected = [(wallet(alice(), SHIB), Side::Debit, 10), (direct(1), Side::Credit, 10)];
    assert_eq!(transition.transfers, [transfer(TransferKind::Anchor, &expected)]);
    let across = vec![part(1, SHIB, 10, 4), part(2, SHIB, 0, 6)];
    let transition = apply(&mut participant, anchor(across));
    let expected = [(direct(1), Side::Debit, 6), (direct(2), Side::Credit, 6)];
    assert_eq!(transition.transfers, [transfer(TransferKind::Anchor, &expected)]);
    apply(&mut participant, anchor(vec![part(2, SHIB, 6, 0)]));
    assert_eq!(participant.balance(SHIB), amount(6));
    assert_eq!(refuse(&mut participant, anchor(vec![part(1, SHIB, 4, 11)])), short(SHIB, 6, 7));
}

#[test]
fn sets_money_aside_for_a_settlement() {
    let mut participant = rich();
    let transition = apply(&mut participant, settle(SHIB, 10));
    let settling = AccountKey::settling(channel(9), alice(), SHIB);
    let expected = [(wallet(alice(), SHIB), Side::Debit, 10), (settling, Side::Credit, 10)];
    assert_eq!(transition.transfers, [transfer(TransferKind::SettlementRequested, &expected)]);
    assert_eq!(refuse(&mut participant, settle(SHIB, 1)), short(SHIB, 0, 1));
    assert_eq!(refuse(&mut participant, settle(SHIB, 0)), ParticipantError::NothingSettled);
}

#[test]
fn a_payment_s_mistakes_are_told_in_order() {
    let foreign = || PartMove { participant: BOB, ..part(1, SHIB, 0, 20) };
    let is_foreign = ParticipantError::Movement(MovementError::ForeignPart { channel: channel(1) });
    // Nobody, the broker and oneself cannot be told apart by order: each with all later mistakes.
    for (to, error) in [
        (Address::ZERO, ParticipantError::PaysNobody),
        (BROKER, ParticipantError::PaysBroker),
        (alice(), ParticipantError::PaysItself),
    ] {
        assert_eq!(refuse(&mut rich(), pay(to, &[], vec![foreign()])), error);
        assert_eq!(refuse(&mut rich(), pay(to, &[(SHIB, 0)], vec![foreign()])), error);
        assert_eq!(refuse(&mut rich(), pay(to, &[(SHIB, 1)], vec![])), error);
    }
    assert_eq!(refuse(&mut rich(), pay(BOB, &[], vec![foreign()])), ParticipantError::NothingPaid);
    let zero = pay(BOB, &[(SHIB, 99), (PEPE, 0)], vec![foreign()]);
    assert_eq!(refuse(&mut rich(), zero), ParticipantError::ZeroPayment { token: PEPE });
    assert_eq!(refuse(&mut rich(), pay(BOB, &[(SHIB, 99)], vec![foreign()])), is_foreign);
    assert_eq!(refuse(&mut rich(), pay(BOB, &[(SHIB, 11)], vec![])), short(SHIB, 10, 11));
    // Per token in order, the movement's mistakes before the balance.
    let (first, second) = if SHIB < PEPE { (SHIB, PEPE) } else { (PEPE, SHIB) };
    let later = PartMove { participant: BOB, ..part(1, second, 0, 1) };
    let both = pay(BOB, &[(first, 99), (second, 1)], vec![later]);
    assert!(
        matches!(refuse(&mut rich(), both), ParticipantError::InsufficientBalance { token, .. } if token == first)
    );
}

#[test]
fn an_anchoring_that_changes_nothing_is_refused_before_all_else() {
    let unchanged = PartMove { participant: BOB, ..part(1, SHIB, 3, 3) };
    for parts in [vec![], vec![part(1, SHIB, 3, 3)], vec![unchanged, unchanged]] {
        assert_eq!(refuse(&mut rich(), anchor(parts)), ParticipantError::NoEffect);
    }
    let repeated = vec![part(1, SHIB, 0, 1), part(1, SHIB, 1, 0)];
    let error = ParticipantError::Movement(MovementError::RepeatedPart { channel: channel(1) });
    assert_eq!(refuse(&mut rich(), anchor(repeated)), error);
}

#[test]
fn what_would_be_too_much_overflows() {
    let mut participant = Participant::new(alice(), BROKER, [(SHIB, Amount::MAX)]);
    let overflow = ParticipantError::Overflow { token: SHIB };
    assert_eq!(refuse(&mut participant, anchor(vec![part(1, SHIB, 1, 0)])), overflow);
    let credit = |value| ParticipantEvent::Credited { token: SHIB, amount: amount(value) };
    assert_eq!(refuse(&mut participant, credit(1)), overflow);
    apply(&mut participant, credit(0));
    let part = PartMove { after: Amount::MAX, ..part(1, SHIB, 0, 0) };
    let both = pay(BOB, &[(SHIB, 1)], vec![part]);
    let sum = ParticipantError::Movement(MovementError::Overflow { token: SHIB });
    assert_eq!(refuse(&mut participant, both), sum);
    apply(&mut participant, anchor(vec![part]));
    assert_eq!(participant.balance(SHIB), Amount::ZERO);
}

#[test]
fn what_is_held_cannot_be_spent_by_anything_else() {
    let mut participant = rich();
    assert_eq!(apply(&mut participant, hold(1, &[(SHIB, 7)])), Transition::default());
    assert_eq!((participant.balance(SHIB), participant.available(SHIB)), (amount(10), amount(3)));
    let too_much = short(SHIB, 3, 4);
    assert_eq!(refuse(&mut participant, pay(BOB, &[(SHIB, 4)], vec![])), too_much);
    assert_eq!(refuse(&mut participant, settle(SHIB, 4)), too_much);
    assert_eq!(refuse(&mut participant, anchor(vec![part(1, SHIB, 0, 4)])), too_much);
    assert_eq!(refuse(&mut participant, hold(2, &[(SHIB, 4)])), too_much);
    apply(&mut participant, hold(2, &[(SHIB, 3), (PEPE, 5)]));
    assert_eq!((participant.available(SHIB), participant.available(PEPE)), (Amount::ZERO, Amount::ZERO));
    apply(&mut participant, ParticipantEvent::Release { request_hash: name(1) });
    apply(&mut participant, pay(BOB, &[(SHIB, 7)], vec![]));
    apply(&mut participant, spent(2, &[(SHIB, 3), (PEPE, 5)]));
    assert_eq!((participant.balances().count(), participant.is_holding()), (0, false));
}

#[test]
fn a_hold_s_mistakes_are_told_in_order() {
    let mut participant = rich();
    apply(&mut participant, hold(1, &[(SHIB, 1)]));
    let before = participant.clone();
    apply(&mut participant, hold(1, &[(SHIB, 1)]));
    assert_eq!(participant, before);
    assert_eq!(refuse(&mut participant, hold(1, &[])), ParticipantError::HeldDifferently);
    for nothing in [&[][..], &[(SHIB, 0)], &[(SHIB, 99), (PEPE, 0)]] {
        assert_eq!(refuse(&mut participant, hold(2, nothing)), ParticipantError::NothingHeld);
    }
    let mut participant = Participant::new(alice(), BROKER, [(SHIB, amount(1000))]);
    for number in 0..u8::try_from(HOLDS_MAX).unwrap() {
        apply(&mut participant, hold(number, &[(SHIB, 1)]));
    }
    let full = ParticipantError::TooManyHolds { max: HOLDS_MAX };
    assert_eq!(refuse(&mut participant, hold(200, &[(SHIB, 9999)])), full);
    assert_eq!(refuse(&mut participant, hold(200, &[])), ParticipantError::NothingHeld);
    apply(&mut participant, hold(0, &[(SHIB, 1)]));
}

#[test]
fn what_was_spent_is_gone_whether_it_is_still_held_or_not() {
    let mut participant = rich();
    apply(&mut participant, hold(1, &[(SHIB, 4)]));
    apply(&mut participant, spent(1, &[(SHIB, 4)]));
    assert_eq!((participant.balance(SHIB), participant.available(SHIB)), (amount(6), amount(6)));
    // The hold ran out before the commit was heard of.
    apply(&mut participant, spent(1, &[(SHIB, 6)]));
    assert_eq!(participant.balance(SHIB), Amount::ZERO);
    assert_eq!(refuse(&mut participant, spent(1, &[(SHIB, 1)])), short(SHIB, 0, 1));
    // It does not take what is held for others.
    let mut participant = rich();
    apply(&mut participant, hold(1, &[(SHIB, 4)]));
    assert_eq!(refuse(&mut participant, spent(2, &[(PEPE, 1), (SHIB, 7)])), short(SHIB, 6, 7));
    apply(&mut participant, spent(2, &[(SHIB, 6)]));
    assert_eq!(participant.available(SHIB), Amount::ZERO);
    assert!(participant.is_holding());
}

#[test]
fn a_credit_can_be_spent() {
    let mut participant = Participant::new(mallory(), BROKER, [(SHIB, Amount::ZERO)]);
    assert_eq!(participant.balances().count(), 0);
    apply(&mut participant, ParticipantEvent::Credited { token: SHIB, amount: amount(2) });
    apply(&mut participant, pay(alice(), &[(SHIB, 2)], vec![]));
    assert_eq!(refuse(&mut participant, pay(alice(), &[(SHIB, 1)], vec![])), short(SHIB, 0, 1));
    assert_eq!(participant.deadline(), None);
}

proptest! {
    #[test]
    fn nonces_grow_and_are_never_behind_the_clock(times in proptest::collection::vec(0..5_u64, 1..20)) {
        let mut participant = rich();
        let mut last = None;
        for millis in times {
            let nonce = participant.next_nonce(Timestamp::from_millis(millis));
            prop_assert!(nonce >= millis);
            prop_assert!(last.is_none_or(|last| nonce > last));
            last = Some(nonce);
        }
    }
}
