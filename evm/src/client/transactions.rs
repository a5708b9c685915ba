//! Sending transactions and learning what became of them.

use domain::primitives::{Address, Digest, encode_hex};
use ethers_core::types::{Bytes, H256, U64};
use serde_json::json;

use super::{Client, price};
use crate::convert::{digest, h160, h256, u256};
use crate::error::ChainError;
use crate::rpc::wire::WireReceipt;
use crate::tx::Call;
use crate::types::{Fees, NonceAndFees, Receipt};

const SEND: &str = "eth_sendRawTransaction";

/// What a builder gets where a node does not suggest anything: 1 gwei.
const PRIORITY_FEE_FALLBACK: u128 = 1_000_000_000;

impl Client {
    /// The nonces of an address and what a transaction has to pay now.
    ///
    /// The suggested fees carry twice the present base fee, so that they hold for six full blocks on end.
    ///
    /// # Errors
    /// [`ChainError::Malformed`] for a chain without base fees (before EIP-1559); what
    /// [`crate::Rpc::request`] returns.
    pub async fn nonce_and_fees(&self, address: Address) -> Result<NonceAndFees, ChainError> {
        let nonce = self.nonce(address, "latest").await?;
        let nonce_pending = self.nonce(address, "pending").await?.max(nonce);
        let method = "eth_getBlockByNumber";
        let base_fee = self.wire_head().await?.base_fee_per_gas.ok_or_else(|| ChainError::Malformed {
            method,
            detail: "the chain has no base fee".to_owned(),
        })?;
        let base_fee_per_gas = price(method, base_fee)?;
        let max_priority_per_gas = self.priority_fee().await?;
        let max_per_gas = base_fee_per_gas.saturating_mul(2).saturating_add(max_priority_per_gas);
        let fees = Fees { max_per_gas, max_priority_per_gas };
        Ok(NonceAndFees { nonce, nonce_pending, base_fee_per_gas, fees })
    }

    async fn nonce(&self, address: Address, block: &'static str) -> Result<u64, ChainError> {
        let count: U64 = self.rpc.request("eth_getTransactionCount", (h160(address), block)).await?;
        Ok(count.as_u64())
    }

    async fn priority_fee(&self) -> Result<u128, ChainError> {
        let method = "eth_maxPriorityFeePerGas";
        match self.rpc.request(method, ()).await {
            Ok(fee) => price(method, fee),
            Err(ChainError::Refused { .. }) => Ok(PRIORITY_FEE_FALLBACK),
            Err(error) => Err(error),
        }
    }

    /// How much gas a call would take if `from` made it on top of the newest block.
    ///
    /// # Errors
    /// [`ChainError::Reverted`] when it would fail; what [`crate::Rpc::request`] returns.
    pub async fn estimate_gas(&self, from: Address, call: &Call) -> Result<u64, ChainError> {
        let request = json!({
            "from": h160(from),
            "to": call.to.map(h160),
            "value": u256(call.value),
            "data": Bytes::from(call.data.clone()),
        });
        let gas: U64 = self.rpc.request("eth_estimateGas", [request]).await?;
        Ok(gas.as_u64())
    }

    /// Hands a signed transaction to the node and returns its hash. Handing in the same bytes again is
    /// no error as long as the transaction waits for a block.
    ///
    /// # Errors
    /// [`ChainError::NonceTooLow`] (the transaction, or another in its place, is in a block),
    /// [`ChainError::Underpriced`], [`ChainError::InsufficientFunds`]; what [`crate::Rpc::request`] returns.
    pub async fn send_raw(&self, raw: &[u8]) -> Result<Digest, ChainError> {
        let hash = domain::crypto::keccak256(&[raw]);
        match self.rpc.request::<_, H256>(SEND, [encode_hex(raw)]).await {
            Ok(named) if digest(named) == hash => Ok(hash),
            Ok(named) => {
                let detail = format!("transaction {hash} was called {}", digest(named));
                Err(ChainError::Malformed { method: SEND, detail })
            }
            Err(ChainError::Refused { code, message, .. }) => send_refusal(hash, code, message),
            Err(error) => Err(error),
        }
    }

    /// What became of a transaction; `None` while it is in no block of the chain as it stands.
    ///
    /// # Errors
    /// What [`crate::Rpc::request`] returns.
    pub async fn receipt(&self, tx: Digest) -> Result<Option<Receipt>, ChainError> {
        let receipt: Option<WireReceipt> = self.rpc.request("eth_getTransactionReceipt", [h256(tx)]).await?;
        Ok(receipt.map(Receipt::from))
    }
}

/// What a node means by refusing a transaction. Nodes agree on the words only, and on those of one another
/// only roughly.
fn send_refusal(hash: Digest, code: i64, message: String) -> Result<Digest, ChainError> {
    let words = message.to_lowercase();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| words.contains(phrase));
    if says(&["already known", "already imported", "alreadyknown"]) {
        Ok(hash)
    } else if says(&["nonce too low", "nonce is too low", "old nonce"]) {
        Err(ChainError::NonceTooLow)
    } else if says(&["underpriced", "less than block base fee", "fee too low", "feetoolow"]) {
        Err(ChainError::Underpriced { message })
    } else if says(&["insufficient funds", "insufficientfunds"]) {
        Err(ChainError::InsufficientFunds { message })
    } else {
        Err(ChainError::Refused { method: SEND, code, message })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_refusals_of_known_nodes_apart() {
        let hash = Digest::from_bytes([7; 32]);
        let refused = |message: &str| send_refusal(hash, -32_000, message.to_owned());
        assert_eq!(refused("already known"), Ok(hash));
        assert_eq!(refused("AlreadyKnown"), Ok(hash));
        assert_eq!(refused("transaction already imported"), Ok(hash));
        assert_eq!(refused("nonce too low: next nonce 4, tx nonce 3"), Err(ChainError::NonceTooLow));
        for message in [
            "replacement transaction underpriced",
            "transaction underpriced: tip needed 1, tip permitted 0",
            "max fee per gas less than block base fee: address 0x…, maxFeePerGas: 1, baseFee: 7",
        ] {
            assert!(matches!(refused(message), Err(ChainError::Underpriced { .. })), "{message}");
        }
        let poor = refused("Insufficient funds for gas * price + value");
        assert!(matches!(poor, Err(ChainError::InsufficientFunds { .. })));
        assert!(matches!(refused("intrinsic gas too low"), Err(ChainError::Refused { .. })));
    }
}
