//! The id of a frame, repeated by its answer.

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::protocol::envelope::RequestId;
use crate::protocol::limits::FRAME_ID_BYTES_MAX;

/// A JSON string or whole number of at most [`FRAME_ID_BYTES_MAX`] bytes, repeated exactly as it was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameId(String);

impl FrameId {
    /// The id that is written like this in JSON, such as `7` or `"a"`; `None` when it can be none.
    #[must_use]
    pub fn from_json(json: &str) -> Option<Self> {
        let is_whole = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let is_quoted = json.starts_with('"') && json.ends_with('"');
        let is_fit = is_quoted || is_whole(json.strip_prefix('-').unwrap_or(json));
        let is_json = || serde_json::from_str::<&RawValue>(json).is_ok();
        (json.len() <= FRAME_ID_BYTES_MAX && is_fit && is_json()).then(|| Self(json.to_owned()))
    }

    /// As it is written in JSON.
    #[must_use]
    pub fn as_json(&self) -> &str {
        &self.0
    }
}

impl From<RequestId> for FrameId {
    fn from(id: RequestId) -> Self {
        Self(id.to_string())
    }
}

impl Serialize for FrameId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_string_or_a_whole_number_and_repeated_as_written() {
        let long = format!("\"{}\"", "a".repeat(62));
        for json in ["7", "0", "-1", "99999999999999999999999999", "\"\"", r#""a""#, r#""\u0041\n""#, &long] {
            let id = FrameId::from_json(json).unwrap();
            assert_eq!(serde_json::to_string(&id).unwrap(), json);
        }
    }

    #[test]
    fn is_nothing_else() {
        let long = format!("\"{}\"", "a".repeat(63));
        for json in ["", "-", "01", "1.0", "1e3", "null", "true", "[]", "{}", "\"", "\"a\" ", " 1", &long] {
            assert_eq!(FrameId::from_json(json), None, "{json}");
        }
    }
}
