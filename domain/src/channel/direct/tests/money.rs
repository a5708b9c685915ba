//! What the chain's events and failed settlements post.

use super::super::phase::Phase;
use super::super::{DirectAlarm, DirectEffect, DirectEvent, IgnoreReason, SettlementEnd};
use super::support::{
    BROKER, NOW, PEPE, SHIB, alice, amount, apply, closed, created, created_by, event_key, in_phase,
    initialize, mallory, opened, operate, propose, settlement_failed, state_of, usual, version, void,
};
use crate::crypto::DirectState;
use crate::ledger::{AccountKey, Cause, Entry, Side, Transfer, TransferKind};
use crate::primitives::{Amount, Token};

type Row = (AccountKey, Side, u64);

fn direct() -> AccountKey {
    AccountKey::direct(usual().channel_id(), alice(), SHIB)
}

fn settling(token: Token) -> AccountKey {
    AccountKey::settling(usual().channel_id(), alice(), token)
}

fn transfer(kind: TransferKind, entries: &[Row]) -> Transfer {
    let entries =
        entries.iter().map(|(account, side, value)| Entry::new(*account, *side, amount(*value)).unwrap());
    Transfer::new(kind, Cause::Chain(event_key()), NOW, entries.collect()).unwrap()
}

#[test]
fn an_opened_channel_brings_its_money() {
    let mut channel = in_phase(Phase::Created);
    let transition = apply(&mut channel, opened());
    let expected = [(AccountKey::custody(SHIB), Side::Debit, 10), (direct(), Side::Credit, 10)];
    assert_eq!(transition.transfers, [transfer(TransferKind::ChannelOpened, &expected)]);
    assert_eq!(transition.effects, [DirectEffect::ChannelChanged]);
    assert_eq!((channel.part(), channel.version()), (amount(10), version(0)));
    assert_eq!(channel.current().unwrap().state, initialize(&usual(), 10));
}

#[test]
fn an_empty_channel_counts_and_brings_nothing() {
    let mut channel = void();
    apply(&mut channel, created_by(mallory(), &usual(), &initialize(&usual(), 0)));
    let transition = apply(&mut channel, opened());
    assert_eq!((transition.transfers, channel.phase()), (vec![], Phase::Active));
    assert_eq!(channel.wallet(), Some(mallory()));
    let transition = apply(&mut channel, closed(&initialize(&usual(), 0)));
    assert_eq!((transition.transfers, channel.phase()), (vec![], Phase::Closed));
}

#[test]
fn a_close_pays_what_the_contract_paid_and_makes_up_for_the_rest() {
    let custody = AccountKey::custody(SHIB);
    let wallet = AccountKey::wallet(alice(), SHIB);
    let shortfall = AccountKey::shortfall(SHIB);
    let (debit, credit) = (Side::Debit, Side::Credit);
    let table: [(u64, &[Row]); 5] = [
        (0, &[(direct(), debit, 6), (wallet, credit, 6)]),
        (5, &[(direct(), debit, 6), (custody, credit, 5), (wallet, credit, 1)]),
        (6, &[(direct(), debit, 6), (custody, credit, 6)]),
        (7, &[(direct(), debit, 6), (custody, credit, 7), (shortfall, debit, 1)]),
        (10, &[(direct(), debit, 6), (custody, credit, 10), (shortfall, debit, 4)]),
    ];
    for phase in [Phase::Active, Phase::Closing, Phase::Disputed, Phase::Halted] {
        for (paid, entries) in table {
            let mut channel = in_phase(phase);
            let transition = apply(&mut channel, closed(&operate(3, paid, 10 - paid)));
            assert_eq!(transition.transfers, [transfer(TransferKind::ChannelClosed, entries)], "{paid}");
            let alarm = DirectEffect::Alarm(DirectAlarm::Shortfall(amount(paid.saturating_sub(6))));
            assert_eq!(transition.effects.contains(&alarm), paid > 6, "{paid}");
            assert_eq!((channel.part(), channel.phase()), (Amount::ZERO, Phase::Closed));
        }
    }
    // The whole part was given to the broker: the contract's payment is a loss as a whole.
    let mut channel = in_phase(Phase::Active);
    apply(&mut channel, propose(operate(6, 0, 10)));
    apply(&mut channel, DirectEvent::Adopt);
    let transition = apply(&mut channel, closed(&operate(5, 6, 4)));
    let expected = [(custody, credit, 6), (shortfall, debit, 6)];
    assert_eq!(transition.transfers, [transfer(TransferKind::ChannelClosed, &expected)]);
}

