//! The array of four that `req` and `res` are.

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::primitives::Timestamp;
use crate::protocol::json::{JsonFault, Text, decode};
use crate::protocol::limits::METHOD_BYTES_MAX;
use crate::protocol::uint53::Uint53;

/// `[id, method, body, time]`; the body is what the request asks or the response answers.
pub(super) struct Header<Id> {
    pub(super) id: Id,
    pub(super) method: Text<METHOD_BYTES_MAX>,
    pub(super) body: Box<RawValue>,
    pub(super) at: Timestamp,
}

impl<Id: DeserializeOwned> Header<Id> {
    /// Reads the array; `name` is that of its field.
    ///
    /// # Errors
    /// Not an array of four; else the first slot that is wrong. The body is not looked into.
    pub(super) fn decode(array: &RawValue, name: &str) -> Result<Self, JsonFault> {
        let within = |fault: JsonFault| fault.within(name);
        let slots: Vec<Box<RawValue>> = decode(array.get()).map_err(within)?;
        let Ok([id, method, body, at]) = <[Box<RawValue>; 4]>::try_from(slots) else {
            return Err(JsonFault::at(
                name,
                "must be an array of four: id, method, parameters or result, time",
            ));
        };
        let in_slot = |slot: usize| move |fault: JsonFault| fault.within(&format!("[{slot}]")).within(name);
        let at: Uint53 = decode(at.get()).map_err(in_slot(3))?;
        Ok(Self {
            id: decode(id.get()).map_err(in_slot(0))?,
            method: decode(method.get()).map_err(in_slot(1))?,
            body,
            at: Timestamp::from_millis(at.get()),
        })
    }
}
