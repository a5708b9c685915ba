//! What is wrong with a value of the right type: what cannot be read, and what can and is not right here.

use domain::primitives::{Address, Amount, ChannelId};
use serde_json::{Value, json};

use super::super::ask::of_nobody;
use super::super::stage::Draft;
use super::super::world::World;
use super::Fault;
use super::places::{all, with};

/// Every wrong value at every place.
pub(super) fn wrong(world: &World, draft: &Draft) -> Vec<Fault> {
    let mut faults = Vec::new();
    for pointer in all(&draft.params).into_iter().skip(1) {
        let found = draft.params.pointer(&pointer).unwrap();
        for other in malformed(name_of(&pointer), found) {
            let what = format!("{other} at {pointer}");
            let params = with(&draft.params, &pointer, other).to_string();
            faults.push(Fault::written(draft, params, what, "invalid_params"));
        }
        for (other, code) in out_of_place(world, draft, &pointer) {
            let what = format!("{other} at {pointer}");
            let mut spoilt = draft.clone();
            spoilt.params = with(&draft.params, &pointer, other);
            // Approved as it is, so that it is this that is wrong.
            let is_approval = pointer.starts_with("/approvals");
            let spoilt = if is_approval { spoilt } else { spoilt.approved(world) };
            faults.push(Fault::of(&spoilt, what, code));
        }
    }
    faults
}

/// The field that a place belongs to; of an element of a list, that of the list.
fn name_of(pointer: &str) -> &str {
    let mut steps = pointer.rsplit('/');
    steps.find(|step| step.parse::<usize>().is_err()).unwrap()
}

/// What cannot be read as the kind of value that this is.
fn malformed(name: &str, found: &Value) -> Vec<Value> {
    let Some(text) = found.as_str() else {
        return match found {
            Value::Array(items) if !items.is_empty() => vec![json!(vec![items[0].clone(); 300])],
            _ => Vec::new(),
        };
    };
    let spoilt: Vec<String> = if let Some(digits) = text.strip_prefix("0x") {
        let mut spoilt = vec![
            text[..text.len() - 1].to_owned(),
            format!("{text}0"),
            digits.to_owned(),
            format!("{}g{}", &text[..5], &text[6..]),
            String::new(),
        ];
        if text.len() == 132 {
            spoilt.push(format!("{}ff", &text[..130]));
        }
        if text.len() == 42 {
            spoilt.push(other_case(text));
        }
        spoilt
    } else if name == "amount" {
        let above = "115792089237316195423570985008687907853269984665640564039457584007913129639936";
        let spoilt = ["-1", "+1", "1.5", "1e2", "01", "0x10", "", " 1", "1_000", "NaN", above];
        spoilt.iter().map(|text| (*text).to_owned()).collect()
    } else if ["status", "intent", "scope"].contains(&name) {
        vec!["steal".to_owned(), String::new(), text.to_uppercase()]
    } else if name == "cursor" {
        vec!["x".repeat(129), "no page".to_owned(), "-1".to_owned()]
    } else {
        let long = if name == "session_data" { 65_537 } else { 129 };
        vec!["x".repeat(long)]
    };
    spoilt.into_iter().map(Value::String).collect()
}

/// One letter in the other case.
fn other_case(text: &str) -> String {
    let place = 2 + text[2..].find(|letter: char| letter.is_ascii_alphabetic()).unwrap();
    let letter = &text[place..=place];
    let other = if letter.to_lowercase() == letter { letter.to_uppercase() } else { letter.to_lowercase() };
    format!("{}{other}{}", &text[..place], &text[place + 1..])
}