#[test]
fn an_end_before_both_sides_were_in_posts_nothing() {
    for phase in [Phase::Void, Phase::Announced, Phase::Abandoned, Phase::Created] {
        let mut channel = in_phase(phase);
        let settling = channel.settling();
        let transition = apply(&mut channel, closed(&initialize(&usual(), 10)));
        assert_eq!((transition.transfers, transition.effects), (vec![], vec![]));
        assert_eq!((channel.phase(), channel.settling()), (Phase::Closed, settling));
    }
}

#[test]
fn the_broker_s_creation_executes_the_settlement() {
    let mut channel = in_phase(Phase::Announced);
    assert_eq!(apply(&mut channel, created_by(BROKER, &usual(), &initialize(&usual(), 10))).transfers, []);
    assert_eq!((channel.settling(), channel.part()), (amount(10), Amount::ZERO));
    let transition = apply(&mut channel, opened());
    let expected = [(settling(SHIB), Side::Debit, 10), (direct(), Side::Credit, 10)];
    assert_eq!(transition.transfers, [transfer(TransferKind::SettlementExecuted, &expected)]);
    let ended = DirectEffect::SettlementEnded(SettlementEnd::Executed);
    assert_eq!(transition.effects, [DirectEffect::ChannelChanged, ended]);
    assert_eq!((channel.settling(), channel.part()), (Amount::ZERO, amount(10)));
    // What comes too late refunds nothing.
    assert_eq!(apply(&mut channel, settlement_failed()).transfers, []);
}

#[test]
fn who_else_pays_for_the_creation_gets_the_settlement_refunded() {
    // Of another amount than was announced, too: the owner had several first states signed.
    for (wallet, part) in [(alice(), 10), (mallory(), 3), (alice(), 0)] {
        let mut channel = in_phase(Phase::Announced);
        apply(&mut channel, created_by(wallet, &usual(), &initialize(&usual(), part)));
        let transition = apply(&mut channel, opened());
        let wallet = AccountKey::wallet(alice(), SHIB);
        let refund = [(settling(SHIB), Side::Debit, 10), (wallet, Side::Credit, 10)];
        let refund = transfer(TransferKind::SettlementRefunded, &refund);
        let paid = [(AccountKey::custody(SHIB), Side::Debit, part), (direct(), Side::Credit, part)];
        let paid = (part > 0).then(|| transfer(TransferKind::ChannelOpened, &paid));
        assert_eq!(transition.transfers, paid.into_iter().chain([refund]).collect::<Vec<_>>());
        let ended = DirectEffect::SettlementEnded(SettlementEnd::Refunded);
        assert_eq!(transition.effects, [DirectEffect::ChannelChanged, ended]);
        assert_eq!((channel.part(), channel.settling()), (amount(part), Amount::ZERO));
    }
}

