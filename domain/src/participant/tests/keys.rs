//! What session keys may do, and how much of it.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{
    AssetOf, AssetTable, Cap, KEY_LIFETIME_SECS_MAX, KEYS_MAX, KeyError, KeySpend, KeyUse, Participant,
    ParticipantEffect, ParticipantError, ParticipantEvent, Scope, SessionKey, SessionKeys, StoredKeysError,
};
use crate::channel::Machine;
use crate::channel::direct::tests::support::{BROKER, NOW, PEPE, SHIB, alice, amount, request_cause};
use crate::primitives::{Address, Amount, Asset, Digest, Timestamp, Token};

const KEY: Address = Address::from_bytes([0x5e; 20]);
const OTHER: Address = Address::from_bytes([0x5f; 20]);
const BOB: Address = Address::from_bytes([0xb0; 20]);

fn usd() -> Asset {
    "usd".parse().unwrap()
}

/// A key for everything, with 7 of the one asset, for an hour.
fn session_key() -> SessionKey {
    SessionKey {
        scope: Scope::ALL.into_iter().collect(),
        application: None,
        caps: BTreeMap::from([(usd(), Cap { most: amount(7), used: Amount::ZERO })]),
        created_at: NOW,
        expires_at: NOW.plus_millis(3_600_000),
    }
}

/// Alice with 10 SHIB and 5 PEPE, and this key.
fn with_key(session_key: SessionKey) -> Participant {
    let mut alice = Participant::new(alice(), BROKER, [(SHIB, amount(10)), (PEPE, amount(5))]);
    alice.apply(ParticipantEvent::Delegate { key: KEY, session_key }, NOW).unwrap();
    alice
}

fn pay(value: u64) -> ParticipantEvent {
    let payments = BTreeMap::from([(SHIB, amount(value))]);
    ParticipantEvent::Pay { cause: request_cause(), to: BOB, payments, parts: Vec::new() }
}

fn hold(name: u8, value: u64) -> ParticipantEvent {
    let amounts = BTreeMap::from([(SHIB, amount(value))]);
    ParticipantEvent::Hold { request_hash: Digest::from_bytes([name; 32]), amounts }
}

fn by_key(usage: KeyUse, value: u64, event: ParticipantEvent) -> ParticipantEvent {
    let spend = KeySpend { key: KEY, usage, spent: BTreeMap::from([(usd(), amount(value))]) };
    ParticipantEvent::ByKey { spend, event: Box::new(event) }
}

fn refused(participant: &mut Participant, event: ParticipantEvent, now: Timestamp) -> ParticipantError {
    let before = participant.clone();
    let error = participant.apply(event, now).unwrap_err();
    assert_eq!(*participant, before);
    error
}

fn left(participant: &Participant) -> Amount {
    participant.keys().live(KEY, NOW).unwrap().caps[&usd()].left()
}

#[test]
fn a_key_pays_up_to_its_cap_and_not_more() {
    let mut alice = with_key(session_key());
    let applied = alice.apply(by_key(KeyUse::Transfer, 4, pay(4)), NOW).unwrap();
    assert!(applied.effects.contains(&ParticipantEffect::KeysChanged), "what is left goes with the commit");
    assert_eq!((left(&alice), alice.balance(SHIB)), (amount(3), amount(6)));
    let error = refused(&mut alice, by_key(KeyUse::Transfer, 4, pay(4)), NOW);
    let exceeded = KeyError::CapExceeded { asset: usd(), left: amount(3), requested: amount(4) };
    assert_eq!(error, exceeded.into());
    alice.apply(by_key(KeyUse::Transfer, 3, pay(3)), NOW).unwrap();
    assert_eq!(left(&alice), Amount::ZERO);
    // The participant itself has no cap.
    alice.apply(pay(3), NOW).unwrap();
    assert_eq!(alice.balance(SHIB), Amount::ZERO);
}

#[test]
fn what_the_wallet_does_not_have_costs_a_key_nothing() {
    let key = SessionKey {
        caps: BTreeMap::from([(usd(), Cap { most: amount(99), used: amount(0) })]),
        ..session_key()
    };
    let mut alice = with_key(key);
    let error = refused(&mut alice, by_key(KeyUse::Transfer, 11, pay(11)), NOW);
    assert!(matches!(error, ParticipantError::InsufficientBalance { .. }), "{error}");
    assert_eq!(left(&alice), amount(99));
}

#[test]
fn an_asset_without_a_cap_is_not_spent() {
    let mut alice = with_key(SessionKey { caps: BTreeMap::new(), ..session_key() });
    let error = refused(&mut alice, by_key(KeyUse::Transfer, 1, pay(1)), NOW);
    let exceeded = KeyError::CapExceeded { asset: usd(), left: Amount::ZERO, requested: amount(1) };
    assert_eq!(error, exceeded.into());
}

