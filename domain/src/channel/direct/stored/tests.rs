use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::channel::direct::DirectEvent;
use crate::channel::direct::tests::support::{
    ALICE_KEY, BROKER, CHAIN, SHIB, alice, apply, challenged, closed, created, created_by, finalize,
    in_phase, initialize, opened, operate, propose, resized, terms, usual,
};

fn decode(body: &[u8]) -> Result<DirectChannel, StoredError> {
    DirectChannel::decode(usual().channel_id(), terms(), body)
}

/// Channels of every phase, and of every kind of leftover.
fn channels() -> Vec<DirectChannel> {
    let mut channels: Vec<DirectChannel> = Phase::ALL.into_iter().map(in_phase).collect();
    let later = [
        (Phase::Announced, vec![created()]),
        (Phase::Announced, vec![opened()]),
        (Phase::Announced, vec![created(), closed(&initialize(&usual(), 10))]),
        (Phase::Void, vec![created(), opened()]),
        (Phase::Closing, vec![challenged(&operate(5, 6, 4))]),
        (Phase::Closing, vec![resized()]),
        (Phase::Closing, vec![closed(&finalize(6, 6, 4))]),
    ];
    for (phase, events) in later {
        let mut channel = in_phase(phase);
        for event in events {
            apply(&mut channel, event);
        }
        channels.push(channel);
    }
    channels
}

#[test]
fn what_was_stored_comes_back_whole() {
    for channel in channels() {
        let stored = channel.encode();
        assert_eq!(stored.phase, channel.phase().code());
        assert_eq!(decode(&stored.body), Ok(channel));
    }
}

#[test]
fn what_is_held_is_not_stored() {
    let mut channel = in_phase(Phase::Active);
    let before = channel.clone();
    apply(&mut channel, propose(operate(6, 1, 9)));
    assert_eq!(decode(&channel.encode().body), Ok(before));
    let next = channel.held().unwrap().next.clone();
    apply(&mut channel, DirectEvent::Adopt);
    assert_eq!(decode(&next.body), Ok(channel));
}

#[test]
fn the_stored_form_is_kept() {
    let stored = String::from_utf8(in_phase(Phase::Announced).encode().body).unwrap();
    let expected = format!(
        "{{\"format\":1,\"chain_id\":31337,\"phase\":1,\"settlement\":{{\"owner\":\"{}\",\"token\":\"{}\",\"amount\":\"10\"}}}}",
        alice(),
        SHIB.address
    );
    assert_eq!(stored, expected);
    let stored: serde_json::Value = serde_json::from_slice(&in_phase(Phase::Closing).encode().body).unwrap();
    let expected = serde_json::json!({
        "format": 1,
        "chain_id": 31337,
        "phase": 5,
        "anchor": {
            "participants": [alice(), BROKER],
            "adjudicator": terms().adjudicator,
            "challenge_secs": 86400,
            "nonce": 7,
            "wallet": alice(),
            "token": SHIB.address,
            "locked": "10",
            "newest": {
                "intent": 0,
                "version": 5,
                "data": format!("0x{}", "48".repeat(32)),
                "parts": ["6", "4"],
                "signature": ALICE_KEY.sign(operate(5, 6, 4).hash()),
            },
            "finalize": {
                "intent": 3,
                "version": 6,
                "data": "0x",
                "parts": ["6", "4"],
                "signature": ALICE_KEY.sign(finalize(6, 6, 4).hash()),
            },
        },
    });
    assert_eq!(stored, expected);
}

#[test]
fn a_stored_state_tells_whose_terms_it_needs() {
    for channel in channels() {
        assert_eq!(DirectChannel::stored_chain(&channel.encode().body), Ok(CHAIN));
    }
    let other = DirectChannel::stored_chain(b"{\"format\":2,\"chain_id\":1}");
    assert_eq!(other, Err(StoredError::UnknownFormat { format: 2 }));
    assert!(matches!(DirectChannel::stored_chain(b"{\"format\":1}"), Err(StoredError::Malformed { .. })));
}

#[test]
fn numbers_beyond_those_of_other_json_readers_come_back() {
    let mut params = usual();
    params.nonce = u64::MAX;
    let mut channel = DirectChannel::new(params.channel_id(), terms());
    apply(&mut channel, created_by(alice(), &params, &initialize(&params, 10)));
    let body = channel.encode().body;
    assert_eq!(DirectChannel::decode(params.channel_id(), terms(), &body), Ok(channel));
}

