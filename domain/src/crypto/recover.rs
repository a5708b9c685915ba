//! Who made a signature.

use secp256k1::Message;
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};

use super::curve::{CONTEXT, address_of};
use super::keccak::keccak256;
use super::signature::{Signature, SignatureError};
use crate::primitives::{Address, Digest};

/// The address whose key made this signature over this digest.
///
/// Nearly every signature yields *some* address under every digest: the result means something only
/// when it is compared with the address that should have signed.
///
/// # Errors
/// [`SignatureError::Unrecoverable`].
pub fn recover(digest: Digest, signature: &Signature) -> Result<Address, SignatureError> {
    let (compact, v) = signature.as_bytes().split_at(64);
    let parity = RecoveryId::from_u8_masked(v[0] - 27);
    let recoverable =
        RecoverableSignature::from_compact(compact, parity).map_err(|_| SignatureError::Unrecoverable)?;
    let key = CONTEXT
        .recover_ecdsa(Message::from_digest(*digest.as_bytes()), &recoverable)
        .map_err(|_| SignatureError::Unrecoverable)?;
    Ok(address_of(&key))
}

/// The digest that wallets sign for a message shown to people (EIP-191, `personal_sign`).
#[must_use]
pub fn eip191_digest(message: &[u8]) -> Digest {
    let length = message.len().to_string();
    keccak256(&[b"\x19Ethereum Signed Message:\n", length.as_bytes(), message])
}

#[cfg(test)]
mod tests;