/// What can be read and is not right at this place, with what it is refused with. Of a field that nothing is wrong in
/// there is an empty list; a field that is not mentioned fails the test.
fn out_of_place(world: &World, draft: &Draft, pointer: &str) -> Vec<(Value, &'static str)> {
    let (method, name) = (draft.method, name_of(pointer));
    let (mallory, broker) = (world.address("mallory"), world.broker.address());
    let zero = Address::from_bytes([0; 20]);
    let nowhere = json!(ChannelId::from_bytes([9; 32]));
    let in_room = ["submit_app_state", "close_app_session"].contains(&method);
    let is_opening = ["create_app_session", "propose_virtual_channel"].contains(&method);
    let accepts = method == "accept_virtual_channel";
    let is_list = draft.params.pointer(pointer).is_some_and(Value::is_array);
    match name {
        "channel_id" if method == "close_channel" => vec![(nowhere, "missing_state")],
        "app_session_id" if method == "get_app_sessions" => Vec::new(),
        "channel_id" | "app_session_id" => vec![(nowhere, "unknown_channel")],
        "account_id" | "status" => Vec::new(),
        "limit" => [0, 101].map(|limit| (json!(limit), "invalid_params")).to_vec(),
        "cursor" => vec![(json!("nowhere"), "invalid_params")],
        _ if accepts => vec![(changed(world, name, draft.params.pointer(pointer).unwrap()), "terms_differ")],
        "destination" => {
            let payer = world.address("alice");
            [zero, broker, payer].map(|nobody| (json!(nobody), "invalid_destination")).to_vec()
        }
        "chain_id" if ["get_assets", "create_channel", "settle"].contains(&method) => {
            vec![(json!(999), "unknown_chain")]
        }
        "chain_id" => vec![(json!(999), "unknown_token")],
        "token" => vec![(json!(mallory), "unknown_token"), (json!(zero), "unknown_token")],
        "amount" if ["create_channel", "delegate_session_key"].contains(&method) => Vec::new(),
        "amount" if in_room => vec![
            (json!("0"), "total_differs"),
            (json!("13"), "total_differs"),
            (json!(Amount::MAX), "invalid_amount"),
        ],
        "amount" => vec![(json!("0"), "invalid_amount"), (json!(Amount::MAX), too_much(method))],
        "participant" if method == "delegate_session_key" => vec![(json!(mallory), "invalid_params")],
        "participant" => vec![(json!(mallory), "not_a_member")],
        "allocations" if method == "transfer" && is_list => vec![(json!([]), "invalid_amount")],
        "allocations" if in_room && is_list => vec![(json!([]), "total_differs")],
        "allocations" => Vec::new(),
        "approvals" if is_list => vec![
            (json!([]), "quorum_not_reached"),
            (json!([draft.params["approvals"][0]]), "quorum_not_reached"),
            (json!([draft.params["approvals"][0], draft.params["approvals"][0]]), "duplicate_signer"),
        ],
        "approvals" => {
            let other =
                world.key("mallory").sign(domain::primitives::Digest::from_bytes([1; 32])).to_string();
            vec![(json!(of_nobody()), "bad_signature"), (json!(other), "unknown_signer")]
        }
        "version" => {
            [0, 1, 3, 9_007_199_254_740_991_u64].map(|version| (json!(version), "stale_version")).to_vec()
        }
        "intent" => ["deposit", "withdraw"].map(|intent| (json!(intent), "invalid_amount")).to_vec(),
        "session_data" | "application" => Vec::new(),
        "accept_within_secs" => [0, 86_401].map(|secs| (json!(secs), "invalid_params")).to_vec(),
        "protocol" => vec![(json!("Other/1"), "unsupported_protocol")],
        "participants" if method == "settle" && is_list => Vec::new(),
        "participants" if method == "settle" => vec![(json!(mallory), "invalid_state")],
        "participants" => participants(draft, pointer, is_list, zero),
        "weights" if is_list => vec![(json!([]), "invalid_definition"), (json!([50]), "invalid_definition")],
        "weights" => vec![(json!(0), "invalid_definition")],
        "quorum" => [0, 101].map(|quorum| (json!(quorum), "invalid_definition")).to_vec(),
        "challenge" if is_opening => vec![(json!(0), "invalid_definition")],
        "challenge" => {
            [1, 9_007_199_254_740_991_u64].map(|secs| (json!(secs), "challenge_too_short")).to_vec()
        }
        "nonce" if is_opening => vec![(json!(0), "invalid_definition")],
        "nonce" | "adjudicator" => {
            vec![(if name == "nonce" { json!(1) } else { json!(mallory) }, "invalid_state")]
        }
        "definition" | "channel" => Vec::new(),
        "session_key" if method == "revoke_session_key" => vec![(json!(mallory), "unknown_session_key")],
        "session_key" => vec![(json!(mallory), "unknown_signer")],
        "scope" if is_list => {
            [json!([]), json!(["rooms", "rooms"])].map(|scope| (scope, "invalid_params")).to_vec()
        }
        "scope" => Vec::new(),
        "caps" => Vec::new(),
        "asset" => vec![(json!("EUR"), "unknown_token")],
        "expires_at" => [0, 9_007_199_254_740_991_u64].map(|at| (json!(at), "invalid_params")).to_vec(),
        other => panic!("nobody says what is wrong in {other} of {method}"),
    }
}

/// What more than there can be comes to: in a proposal, to which both put in, the sum is none.
fn too_much(method: &str) -> &'static str {
    if method == "propose_virtual_channel" { "invalid_amount" } else { "insufficient_balance" }
}

/// Members that cannot be: of an opening by all members those who signed are none then.
fn participants(draft: &Draft, pointer: &str, is_list: bool, zero: Address) -> Vec<(Value, &'static str)> {
    let found = draft.params.pointer(pointer).unwrap();
    let code = if draft.method == "create_app_session" { "unknown_signer" } else { "invalid_definition" };
    if is_list {
        return vec![(json!([]), code), (json!([found[0]]), code)];
    }
    // Who is no Host proposes nothing, whoever is.
    let is_host = draft.method == "propose_virtual_channel" && pointer.ends_with("/0");
    vec![(json!(zero), if is_host { "wrong_role" } else { code })]
}

/// Something else of the same kind.
fn changed(world: &World, name: &str, found: &Value) -> Value {
    match name {
        "participant" | "token" => json!(world.address("mallory")),
        "chain_id" => json!(999),
        "amount" => json!("4"),
        "session_data" => json!("another"),
        _ => match found {
            Value::Array(lines) => json!([lines[0]]),
            line => {
                let mut line = line.clone();
                line["amount"] = json!("0");
                line
            }
        },
    }
}
