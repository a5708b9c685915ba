//! Contract ABI encoding by hand: just the words that our layouts are made of.
//!
//! An encoding is a sequence of words of 32 bytes. Deliberately absent: types, names and decoding of
//! arbitrary data; the layouts say themselves where their offsets point.

use super::keccak::keccak256;
use crate::primitives::{Address, Amount, Digest};

/// How many bytes a word has.
pub(super) const WORD: usize = 32;

/// A number as a word.
pub(super) fn number(value: u64) -> [u8; WORD] {
    Amount::from(value).to_be_bytes()
}

/// An encoding under construction.
#[derive(Default)]
pub(super) struct Words(Vec<u8>);

impl Words {
    /// Adds 32 bytes as they are.
    pub(super) fn word(mut self, word: &[u8; WORD]) -> Self {
        self.0.extend_from_slice(word);
        self
    }

    /// Adds a number: an integer, a length or an offset in bytes.
    pub(super) fn number(self, value: u64) -> Self {
        self.word(&number(value))
    }

    /// Adds a length or an offset in bytes.
    pub(super) fn length(self, bytes: usize) -> Self {
        self.number(bytes as u64)
    }

    /// Adds a hash.
    pub(super) fn hash(self, hash: Digest) -> Self {
        self.word(hash.as_bytes())
    }

    /// Adds an address.
    pub(super) fn address(self, address: Address) -> Self {
        self.word(&address.to_word())
    }

    /// Adds an amount.
    pub(super) fn amount(self, amount: Amount) -> Self {
        self.word(&amount.to_be_bytes())
    }

    /// Adds what was encoded before.
    pub(super) fn words(mut self, words: &[u8]) -> Self {
        self.0.extend_from_slice(words);
        self
    }

    /// Adds the length of `bytes` and the bytes, filled up with zeros to a whole word.
    pub(super) fn bytes(mut self, bytes: &[u8]) -> Self {
        self = self.length(bytes.len());
        self.0.extend_from_slice(bytes);
        self.0.resize(self.0.len().next_multiple_of(WORD), 0);
        self
    }

    /// The encoding.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// The hash of the encoding.
    pub(super) fn keccak(&self) -> Digest {
        keccak256(&[&self.0])
    }
}
