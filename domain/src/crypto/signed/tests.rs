use super::*;
use crate::crypto::samples::{broker, initial_state, session_key, small_address, user};
use crate::crypto::{ResponseText, SigningKey, eip191_digest};
use crate::primitives::ChainId;

fn request() -> RequestText {
    RequestText::new(broker().address(), "[1,\"ping\",{},1700000000000]")
}

fn sign(key: &SigningKey) -> Signature {
    key.sign(request().hash())
}

/// A state whose data is the hash of the request, signed by these.
fn carried(keys: &[SigningKey]) -> Signed<DirectState> {
    state_with_data(request().hash().as_bytes(), keys)
}

fn state_with_data(data: &[u8], keys: &[SigningKey]) -> Signed<DirectState> {
    let state = DirectState { data: data.to_vec(), ..initial_state() };
    let signatures: Vec<Signature> = keys.iter().map(|key| key.sign(state.hash())).collect();
    let expected: Vec<Address> = keys.iter().map(SigningKey::address).collect();
    Signed::verify(state, &signatures, &expected).unwrap()
}

fn unknown(position: usize, recovered: Address) -> VerifyError {
    VerifyError::UnknownSigner { position, recovered, expected_digest: request().hash() }
}

#[test]
fn knows_who_signed_and_with_what() {
    let members = [user().address(), broker().address(), session_key().address()];
    let signatures = [sign(&user()), sign(&broker())];
    let signed = Signed::verify(request(), &signatures, &members).unwrap();
    assert_eq!(signed.body(), &request());
    let mut sorted = members[..2].to_vec();
    sorted.sort();
    assert_eq!(signed.signers().iter().collect::<Vec<_>>(), sorted);
    assert!(signed.signers().contains(user().address()));
    assert!(!signed.signers().contains(session_key().address()));
    assert_eq!(signed.signers().signature_of(user().address()), Some(signatures[0]));
    assert_eq!(signed.signers().signature_of(broker().address()), Some(signatures[1]));
    assert_eq!(signed.signers().signature_of(session_key().address()), None);
    let (body, signers) = signed.into_parts();
    assert!(body == request() && signers.contains(broker().address()));
}

#[test]
fn the_order_of_signatures_does_not_matter() {
    let members = [user().address(), broker().address()];
    let one = Signed::verify(request(), &[sign(&user()), sign(&broker())], &members);
    let other = Signed::verify(request(), &[sign(&broker()), sign(&user())], &members);
    assert_eq!(one, other);
}

#[test]
fn counts_what_software_and_what_wallets_sign() {
    let members = [user().address(), broker().address()];
    let by_wallet = user().sign(eip191_digest(request().to_string().as_bytes()));
    let signed = Signed::verify(request(), &[by_wallet, sign(&broker())], &members).unwrap();
    assert_eq!(signed.signers().signature_of(user().address()), Some(by_wallet));
}

#[test]
fn refuses_a_stranger_and_says_which_digest_was_expected() {
    let verify = |signatures: &[Signature], expected: &[Address]| {
        Signed::verify(request(), signatures, expected).unwrap_err()
    };
    let stranger = session_key().address();
    assert_eq!(verify(&[sign(&session_key())], &[user().address()]), unknown(0, stranger));
    assert_eq!(verify(&[sign(&session_key())], &[]), unknown(0, stranger));
    let beside_a_member = [sign(&user()), sign(&session_key())];
    assert_eq!(verify(&beside_a_member, &[user().address()]), unknown(1, stranger));
    let text = verify(&[sign(&session_key())], &[]).to_string();
    assert!(text.contains(&request().hash().to_string()), "{text}");
}

#[test]
fn refuses_a_signature_over_something_else() {
    let digest = ResponseText::new(broker().address(), "[]").hash();
    let error = Signed::verify(request(), &[user().sign(digest)], &[user().address()]).unwrap_err();
    let VerifyError::UnknownSigner { recovered, expected_digest, .. } = error else { panic!("{error}") };
    assert_ne!(recovered, user().address());
    assert_eq!(expected_digest, request().hash());
}

#[test]
fn refuses_one_signer_twice_even_in_two_ways() {
    let members = [user().address(), broker().address()];
    let by_wallet = user().sign(eip191_digest(request().to_string().as_bytes()));
    for again in [sign(&user()), by_wallet] {
        let error = Signed::verify(request(), &[sign(&user()), again], &members).unwrap_err();
        assert_eq!(error, VerifyError::DuplicateSigner { signer: user().address() });
    }
}

#[test]
fn refuses_to_be_signed_by_nobody() {
    let error = Signed::verify(request(), &[], &[user().address()]).unwrap_err();
    assert_eq!(error, VerifyError::NoSignature { expected_digest: request().hash() });
}

#[test]
fn reports_the_first_bad_signature() {
    let mut bytes = *sign(&user()).as_bytes();
    bytes[..32].copy_from_slice(&[0; 32]);
    bytes[31] = 5; // No point of the curve has x = 5.
    let impossible = Signature::from_slice(&bytes).unwrap();
    let unrecoverable = VerifyError::Signature(SignatureError::Unrecoverable);
    let duplicate = VerifyError::DuplicateSigner { signer: user().address() };
    let stranger = unknown(1, session_key().address());
    let cases = [
        (vec![sign(&user()), impossible, sign(&user())], unrecoverable),
        (vec![sign(&user()), sign(&user()), impossible], duplicate),
        (vec![sign(&user()), sign(&session_key()), impossible], stranger),
    ];
    for (signatures, expected) in cases {
        assert_eq!(Signed::verify(request(), &signatures, &[user().address()]), Err(expected));
    }
}

