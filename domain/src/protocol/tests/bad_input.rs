//! Everything that a frame must not be.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::golden::{Line, files};
use super::samples::{request, room_id};
use crate::protocol::method::Method;
use crate::protocol::{
    CallError, ClientBody, ClientFrame, Code, FRAME_BYTES_MAX, FrameError, FrameFault, JsonFault,
    MESSAGE_BYTES_MAX, Refusal, SIGNATURES_MAX, STATES_MAX, ServerFrame,
};

fn refused(text: &str) -> FrameError {
    ClientFrame::decode(text).map(|frame| panic!("{text} is {frame:?}")).unwrap_err()
}

/// The code and the field of the refusal that a client gets.
fn told(text: &str) -> (Code, Option<String>) {
    let refusal = Refusal::from(&refused(text).fault);
    (refusal.code, refusal.details.and_then(|details| details.field))
}

/// What a request with these parameters comes to.
fn call(method: Method, params: &str) -> Result<(), JsonFault> {
    let req = format!(r#"[1,"{}",{params},1700000000000]"#, method.name());
    let frame = format!(r#"{{"type":"rpc","data":{{"req":{req}}}}}"#);
    let ClientBody::Rpc(request) = ClientFrame::decode(&frame).unwrap().body else { panic!("{frame}") };
    match request.call() {
        Ok(_) => Ok(()),
        Err(CallError::Params(fault)) => Err(fault),
        Err(CallError::UnknownMethod) => panic!("{frame}"),
    }
}

#[test]
fn a_frame_cut_anywhere_is_malformed() {
    for line in files().values().flatten() {
        match line {
            Line::Client(text) => {
                for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
                    assert!(
                        matches!(refused(&text[..end]).fault, FrameFault::Malformed(_)),
                        "{end} of {text}"
                    );
                }
            }
            Line::Server(text) => {
                for end in 0..text.len() {
                    assert!(ServerFrame::decode(&text[..end]).is_err(), "{end} of {text}");
                }
            }
        }
    }
}

#[test]
fn frames_are_refused_with_the_code_and_the_field() {
    let room = room_id();
    let rpc = |data: &str| format!(r#"{{"type":"rpc","data":{data}}}"#);
    let req = |req: &str| rpc(&format!(r#"{{"req":{req},"sig":[]}}"#));
    let cases: Vec<(String, Code, Option<&str>)> = vec![
        (String::new(), Code::MalformedFrame, None),
        ("null".into(), Code::MalformedFrame, None),
        ("[]".into(), Code::MalformedFrame, None),
        (r#"["ping"]"#.into(), Code::MalformedFrame, None),
        ("{} {}".into(), Code::MalformedFrame, None),
        (r#"{"type":"ping","type":"ping"}"#.into(), Code::MalformedFrame, None),
        (r#"{"type":"ping","id":1,"id":1}"#.into(), Code::MalformedFrame, None),
        ("{}".into(), Code::InvalidFrame, Some("type")),
        (r#"{"type":null}"#.into(), Code::InvalidFrame, Some("type")),
        (r#"{"type":1}"#.into(), Code::InvalidFrame, Some("type")),
        (r#"{"type":["ping"]}"#.into(), Code::InvalidFrame, Some("type")),
        (r#"{"req":[1,"ping",{},1],"sig":[]}"#.into(), Code::UnsupportedDialect, None),
        (r#"{"res":[1,"ping",{},1],"sig":[]}"#.into(), Code::UnsupportedDialect, None),
        (r#"{"type":"pong"}"#.into(), Code::UnknownType, Some("type")),
        (r#"{"type":"PING"}"#.into(), Code::UnknownType, Some("type")),
        (r#"{"type":"ping","id":1.5}"#.into(), Code::InvalidFrame, Some("id")),
        (r#"{"type":"ping","id":{}}"#.into(), Code::InvalidFrame, Some("id")),
        (r#"{"type":"ping","id":true}"#.into(), Code::InvalidFrame, Some("id")),
        (format!(r#"{{"type":"ping","id":"{}"}}"#, "a".repeat(63)), Code::InvalidFrame, Some("id")),
        (r#"{"type":"auth","pub_key":1}"#.into(), Code::InvalidFrame, Some("pub_key")),
        (r#"{"type":"auth","message":{}}"#.into(), Code::InvalidFrame, Some("message")),
        (r#"{"type":"subscribe"}"#.into(), Code::InvalidFrame, Some("channel")),
        (r#"{"type":"subscribe","channel":"0x00"}"#.into(), Code::InvalidFrame, Some("channel")),
        (r#"{"type":"unsubscribe","channel":7}"#.into(), Code::InvalidFrame, Some("channel")),
        (
            format!(r#"{{"type":"subscribe","channel":"{room}","data":{{"epoch":1}}}}"#),
            Code::InvalidFrame,
            Some("data"),
        ),
        (
            format!(r#"{{"type":"subscribe","channel":"{room}","data":[1,2]}}"#),
            Code::InvalidFrame,
            Some("data"),
        ),
        (
            format!(r#"{{"type":"subscribe","channel":"{room}","data":{{"epoch":1,"seq":-1}}}}"#),
            Code::InvalidFrame,
            Some("data.seq"),
        ),
        (format!(r#"{{"type":"publish","channel":"{room}"}}"#), Code::InvalidFrame, Some("data")),
        (format!(r#"{{"type":"publish","channel":"{room}","data":null}}"#), Code::InvalidFrame, Some("data")),
        (r#"{"type":"rpc"}"#.into(), Code::InvalidFrame, Some("data")),
        (rpc("[]"), Code::InvalidEnvelope, Some("data")),
        (rpc("{}"), Code::InvalidEnvelope, Some("data.req")),
        (rpc(r#"{"req":null}"#), Code::InvalidEnvelope, Some("data.req")),
        (rpc(r#"{"req":{}}"#), Code::InvalidEnvelope, Some("data.req")),
        (rpc(r#"{"res":[1,"ping",{},1]}"#), Code::InvalidEnvelope, Some("data.res")),
        (rpc(r#"{"req":[1,"ping",{},1],"req":[1,"ping",{},1]}"#), Code::InvalidEnvelope, Some("data")),
        (req(r#"[1,"ping",{}]"#), Code::InvalidEnvelope, Some("data.req")),
        (req(r#"[1,"ping",{},1,1]"#), Code::InvalidEnvelope, Some("data.req")),
        (req(r#"[0,"ping",{},1]"#), Code::InvalidEnvelope, Some("data.req[0]")),
        (req(r#"[-1,"ping",{},1]"#), Code::InvalidEnvelope, Some("data.req[0]")),
        (req(r#"[1.0,"ping",{},1]"#), Code::InvalidEnvelope, Some("data.req[0]")),
        (req(r#"[1e3,"ping",{},1]"#), Code::InvalidEnvelope, Some("data.req[0]")),
        (req(r#"["1","ping",{},1]"#), Code::InvalidEnvelope, Some("data.req[0]")),
        (req(r#"[9007199254740992,"ping",{},1]"#), Code::InvalidEnvelope, Some("data.req[0]")),
        (
            req(r#"[99999999999999999999999999999999,"ping",{},1]"#),
            Code::InvalidEnvelope,
            Some("data.req[0]"),
        ),
        (req(r#"[1,5,{},1]"#), Code::InvalidEnvelope, Some("data.req[1]")),
        (req(&format!(r#"[1,"{}",{{}},1]"#, "m".repeat(65))), Code::InvalidEnvelope, Some("data.req[1]")),
        (req(r#"[1,"ping",null,1]"#), Code::InvalidEnvelope, Some("data.req[2]")),
        (req(r#"[1,"ping",[],1]"#), Code::InvalidEnvelope, Some("data.req[2]")),
        (req(r#"[1,"ping","{}",1]"#), Code::InvalidEnvelope, Some("data.req[2]")),
        (req(r#"[1,"ping",{},"1"]"#), Code::InvalidEnvelope, Some("data.req[3]")),
        (req(r#"[1,"ping",{},-1]"#), Code::InvalidEnvelope, Some("data.req[3]")),
        (req(r#"[1,"ping",{},1.5]"#), Code::InvalidEnvelope, Some("data.req[3]")),
        (req(r#"[1,"ping",{},1e999]"#), Code::InvalidEnvelope, Some("data.req[3]")),
        (rpc(r#"{"req":[1,"ping",{},1],"sig":"0x"}"#), Code::InvalidEnvelope, Some("data.sig")),
        (rpc(r#"{"req":[1,"ping",{},1],"sig":null}"#), Code::InvalidEnvelope, Some("data.sig")),
        (rpc(r#"{"req":[1,"ping",{},1],"sig":["0x00"]}"#), Code::InvalidEnvelope, Some("data.sig[0]")),
        (rpc(r#"{"req":[1,"ping",{},1],"states":[{}]}"#), Code::InvalidEnvelope, Some("data.states[0]")),
        (rpc(r#"{"req":[1,"ping",{},1],"states":[[]]}"#), Code::InvalidEnvelope, Some("data.states[0]")),
    ];
    for (text, code, field) in cases {
        assert_eq!(told(&text), (code, field.map(str::to_owned)), "{text}");
    }
}

#[test]
fn the_answer_to_a_bad_frame_repeats_its_id() {
    for text in [
        r#"{"id":"a","type":"what"}"#,
        r#"{"type":"subscribe","channel":1,"id":"a"}"#,
        r#"{"id":"a","req":[]}"#,
        r#"{"id":"a"}"#,
        r#"{"id":"a","type":"rpc","data":{"req":1}}"#,
    ] {
        assert_eq!(refused(text).id.unwrap().as_json(), "\"a\"", "{text}");
    }
    assert_eq!(refused(r#"{"type":"what"}"#).id, None);
    assert_eq!(refused(r#"{"type":"ping","id":[]}"#).id, None);
}

#[test]
fn frames_are_bounded_in_size_and_depth() {
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let publish = |data: &str| format!(r#"{{"type":"publish","channel":"{}","data":{data}}}"#, room_id());
    assert!(ClientFrame::decode(&publish(&deep(31))).is_ok());
    assert_eq!(refused(&publish(&deep(32))).fault, FrameFault::TooDeep);
    assert_eq!(refused(&publish(&deep(10_000))).fault, FrameFault::TooDeep);
    assert_eq!(refused(&"{\"a\":".repeat(10_000)).fault, FrameFault::TooDeep);
    assert_eq!(refused(&"[".repeat(10_000)).fault, FrameFault::TooDeep);

    let message = |bytes: usize| publish(&format!("\"{}\"", "a".repeat(bytes - 2)));
    assert!(ClientFrame::decode(&message(MESSAGE_BYTES_MAX)).is_ok());
    assert_eq!(refused(&message(MESSAGE_BYTES_MAX + 1)).fault, FrameFault::MessageTooLarge);

    let ping = |bytes: usize| format!(r#"{{"type":"ping"{}}}"#, " ".repeat(bytes - 15));
    assert!(ClientFrame::decode(&ping(FRAME_BYTES_MAX)).is_ok());
    assert_eq!(refused(&ping(FRAME_BYTES_MAX + 1)).fault, FrameFault::TooLarge);
    let too_large = ClientFrame::decode_bytes(&vec![0xff; FRAME_BYTES_MAX + 1]).unwrap_err();
    assert_eq!(too_large.fault, FrameFault::TooLarge);
}

#[test]
fn signatures_and_states_are_bounded() {
    let signed = request(Method::UpdateState);
    let state = signed.states()[0].clone();
    let with = |signatures, states| {
        let request = request(Method::UpdateState);
        let request = request.signed(vec![state.sig; signatures]).carrying(vec![state.clone(); states]);
        ClientFrame { id: None, body: ClientBody::Rpc(request) }.encode()
    };
    assert!(ClientFrame::decode(&with(SIGNATURES_MAX, STATES_MAX)).is_ok());
    let field = |field: &str| (Code::InvalidEnvelope, Some(field.to_owned()));
    assert_eq!(told(&with(SIGNATURES_MAX + 1, 0)), field("data.sig"));
    assert_eq!(told(&with(0, STATES_MAX + 1)), field("data.states"));
}

#[test]
fn bytes_that_are_no_text_are_malformed() {
    for bytes in [
        &b"\xff"[..],
        b"{\"type\":\"ping\",\"id\":\"\xc3\x28\"}",
        b"\xef\xbf",
        b"{\"type\":\"p\xed\xa0\x80\"}",
    ] {
        let fault = ClientFrame::decode_bytes(bytes).unwrap_err().fault;
        assert_eq!(fault, FrameFault::NotUtf8);
        assert_eq!(Refusal::from(&fault).code, Code::MalformedFrame);
    }
}

#[test]
fn fields_of_frames_that_nobody_knows_are_ignored() {
    for text in [
        r#"{"type":"ping","x":{"y":[1]},"version":2}"#,
        r#"{"type":"rpc","x":1,"data":{"req":[1,"ping",{},1],"sid":"0x00","sig":[]}}"#,
    ] {
        assert!(ClientFrame::decode(text).is_ok(), "{text}");
    }
}

/// Every place in a JSON value, with the path to it.
fn places(value: &Value, pointer: &str, path: &str, found: &mut Vec<(String, String)>) {
    found.push((pointer.to_owned(), path.to_owned()));
    if let Some(list) = value.as_array() {
        for (place, item) in list.iter().enumerate() {
            places(item, &format!("{pointer}/{place}"), &format!("{path}[{place}]"), found);
        }
    }
    if let Some(object) = value.as_object() {
        for (key, item) in object {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            places(item, &format!("{pointer}/{key}"), &path, found);
        }
    }
}

fn params_and_places(method: Method) -> (Value, Vec<(String, String)>) {
    let params: Value = serde_json::from_str(method.params_example()).unwrap();
    let mut found = Vec::new();
    places(&params, "", "", &mut found);
    (params, found)
}

#[test]
fn parameters_refuse_surplus_fields_at_every_depth() {
    let mut tried = 0;
    for method in Method::ALL.iter().copied() {
        let (params, places) = params_and_places(method);
        for (pointer, path) in places {
            let mut changed = params.clone();
            let Some(object) = changed.pointer_mut(&pointer).unwrap().as_object_mut() else { continue };
            object.insert("surplus".to_owned(), json!(1));
            let expected = if path.is_empty() { "surplus".to_owned() } else { format!("{path}.surplus") };
            assert_eq!(call(method, &changed.to_string()).unwrap_err().path, expected);
            tried += 1;
        }
    }
    assert!(tried > Method::ALL.len(), "nested objects were tried too");
}

#[test]
fn parameters_refuse_other_types_at_every_place() {
    let wrong =
        [json!(true), json!(-1), json!(1.5), json!(1e300), json!([[[]]]), json!("\u{0}"), json!({ "x": 1 })];
    for method in Method::ALL.iter().copied() {
        let (params, places) = params_and_places(method);
        for (pointer, path) in places.into_iter().filter(|(pointer, _)| !pointer.is_empty()) {
            let free_text = ["/session_data", "/cursor", "/application", "/protocol"];
            let is_free_text = free_text.iter().any(|end| pointer.ends_with(end));
            for wrong in wrong.iter().filter(|wrong| !(is_free_text && wrong.is_string())) {
                let mut changed = params.clone();
                *changed.pointer_mut(&pointer).unwrap() = wrong.clone();
                let fault = call(method, &changed.to_string()).unwrap_err();
                assert!(fault.path.starts_with(&path), "{path} = {wrong}: {fault}");
            }
        }
    }
}

#[test]
fn parameters_refuse_an_array_of_the_fields_instead_of_an_object() {
    for method in Method::ALL.iter().copied() {
        let (params, places) = params_and_places(method);
        for (pointer, path) in places.into_iter().filter(|(pointer, _)| !pointer.is_empty()) {
            let mut changed = params.clone();
            let place = changed.pointer_mut(&pointer).unwrap();
            let Some(object) = place.as_object() else { continue };
            *place = object.values().cloned().collect();
            assert_eq!(call(method, &changed.to_string()).unwrap_err().path, path);
        }
    }
}

#[test]
fn parameters_refuse_a_key_twice() {
    for method in Method::ALL.iter().copied() {
        let (params, _) = params_and_places(method);
        for (key, value) in params.as_object().unwrap() {
            let mut rest: Map<String, Value> = params.as_object().unwrap().clone();
            rest.remove(key);
            let rest: String = rest.iter().map(|(key, value)| format!(",\"{key}\":{value}")).collect();
            let twice = format!("{{\"{key}\":{value},\"{key}\":{value}{rest}}}");
            let fault = call(method, &twice).unwrap_err();
            assert!(fault.reason.contains("duplicate"), "{twice}: {fault}");
        }
    }
}

#[test]
fn parameters_without_a_required_field_name_it() {
    let optional = [
        "chain_id",
        "status",
        "limit",
        "cursor",
        "account_id",
        "session_data",
        "app_session_id",
        "accept_within_secs",
        "application",
    ];
    for method in Method::ALL.iter().copied() {
        let (params, _) = params_and_places(method);
        for key in params.as_object().unwrap().keys() {
            let mut changed = params.clone();
            changed.as_object_mut().unwrap().remove(key);
            let mut null = params.clone();
            null[key] = Value::Null;
            match call(method, &changed.to_string()) {
                Err(fault) => {
                    assert!(fault.reason.contains(&format!("missing field `{key}`")), "{fault}");
                    assert_eq!(call(method, &null.to_string()).unwrap_err().path, *key);
                }
                Ok(()) => {
                    assert!(optional.contains(&key.as_str()), "{key} of {}", method.name());
                    assert_eq!(call(method, &null.to_string()), Ok(()), "null is as good as absent");
                }
            }
        }
    }
}

#[test]
fn amounts_are_decimal_strings_of_smallest_units() {
    let token = "0x00000000000000000000000000000000000000bb";
    let ask = |amount: &str| {
        call(Method::CreateChannel, &format!(r#"{{"chain_id":1,"token":"{token}","amount":{amount}}}"#))
    };
    let max = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
    for amount in ["\"0\"", "\"1\"", &format!("\"{max}\"")] {
        assert_eq!(ask(amount), Ok(()), "{amount}");
    }
    let above = max.replace("9935", "9936");
    let huge = "9".repeat(10_000);
    for amount in [
        "0",
        "5",
        "1.0",
        "1e3",
        "-1",
        "null",
        "[]",
        "{}",
        "true",
        "\"\"",
        "\"-1\"",
        "\"+1\"",
        "\"1.0\"",
        "\"1.5\"",
        "\"1e3\"",
        "\"01\"",
        "\" 1\"",
        "\"1 \"",
        "\"0x1\"",
        "\"1_000\"",
        "\"1,0\"",
        "\"NaN\"",
        &format!("\"{above}\""),
        &format!("\"{huge}\""),
        &huge,
    ] {
        let fault = ask(amount).unwrap_err();
        assert_eq!(fault.path, "amount", "{amount}: {fault}");
        assert!(fault.to_string().len() < 500);
    }
}

#[test]
fn carried_states_refuse_whatever_is_not_a_state() {
    let text = serde_json::to_string(&request(Method::Transfer)).unwrap();
    let data: Value = serde_json::from_str(&text).unwrap();
    let refused_with = |pointer: &str, wrong: Value| {
        let mut changed = data.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        changed.pointer_mut(parent).unwrap()[key] = wrong;
        told(&json!({ "type": "rpc", "data": changed }).to_string())
    };
    for (pointer, wrong, field) in [
        ("/states/0/x", json!(1), "states[0].x"),
        ("/states/0/sig", json!("0x"), "states[0].sig"),
        ("/states/0/channel_id", json!("0x"), "states[0].channel_id"),
        ("/states/0/state/x", json!(1), "states[0].state.x"),
        ("/states/0/state/intent", json!(4), "states[0].state.intent"),
        ("/states/0/state/intent", json!("operate"), "states[0].state.intent"),
        ("/states/0/state/version", json!(9_007_199_254_740_992_u64), "states[0].state.version"),
        ("/states/0/state/version", json!(-1), "states[0].state.version"),
        ("/states/0/state/data", json!("00"), "states[0].state.data"),
        ("/states/0/state/data", json!(format!("0x{}", "00".repeat(257))), "states[0].state.data"),
        ("/states/0/state/allocations", json!([]), "states[0].state.allocations"),
        ("/states/0/state/allocations", json!([1, 2]), "states[0].state.allocations[0]"),
    ] {
        let expected = (Code::InvalidEnvelope, Some(format!("data.{field}")));
        assert_eq!(refused_with(pointer, wrong.clone()), expected, "{pointer} = {wrong}");
    }
}

#[test]
fn calls_in_a_room_are_one_request_or_one_response() {
    let rpc = |data: &str| format!(r#"{{"type":"rpc","channel":"{}","data":{data}}}"#, room_id());
    for (data, field) in [
        ("{}", "data.req"),
        (r#"{"req":[1,"a",{},1],"res":[1,"a",{},1]}"#, "data.res"),
        (r#"{"req":[0,"a",{},1]}"#, "data.req[0]"),
        (r#"{"res":[1,"a",{}]}"#, "data.res"),
    ] {
        assert_eq!(told(&rpc(data)), (Code::InvalidEnvelope, Some(field.to_owned())), "{data}");
    }
    let big = rpc(&format!(r#"{{"req":[1,"a",{{"x":"{}"}},1]}}"#, "a".repeat(MESSAGE_BYTES_MAX)));
    assert_eq!(told(&big).0, Code::MessageTooLarge);
    assert!(ClientFrame::decode(&rpc(r#"{"req":[1,"any",{"a":1,"a":2},1],"sig":[]}"#)).is_ok());
    let signed = serde_json::to_string(&request(Method::Transfer)).unwrap();
    assert_eq!(told(&rpc(&signed)), (Code::InvalidEnvelope, Some("data.states".to_owned())));
}

proptest! {
    #[test]
    fn no_bytes_bring_the_decoders_down(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = ClientFrame::decode_bytes(&bytes);
        let _ = ServerFrame::decode(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_changed_byte_brings_the_decoders_down(pick: prop::sample::Index, at: prop::sample::Index, byte: u8) {
        let lines: Vec<&Line> = files().values().flatten().collect();
        let (Line::Client(text) | Line::Server(text)) = lines[pick.index(lines.len())];
        let mut bytes = text.clone().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(ClientFrame { body: ClientBody::Rpc(request), .. }) = ClientFrame::decode_bytes(&bytes) {
            let _ = request.call();
        }
        let _ = ServerFrame::decode(&String::from_utf8_lossy(&bytes));
    }
}
