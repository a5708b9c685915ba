//! What an `rpc` frame carries in its `data`: requests, responses, and calls between members of a room.
//!
//! The text of `req` and `res` is kept as it came, because that is what was signed.

mod header;
mod request;
mod response;
mod room_call;

pub use request::{CallError, Request, RequestId};
pub use response::Response;
pub use room_call::{RoomCall, RoomSide};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::json::{JsonFault, list, objects};
use super::limits::{SIGNATURES_MAX, STATES_MAX};
use super::state::CarriedState;
use crate::crypto::Signature;

/// `data` of an `rpc` frame: `req` or `res`, and what was signed.
#[derive(Serialize, Deserialize)]
struct Envelope {
    #[serde(skip_serializing_if = "Option::is_none")]
    req: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    res: Option<Box<RawValue>>,
    #[serde(default, deserialize_with = "list::<_, _, SIGNATURES_MAX>")]
    sig: Vec<Signature>,
    #[serde(
        default,
        deserialize_with = "objects::<_, _, STATES_MAX>",
        skip_serializing_if = "Vec::is_empty"
    )]
    states: Vec<CarriedState>,
}

/// `value` as raw JSON.
///
/// # Panics
/// Never: what is given are plain structs, lists and texts.
fn raw<T: Serialize>(value: &T) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).expect("structs, lists and texts can always be written as JSON")
}

/// The field of an envelope that must be there.
fn required(field: Option<Box<RawValue>>, name: &str) -> Result<Box<RawValue>, JsonFault> {
    field.ok_or_else(|| JsonFault::at(name, "missing"))
}

/// The field of an envelope that must not be there.
fn absent(field: Option<&RawValue>, name: &str) -> Result<(), JsonFault> {
    if field.is_none() { Ok(()) } else { Err(JsonFault::at(name, "does not belong here")) }
}
