//! What moves.

use std::collections::BTreeMap;

use super::*;
use crate::channel::PartMove;
use crate::channel::virtual_channel::samples::{
    Key, book_of, carol, changes, open_with, opening, part, room, signers, table,
};
use crate::ledger::{AccountKey, OwnerId};
use crate::primitives::Amount;

fn room_account(channel: &VirtualChannel, who: Key, token: crate::primitives::Token) -> AccountKey {
    AccountKey::member(channel.id(), who.address(), token)
}

#[test]
fn an_update_moves_the_differences_only() {
    let mut channel = story();
    let lines = [
        line(alice(), shib(), 3_u64),
        line(alice(), pepe(), 1_u64),
        line(bob(), shib(), 2_u64),
        line(bob(), pepe(), 9_u64),
    ];
    let update = update(next(&channel, VirtualIntent::Operate, &lines), &[alice(), bob()]);
    let transfers = channel.apply(VirtualChannelEvent::Update(update), at(1)).unwrap().transfers;
    let expected = BTreeMap::from([
        (room_account(&channel, alice(), shib()), -2),
        (room_account(&channel, bob(), shib()), 2),
        (room_account(&channel, alice(), pepe()), 1),
        (room_account(&channel, bob(), pepe()), -1),
    ]);
    assert_eq!(changes(&transfers), expected);
    assert_eq!(transfers.len(), 1);
    assert_eq!(transfers[0].entries().len(), 4);
    assert_eq!((transfers[0].kind(), transfers[0].at()), (TransferKind::VirtualUpdated, at(1)));
    assert_eq!(transfers[0].cause(), Cause::Request(request(2)));
}

#[test]
fn accounts_that_stay_as_they_are_are_not_touched() {
    let allocations = [
        line(alice(), shib(), 5_u64),
        line(bob(), shib(), 5_u64),
        line(carol(), shib(), 5_u64),
        line(carol(), pepe(), 7_u64),
    ];
    let mut channel = open_with(opening(table(), allocations.to_vec())).unwrap().channel;
    let moved = [line(alice(), shib(), 4_u64), line(bob(), shib(), 6_u64), allocations[2], allocations[3]];
    let update = update(next(&channel, VirtualIntent::Operate, &moved), &[alice(), carol()]);
    let transfers = channel.apply(VirtualChannelEvent::Update(update), at(1)).unwrap().transfers;
    assert_eq!(transfers[0].entries().len(), 2);
}

#[test]
fn an_update_that_moves_nothing_needs_no_transfer() {
    let mut channel = story();
    let same = [line(alice(), shib(), 5_u64), line(bob(), pepe(), 10_u64)];
    let data = Some("{\"move\":\"e4\"}".to_owned());
    let mut state = next(&channel, VirtualIntent::Operate, &same);
    state.data_hash = VirtualState::hash_of_data(data.as_deref());
    let update = Update { data: data.clone(), ..update(state, &[alice(), bob()]) };
    let applied = channel.apply(VirtualChannelEvent::Update(update), at(1)).unwrap();
    assert!(applied.transfers.is_empty());
    assert_eq!((channel.version().get(), channel.data()), (2, data.as_deref()));
}

#[test]
fn a_close_pays_into_carried_parts_and_else_to_wallets() {
    let mut channel = story();
    let bobs = part(bob(), 2, pepe(), 90, 100);
    let close = Close { parts: vec![bobs], ..end(&channel) };
    let plan = channel.plan(&VirtualChannelEvent::Close(close.clone()), at(1)).unwrap();
    assert_eq!(plan.owners().into_iter().collect::<Vec<_>>(), [OwnerId::Channel(bobs.channel)]);
    let mut book = book_of(&channel);
    let transfers = channel.apply(VirtualChannelEvent::Close(close), at(1)).unwrap().transfers;
    let expected = BTreeMap::from([
        (room_account(&channel, alice(), shib()), -5),
        (room_account(&channel, bob(), pepe()), -10),
        (AccountKey::wallet(bob().address(), shib()), 5),
        (AccountKey::direct(bobs.channel, bob().address(), pepe()), 10),
    ]);
    assert_eq!(changes(&transfers), expected);
    assert_eq!((transfers.len(), transfers[0].kind()), (1, TransferKind::VirtualClosed));
    assert_eq!(transfers[0].cause(), Cause::Request(request(3)));
    book.post(&transfers[0]).unwrap();
    assert_eq!(channel.balances().count(), 0);
    assert_eq!(channel.allocation_of(bob().address(), shib()), Amount::from(5_u64));
}

