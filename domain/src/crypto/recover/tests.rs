use proptest::prelude::*;

use super::*;
use crate::crypto::SigningKey;
use crate::crypto::samples::{broker, initial_state, session_key, user};

/// The bytes of a request in the NitroRPC dialect, and what its session key signed.
const REQUEST: &[u8] = br#"[1,"get_user_tag",{},1700000000000]"#;
const REQUEST_SIGNATURE: &str = "0xd1be4fb98e2926720fa80a396bb02a3a05259923b9e23e89bc252bd70ca1fbbd\
    69f00e6fb70b1421e7a648b23669bc361c8788c7e10e81f7ed50c1c6e18579201c";

#[test]
fn signs_a_request_as_the_official_client_does() {
    let digest = keccak256(&[REQUEST]);
    let expected = "0x0e2be07f0b4db1abf9d076f5e4c8c0dac3dfab2a05012fea2a9f04ae3caba889";
    assert_eq!(digest.to_string(), expected);
    let signature: Signature = REQUEST_SIGNATURE.parse().unwrap();
    assert_eq!(session_key().sign(digest), signature);
    assert_eq!(recover(digest, &signature), Ok(session_key().address()));
}

#[test]
fn signs_a_packed_state_as_wallets_do() {
    let expected = "0x93eaa6b03a5ccd7ad0cc0e172fcd3b999c3929cb9c90621b9104db7971ae4521\
        037898d21a034471bf8fcf4f1b971eb235856372674d5c487e9e9d2e83889db71b";
    let digest = eip191_digest(&initial_state().packed());
    assert_eq!(user().sign(digest).to_string(), expected);
    assert_eq!(recover(digest, &expected.parse().unwrap()), Ok(user().address()));
}

#[test]
fn a_message_is_prefixed_with_its_length_in_bytes() {
    let hello = eip191_digest("héllo".as_bytes());
    assert_eq!(hello, keccak256(&["\x19Ethereum Signed Message:\n6héllo".as_bytes()]));
}

#[test]
fn another_message_or_key_yields_another_address() {
    let digest = keccak256(&[REQUEST]);
    let by_another_key = broker().sign(digest);
    assert_ne!(recover(digest, &by_another_key), Ok(session_key().address()));
    let signature: Signature = REQUEST_SIGNATURE.parse().unwrap();
    assert_ne!(recover(keccak256(&[REQUEST, b" "]), &signature), Ok(session_key().address()));
}

#[test]
fn r_must_be_a_point_of_the_curve() {
    let digest = keccak256(&[REQUEST]);
    let mut bytes = *user().sign(digest).as_bytes();
    bytes[..32].copy_from_slice(&[0; 32]);
    bytes[31] = 5; // 5^3 + 7 has no square root in the field.
    let signature = Signature::from_slice(&bytes).unwrap();
    assert_eq!(recover(digest, &signature), Err(SignatureError::Unrecoverable));
}

proptest! {
    #[test]
    fn what_a_key_signs_recovers_to_it(secret: [u8; 32], digest: [u8; 32]) {
        let digest = Digest::from_bytes(digest);
        if let Ok(key) = SigningKey::from_bytes(secret) {
            let signature = key.sign(digest);
            prop_assert_eq!(Signature::from_slice(signature.as_bytes()), Ok(signature));
            prop_assert_eq!(recover(digest, &signature), Ok(key.address()));
        }
    }
}
