//! The login, from the challenge to the proof.

use super::golden::login;
use super::samples::{bob, sign, user};
use crate::crypto::{PublicKeyError, Signable, SignatureError, eip191_digest};
use crate::protocol::{Auth, AuthError, ClientBody, ClientFrame, Code, Refusal};

#[test]
fn an_answered_challenge_proves_the_address_of_the_key() {
    let auth = Auth::answer(&login(), &user());
    assert_eq!(auth.text(), Some(login()));
    assert_eq!(auth.prove(login()), Ok(user().address()));
}

#[test]
fn a_wallet_may_sign_the_challenge_as_a_message() {
    let signature = user().sign(eip191_digest(login().to_string().as_bytes()));
    let auth = Auth { signature: Some(signature.to_string()), ..Auth::answer(&login(), &user()) };
    assert_eq!(auth.prove(login()), Ok(user().address()));
}

#[test]
fn only_the_text_of_a_challenge_is_one() {
    let of = |message: &str| Auth { message: Some(message.to_owned()), ..Auth::default() }.text();
    assert_eq!(of(&login().to_string()), Some(login()));
    assert_eq!(of(&format!("{}\n", login())), None);
    assert_eq!(of("hello"), None);
    assert_eq!(Auth::default().text(), None);
}

#[test]
fn mistakes_are_told_in_this_order_with_the_digest_that_was_expected() {
    let right = Auth::answer(&login(), &user());
    let expected_digest = login().digests().first();

    let nothing = Auth { pub_key: None, signature: None, ..right.clone() };
    let error = AuthError::PublicKey(PublicKeyError::WrongLength { actual: 0 });
    assert_eq!(nothing.prove(login()), Err(error.clone()));
    assert_eq!(Refusal::from(&error).code, Code::InvalidPublicKey);

    let unsigned = Auth { signature: Some("0x00".to_owned()), ..right.clone() };
    let error = SignatureError::WrongLength { actual: 1 };
    let error = AuthError::Signature { error, expected_digest };
    assert_eq!(unsigned.prove(login()), Err(error.clone()));
    let refusal = Refusal::from(&error);
    assert_eq!(refusal.code, Code::BadSignature);
    assert_eq!(refusal.details.unwrap().expected_digest, Some(expected_digest));

    let of_bob = Auth { signature: Some(sign(&bob(), &login()).to_string()), ..right };
    let error = AuthError::OtherSigner { expected_digest, recovered: bob().address() };
    assert_eq!(of_bob.prove(login()), Err(error.clone()));
    let refusal = Refusal::from(&error);
    assert_eq!(refusal.code, Code::BadSignature);
    let details = refusal.details.unwrap();
    assert_eq!((details.expected_digest, details.recovered), (Some(expected_digest), Some(bob().address())));
}

#[test]
fn an_auth_frame_needs_nothing_but_its_type() {
    for text in [r#"{"type":"auth"}"#, r#"{"type":"auth","pub_key":null,"other":1}"#] {
        let ClientBody::Auth(auth) = ClientFrame::decode(text).unwrap().body else { panic!("{text}") };
        assert_eq!(auth, Auth::default());
    }
}