#[test]
fn a_carried_part_may_take_more_than_is_received_from_the_wallet_or_less() {
    let channel = story();
    let planned = |after| {
        let close = Close { parts: vec![part(bob(), 2, pepe(), 90, after)], ..end(&channel) };
        channel.plan(&VirtualChannelEvent::Close(close.clone()), at(1)).unwrap()
    };
    let debit = |amount: u64| BTreeMap::from([((bob().address(), pepe()), Amount::from(amount))]);
    assert_eq!(planned(103).wallet_debits(), &debit(3));
    assert!(planned(95).wallet_debits().is_empty());
    // A part may even shrink: it is the member's own.
    assert!(planned(80).wallet_debits().is_empty());
}

#[test]
fn planning_a_close_changes_nothing_and_comes_to_what_is_applied() {
    let mut channel = story();
    let before = channel.clone();
    let close = Close { parts: vec![part(bob(), 2, pepe(), 90, 103)], ..end(&channel) };
    let plan = channel.plan(&VirtualChannelEvent::Close(close.clone()), at(1)).unwrap();
    assert_eq!(channel, before);
    let transfers = channel.apply(VirtualChannelEvent::Close(close), at(1)).unwrap().transfers;
    for entry in plan.entries() {
        assert!(transfers[0].entries().contains(entry));
    }
}

#[test]
fn expiry_pays_the_last_agreed_state_to_wallets() {
    let mut channel = story();
    channel.apply(VirtualChannelEvent::Update(won(&channel)), at(1)).unwrap();
    channel.apply(VirtualChannelEvent::Tick, at(EXPIRED)).unwrap();
    let mut book = book_of(&channel);
    let transfers = channel.apply(VirtualChannelEvent::Tick, at(WINDOW_OVER + 7)).unwrap().transfers;
    let expected = BTreeMap::from([
        (room_account(&channel, bob(), shib()), -5),
        (room_account(&channel, bob(), pepe()), -10),
        (AccountKey::wallet(bob().address(), shib()), 5),
        (AccountKey::wallet(bob().address(), pepe()), 10),
    ]);
    assert_eq!(changes(&transfers), expected);
    assert_eq!((transfers[0].kind(), transfers[0].at()), (TransferKind::VirtualExpired, at(WINDOW_OVER + 7)));
    assert_eq!(transfers[0].cause(), Cause::Timer(channel.id(), at(WINDOW_OVER)));
    book.post(&transfers[0]).unwrap();
    assert_eq!(channel.balances().count(), 0);
}

#[test]
fn a_channel_without_money_ends_without_transfers() {
    let open = || open_with(opening(table(), Vec::new())).unwrap().channel;
    let mut closed = open();
    let close = close(next(&closed, VirtualIntent::Close, &[]), &[alice(), bob()]);
    assert!(closed.apply(VirtualChannelEvent::Close(close), at(1)).unwrap().transfers.is_empty());
    let mut expired = open();
    expired.apply(VirtualChannelEvent::Tick, at(EXPIRED)).unwrap();
    let applied = expired.apply(VirtualChannelEvent::Tick, at(WINDOW_OVER)).unwrap();
    assert!(applied.transfers.is_empty());
    assert_eq!((closed.phase(), expired.phase()), (Phase::Closed, Phase::Expired));
}

#[test]
fn the_largest_amount_moves_from_member_to_member_and_out() {
    let whole = |who: Key| [line(who, shib(), Amount::MAX)];
    let mut channel = open_with(opening(room(), whole(alice()).to_vec())).unwrap().channel;
    let mut book = book_of(&channel);
    let update = update(next(&channel, VirtualIntent::Operate, &whole(bob())), &[alice(), bob()]);
    let moved = channel.apply(VirtualChannelEvent::Update(update), at(1)).unwrap().transfers;
    book.post(&moved[0]).unwrap();
    let close = close(next(&channel, VirtualIntent::Close, &whole(bob())), &[alice(), bob()]);
    let paid = channel.apply(VirtualChannelEvent::Close(close), at(2)).unwrap().transfers;
    book.post(&paid[0]).unwrap();
    let left: Vec<_> = book.balances().collect();
    assert_eq!(left, [(AccountKey::wallet(bob().address(), shib()), Amount::MAX)]);
}

#[test]
fn entries_above_the_largest_amount_make_no_transfer() {
    let mut channel = story();
    let emptied = |who, number| PartMove { before: Amount::MAX, ..part(who, number, shib(), 0, 0) };
    let parts = vec![emptied(alice(), 1), emptied(bob(), 2)];
    let close = |parts| VirtualChannelEvent::Close(Close { parts, ..end(&story()) });
    let error = refused(&mut channel, close(parts.clone()), at(1));
    // Bob receives beside what his part gives: his own movement is too much already.
    assert!(matches!(error, VirtualChannelError::Plan(_)), "{error}");
    let emptied = |who, number| PartMove { before: Amount::MAX, ..part(who, number, pepe(), 0, 0) };
    let carried = vec![PartMove { after: Amount::from(10_u64), ..emptied(bob(), 2) }, emptied(alice(), 1)];
    let error = refused(&mut channel, close(carried), at(1));
    assert!(matches!(error, VirtualChannelError::Ledger(_)), "{error}");
}

