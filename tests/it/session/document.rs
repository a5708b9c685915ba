//! Which errors `docs/protocol.md` lists for a method.

use serde_json::Value;

const DOCUMENT: &str = include_str!("../../../docs/protocol.md");

/// What every request can be answered with, whatever its method.
const GENERAL: [&str; 15] = [
    "invalid_params",
    "conflict",
    "early",
    "expired",
    "too_old",
    "bad_signature",
    "unknown_signer",
    "duplicate_signer",
    "missing_signature",
    "session_key_forbidden",
    "session_key_cap",
    "unknown_session_key",
    "overloaded",
    "unavailable",
    "chain_unavailable",
];

/// Whether a frame may be refused with this code: any frame that is no request to the broker, and any that cannot
/// be read, may be refused with all codes.
pub(crate) fn lists(frame: &str, code: &str) -> bool {
    let Ok(frame) = serde_json::from_str::<Value>(frame) else {
        return true;
    };
    let method = frame["data"]["req"][1].as_str().filter(|_| frame["channel"].is_null());
    let of_frames = [
        "auth_required",
        "unknown_method",
        "invalid_envelope",
        "invalid_frame",
        "malformed_frame",
        "unknown_type",
    ];
    let is_of_frame = of_frames.contains(&code);
    method.is_none_or(|method| is_of_frame || GENERAL.contains(&code) || lists_for(method, code))
}

fn lists_for(method: &str, code: &str) -> bool {
    let heading = format!("\n### `{method}`\n");
    let section = DOCUMENT.split(&heading).nth(1).unwrap_or_else(|| panic!("{method} has no section"));
    let section = section.split("\n## ").next().unwrap().split("\n### ").next().unwrap();
    let errors = section.lines().find_map(|line| line.strip_prefix("Errors, in this order: "));
    errors.is_some_and(|errors| errors.contains(&format!("`{code}`")))
}
