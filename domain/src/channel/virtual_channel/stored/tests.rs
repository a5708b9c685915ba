use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::channel::Machine as _;
use crate::channel::virtual_channel::samples::{
    WINDOW_SECS, alice, at, bob, line, next, open_with, opening, room, shib, story, table, update,
};
use crate::channel::virtual_channel::{LIFETIME_SECS_MAX, VirtualChannelEvent};
use crate::crypto::{VirtualIntent, VirtualState};
use crate::primitives::Amount;

fn reread(channel: &VirtualChannel) -> VirtualChannel {
    VirtualChannel::from_stored(channel.id(), &channel.to_stored()).unwrap()
}

/// Reads the main story's room after its stored form was changed.
fn reread_after(change: impl FnOnce(&mut Value)) -> Result<VirtualChannel, StoredError> {
    let channel = story();
    let mut stored: Value = serde_json::from_slice(&channel.to_stored()).unwrap();
    change(&mut stored);
    VirtualChannel::from_stored(channel.id(), &serde_json::to_vec(&stored).unwrap())
}

#[test]
fn every_phase_comes_back_as_it_was() {
    let mut channel = story();
    assert_eq!(reread(&channel), channel);
    let lines = [line(bob(), shib(), 5_u64), channel.snapshot().allocations[1]];
    let data = Some("{\"текст\":\"\\u0000\\\"\"}".to_owned());
    let data_hash = VirtualState::hash_of_data(data.as_deref());
    let state = VirtualState { data_hash, ..next(&channel, VirtualIntent::Operate, &lines) };
    let mut update = update(state, &[alice(), bob()]);
    update.data = data;
    channel.apply(VirtualChannelEvent::Update(update), at(1)).unwrap();
    assert_eq!(reread(&channel), channel);
    for phase in [Phase::Expiring, Phase::Expired] {
        channel.apply(VirtualChannelEvent::Tick, channel.deadline().unwrap()).unwrap();
        assert_eq!((reread(&channel), channel.phase()), (channel.clone(), phase));
    }
}

#[test]
fn the_stored_form_stays_readable() {
    // Written by these formats: whoever breaks this must write a new format and read the old ones.
    let (first, second) = (include_bytes!("format_1.json"), include_bytes!("format_2.json"));
    let channel = story();
    assert_eq!(VirtualChannel::from_stored(channel.id(), first).unwrap(), channel);
    assert_eq!(VirtualChannel::from_stored(channel.id(), second).unwrap(), channel);
    assert_eq!(String::from_utf8(channel.to_stored()).unwrap() + "\n", String::from_utf8_lossy(second));
}

#[test]
fn tells_what_is_no_json_of_this_form() {
    let id = story().id();
    for (bytes, column) in [(&b""[..], 0), (b"{", 1), (b"[]", 2), (b"\xff", 1)] {
        let error = VirtualChannel::from_stored(id, bytes).unwrap_err();
        assert_eq!(error, StoredError::Malformed { line: 1, column }, "{bytes:?}");
    }
    let whole = story().to_stored();
    for length in 0..whole.len() {
        let error = VirtualChannel::from_stored(id, &whole[..length]).unwrap_err();
        assert!(matches!(error, StoredError::Malformed { .. }), "{length}: {error}");
    }
}

#[test]
fn reads_no_field_that_it_does_not_know_and_misses_none() {
    let channel: Value = serde_json::from_slice(&story().to_stored()).unwrap();
    let names: Vec<String> = channel.as_object().unwrap().keys().cloned().collect();
    for name in names.iter().filter(|name| *name != "data" && *name != "intent") {
        let without = reread_after(|stored| drop(stored.as_object_mut().unwrap().remove(name)));
        assert!(matches!(without, Err(StoredError::Malformed { .. })), "{name}: {without:?}");
    }
    let without = reread_after(|stored| drop(stored.as_object_mut().unwrap().remove("intent")));
    assert_eq!(without, Err(StoredError::MissingIntent));
    let unknown = reread_after(|stored| stored["intent"] = json!(4));
    assert_eq!(unknown, Err(StoredError::UnknownIntent { code: 4 }));
    let more = reread_after(|stored| stored["more"] = json!(1));
    assert!(matches!(more, Err(StoredError::Malformed { .. })), "{more:?}");
}

#[test]
fn another_format_is_told_before_its_fields_are_read() {
    let stored = br#"{"format":3,"unknown":true}"#;
    let error = VirtualChannel::from_stored(story().id(), stored).unwrap_err();
    assert_eq!(error, StoredError::UnknownFormat { format: 3 });
}

