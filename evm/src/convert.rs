//! Between the values of ethers and ours.

use domain::primitives::{Address, Amount, Digest};
use ethers_core::types::{H160, H256, U256};

pub(crate) fn h160(address: Address) -> H160 {
    H160(*address.as_bytes())
}

pub(crate) fn address(value: H160) -> Address {
    Address::from_bytes(value.0)
}

pub(crate) fn h256(digest: Digest) -> H256 {
    H256(*digest.as_bytes())
}

pub(crate) fn digest(value: H256) -> Digest {
    Digest::from_bytes(value.0)
}

pub(crate) fn u256(amount: Amount) -> U256 {
    U256::from_big_endian(&amount.to_be_bytes())
}

pub(crate) fn amount(value: U256) -> Amount {
    let mut bytes = [0; 32];
    value.to_big_endian(&mut bytes);
    Amount::from_be_bytes(bytes)
}

/// The number, or `None` when it does not fit.
pub(crate) fn number(value: U256) -> Option<u64> {
    u64::try_from(value).ok()
}

/// The number, or `None` when it does not fit.
pub(crate) fn wide_number(value: U256) -> Option<u128> {
    u128::try_from(value).ok()
}
