//! Which custody contract the book of a chain belongs to: kept with the first word of the chain's sender.

use domain::crypto::CustodyDomain;
use domain::primitives::Digest;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::store::{StateKind, StateRow};

/// The format that is written. Others are refused: there are none yet.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Kept {
    format: u32,
    custody_domain: Digest,
}

/// Why a book is not continued with a contract.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OtherContract {
    /// What the book says of channels is said of another contract.
    #[error(
        "the book of this chain was kept with another custody contract: configure that one, or begin another database"
    )]
    Other,
    /// What is kept cannot be read.
    #[error("what is kept of this chain's custody contract cannot be read: {reason}")]
    Damaged {
        /// Why not.
        reason: String,
    },
}

/// Whether the book of a chain may go on with this contract: `state` is what is stored of the network.
///
/// # Errors
/// [`OtherContract`].
pub fn kept_contract(state: Option<&StateRow>, custody: &CustodyDomain) -> Result<(), OtherContract> {
    let Some(row) = state else { return Ok(()) };
    let damaged = |reason: String| OtherContract::Damaged { reason };
    let kept: Kept = serde_json::from_slice(&row.body).map_err(|error| damaged(error.to_string()))?;
    if row.kind != StateKind::Sender || kept.format != FORMAT {
        return Err(damaged("unknown format".to_owned()));
    }
    if kept.custody_domain == custody.separator() { Ok(()) } else { Err(OtherContract::Other) }
}

/// What is kept of a contract.
pub(super) fn encode(custody: &CustodyDomain) -> Vec<u8> {
    let kept = Kept { format: FORMAT, custody_domain: custody.separator() };
    serde_json::to_vec(&kept).expect("plain structs with text keys are JSON")
}

#[cfg(test)]
mod tests {
    use domain::ledger::OwnerId;
    use domain::primitives::{Address, ChainId};

    use super::*;
    use crate::store::Revision;

    #[test]
    fn a_book_goes_on_with_its_own_contract_alone() {
        let chain_id = ChainId::new(7);
        let [own, other] = [1, 2].map(|byte| CustodyDomain::new(chain_id, Address::from_bytes([byte; 20])));
        let row = |body| StateRow {
            owner: OwnerId::Network(chain_id),
            revision: Revision(1),
            kind: StateKind::Sender,
            phase: 0,
            due_at: None,
            body,
        };
        assert_eq!(kept_contract(None, &own), Ok(()));
        assert_eq!(kept_contract(Some(&row(encode(&own))), &own), Ok(()));
        assert_eq!(kept_contract(Some(&row(encode(&own))), &other), Err(OtherContract::Other));
        let damaged = kept_contract(Some(&row(b"{}".to_vec())), &own);
        assert!(matches!(damaged, Err(OtherContract::Damaged { .. })), "{damaged:?}");
    }
}