#[test]
fn a_key_ends_at_its_time_and_when_it_is_revoked() {
    let mut alice = with_key(session_key());
    let ends_at = session_key().expires_at;
    let unknown = ParticipantError::from(KeyError::Unknown { key: KEY });
    assert_eq!(refused(&mut alice, by_key(KeyUse::Transfer, 1, pay(1)), ends_at), unknown);
    alice.apply(by_key(KeyUse::Transfer, 1, pay(1)), ends_at.minus_millis(1)).unwrap();
    let applied = alice.apply(ParticipantEvent::Revoke { key: KEY }, NOW).unwrap();
    assert!(applied.effects.contains(&ParticipantEffect::KeyRevoked { key: KEY }));
    assert_eq!(refused(&mut alice, by_key(KeyUse::Transfer, 1, pay(1)), NOW), unknown);
    assert_eq!(refused(&mut alice, ParticipantEvent::Revoke { key: KEY }, NOW), unknown);
    // It may be delegated to again, and begins anew.
    alice.apply(ParticipantEvent::Delegate { key: KEY, session_key: session_key() }, NOW).unwrap();
    assert_eq!(left(&alice), amount(7));
}

#[test]
fn a_key_signs_within_its_scope_and_application() {
    let room = |name: &str| KeyUse::Room { application: name.to_owned() };
    let only = |scope: Scope, application: Option<&str>| SessionKey {
        scope: BTreeSet::from([scope]),
        application: application.map(str::to_owned),
        ..session_key()
    };
    let pays = only(Scope::Transfer, None);
    assert!(pays.allows(&KeyUse::Transfer) && !pays.allows(&room("chess")));
    let plays = only(Scope::Rooms, Some("chess"));
    assert!(!plays.allows(&KeyUse::Transfer) && plays.allows(&room("chess")) && !plays.allows(&room("go")));
    assert!(only(Scope::Rooms, None).allows(&room("go")));
    let error = refused(&mut with_key(plays), by_key(KeyUse::Transfer, 1, pay(1)), NOW);
    assert_eq!(error, KeyError::OutOfScope { key: KEY }.into());
}

#[test]
fn one_hold_by_a_key_at_a_time_and_its_use_is_adopted_once() {
    let usage = || KeyUse::Room { application: String::new() };
    let mut alice = with_key(session_key());
    let name = Digest::from_bytes([1; 32]);
    alice.apply(by_key(usage(), 4, hold(1, 4)), NOW).unwrap();
    alice.apply(by_key(usage(), 4, hold(1, 4)), NOW).unwrap();
    let after = alice.keys_after(name).unwrap().clone();
    assert_eq!((left(&alice), alice.available(SHIB)), (amount(7), amount(6)));
    assert_eq!(after.live(KEY, NOW).unwrap().caps[&usd()].left(), amount(3));
    for event in [
        by_key(usage(), 1, hold(2, 1)),
        by_key(KeyUse::Transfer, 1, pay(1)),
        ParticipantEvent::Revoke { key: KEY },
        ParticipantEvent::Delegate { key: OTHER, session_key: session_key() },
    ] {
        assert_eq!(refused(&mut alice, event, NOW), KeyError::Busy.into());
    }
    // The participant itself does not wait.
    alice.apply(pay(1), NOW).unwrap();
    let amounts = BTreeMap::from([(SHIB, amount(4))]);
    alice.apply(ParticipantEvent::Spent { request_hash: name, amounts }, NOW).unwrap();
    alice.apply(ParticipantEvent::Adopt { keys: after }, NOW).unwrap();
    assert_eq!((left(&alice), alice.balance(SHIB)), (amount(3), amount(5)));
    assert_eq!(alice.keys_after(name), None);
    // What is released costs nothing.
    alice.apply(by_key(usage(), 2, hold(3, 2)), NOW).unwrap();
    alice.apply(ParticipantEvent::Release { request_hash: Digest::from_bytes([3; 32]) }, NOW).unwrap();
    assert_eq!(left(&alice), amount(3));
    alice.apply(by_key(KeyUse::Transfer, 3, pay(3)), NOW).unwrap();
}

