//! Hexadecimal as it stands on the wire: `0x` and an even number of digits.

use thiserror::Error;

/// Why a text is not the bytes it should be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HexError {
    /// The text does not begin with `0x`.
    #[error("hex text must begin with 0x")]
    MissingPrefix,
    /// An odd number of digits, or a character that is no hex digit.
    #[error("malformed hex digits")]
    Malformed,
    /// The text is well formed but holds another number of bytes.
    #[error("expected {expected} bytes, got {actual}")]
    WrongLength {
        /// How many bytes the value has.
        expected: usize,
        /// How many bytes the text holds.
        actual: usize,
    },
}

/// Decodes `0x` followed by an even number of hex digits of either case.
///
/// # Errors
/// First that applies: [`HexError::MissingPrefix`], [`HexError::Malformed`].
pub fn decode_hex(text: &str) -> Result<Vec<u8>, HexError> {
    let digits = text.strip_prefix("0x").ok_or(HexError::MissingPrefix)?;
    hex::decode(digits).map_err(|_| HexError::Malformed)
}

/// Decodes exactly `N` bytes.
///
/// # Errors
/// First that applies: [`HexError::MissingPrefix`], [`HexError::Malformed`], [`HexError::WrongLength`].
pub(crate) fn decode_array<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
    // The length is checked on the text, so that a huge text is refused before it is decoded.
    let digits = text.strip_prefix("0x").ok_or(HexError::MissingPrefix)?;
    if digits.len() != 2 * N && digits.len() % 2 == 0 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(HexError::WrongLength { expected: N, actual: digits.len() / 2 });
    }
    let mut bytes = [0; N];
    hex::decode_to_slice(digits, &mut bytes).map_err(|_| HexError::Malformed)?;
    Ok(bytes)
}

/// Encodes as `0x` and lower-case digits.
#[must_use]
pub fn encode_hex(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}
