use proptest::prelude::*;
use secp256k1::constants::CURVE_ORDER;

use super::*;
use crate::crypto::keccak256;
use crate::crypto::samples::{broker, session_key, user};

const UNCOMPRESSED: &str = "0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\
    483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8";
const COMPRESSED: &str = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
/// The address of secret key 1, whose public key is the generator.
const ADDRESS_OF_ONE: &str = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf";

fn parse(text: &str) -> Result<PublicKey, PublicKeyError> {
    text.parse()
}

#[test]
fn keys_have_the_addresses_that_everybody_computes() {
    assert_eq!(user().address().to_string(), "0x14791697260E4c9A71f18484C9f997B308e59325");
    assert_eq!(broker().address().to_string(), "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A");
    assert_eq!(session_key().address().to_string(), "0x1563915e194D8CfBA1943570603F7606A3115508");
}

#[test]
fn secret_keys_lie_between_zero_and_the_order() {
    let key = |bytes| SigningKey::from_bytes(bytes).map(|key| key.address());
    assert_eq!(key([0; 32]), Err(SigningKeyError::OutOfRange));
    assert_eq!(key(CURVE_ORDER), Err(SigningKeyError::OutOfRange));
    assert_eq!(key([0xff; 32]), Err(SigningKeyError::OutOfRange));
    let mut last = CURVE_ORDER;
    last[31] -= 1;
    assert!(key(last).is_ok());
    let mut one = [0; 32];
    one[31] = 1;
    assert_eq!(key(one).unwrap().to_string(), ADDRESS_OF_ONE);
}

#[test]
fn secret_keys_are_hex_with_or_without_prefix() {
    let parse = |text: &str| text.parse::<SigningKey>().map(|key| key.address());
    assert_eq!(parse(&"11".repeat(32)), Ok(broker().address()));
    assert_eq!(parse(&format!("0x{}", "11".repeat(32))), Ok(broker().address()));
    assert_eq!(parse("11"), Err(SigningKeyError::WrongLength { actual: 1 }));
    assert_eq!(parse(""), Err(SigningKeyError::WrongLength { actual: 0 }));
    assert_eq!(parse(&"11".repeat(33)), Err(SigningKeyError::WrongLength { actual: 33 }));
    assert_eq!(parse(&"1g".repeat(32)), Err(SigningKeyError::Hex(HexError::Malformed)));
    assert_eq!(parse(&"1".repeat(63)), Err(SigningKeyError::Hex(HexError::Malformed)));
}

#[test]
fn neither_a_key_nor_an_error_shows_the_secret() {
    let key = broker();
    assert_eq!(format!("{key:?}"), format!("SigningKey({})", key.address()));
    for text in ["11".repeat(33), "1g".repeat(32), "00".repeat(32), "ff".repeat(32)] {
        let error = text.parse::<SigningKey>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains(&text[..4]), "{error:?}");
    }
}

#[test]
fn signs_the_same_bytes_every_time() {
    let digest = keccak256(&[b"message"]);
    assert_eq!(user().sign(digest), user().sign(digest));
    assert_ne!(user().sign(digest), broker().sign(digest));
}

#[test]
fn public_keys_are_uncompressed_or_compressed() {
    for text in [UNCOMPRESSED, COMPRESSED] {
        let prefixed = format!("0x{text}");
        for text in [text, &prefixed, &text.to_uppercase()] {
            let key = parse(text).unwrap();
            assert_eq!(key.address().to_string(), ADDRESS_OF_ONE);
            assert_eq!(key.to_string(), format!("0x{UNCOMPRESSED}"));
        }
    }
}

#[test]
fn the_other_compressed_prefix_is_the_other_point() {
    let other = parse(&COMPRESSED.replacen("02", "03", 1)).unwrap();
    assert_ne!(other.address().to_string(), ADDRESS_OF_ONE);
}

#[test]
fn refuses_bare_public_keys() {
    assert_eq!(parse(&UNCOMPRESSED[2..]), Err(PublicKeyError::Bare));
    assert_eq!(parse(&format!("0x{}", &UNCOMPRESSED[2..])), Err(PublicKeyError::Bare));
}

#[test]
fn refuses_points_off_the_curve() {
    let off = format!("{}9", &UNCOMPRESSED[..129]);
    assert_eq!(parse(&off), Err(PublicKeyError::NotOnCurve));
    assert_eq!(parse(&format!("02{:0>64}", 5)), Err(PublicKeyError::NotOnCurve));
    assert_eq!(parse(&format!("04{}", "00".repeat(64))), Err(PublicKeyError::NotOnCurve));
    assert_eq!(parse(&format!("02{}", "ff".repeat(32))), Err(PublicKeyError::NotOnCurve));
}

#[test]
fn refuses_other_prefixes_and_lengths_and_digits() {
    for prefix in [0, 2, 3, 5, 6, 7, 0xff] {
        let text = format!("{prefix:02x}{}", &UNCOMPRESSED[2..]);
        assert_eq!(parse(&text), Err(PublicKeyError::WrongPrefix { prefix }));
    }
    for prefix in [0, 1, 4, 5, 6, 7] {
        let text = format!("{prefix:02x}{}", &COMPRESSED[2..]);
        assert_eq!(parse(&text), Err(PublicKeyError::WrongPrefix { prefix }));
    }
    for actual in [0, 1, 20, 32, 34, 63, 66, 1000] {
        assert_eq!(parse(&"04".repeat(actual)), Err(PublicKeyError::WrongLength { actual }));
    }
    for text in ["0x04zz", "04zz", "4", "0x0x04", " 04", "é"] {
        assert_eq!(parse(text), Err(PublicKeyError::Hex(HexError::Malformed)), "{text}");
    }
}

proptest! {
    #[test]
    fn a_public_key_keeps_its_address_as_text(secret: [u8; 32]) {
        if let Ok(key) = SigningKey::from_bytes(secret) {
            let public = parse(&key.public_key().to_string()).unwrap();
            prop_assert_eq!(public.address(), key.address());
        }
    }
}