#[test]
fn a_definition_that_is_another_channels_is_told() {
    let other = table().channel_id();
    let error = VirtualChannel::from_stored(other, &story().to_stored()).unwrap_err();
    assert_eq!(error, StoredError::WrongChannel { expected: other, actual: story().id() });
    for (field, value) in [
        ("application", json!("go")),
        ("protocol", json!("")),
        ("participants", json!([])),
        ("weights", json!([50])),
        ("quorum", json!(0)),
        ("challenge", json!(0)),
        ("nonce", json!(2)),
    ] {
        let error = reread_after(|stored| stored["definition"][field] = value).unwrap_err();
        assert!(matches!(error, StoredError::WrongChannel { .. }), "{field}: {error}");
    }
}

#[test]
fn damaged_values_are_told() {
    let phase = reread_after(|stored| stored["phase"] = json!(0));
    assert_eq!(phase, Err(StoredError::UnknownPhase { code: 0 }));
    let stranger = Address::from_bytes([9; 20]);
    let impossible = |participant, token| Err(StoredError::ImpossibleAllocation { participant, token });
    // Lines stand in the order of addresses: Bob's first.
    let first = story().allocations().keys().next().copied().unwrap();
    assert_eq!(reread_after(|s| s["allocations"][0]["amount"] = json!("0")), impossible(first.0, first.1));
    let to_stranger = reread_after(|s| s["allocations"][0]["participant"] = json!(stranger));
    assert_eq!(to_stranger, impossible(stranger, first.1));
    let repeated = reread_after(|s| s["allocations"][1] = s["allocations"][0].clone());
    assert_eq!(repeated, impossible(first.0, first.1));
    let by_stranger = reread_after(|s| s["approvals"][0]["signer"] = json!(stranger));
    assert_eq!(by_stranger, Err(StoredError::ImpossibleApproval { signer: stranger }));
    let signer = story().approvals().keys().next().copied().unwrap();
    let repeated = reread_after(|s| s["approvals"][1] = s["approvals"][0].clone());
    assert_eq!(repeated, Err(StoredError::ImpossibleApproval { signer }));
    let fraction = reread_after(|s| s["allocations"][0]["amount"] = json!("1.0"));
    assert!(matches!(fraction, Err(StoredError::Malformed { .. })));
}

#[test]
fn limits_of_today_do_not_hide_channels_of_yesterday() {
    let longer = crate::crypto::Definition { challenge: LIFETIME_SECS_MAX + 1, ..room() };
    let mut channel = open_with(opening(room(), Vec::new())).unwrap().channel;
    channel.id = longer.channel_id();
    channel.definition = longer;
    assert_eq!(reread(&channel), channel);
}

proptest! {
    #[test]
    fn whatever_is_kept_comes_back(
        amounts in prop::collection::btree_map((0..3_usize, any::<bool>()), any::<[u8; 32]>(), 0..6),
        application in "\\PC{0,20}",
        data in prop::option::of(".{0,40}"),
        weights in prop::collection::vec(0..u64::MAX / 3, 3),
        version in 1..(1_u64 << 53),
        times in any::<[u64; 4]>(),
        nonce in 1_u64..,
    ) {
        let definition = crate::crypto::Definition { application, weights, nonce, ..table() };
        let mut channel = open_with(opening(table(), Vec::new())).unwrap().channel;
        channel.id = definition.channel_id();
        channel.definition = definition;
        let token = |is_pepe| if is_pepe { super::super::samples::pepe() } else { shib() };
        channel.allocations = amounts
            .into_iter()
            .map(|((who, is_pepe), bytes)| ((channel.members()[who], token(is_pepe)), Amount::from_be_bytes(bytes)))
            .filter(|(_, amount)| !amount.is_zero())
            .collect();
        channel.version = Version::new(version).unwrap();
        channel.data = data;
        let [opened, updated, expires, ends] = times.map(Timestamp::from_millis);
        channel.created_at = opened;
        channel.updated_at = updated;
        channel.expires_at = expires;
        channel.window_ends_at = ends.plus_millis(WINDOW_SECS);
        prop_assert_eq!(reread(&channel), channel);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, place: prop::sample::Index, byte: u8) {
        let id = story().id();
        prop_assert!(VirtualChannel::from_stored(id, &bytes).is_err());
        let mut stored = story().to_stored();
        let place = place.index(stored.len());
        stored[place] = byte;
        // Some damage leaves valid JSON behind; what matters is that reading ends with an answer.
        let _ = VirtualChannel::from_stored(id, &stored);
    }
}
