use proptest::prelude::*;

use super::*;
use crate::crypto::samples::{broker, user};
use crate::crypto::{keccak256, recover};
use crate::primitives::Digest;

fn valid() -> [u8; BYTES] {
    *user().sign(keccak256(&[b"message"])).as_bytes()
}

/// The curve's order less the number: the other s that satisfies the same equation.
fn mirrored(s: [u8; 32]) -> [u8; 32] {
    let mut result = [0; 32];
    let mut borrow = 0;
    for i in (0..32).rev() {
        let difference = i16::from(CURVE_ORDER[i]) - i16::from(s[i]) - borrow;
        borrow = i16::from(difference < 0);
        result[i] = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    result
}

fn with_s(s: [u8; 32]) -> [u8; BYTES] {
    let mut bytes = valid();
    bytes[32..64].copy_from_slice(&s);
    bytes
}

fn with_r(r: [u8; 32]) -> [u8; BYTES] {
    let mut bytes = valid();
    bytes[..32].copy_from_slice(&r);
    bytes
}

fn plus_one(mut word: [u8; 32]) -> [u8; 32] {
    word[31] += 1;
    word
}

fn minus_one(mut word: [u8; 32]) -> [u8; 32] {
    word[31] -= 1;
    word
}

#[test]
fn keeps_v_as_27_or_28() {
    for (given, kept) in [(0, 27), (1, 28), (27, 27), (28, 28)] {
        let mut bytes = valid();
        bytes[64] = given;
        assert_eq!(Signature::from_slice(&bytes).unwrap().as_bytes()[64], kept);
    }
}

#[test]
fn refuses_every_other_v() {
    for v in (2..=26).chain(29..=255) {
        let mut bytes = valid();
        bytes[64] = v;
        assert_eq!(Signature::from_slice(&bytes), Err(SignatureError::WrongV { v }));
    }
}

#[test]
fn refuses_other_lengths() {
    for actual in [0, 1, 64, 66, 96, 1000] {
        let wrong = Err(SignatureError::WrongLength { actual });
        assert_eq!(Signature::from_slice(&vec![27; actual]), wrong);
        assert_eq!(encode_hex(&vec![27; actual]).parse::<Signature>(), wrong);
    }
}

#[test]
fn refuses_malformed_hex() {
    let text = encode_hex(&valid());
    let parse = |text: &str| text.parse::<Signature>();
    assert_eq!(parse(&text[2..]), Err(SignatureError::Hex(HexError::MissingPrefix)));
    assert_eq!(parse(""), Err(SignatureError::Hex(HexError::MissingPrefix)));
    let malformed = Err(SignatureError::Hex(HexError::Malformed));
    assert_eq!(parse(&text[..131]), malformed);
    assert_eq!(parse(&text.replace("1b", "1g").replace("1c", "1g")), malformed);
    assert_eq!(parse(&format!("{text} ")), malformed);
    assert_eq!(parse(&format!("0x{}é", "0".repeat(128))), malformed);
    assert_eq!(parse("0x"), Err(SignatureError::WrongLength { actual: 0 }));
}

#[test]
fn refuses_the_mirror_image_of_a_signature() {
    let s = valid()[32..64].try_into().unwrap();
    let mut bytes = with_s(mirrored(s));
    assert_eq!(Signature::from_slice(&bytes), Err(SignatureError::HighS));
    bytes[64] = 55 - bytes[64];
    assert_eq!(Signature::from_slice(&bytes), Err(SignatureError::HighS));
}

#[test]
fn low_s_ends_at_half_the_order() {
    assert_eq!(mirrored(HALF_ORDER), plus_one(HALF_ORDER));
    assert!(Signature::from_slice(&with_s(HALF_ORDER)).is_ok());
    assert_eq!(Signature::from_slice(&with_s(plus_one(HALF_ORDER))), Err(SignatureError::HighS));
    assert_eq!(Signature::from_slice(&with_s(minus_one(CURVE_ORDER))), Err(SignatureError::HighS));
}

#[test]
fn refuses_r_and_s_out_of_range() {
    for word in [[0; 32], CURVE_ORDER, plus_one(CURVE_ORDER), [0xff; 32]] {
        assert_eq!(Signature::from_slice(&with_r(word)), Err(SignatureError::OutOfRange));
        assert_eq!(Signature::from_slice(&with_s(word)), Err(SignatureError::OutOfRange));
    }
    assert!(Signature::from_slice(&with_r(minus_one(CURVE_ORDER))).is_ok());
}

#[test]
fn reports_length_then_v_then_range_then_high_s() {
    let mut bytes = [0; BYTES];
    bytes[64] = 2;
    assert_eq!(Signature::from_slice(&bytes[1..]), Err(SignatureError::WrongLength { actual: 64 }));
    assert_eq!(Signature::from_slice(&bytes), Err(SignatureError::WrongV { v: 2 }));
    bytes[64] = 27;
    bytes[32..64].copy_from_slice(&minus_one(CURVE_ORDER));
    assert_eq!(Signature::from_slice(&bytes), Err(SignatureError::OutOfRange));
    bytes[31] = 1;
    assert_eq!(Signature::from_slice(&bytes), Err(SignatureError::HighS));
}

#[test]
fn is_lower_case_hex_in_json() {
    let signature = broker().sign(keccak256(&[b"message"]));
    let json = serde_json::to_string(&signature).unwrap();
    assert_eq!(json, format!("\"{}\"", encode_hex(signature.as_bytes())));
    let upper = format!("\"0x{}\"", json[3..133].to_uppercase());
    assert_eq!(serde_json::from_str::<Signature>(&upper).unwrap(), signature);
    for json in ["\"0x\"", "7", "null", "[]", "\"\""] {
        assert!(serde_json::from_str::<Signature>(json).is_err(), "{json}");
    }
}

proptest! {
    #[test]
    fn no_bytes_at_all_panic(bytes: Vec<u8>, whole: [u8; 32], half: [u8; 32], v in 0_u8..30, digest: [u8; 32]) {
        let _ = Signature::from_slice(&bytes);
        let mut both = [whole, half].concat();
        both.push(v);
        if let Ok(signature) = Signature::from_slice(&both) {
            let _ = recover(Digest::from_bytes(digest), &signature);
        }
    }

    #[test]
    fn one_changed_bit_yields_another_signer_or_none(message: Vec<u8>, bit in 0..520_usize) {
        let digest = keccak256(&[&message]);
        let mut bytes = *user().sign(digest).as_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(signature) = Signature::from_slice(&bytes) {
            prop_assert_ne!(recover(digest, &signature), Ok(user().address()));
        }
    }
}
