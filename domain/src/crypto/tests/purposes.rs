//! No signature made for one purpose counts for another, whatever is signed.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::crypto::samples::{initial_state, small_address};
use crate::crypto::{
    CustodyDomain, Digests, DirectState, Intent, LoginChallenge, LoginText, NitroText, RequestText,
    ResponseText, RoomText, Signable, Signed, SigningKey, VirtualAllocations, VirtualIntent, VirtualState,
    eip191_digest, keccak256,
};
use crate::primitives::{Address, ChainId, ChannelId, Digest, Timestamp, Version};

/// One of the purposes, with all digests under which it is signed.
struct Purpose {
    name: &'static str,
    digests: Digests,
}

impl Signable for Purpose {
    fn digests(&self) -> Digests {
        self.digests.clone()
    }
}

/// The same payload, signed for every purpose there is.
fn purposes(payload: &str, place: [u8; 32], version: u64) -> Vec<Purpose> {
    let channel_id = ChannelId::from_bytes(place);
    let mut broker = [0; 20];
    broker.copy_from_slice(&place[12..]);
    let broker = Address::from_bytes(broker);
    let version = Version::new(version).unwrap();
    let custody = CustodyDomain::new(ChainId::new(31337), small_address(0xcc));
    let direct = |intent: Intent, data: &[u8]| DirectState {
        channel_id,
        intent,
        version,
        data: data.to_vec(),
        ..initial_state()
    };
    let login = LoginText {
        broker,
        challenge: LoginChallenge::from_bytes(place),
        expires_at: Timestamp::from_millis(version.get()),
    };
    let request = RequestText::new(broker, payload);
    let operate = direct(Intent::Operate, request.hash().as_bytes());
    let finalize = direct(Intent::Finalize, payload.as_bytes());
    let virtual_state = |intent| VirtualState {
        broker,
        channel_id,
        version,
        intent,
        data_hash: keccak256(&[payload.as_bytes()]),
        allocations: VirtualAllocations::default(),
    };
    let challenge_on_custody = Digests::of_typed_data(custody.challenge_digest(&operate));
    let named = |name, digests| Purpose { name, digests };
    vec![
        named("login", login.digests()),
        named("request", request.digests()),
        named("response", ResponseText::new(broker, payload).digests()),
        named("room", RoomText::new(channel_id, payload).digests()),
        named("nitro", NitroText::new(&format!("[{payload:?}]")).unwrap().digests()),
        named("operate", Digests::of_state_on(&custody, &operate)),
        named("finalize", Digests::of_state_on(&custody, &finalize)),
        named("challenge", Digests::of_bytes(&operate.packed_challenge())),
        named("challenge on custody", challenge_on_custody),
        named("virtual operate", virtual_state(VirtualIntent::Operate).digests()),
        named("virtual close", virtual_state(VirtualIntent::Close).digests()),
    ]
}

/// A text as a payload: any, or one that looks like the beginning of a text for some purpose.
fn payloads() -> impl Strategy<Value = String> {
    let prefixes = prop::sample::select(vec![
        "",
        "[",
        "clearnet:auth:v1\nbroker: ",
        "clearnet:request:v1\n",
        "clearnet:response:v1\n",
        "clearnet:room:v1\n",
        "\x19Ethereum Signed Message:\n",
        "\x19\x01",
    ]);
    (prefixes, ".*").prop_map(|(prefix, rest)| format!("{prefix}{rest}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_signature_counts_for_its_own_purpose_alone(
        payload in payloads(),
        place: [u8; 32],
        version in 0..=Version::MAX.get(),
        secret in 1..=254_u8,
    ) {
        let key = SigningKey::from_bytes([secret; 32]).unwrap();
        for (i, made_for) in purposes(&payload, place, version).into_iter().enumerate() {
            for digest in made_for.digests.iter() {
                let signature = key.sign(digest);
                for (j, shown_for) in purposes(&payload, place, version).into_iter().enumerate() {
                    let name = shown_for.name;
                    let counts = Signed::verify(shown_for, &[signature], &[key.address()]).is_ok();
                    prop_assert_eq!(counts, i == j, "made for {}, shown for {}", made_for.name, name);
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn no_two_purposes_share_a_digest(
        payload in payloads(),
        place: [u8; 32],
        version in 0..=Version::MAX.get(),
    ) {
        let purposes = purposes(&payload, place, version);
        let digests: Vec<Digest> = purposes.iter().flat_map(|purpose| purpose.digests.iter()).collect();
        prop_assert_eq!(digests.iter().collect::<BTreeSet<_>>().len(), digests.len());
    }

    #[test]
    fn a_text_is_accepted_as_software_and_as_wallets_sign_it(payload in payloads(), secret in 1..=254_u8) {
        let key = SigningKey::from_bytes([secret; 32]).unwrap();
        let text = RequestText::new(small_address(1), &payload);
        for digest in [text.hash(), eip191_digest(text.to_string().as_bytes())] {
            let signed = Signed::verify(text.clone(), &[key.sign(digest)], &[key.address()]);
            prop_assert_eq!(signed.unwrap().signers().iter().collect::<Vec<_>>(), [key.address()]);
        }
    }
}
