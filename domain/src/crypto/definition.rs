//! The immutable terms of a virtual channel, and the id that follows from them.
//!
//! Deliberately absent: which terms are acceptable.

use std::fmt::Write as _;

use super::keccak::keccak256;
use crate::primitives::{Address, ChannelId};

/// The terms of a virtual channel; their hash is its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Which application it is for; empty when none is named.
    pub application: String,
    /// Which rules it follows.
    pub protocol: String,
    /// The members, in the order that weights and allocations follow.
    pub participants: Vec<Address>,
    /// How much the signature of each member counts.
    pub weights: Vec<u64>,
    /// How much signatures have to count together.
    pub quorum: u64,
    /// Its meaning depends on the protocol; in `Clearnet/1` the lifetime in seconds.
    pub challenge: u64,
    /// Makes the terms unique.
    pub nonce: u64,
}

impl Definition {
    /// The id of the virtual channel, the same in both dialects.
    #[must_use]
    pub fn channel_id(&self) -> ChannelId {
        ChannelId::from_bytes(*keccak256(&[self.to_json().as_bytes()]).as_bytes())
    }

    /// The text whose hash is the id: compact JSON with the keys in this order, strings as given, addresses
    /// with their checksum.
    pub(super) fn to_json(&self) -> String {
        let Self { quorum, challenge, nonce, .. } = self;
        let application = quoted(&self.application);
        let protocol = quoted(&self.protocol);
        let participants = list(self.participants.iter().map(|address| format!("\"{address}\"")));
        let weights = list(self.weights.iter().map(u64::to_string));
        format!(
            "{{\"application\":{application},\"protocol\":{protocol},\"participants\":{participants},\
            \"weights\":{weights},\"quorum\":{quorum},\"challenge\":{challenge},\"nonce\":{nonce}}}"
        )
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

/// A JSON string with the escapes of Go, which the id was first computed with: also of what HTML and
/// JavaScript give a meaning.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                // Writing to a string cannot fail.
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests;
