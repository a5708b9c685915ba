//! Holds `docs/vectors/*.json` to the code: every field is computed anew from `purpose`, `scheme`, `key` and
//! `input`, and has to be there exactly.
//!
//! To add a vector, write these four into a file and run the test: it fails with the whole file as it
//! should be.

use serde_json::{Value, json};

use crate::crypto::{
    Allocation, CustodyDomain, Definition, Digests, DirectParams, DirectState, Intent, LoginChallenge,
    LoginText, NitroText, RequestText, ResponseText, RoomText, Signable, Signed, SigningKey,
    VirtualAllocation, VirtualAllocations, VirtualIntent, VirtualState, eip191_digest, keccak256,
};
use crate::primitives::{
    Address, ChainId, ChannelId, Digest, Timestamp, Token, Version, decode_hex, encode_hex,
};

macro_rules! vectors {
    ($($test:ident: $file:literal),* $(,)?) => {
        $(
            #[test]
            fn $test() {
                check(include_str!(concat!("../../../../docs/vectors/", $file)), $file);
            }
        )*
    };
}

vectors! {
    logins_are_as_published: "login.json",
    requests_are_as_published: "request.json",
    responses_are_as_published: "response.json",
    room_texts_are_as_published: "room.json",
    nitro_texts_are_as_published: "nitrorpc.json",
    direct_states_are_as_published: "direct_state.json",
    challenges_are_as_published: "challenge.json",
    virtual_states_are_as_published: "virtual_state.json",
    channel_ids_are_as_published: "channel_id.json",
}

fn check(file: &str, name: &str) {
    let published: Vec<Value> = serde_json::from_str(file).unwrap();
    assert!(!published.is_empty());
    let expected: Vec<Value> = published.iter().map(computed).collect();
    let text = serde_json::to_string_pretty(&expected).unwrap();
    assert_eq!(published, expected, "{name} should be:\n{text}\n");
}

/// The vector as it should be, from what it is given by.
fn computed(vector: &Value) -> Value {
    let (purpose, input) = (text(&vector["purpose"]), &vector["input"]);
    if purpose.ends_with(" channel id") {
        let (message, id) = channel_id(purpose, input);
        return json!({ "purpose": purpose, "input": input, "message": message, "id": id });
    }
    let scheme = text(&vector["scheme"]);
    let signed = signed_bytes(purpose, scheme, input);
    let digest = if scheme == "eip191" { eip191_digest(&signed.bytes) } else { keccak256(&[&signed.bytes]) };
    let key: SigningKey = parsed(&vector["key"]);
    let signature = key.sign(digest);
    assert!(Signed::verify(Named(signed.digests), &[signature], &[key.address()]).is_ok());
    json!({
        "purpose": purpose,
        "scheme": scheme,
        "key": vector["key"],
        "address": key.address(),
        "input": input,
        "message": signed.message,
        "digest": digest,
        "signature": signature,
    })
}

struct Named(Digests);

impl Signable for Named {
    fn digests(&self) -> Digests {
        self.0.clone()
    }
}

/// What is signed, how it is shown, and what it verifies under.
struct SignedBytes {
    bytes: Vec<u8>,
    message: String,
    digests: Digests,
}

fn signed_bytes(purpose: &str, scheme: &str, input: &Value) -> SignedBytes {
    let of_text = |text: &dyn ToString, digests| {
        let message = text.to_string();
        SignedBytes { bytes: message.clone().into_bytes(), message, digests }
    };
    let of_bytes =
        |bytes: &[u8], digests| SignedBytes { bytes: bytes.to_vec(), message: encode_hex(bytes), digests };
    let custody = || CustodyDomain::new(chain_id(&input["chain_id"]), parsed(&input["custody"]));
    match (purpose, scheme) {
        ("login", "raw" | "eip191") => {
            let login = login(input);
            of_text(&login, login.digests())
        }
        ("request", "raw" | "eip191") => {
            let request = RequestText::new(parsed(&input["broker"]), text(&input["req"]));
            of_text(&request, request.digests())
        }
        ("response", "raw" | "eip191") => {
            let response = ResponseText::new(parsed(&input["broker"]), text(&input["res"]));
            of_text(&response, response.digests())
        }
        ("room", "raw" | "eip191") => {
            let room = RoomText::new(parsed(&input["channel"]), text(&input["raw"]));
            of_text(&room, room.digests())
        }
        ("nitrorpc", "raw" | "eip191") => {
            let nitro = NitroText::new(text(&input["raw"])).unwrap();
            of_text(&nitro, nitro.digests())
        }
        ("direct state", "raw" | "eip191") => {
            let state = direct_state(input);
            of_bytes(&state.packed(), state.digests())
        }
        ("direct state", "eip712") => {
            let state = direct_state(input);
            of_bytes(&custody().typed_state(&state), Digests::of_state_on(&custody(), &state))
        }
        ("challenge", "raw" | "eip191") => {
            let packed = direct_state(input).packed_challenge();
            of_bytes(&packed, Digests::of_bytes(&packed))
        }
        ("challenge", "eip712") => {
            let state = direct_state(input);
            let digest = custody().challenge_digest(&state);
            of_bytes(&custody().typed_challenge(&state), Digests::of_typed_data(digest))
        }
        ("virtual state", "eip712") => {
            let state = virtual_state(input);
            of_bytes(&state.typed_bytes(), state.digests())
        }
        other => panic!("no such purpose and scheme: {other:?}"),
    }
}

