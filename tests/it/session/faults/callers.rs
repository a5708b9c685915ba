//! Who must not ask, or has not signed.

use domain::protocol::method::{Method, Signing};

use super::super::ask::of_nobody;
use super::super::stage::{Carried, Draft, KEY, KEY_THAT_PAYS, KEY_THAT_PLAYS};
use super::super::world::World;
use super::Fault;

/// What is private to a participant: for all others it does not exist.
const PRIVATE: [&str; 3] = ["get_state", "get_app_definition", "get_settlement"];

/// The right request by everybody who may not make it.
pub(super) fn wrong(world: &World, method: Method, draft: &Draft) -> Vec<Fault> {
    let mut faults = vec![without_login(draft)];
    if method.signing() == Signing::Session {
        if PRIVATE.contains(&draft.method) {
            for caller in strangers(draft) {
                let asked = Draft { caller, ..draft.clone() };
                faults.push(Fault::of(&asked, format!("by {caller}"), "unknown_channel"));
            }
        }
        return faults;
    }
    faults.extend(signatures(world, draft));
    faults.extend(others(method, draft));
    faults.extend(keys(method, draft));
    faults
}

fn without_login(draft: &Draft) -> Fault {
    let right = Fault::of(draft, "without a login", "auth_required");
    Fault { caller: None, ..right }
}

/// A member of the same room sees its terms.
fn strangers(draft: &Draft) -> Vec<&'static str> {
    if draft.method == "get_app_definition" { vec!["mallory"] } else { vec!["mallory", "bob"] }
}

fn signatures(world: &World, draft: &Draft) -> Vec<Fault> {
    let signed = |signers: &[&'static str]| Draft { signers: signers.to_vec(), ..draft.clone() };
    let bare = Draft { carried: Carried::Nothing, ..signed(&[]) };
    let mut more = draft.signers.clone();
    more.push("mallory");
    let mut twice = draft.signers.clone();
    if twice.is_empty() {
        twice.push(draft.caller);
    }
    twice.push(twice[0]);
    let put = |signature: String| {
        move |_: &World, frame: String| {
            let mut frame: serde_json::Value = serde_json::from_str(&frame).unwrap();
            frame["data"]["sig"] = serde_json::json!([signature]);
            // The text of the parameters is not what was signed any more, which does not matter here.
            frame.to_string()
        }
    };
    let elsewhere = world.key("mallory").sign(domain::primitives::Digest::from_bytes([2; 32])).to_string();
    vec![
        Fault::of(&bare, "unsigned", "missing_signature"),
        Fault::of(&signed(&more), "signed by a stranger too", "unknown_signer"),
        Fault::of(&signed(&["mallory"]), "signed by a stranger", "unknown_signer"),
        Fault::of(&signed(&twice), "signed twice", "duplicate_signer"),
        Fault::frame(&signed(&[]), put(of_nobody()), "a signature by nobody", "bad_signature"),
        Fault::frame(draft, put(elsewhere), "a signature under something else", "unknown_signer"),
    ]
}

/// The same bytes through the sessions of others.
fn others(method: Method, draft: &Draft) -> Vec<Fault> {
    let names_room = draft.params["app_session_id"].is_string();
    let other = if draft.caller == "alice" { "bob" } else { "alice" };
    let by = |caller, code| {
        let asked = Draft { caller, ..draft.clone() };
        Fault::of(&asked, format!("through the session of {caller}"), code)
    };
    let by_stranger = by("mallory", if names_room { "unknown_channel" } else { "unknown_signer" });
    match method {
        // Any of the members may hand it in; all who have signed are members, but not who asks.
        Method::CreateAppSession => vec![by("mallory", "missing_signature")],
        // Any member may; this one has not signed.
        Method::CloseAppSession => vec![by_stranger, by(other, "missing_signature")],
        _ => vec![by_stranger, by(other, "unknown_signer")],
    }
}

/// Signed by session keys that may not.
fn keys(method: Method, draft: &Draft) -> Vec<Fault> {
    let by = |key: &'static str| {
        let signers = draft.signers.iter().map(|label| if *label == draft.caller { key } else { label });
        let mut signers: Vec<&'static str> = signers.collect();
        if signers.is_empty() {
            signers.push(key);
        }
        // What a carried state with its hash has signed, no key needs to sign.
        let carried = match &draft.carried {
            Carried::Less(..) => Carried::Nothing,
            other => other.clone(),
        };
        let asked = Draft { signers, carried, ..draft.clone() };
        let code = if draft.caller == "alice" { "session_key_forbidden" } else { "unknown_signer" };
        Fault::of(&asked, format!("signed by {key}"), code)
    };
    match method {
        Method::UpdateState
        | Method::CloseChannel
        | Method::Settle
        | Method::DelegateSessionKey
        | Method::RevokeSessionKey => vec![by(KEY)],
        Method::Transfer => vec![by(KEY_THAT_PLAYS)],
        _ => vec![by(KEY_THAT_PAYS)],
    }
}