#[test]
fn a_state_may_be_signed_in_every_way_the_contract_accepts() {
    let custody = CustodyDomain::new(ChainId::new(31337), small_address(0xcc));
    let elsewhere = CustodyDomain::new(ChainId::new(31337), small_address(0xcd));
    let state = initial_state();
    let expected = [user().address()];
    let everywhere = [state.hash(), eip191_digest(&state.packed())];
    for digest in everywhere {
        let signature = [user().sign(digest)];
        assert!(Signed::verify(state.clone(), &signature, &expected).is_ok());
        assert!(Signed::verify_on(&custody, state.clone(), &signature, &expected).is_ok());
    }
    let typed = [user().sign(custody.state_digest(&state))];
    assert!(Signed::verify_on(&custody, state.clone(), &typed, &expected).is_ok());
    assert!(Signed::verify_on(&elsewhere, state.clone(), &typed, &expected).is_err());
    assert!(Signed::verify(state.clone(), &typed, &expected).is_err());
    let over_hash = [user().sign(eip191_digest(state.hash().as_bytes()))];
    assert!(Signed::verify_on(&custody, state, &over_hash, &expected).is_err());
}

#[test]
fn who_signed_a_carried_state_with_the_hash_of_the_request_signed_the_request() {
    let expected = [user().address(), broker().address()];
    let state = carried(&[user()]);
    let signed = Signed::verify_carrying(request(), &[], std::slice::from_ref(&state), &expected).unwrap();
    assert_eq!(signed.signers(), state.signers());
    let signed = Signed::verify_carrying(request(), &[sign(&broker())], &[state], &expected).unwrap();
    assert_eq!(signed.signers().iter().count(), 2);
}

#[test]
fn a_carried_state_with_other_data_proves_nothing_about_the_request() {
    let expected = [user().address()];
    let other_request = RequestText::new(broker().address(), "[2,\"ping\",{},1700000000000]").hash();
    let longer = [request().hash().as_bytes().as_slice(), &[0]].concat();
    for data in [&[], other_request.as_bytes().as_slice(), &request().hash().as_bytes()[..31], &longer] {
        let states = [state_with_data(data, &[user()])];
        let error = Signed::verify_carrying(request(), &[], &states, &expected).unwrap_err();
        assert_eq!(error, VerifyError::NoSignature { expected_digest: request().hash() });
        let by_itself = Signed::verify_carrying(request(), &[sign(&user())], &states, &expected).unwrap();
        assert_eq!(by_itself, Signed::verify(request(), &[sign(&user())], &expected).unwrap());
    }
}

#[test]
fn who_signed_the_request_and_a_carried_state_counts_once() {
    let expected = [user().address()];
    let states = [carried(&[user()]), carried(&[user()])];
    let signed = Signed::verify_carrying(request(), &[sign(&user())], &states, &expected).unwrap();
    assert_eq!(signed.signers().signature_of(user().address()), Some(sign(&user())));
    assert_eq!(signed.signers().iter().count(), 1);
}

#[test]
fn a_carried_state_of_a_stranger_is_refused() {
    let states = [carried(&[session_key()])];
    let error = Signed::verify_carrying(request(), &[sign(&user())], &states, &[user().address()]);
    assert_eq!(error, Err(unknown(1, session_key().address())));
}

#[test]
fn a_session_key_signs_for_its_participant_and_says_so() {
    let keys: Vec<SigningKey> = [1, 2, 3, 4].map(|byte| SigningKey::from_bytes([byte; 32]).unwrap()).into();
    let [alice, bob, key, stranger] = keys.as_slice() else { unreachable!() };
    let text = RequestText::new(Address::ZERO, "[1,\"any\",{},1]");
    let expected = [alice.address(), bob.address()];
    let delegates: Delegates = [(key.address(), alice.address())].into_iter().collect();
    let verify = |signers: &[&SigningKey], delegates: &Delegates| {
        let signatures: Vec<_> = signers.iter().map(|signer| signer.sign(text.hash())).collect();
        Signed::verify_for(text.clone(), &signatures, &expected, delegates)
            .map(|signed| signed.into_parts().1)
    };
    let signers = verify(&[key, bob], &delegates).unwrap();
    assert_eq!(signers.iter().collect::<Vec<_>>().len(), 2);
    assert_eq!(signers.key_of(alice.address()), Some(key.address()));
    assert_eq!(signers.key_of(bob.address()), None);
    assert_eq!(signers.signature_of(alice.address()), Some(key.sign(text.hash())));
    let twice = VerifyError::DuplicateSigner { signer: alice.address() };
    assert_eq!(verify(&[key, alice], &delegates), Err(twice));
    assert!(matches!(verify(&[stranger], &delegates), Err(VerifyError::UnknownSigner { .. })));
    assert!(matches!(verify(&[key], &Delegates::none()), Err(VerifyError::UnknownSigner { .. })));
    // Whose signature it is cannot be told.
    let of_both: Delegates = expected.map(|participant| (key.address(), participant)).into_iter().collect();
    assert!(matches!(verify(&[key], &of_both), Err(VerifyError::UnknownSigner { .. })));
    let of_stranger: Delegates = [(key.address(), stranger.address())].into_iter().collect();
    assert!(matches!(verify(&[key], &of_stranger), Err(VerifyError::UnknownSigner { .. })));
}