fn channel_id(purpose: &str, input: &Value) -> (String, ChannelId) {
    match purpose {
        "direct channel id" => {
            let params = direct_params(input);
            (encode_hex(&params.packed()), params.channel_id())
        }
        "virtual channel id" => {
            let definition = definition(input);
            (definition.to_json(), definition.channel_id())
        }
        other => panic!("no such purpose: {other}"),
    }
}

fn login(input: &Value) -> LoginText {
    LoginText {
        broker: parsed(&input["broker"]),
        challenge: LoginChallenge::from_bytes(*parsed::<Digest>(&input["challenge"]).as_bytes()),
        expires_at: Timestamp::from_millis(number(&input["expires_at"])),
    }
}

fn direct_params(input: &Value) -> DirectParams {
    DirectParams {
        participants: list(&input["participants"], parsed).try_into().unwrap(),
        adjudicator: parsed(&input["adjudicator"]),
        challenge_secs: number(&input["challenge"]),
        nonce: number(&input["nonce"]),
        chain_id: chain_id(&input["chain_id"]),
    }
}

fn direct_state(input: &Value) -> DirectState {
    let allocation = |line: &Value| Allocation {
        destination: parsed(&line["destination"]),
        token: parsed(&line["token"]),
        amount: parsed(&line["amount"]),
    };
    DirectState {
        channel_id: parsed(&input["channel_id"]),
        intent: Intent::from_number(number(&input["intent"]).try_into().unwrap()).unwrap(),
        version: version(&input["version"]),
        data: decode_hex(text(&input["state_data"])).unwrap(),
        allocations: list(&input["allocations"], allocation).try_into().unwrap(),
    }
}

fn virtual_state(input: &Value) -> VirtualState {
    let allocation = |line: &Value| VirtualAllocation {
        participant: parsed(&line["participant"]),
        token: Token { chain_id: chain_id(&line["chainId"]), address: parsed(&line["token"]) },
        amount: parsed(&line["amount"]),
    };
    let allocations = list(&input["allocations"], allocation);
    let members: Vec<Address> = list(&input["members"], parsed);
    let ordered = VirtualAllocations::new(&members, allocations.iter().copied()).unwrap();
    assert_eq!(ordered.as_slice(), allocations, "published allocations are in order");
    let data_hash = VirtualState::hash_of_data(input["data"].as_str());
    assert_eq!(text(&input["dataHash"]), data_hash.to_string());
    VirtualState {
        broker: parsed(&input["broker"]),
        channel_id: parsed(&input["channelId"]),
        version: version(&input["version"]),
        intent: match number(&input["intent"]) {
            0 => VirtualIntent::Operate,
            1 => VirtualIntent::Deposit,
            2 => VirtualIntent::Withdraw,
            3 => VirtualIntent::Close,
            other => panic!("no such intent: {other}"),
        },
        data_hash,
        allocations: ordered,
    }
}

fn definition(input: &Value) -> Definition {
    Definition {
        application: text(&input["application"]).to_owned(),
        protocol: text(&input["protocol"]).to_owned(),
        participants: list(&input["participants"], parsed),
        weights: list(&input["weights"], number),
        quorum: number(&input["quorum"]),
        challenge: number(&input["challenge"]),
        nonce: number(&input["nonce"]),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("no number: {value}"))
}

fn chain_id(value: &Value) -> ChainId {
    ChainId::new(number(value))
}

fn version(value: &Value) -> Version {
    Version::new(number(value)).unwrap()
}

fn parsed<T: std::str::FromStr>(value: &Value) -> T {
    text(value).parse().unwrap_or_else(|_| panic!("malformed: {value}"))
}

fn list<T>(value: &Value, item: impl Fn(&Value) -> T) -> Vec<T> {
    value.as_array().unwrap_or_else(|| panic!("no list: {value}")).iter().map(item).collect()
}