#[test]
fn keys_are_bounded_in_number_and_life() {
    let mut alice = with_key(session_key());
    let delegate = |key, session_key| ParticipantEvent::Delegate { key, session_key };
    for key in [Address::ZERO, BROKER, alice.address()] {
        let error = refused(&mut alice, delegate(key, session_key()), NOW);
        assert_eq!(error, KeyError::NoKey { key }.into());
    }
    assert_eq!(refused(&mut alice, delegate(KEY, session_key()), NOW), KeyError::Exists { key: KEY }.into());
    let until = |expires_at| SessionKey { expires_at, ..session_key() };
    let longest = NOW.plus_millis(KEY_LIFETIME_SECS_MAX * 1_000);
    for expires_at in [NOW, NOW.minus_millis(1), longest.plus_millis(1)] {
        let error = refused(&mut alice, delegate(OTHER, until(expires_at)), NOW);
        assert_eq!(error, KeyError::LifetimeOutOfBounds.into());
    }
    for number in 1..KEYS_MAX {
        let key = Address::from_bytes([u8::try_from(number).unwrap(); 20]);
        alice.apply(delegate(key, until(longest)), NOW).unwrap();
    }
    assert_eq!(refused(&mut alice, delegate(OTHER, session_key()), NOW), KeyError::TooMany.into());
    // One that has ended makes room.
    let later = session_key().expires_at;
    alice.apply(delegate(OTHER, until(later.plus_millis(1))), later).unwrap();
    assert_eq!(alice.keys().all_live(NOW).count(), KEYS_MAX);
}

#[test]
fn keys_come_back_from_the_store_as_they_were() {
    let mut alice = with_key(SessionKey { application: Some("chess".to_owned()), ..session_key() });
    alice.apply(by_key(KeyUse::Transfer, 2, pay(2)), NOW).unwrap();
    alice.apply(ParticipantEvent::Delegate { key: OTHER, session_key: session_key() }, NOW).unwrap();
    let stored = alice.keys().to_stored();
    assert_eq!(SessionKeys::from_stored(&stored).as_ref(), Ok(alice.keys()));
    let text = String::from_utf8(stored).unwrap();
    let spoilt = |from: &str, to: &str| {
        let spoilt = text.replacen(from, to, 1);
        assert_ne!(spoilt, text, "{from}");
        SessionKeys::from_stored(spoilt.as_bytes()).unwrap_err()
    };
    assert_eq!(spoilt("\"format\":1", "\"format\":2"), StoredKeysError::UnknownFormat { format: 2 });
    for (from, to) in [("transfer", "steal"), ("\"used\":\"2\"", "\"used\":\"8\"")] {
        assert_eq!(spoilt(from, to), StoredKeysError::Impossible { key: KEY });
    }
    let (key, other) = (KEY.to_string(), OTHER.to_string());
    assert_eq!(spoilt(&other, &key), StoredKeysError::Impossible { key: KEY });
    for (from, to) in [("\"most\"", "\"more\""), ("{", "["), ("\"keys\"", "\"other\":1,\"keys\"")] {
        assert!(matches!(spoilt(from, to), StoredKeysError::Malformed { .. }), "{from}");
    }
}

#[test]
fn amounts_of_tokens_are_counted_in_their_asset_and_rounded_up() {
    let of = |token_decimals, asset_decimals| AssetOf { asset: usd(), token_decimals, asset_decimals };
    let token = |number| Token { address: Address::from_bytes([number; 20]), ..SHIB };
    let table: AssetTable =
        [(token(1), of(6, 6)), (token(2), of(18, 6)), (token(3), of(2, 6)), (token(4), of(77, 0))]
            .into_iter()
            .collect();
    let count = |amounts: &[(u8, &str)]| {
        let amounts = amounts.iter().map(|(number, amount)| (token(*number), amount.parse().unwrap()));
        table.count(&amounts.collect()).map(|sums| sums[&usd()].to_string())
    };
    assert_eq!(count(&[(1, "5")]).as_deref(), Some("5"));
    assert_eq!(count(&[(2, "1")]).as_deref(), Some("1"), "what is finer counts as one unit");
    assert_eq!(count(&[(2, "1000000000000")]).as_deref(), Some("1"));
    assert_eq!(count(&[(2, "1000000000001")]).as_deref(), Some("2"));
    assert_eq!(count(&[(3, "7")]).as_deref(), Some("70000"));
    assert_eq!(count(&[(4, "9")]).as_deref(), Some("1"));
    assert_eq!(count(&[(1, "5"), (2, "1"), (3, "1")]).as_deref(), Some("10006"));
    let most = Amount::MAX.to_string();
    assert_eq!(count(&[(3, &most), (1, "1")]), Some(most), "more than can be counted is the most");
    assert_eq!(table.count(&BTreeMap::from([(PEPE, amount(1))])), None, "a token of no asset");
    assert!(table.contains(&usd()) && !table.contains(&"eur".parse().unwrap()));
}
