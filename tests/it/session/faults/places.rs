//! What is wrong with the form of a request: types, fields and envelopes.

use serde_json::{Value, json};

use super::super::stage::Draft;
use super::super::world::World;
use super::Fault;

/// Every place in a JSON value, as pointers; the first is the value itself.
pub(in super::super) fn all(value: &Value) -> Vec<String> {
    fn walk(value: &Value, pointer: &str, found: &mut Vec<String>) {
        found.push(pointer.to_owned());
        match value {
            Value::Array(items) => {
                for (place, item) in items.iter().enumerate() {
                    walk(item, &format!("{pointer}/{place}"), found);
                }
            }
            Value::Object(fields) => {
                for (name, field) in fields {
                    walk(field, &format!("{pointer}/{name}"), found);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut found = Vec::new();
    walk(value, "", &mut found);
    found
}

/// With something else at a place.
pub(super) fn with(value: &Value, pointer: &str, other: Value) -> Value {
    let mut changed = value.clone();
    *changed.pointer_mut(pointer).unwrap() = other;
    changed
}

/// Values of every kind but that of this one.
fn other_types(value: &Value) -> Vec<Value> {
    let kinds = [json!(true), json!(7), json!("seven"), json!([[]]), json!({"x": 1})];
    let is_alike = |other: &Value| std::mem::discriminant(other) == std::mem::discriminant(value);
    let mut others: Vec<Value> = kinds.into_iter().filter(|kind| !is_alike(kind)).collect();
    if value.is_number() {
        // Numbers that no field can have.
        others.extend([json!(-1), json!(1.5), json!(1.0), json!(1e300)]);
    }
    others
}

/// Another type at every place below the parameters themselves.
pub(super) fn types(draft: &Draft) -> Vec<Fault> {
    let mut faults = Vec::new();
    for pointer in all(&draft.params).into_iter().skip(1) {
        for other in other_types(draft.params.pointer(&pointer).unwrap()) {
            let what = format!("{other} at {pointer}");
            let params = with(&draft.params, &pointer, other).to_string();
            faults.push(Fault::written(draft, params, what, "invalid_params"));
        }
    }
    faults
}

/// Parameters that may be missing.
const OPTIONAL: [&str; 10] = [
    "status",
    "limit",
    "cursor",
    "account_id",
    "session_data",
    "accept_within_secs",
    "application",
    "challenge",
    "chain_id",
    "app_session_id",
];

/// Whether a method can do without a parameter at its top level.
fn is_optional(method: &str, pointer: &str) -> bool {
    let Some(name) = pointer.strip_prefix('/').filter(|name| OPTIONAL.contains(name)) else { return false };
    match name {
        "chain_id" => method == "get_assets",
        "app_session_id" => method == "get_app_sessions",
        _ => true,
    }
}

/// Fields that are missing, too many, or there twice, at every depth.
pub(super) fn fields(draft: &Draft) -> Vec<Fault> {
    let mut faults = Vec::new();
    for pointer in all(&draft.params) {
        let Some(object) = draft.params.pointer(&pointer).unwrap().as_object() else { continue };
        let mut more = object.clone();
        more.insert("surplus".to_owned(), json!(1));
        let params = with(&draft.params, &pointer, Value::Object(more)).to_string();
        faults.push(Fault::written(draft, params, format!("surplus in {pointer}"), "invalid_params"));
        for name in object.keys() {
            let field = format!("{pointer}/{name}");
            let params = twice(&draft.params, &field);
            faults.push(Fault::written(draft, params, format!("{field} twice"), "invalid_params"));
            if is_optional(draft.method, &field) {
                continue;
            }
            for (how, fewer) in [("missing", None), ("null", Some(Value::Null))] {
                let mut fields = object.clone();
                match fewer {
                    Some(null) => fields.insert(name.clone(), null),
                    None => fields.remove(name),
                };
                let params = with(&draft.params, &pointer, Value::Object(fields)).to_string();
                faults.push(Fault::written(draft, params, format!("{field} {how}"), "invalid_params"));
            }
        }
    }
    faults
}

/// The text of a value with one field written twice.
fn twice(value: &Value, field: &str) -> String {
    let (parent, name) = field.rsplit_once('/').unwrap();
    let marked = with(value, parent, {
        let mut object = value.pointer(parent).unwrap().as_object().unwrap().clone();
        object.insert("\u{1}".to_owned(), object[name].clone());
        Value::Object(object)
    });
    marked.to_string().replace("\"\\u0001\"", &json!(name).to_string())
}

/// Everything around the parameters: the envelope, the carried states, the frame.
pub(super) fn envelopes(world: &World, draft: &Draft) -> Vec<Fault> {
    let right: Value = serde_json::from_str(&draft.ask(world).frame()).unwrap();
    let mut faults = Vec::new();
    let mut put = |pointer: String, other: Value, code| {
        let what = format!("{other} at {pointer}");
        let change = move |_: &World, frame: String| {
            let frame: Value = serde_json::from_str(&frame).unwrap();
            with(&frame, &pointer, other.clone()).to_string()
        };
        faults.push(Fault::frame(draft, change, what, code));
    };
    for wrong in [json!(0), json!(-1), json!(1.5), json!("1"), json!(9_007_199_254_740_992_u64)] {
        put("/data/req/0".to_owned(), wrong, "invalid_envelope");
    }
    put("/data/req/1".to_owned(), json!(7), "invalid_envelope");
    put("/data/req/1".to_owned(), json!("steal"), "unknown_method");
    for wrong in [json!(null), json!([]), json!("{}"), json!(7)] {
        put("/data/req/2".to_owned(), wrong, "invalid_envelope");
    }
    for wrong in [json!(-1), json!(1.5), json!("1"), json!(null)] {
        put("/data/req/3".to_owned(), wrong, "invalid_envelope");
    }
    for wrong in [json!("0x"), json!(["0x"]), json!([7]), json!({}), json!(true)] {
        put("/data/sig".to_owned(), wrong, "invalid_envelope");
    }
    for wrong in [json!([7]), json!([[]]), json!([{}]), json!({}), json!("0x")] {
        put("/data/states".to_owned(), wrong, "invalid_envelope");
    }
    for wrong in [json!([]), json!("{}"), json!(7)] {
        put("/data".to_owned(), wrong, "invalid_envelope");
    }
    put("/data".to_owned(), json!(null), "invalid_frame");
    put("/type".to_owned(), json!(7), "invalid_frame");
    put("/type".to_owned(), json!("dance"), "unknown_type");
    put("/id".to_owned(), json!(1.5), "invalid_frame");
    for pointer in all(&right["data"]["states"]).into_iter().skip(1) {
        let place = format!("/data/states{pointer}");
        let found = right.pointer(&place).unwrap().clone();
        for other in other_types(&found) {
            put(place.clone(), other, "invalid_envelope");
        }
        let Some(object) = found.as_object() else { continue };
        let mut more = object.clone();
        more.insert("surplus".to_owned(), json!(1));
        put(place.clone(), Value::Object(more), "invalid_envelope");
        for name in object.keys() {
            let mut fewer = object.clone();
            fewer.remove(name);
            put(place.clone(), Value::Object(fewer), "invalid_envelope");
        }
    }
    let objects = all(&right).into_iter().filter(|pointer| {
        let is_of_envelope = pointer.is_empty() || pointer == "/data" || pointer.starts_with("/data/states/");
        is_of_envelope && right.pointer(pointer).unwrap().is_object()
    });
    for pointer in objects {
        for name in right.pointer(&pointer).unwrap().as_object().unwrap().keys() {
            let field = format!("{pointer}/{name}");
            let code = if pointer.is_empty() { "malformed_frame" } else { "invalid_envelope" };
            let what = format!("{field} twice");
            let change =
                move |_: &World, frame: String| twice(&serde_json::from_str(&frame).unwrap(), &field);
            faults.push(Fault::frame(draft, change, what, code));
        }
    }
    faults
}
