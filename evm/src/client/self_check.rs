//! Whether the contracts at an address are ours.

use domain::crypto::CustodyDomain;
use domain::primitives::Address;
use thiserror::Error;

use super::Client;
use crate::custody::artifact::{ADJUDICATOR, Artifact, CUSTODY};
use crate::custody::tokens;
use crate::error::ChainError;
use crate::types::BlockRef;

/// Why a configured contract must not be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ContractMismatch {
    /// There is no contract at the address of the custody contract.
    #[error("no contract at custody address {0}")]
    NoCustody(Address),
    /// There is one, but not ours.
    #[error("contract at custody address {0} is not this program's custody contract")]
    OtherCustody(Address),
    /// There is no contract at the address of the adjudicator.
    #[error("no contract at adjudicator address {0}")]
    NoAdjudicator(Address),
    /// There is one, but not ours.
    #[error("contract at adjudicator address {0} is not this program's adjudicator")]
    OtherAdjudicator(Address),
    /// The adjudicator is ours but serves another custody contract.
    #[error("adjudicator serves custody {actual}, expected {expected}")]
    AdjudicatorOfOther {
        /// The custody contract that was configured.
        expected: Address,
        /// The custody contract that the adjudicator was made for.
        actual: Address,
    },
    /// The chain could not be asked.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

impl Client {
    /// Checks that custody contract and adjudicator are, byte for byte, the ones this program was built
    /// with, made for this chain and for each other. On any others its rules are not safe.
    ///
    /// # Errors
    /// First that applies: [`ContractMismatch::NoCustody`], [`ContractMismatch::OtherCustody`],
    /// [`ContractMismatch::NoAdjudicator`], [`ContractMismatch::OtherAdjudicator`],
    /// [`ContractMismatch::AdjudicatorOfOther`]; [`ContractMismatch::Chain`] at any point.
    pub async fn check_contracts(
        &self,
        custody: Address,
        adjudicator: Address,
        at: BlockRef,
    ) -> Result<(), ContractMismatch> {
        let code = self.code_at(custody, at).await?;
        if code.is_empty() {
            return Err(ContractMismatch::NoCustody(custody));
        }
        let separator = CustodyDomain::new(self.chain_id, custody).separator();
        let immutables = immutables_of(&CUSTODY, &code);
        // The cached separator is of name, version, chain and address; the other values follow from those.
        if !immutables.is_some_and(|values| values.contains(separator.as_bytes())) {
            return Err(ContractMismatch::OtherCustody(custody));
        }
        let code = self.code_at(adjudicator, at).await?;
        if code.is_empty() {
            return Err(ContractMismatch::NoAdjudicator(adjudicator));
        }
        if immutables_of(&ADJUDICATOR, &code).is_none() {
            return Err(ContractMismatch::OtherAdjudicator(adjudicator));
        }
        let answer = self.view(&ADJUDICATOR, adjudicator, "channelImpl", &[], at).await?;
        match answer.into_iter().next().and_then(tokens::into_address) {
            Some(actual) if actual == custody => Ok(()),
            Some(actual) => Err(ContractMismatch::AdjudicatorOfOther { expected: custody, actual }),
            None => Err(ContractMismatch::OtherAdjudicator(adjudicator)),
        }
    }
}

/// Compares code on chain with a compiled contract and returns the values of its immutables in the order
/// in which the code uses them; `None` when it is other code.
fn immutables_of(artifact: &Artifact, code: &[u8]) -> Option<Vec<[u8; 32]>> {
    /// Pushes the 32 bytes that follow.
    const PUSH32: u8 = 0x7f;
    let mut compiled: &[u8] = &artifact.deployed_bytecode;
    let mut code = code;
    let mut values = Vec::new();
    if compiled.len() != code.len() {
        return None;
    }
    // The compiler leaves a push of zero where an immutable goes, and writes no other zero so long.
    while let (Some((expected, compiled_rest)), Some((actual, code_rest))) =
        (compiled.split_first(), code.split_first())
    {
        if expected != actual {
            return None;
        }
        (compiled, code) = (compiled_rest, code_rest);
        if *expected == PUSH32 && compiled.starts_with(&[0; 32]) {
            let (value, rest) = code.split_first_chunk::<32>()?;
            values.push(*value);
            (compiled, code) = (&compiled[32..], rest);
        }
    }
    Some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn immutables_may_differ_and_nothing_else() {
        let compiled = ADJUDICATOR.deployed_bytecode.to_vec();
        assert_eq!(immutables_of(&ADJUDICATOR, &compiled).map(|values| values.len()), Some(2));
        let first = compiled.windows(33).position(|w| w[0] == 0x7f && w[1..] == [0; 32]).unwrap();
        let mut filled = compiled.clone();
        filled[first + 1..first + 33].copy_from_slice(&[9; 32]);
        assert_eq!(immutables_of(&ADJUDICATOR, &filled).map(|values| values[0]), Some([9; 32]));
        for i in (0..compiled.len()).step_by(7).filter(|i| compiled[*i] != 0) {
            let mut other = compiled.clone();
            other[i] ^= 1;
            assert_eq!(immutables_of(&ADJUDICATOR, &other), None, "byte {i}");
        }
        assert_eq!(immutables_of(&ADJUDICATOR, &compiled[1..]), None);
    }
}
