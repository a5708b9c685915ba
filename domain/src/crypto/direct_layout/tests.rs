use super::*;
use crate::crypto::samples::{broker, initial_state, params, user};
use crate::crypto::{SigningKey, encode_resize};
use crate::primitives::{Delta, encode_hex};

/// The state that takes 500,000,000 from the participant's custody money and gives it to the broker.
fn resize_state() -> DirectState {
    let amount = Amount::from(500_000_000_u64);
    let data = encode_resize([Delta::more(amount), Delta::less(amount)]).unwrap();
    let version = Version::new(1).unwrap();
    DirectState { intent: Intent::Resize, version, data, ..initial_state() }
}

fn signs(key: &SigningKey, digest: Digest, expected: &str) {
    assert_eq!(key.sign(digest).to_string(), expected);
}

#[test]
fn the_channel_id_is_the_contract_s() {
    let expected = "0x6067e046cd5b7cdc7931b1c3897254ca2eb7e50c1a654c039a613fcb29fbfcd8";
    assert_eq!(params().channel_id().to_string(), expected);
}

#[test]
fn every_term_is_part_of_the_channel_id() {
    let params = params();
    let [participant, broker] = params.participants;
    let others = [
        DirectParams { participants: [broker, participant], ..params.clone() },
        DirectParams { adjudicator: participant, ..params.clone() },
        DirectParams { challenge_secs: 3601, ..params.clone() },
        DirectParams { nonce: params.nonce + 1, ..params.clone() },
        DirectParams { chain_id: ChainId::new(1), ..params.clone() },
    ];
    for other in others {
        assert_ne!(other.channel_id(), params.channel_id(), "{other:?}");
    }
}

#[test]
fn the_broker_signs_the_first_state_as_the_contract_checks_it() {
    let state = initial_state();
    let expected = "0x519cfd61978d26036997f6f13760d664c83f362c8e8ae7669bfa34e6bc394656";
    assert_eq!(state.hash().to_string(), expected);
    let signature = "0x29e4f3dfde0f06673e0d4025e049112ac1ce6b9c7b7d838dbeeabf3a4312cb80\
        4961f4a392a0ca0a2a58be0828fa035799799df66b5a444271d19640c8c968f41b";
    signs(&broker(), state.hash(), signature);
}

#[test]
fn the_broker_signs_a_resize_as_the_contract_checks_it() {
    let state = resize_state();
    let expected = "0x038685fa764373c29ce99b4023848d9c58b0a009215234067001256c2398b0ca";
    assert_eq!(state.hash().to_string(), expected);
    let signature = "0x7a76aa41e2e096cca49b1d31302fc587c903dc4485003e7a6675fe89ea409d82\
        340a1080c64da2d869896092570d6f4d7d4dc1a7ad802c8ff602bcd24ebc11611c";
    signs(&broker(), state.hash(), signature);
}

#[test]
fn who_challenges_signs_another_digest() {
    let state = resize_state();
    let expected = "0xf67af7400eba4b693791d63a5449ecddded475807053e85f638802cb26794b3c";
    assert_eq!(state.challenge_digest().to_string(), expected);
}

#[test]
fn the_packed_state_is_laid_out_in_words() {
    let word = |hex: &str| format!("{hex:0>64}");
    let address = |key: &SigningKey| word(&key.address().to_string().to_lowercase()[2..]);
    let state = DirectState {
        intent: Intent::Operate,
        version: Version::new(258).unwrap(),
        data: b"four bytes more than one word of 32.".to_vec(),
        ..initial_state()
    };
    let mut packed = state.clone();
    packed.allocations[0].amount = Amount::from(255_u64);
    let words = [
        state.channel_id.to_string()[2..].to_owned(),
        word("0"),
        word("102"),
        word("a0"),
        word("100"),
        word("24"),
        hex::encode(&state.data[..32]),
        format!("{}{}", hex::encode(&state.data[32..]), "0".repeat(56)),
        word("2"),
        address(&user()),
        word("bb"),
        word("ff"),
        address(&broker()),
        word("bb"),
        word("0"),
    ];
    assert_eq!(encode_hex(&packed.packed()), format!("0x{}", words.concat()));
}

#[test]
fn every_field_is_part_of_what_is_signed() {
    let state = initial_state();
    let changed = |change: fn(&mut DirectState)| {
        let mut state = state.clone();
        change(&mut state);
        state
    };
    let others = [
        changed(|s| s.channel_id = ChannelId::NONE),
        changed(|s| s.intent = Intent::Operate),
        changed(|s| s.version = Version::MAX),
        changed(|s| s.data = vec![0]),
        changed(|s| s.allocations.reverse()),
        changed(|s| s.allocations[0].destination = Address::ZERO),
        changed(|s| s.allocations[1].token = Address::ZERO),
        changed(|s| s.allocations[1].amount = Amount::MAX),
    ];
    for other in others {
        assert_ne!(other.hash(), state.hash(), "{other:?}");
        assert_ne!(other.challenge_digest(), state.challenge_digest(), "{other:?}");
    }
}

#[test]
fn intents_have_the_contract_s_numbers() {
    let intents = [Intent::Operate, Intent::Initialize, Intent::Resize, Intent::Finalize];
    for (number, intent) in (0..).zip(intents) {
        assert_eq!(intent.number(), number);
        assert_eq!(Intent::from_number(number), Some(intent));
    }
    for number in 4..=255 {
        assert_eq!(Intent::from_number(number), None);
    }
}