#[test]
fn the_settlement_is_refunded_in_its_own_token() {
    let in_pepe = || {
        let mut state = initialize(&usual(), 4);
        state.allocations.iter_mut().for_each(|allocation| allocation.token = PEPE.address);
        state
    };
    let mut channel = in_phase(Phase::Announced);
    apply(&mut channel, created_by(alice(), &usual(), &in_pepe()));
    let transition = apply(&mut channel, opened());
    let refund = [(settling(SHIB), Side::Debit, 10), (AccountKey::wallet(alice(), SHIB), Side::Credit, 10)];
    assert_eq!(transition.transfers[1], transfer(TransferKind::SettlementRefunded, &refund));
    assert_eq!((channel.token(), channel.part()), (Some(PEPE), amount(4)));
    // Of the broker's money not even the token is believed.
    let mut channel = in_phase(Phase::Announced);
    apply(&mut channel, created_by(BROKER, &usual(), &in_pepe()));
    apply(&mut channel, opened());
    assert_eq!(channel.ignored(), Some(IgnoreReason::Unannounced));
}

#[test]
fn the_broker_s_money_counts_only_when_it_was_announced() {
    let by_broker = |part: u64| -> (DirectEvent, DirectState) {
        let initial = initialize(&usual(), part);
        (created_by(BROKER, &usual(), &initial), initial)
    };
    for (phase, part) in [
        (Phase::Void, 10),
        (Phase::Void, 0),
        (Phase::Announced, 9),
        (Phase::Announced, 11),
        (Phase::Abandoned, 10),
    ] {
        let mut channel = in_phase(phase);
        let settling = channel.settling();
        apply(&mut channel, by_broker(part).0);
        let transition = apply(&mut channel, opened());
        assert_eq!(transition.transfers, [], "{phase} {part}");
        assert_eq!(transition.effects, [DirectEffect::NotCounted(IgnoreReason::Unannounced)]);
        assert_eq!((channel.settling(), channel.part()), (settling, Amount::ZERO));
    }
}

#[test]
fn a_failed_settlement_returns_to_the_wallet_once() {
    let wallet = AccountKey::wallet(alice(), SHIB);
    let refund = [(settling(SHIB), Side::Debit, 10), (wallet, Side::Credit, 10)];
    let refund = transfer(TransferKind::SettlementRefunded, &refund);
    let before: [&[DirectEvent]; 4] = [
        &[],
        &[created()],
        &[created_by(alice(), &usual(), &operate(1, 10, 0))],
        &[closed(&operate(1, 0, 0))],
    ];
    for events in before {
        let mut channel = in_phase(Phase::Announced);
        for event in events {
            apply(&mut channel, event.clone());
        }
        let phase = channel.phase();
        let transition = apply(&mut channel, settlement_failed());
        assert_eq!(transition.transfers, std::slice::from_ref(&refund));
        assert_eq!(transition.effects, [DirectEffect::SettlementEnded(SettlementEnd::Refunded)]);
        let expected = if phase == Phase::Announced { Phase::Abandoned } else { phase };
        assert_eq!((channel.phase(), channel.settling()), (expected, Amount::ZERO));
        let again = apply(&mut channel, settlement_failed());
        assert_eq!((again.transfers, again.effects), (vec![], vec![]));
    }
}

#[test]
fn an_abandoned_channel_counts_when_somebody_else_pays_for_it() {
    let mut channel = in_phase(Phase::Abandoned);
    apply(&mut channel, created());
    let transition = apply(&mut channel, opened());
    let expected = [(AccountKey::custody(SHIB), Side::Debit, 10), (direct(), Side::Credit, 10)];
    assert_eq!(transition.transfers, [transfer(TransferKind::ChannelOpened, &expected)]);
}

#[test]
fn no_amount_is_too_large() {
    let all = state_of(&usual(), crate::crypto::Intent::Initialize, 0, &[], [Amount::MAX, Amount::ZERO]);
    let mut channel = void();
    apply(&mut channel, created_by(alice(), &usual(), &all));
    apply(&mut channel, opened());
    assert_eq!(channel.part(), Amount::MAX);
    let transition = apply(&mut channel, closed(&operate(1, 0, 0)));
    let wallet = AccountKey::wallet(alice(), SHIB);
    assert_eq!(transition.transfers[0].entries()[1], Entry::new(wallet, Side::Credit, Amount::MAX).unwrap());
}
