//! The data of a RESIZE: by how much each side's money in the channel changes.

use thiserror::Error;

use super::abi::{WORD, Words, number};
use crate::primitives::{Amount, Delta};

/// Why deltas cannot be written as the data of a RESIZE, or data not be read as deltas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ResizeDataError {
    /// A delta outside −2^255 … 2^255 − 1, the range of the contract's numbers.
    #[error("delta does not fit 256 bits with sign")]
    OutOfRange,
    /// Not the encoding of a list of exactly two numbers.
    #[error("resize data must be an encoded list of two numbers")]
    Malformed,
}

/// Encodes the deltas of the participant and of the broker as the contract's `int256[]`.
///
/// # Errors
/// [`ResizeDataError::OutOfRange`].
pub fn encode_resize(deltas: [Delta; 2]) -> Result<Vec<u8>, ResizeDataError> {
    let [participant, broker] = deltas;
    let words = Words::default().length(WORD).number(2);
    Ok(words.word(&encode_delta(participant)?).word(&encode_delta(broker)?).into_bytes())
}

/// Decodes what [`encode_resize`] made; no other encoding of the same numbers.
///
/// # Errors
/// [`ResizeDataError::Malformed`].
pub fn decode_resize(data: &[u8]) -> Result<[Delta; 2], ResizeDataError> {
    match data.as_chunks::<WORD>() {
        ([offset, length, participant, broker], [])
            if *offset == number(WORD as u64) && *length == number(2) =>
        {
            Ok([decode_delta(*participant), decode_delta(*broker)])
        }
        _ => Err(ResizeDataError::Malformed),
    }
}

fn encode_delta(delta: Delta) -> Result<[u8; WORD], ResizeDataError> {
    let word = match delta {
        Delta::Zero => return Ok([0; WORD]),
        Delta::More(amount) => amount.to_be_bytes(),
        Delta::Less(amount) => negated(amount.to_be_bytes()),
    };
    let is_negative = word[0] >= 0x80;
    if is_negative == matches!(delta, Delta::Less(_)) { Ok(word) } else { Err(ResizeDataError::OutOfRange) }
}

fn decode_delta(word: [u8; WORD]) -> Delta {
    if word[0] >= 0x80 {
        Delta::less(Amount::from_be_bytes(negated(word)))
    } else {
        Delta::more(Amount::from_be_bytes(word))
    }
}

/// The two's complement: 2^256 less the number, and zero for zero.
fn negated(word: [u8; WORD]) -> [u8; WORD] {
    let mut carry = true;
    let mut result = word.map(|byte| !byte);
    for byte in result.iter_mut().rev() {
        (*byte, carry) = byte.overflowing_add(u8::from(carry));
    }
    result
}

#[cfg(test)]
mod tests;