/// The main story's room, into which Alice puts 2 SHIB more and Bob 4 SHIB.
fn deposit(channel: &VirtualChannel) -> Update {
    let lines = [line(alice(), shib(), 7_u64), line(bob(), shib(), 4_u64), line(bob(), pepe(), 10_u64)];
    update(next(channel, VirtualIntent::Deposit, &lines), &[alice(), bob()])
}

#[test]
fn a_deposit_comes_from_carried_parts_and_else_from_wallets() {
    let mut channel = story();
    let alices = part(alice(), 1, shib(), 20, 19);
    let event = VirtualChannelEvent::Update(Update { parts: vec![alices], ..deposit(&channel) });
    let plan = channel.plan(&event, at(1)).unwrap();
    let debits = BTreeMap::from([
        ((alice().address(), shib()), Amount::from(1_u64)),
        ((bob().address(), shib()), Amount::from(4_u64)),
    ]);
    assert_eq!(plan.wallet_debits(), &debits);
    let transfers = channel.apply(event, at(1)).unwrap().transfers;
    let expected = BTreeMap::from([
        (AccountKey::direct(alices.channel, alice().address(), shib()), -1),
        (AccountKey::wallet(alice().address(), shib()), -1),
        (AccountKey::wallet(bob().address(), shib()), -4),
        (room_account(&channel, alice(), shib()), 2),
        (room_account(&channel, bob(), shib()), 4),
    ]);
    assert_eq!(changes(&transfers), expected);
    assert_eq!((transfers.len(), transfers[0].kind()), (1, TransferKind::VirtualDeposited));
    assert_eq!((channel.version().get(), channel.phase()), (2, Phase::Open));
    assert_eq!(channel.agreed_state().intent, VirtualIntent::Deposit);
}

#[test]
fn a_withdrawal_goes_to_carried_parts_and_else_to_wallets() {
    let mut channel = story();
    // Alice takes everything out, Bob 4 PEPE: 3 into his channel.
    let state = next(&channel, VirtualIntent::Withdraw, &[line(bob(), pepe(), 6_u64)]);
    let bobs = part(bob(), 2, pepe(), 90, 93);
    let consents = signers(&[bob()]);
    let event = Update { parts: vec![bobs], consents, ..update(state, &[alice(), bob()]) };
    let transfers = channel.apply(VirtualChannelEvent::Update(event), at(1)).unwrap().transfers;
    let expected = BTreeMap::from([
        (room_account(&channel, alice(), shib()), -5),
        (room_account(&channel, bob(), pepe()), -4),
        (AccountKey::wallet(alice().address(), shib()), 5),
        (AccountKey::wallet(bob().address(), pepe()), 1),
        (AccountKey::direct(bobs.channel, bob().address(), pepe()), 3),
    ]);
    assert_eq!(changes(&transfers), expected);
    assert_eq!((transfers.len(), transfers[0].kind()), (1, TransferKind::VirtualWithdrawn));
}

#[test]
fn what_was_put_in_is_dealt_and_paid_like_the_rest() {
    let mut channel = story();
    let mut book = book_of(&channel);
    // What the wallets give comes from somewhere.
    let wallets = [(alice(), 2_u64), (bob(), 4)]
        .map(|(who, amount)| (AccountKey::wallet(who.address(), shib()), Amount::from(amount)));
    let mut balances: BTreeMap<_, _> = book.balances().collect();
    balances.extend(wallets);
    book = crate::ledger::Ledger::with_balances(balances);
    let event = VirtualChannelEvent::Update(deposit(&channel));
    book.post(&channel.apply(event, at(1)).unwrap().transfers[0]).unwrap();
    let all = [line(bob(), shib(), 11_u64), line(bob(), pepe(), 10_u64)];
    let end = close(next(&channel, VirtualIntent::Close, &all), &[alice(), bob()]);
    book.post(&channel.apply(VirtualChannelEvent::Close(end), at(2)).unwrap().transfers[0]).unwrap();
    let left: BTreeMap<_, _> = book.balances().collect();
    let wallet = |token, amount: u64| (AccountKey::wallet(bob().address(), token), Amount::from(amount));
    assert_eq!(left, BTreeMap::from([wallet(shib(), 11), wallet(pepe(), 10)]));
}
