//! The text that a participant signs to log in.
//!
//! ```text
//! clearnet:auth:v1
//! broker: 0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A
//! challenge: 0x5f0c…
//! expires_at: 1700000000000
//! ```
//!
//! Four lines, no line end after the last. Deliberately absent: whether a challenge is known, used or late.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::digests::{Digests, Signable};
use crate::primitives::{Address, Timestamp, decode_hex, encode_hex};

/// What a login text begins with.
const TITLE: &str = "clearnet:auth:v1";

/// A value that a broker draws at random for one login and accepts once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LoginChallenge([u8; 32]);

impl LoginChallenge {
    /// Makes a challenge of 32 random bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

/// What a participant signs to log in: at which broker, with which challenge, and until when it may.
///
/// Its text is unambiguous: equal texts are equal values, and no value has a second text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginText {
    /// The broker that asked; another one refuses it.
    pub broker: Address,
    /// The challenge that the broker gave.
    pub challenge: LoginChallenge,
    /// When the challenge ends.
    pub expires_at: Timestamp,
}

/// Why a text is no login text: it is not exactly what a broker would have written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("login text must be exactly the message of an auth_challenge")]
pub struct LoginTextError;

impl fmt::Display for LoginText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { broker, challenge, expires_at } = self;
        let challenge = encode_hex(&challenge.0);
        write!(f, "{TITLE}\nbroker: {broker}\nchallenge: {challenge}\nexpires_at: {expires_at}")
    }
}

impl FromStr for LoginText {
    type Err = LoginTextError;

    fn from_str(text: &str) -> Result<Self, LoginTextError> {
        let parsed = parse_lines(text).ok_or(LoginTextError)?;
        // Numbers, hex and addresses could be written in other ways: only the broker's own counts.
        if parsed.to_string() == text { Ok(parsed) } else { Err(LoginTextError) }
    }
}

fn parse_lines(text: &str) -> Option<LoginText> {
    let lines = text.strip_prefix(TITLE)?.strip_prefix("\nbroker: ")?;
    let (broker, lines) = lines.split_once("\nchallenge: ")?;
    let (challenge, expires_at) = lines.split_once("\nexpires_at: ")?;
    Some(LoginText {
        broker: broker.parse().ok()?,
        challenge: LoginChallenge(decode_hex(challenge).ok()?.try_into().ok()?),
        expires_at: Timestamp::from_millis(expires_at.parse().ok()?),
    })
}

impl Signable for LoginText {
    fn digests(&self) -> Digests {
        Digests::of_bytes(self.to_string().as_bytes())
    }
}

#[cfg(test)]
mod tests;