/// Changes the stored form of a channel that is closing.
fn damaged(change: impl FnOnce(&mut serde_json::Value)) -> Result<DirectChannel, StoredError> {
    let mut stored = serde_json::from_slice(&in_phase(Phase::Closing).encode().body).unwrap();
    change(&mut stored);
    decode(&serde_json::to_vec(&stored).unwrap())
}

#[test]
fn what_is_no_state_is_told_from_what_another_version_wrote() {
    let malformed = |result: Result<DirectChannel, StoredError>| {
        assert!(matches!(result, Err(StoredError::Malformed { .. })), "{result:?}");
    };
    malformed(decode(b""));
    malformed(decode(b"{}"));
    malformed(damaged(|stored| stored["anchor"]["locked"] = "-1".into()));
    malformed(damaged(|stored| stored["anchor"]["newest"]["data"] = "0xf".into()));
    malformed(damaged(|stored| stored["unknown"] = 1.into()));
    let unknown = |what, code| Err(StoredError::UnknownCode { what, code });
    assert_eq!(damaged(|stored| stored["phase"] = 10.into()), unknown("phase", 10));
    assert_eq!(damaged(|stored| stored["ignored"] = 14.into()), unknown("reason", 14));
    let intent = damaged(|stored| stored["anchor"]["newest"]["intent"] = 4.into());
    assert_eq!(intent, unknown("intent", 4));
    // The format is told even when only the chain can be read besides.
    let other = decode(b"{\"format\":2,\"chain_id\":31337,\"phase\":\"closed\"}");
    assert_eq!(other, Err(StoredError::UnknownFormat { format: 2 }));
}

#[test]
fn what_contradicts_itself_is_refused() {
    let inconsistent = |what| Err(StoredError::Inconsistent { what });
    let agreed = "terms or agreed states";
    assert_eq!(damaged(|stored| stored["ignored"] = 1.into()), inconsistent("reason to ignore it"));
    assert_eq!(damaged(|stored| stored["anchor"] = ().into()), inconsistent("terms are missing"));
    assert_eq!(damaged(|stored| stored["phase"] = 0.into()), inconsistent("terms in this phase"));
    assert_eq!(
        decode(b"{\"format\":1,\"chain_id\":31337,\"phase\":1}"),
        inconsistent("settlement is missing")
    );
    let settlement = serde_json::json!({"owner": alice(), "token": SHIB.address, "amount": "1"});
    let settling = damaged(|stored| stored["settlement"] = settlement);
    assert_eq!(settling, inconsistent("settlement in this phase"));
    let elsewhere = damaged(|stored| stored["chain_id"] = 1.into());
    assert_eq!(elsewhere, inconsistent("chain of the terms"));
    let unended = damaged(|stored| stored["anchor"]["finalize"] = ().into());
    assert_eq!(unended, inconsistent("FINALIZE is missing"));
    assert_eq!(damaged(|stored| stored["phase"] = 4.into()), inconsistent("FINALIZE in this phase"));
    assert_eq!(damaged(|stored| stored["anchor"]["nonce"] = 8.into()), inconsistent(agreed));
    assert_eq!(damaged(|stored| stored["anchor"]["locked"] = "11".into()), inconsistent(agreed));
    let newest = damaged(|stored| stored["anchor"]["newest"]["intent"] = 1.into());
    assert_eq!(newest, inconsistent(agreed));
    let skipped = damaged(|stored| stored["anchor"]["finalize"]["version"] = 7.into());
    assert_eq!(skipped, inconsistent(agreed));
    let moved = damaged(|stored| stored["anchor"]["finalize"]["parts"] = serde_json::json!(["4", "6"]));
    assert_eq!(moved, inconsistent(agreed));
}

static BODIES: LazyLock<Vec<Vec<u8>>> =
    LazyLock::new(|| channels().iter().map(|channel| channel.encode().body).collect());

proptest! {
    #[test]
    fn damaged_bytes_are_an_error_or_another_whole_state(
        which in 0..17_usize,
        place: proptest::sample::Index,
        byte: u8,
        cut: proptest::sample::Index,
    ) {
        let body = &BODIES[which];
        let mut flipped = body.clone();
        flipped[place.index(body.len())] = byte;
        if let Ok(other) = decode(&flipped) {
            prop_assert_eq!(decode(&other.encode().body), Ok(other));
        }
        let is_malformed = matches!(decode(&body[..cut.index(body.len())]), Err(StoredError::Malformed { .. }));
        prop_assert!(is_malformed);
    }
}
