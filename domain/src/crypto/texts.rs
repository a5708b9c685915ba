//! The texts that are signed around requests, one type per purpose.
//!
//! What each begins with keeps them apart from each other, from messages of other programs and from states:
//! no signature under one can be shown as a signature under another. Signed is the text exactly as it
//! travels; nothing here parses JSON or writes it anew.

use std::fmt;

use thiserror::Error;

use super::digests::{Digests, Signable};
use super::keccak::keccak256;
use crate::primitives::{Address, ChannelId, Digest};

/// A text for one purpose, with what all of them can.
macro_rules! text {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// The hash of the text: the digest that software signs.
            #[must_use]
            pub fn hash(&self) -> Digest {
                keccak256(&[self.0.as_bytes()])
            }
        }

        impl Signable for $name {
            fn digests(&self) -> Digests {
                Digests::of_bytes(self.0.as_bytes())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text! {
    /// What a participant signs to have a request carried out in the Clearnet dialect.
    ///
    /// Its hash is the H that carried states hold as their data.
    RequestText
}

text! {
    /// What the broker signs to answer or to notify in the Clearnet dialect.
    ResponseText
}

text! {
    /// What members of a virtual channel sign to each other: requests and responses inside the room.
    RoomText
}

text! {
    /// What is signed in the NitroRPC dialect, requests and responses alike. It names no broker.
    NitroText
}

/// Why a raw text cannot be signed in the NitroRPC dialect: it is no JSON array.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("text signed in the NitroRPC dialect must be a JSON array")]
pub struct NitroTextError;

impl RequestText {
    /// The text for `req`, the raw array as it was received, addressed to this broker.
    #[must_use]
    pub fn new(broker: Address, req: &str) -> Self {
        Self(format!("clearnet:request:v1\n{broker}\n{req}"))
    }
}

impl AsRef<Self> for RequestText {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl ResponseText {
    /// The text for `res`, the raw array as it is sent, from this broker.
    #[must_use]
    pub fn new(broker: Address, res: &str) -> Self {
        Self(format!("clearnet:response:v1\n{broker}\n{res}"))
    }
}

impl RoomText {
    /// The text for the raw `req` or `res` inside this virtual channel.
    #[must_use]
    pub fn new(channel: ChannelId, raw: &str) -> Self {
        Self(format!("clearnet:room:v1\n{channel}\n{raw}"))
    }
}

impl NitroText {
    /// The text for the raw `req` or `res`.
    ///
    /// The caller has parsed `raw` as a JSON array. What keeps it apart from the other texts and from packed
    /// states, which all contain zero bytes, is checked again.
    ///
    /// # Errors
    /// [`NitroTextError`].
    pub fn new(raw: &str) -> Result<Self, NitroTextError> {
        let is_apart = raw.starts_with('[') && !raw.contains('\0');
        if is_apart { Ok(Self(raw.to_owned())) } else { Err(NitroTextError) }
    }
}

#[cfg(test)]
mod tests;
