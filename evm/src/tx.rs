//! Transactions: built, signed and hashed (EIP-1559).
//!
//! Deliberately absent: nonces, fees and resending, which are decisions of the sender.

use domain::crypto::{Signature, SigningKey, keccak256};
use domain::primitives::{Address, Amount, ChainId, Digest};
use ethers_core::types::transaction::eip1559::Eip1559TransactionRequest;
use ethers_core::types::transaction::eip2718::TypedTransaction;
use ethers_core::types::{NameOrAddress, Signature as EthersSignature, U256};

use crate::convert::{digest, h160, u256};
use crate::types::Fees;

/// What a transaction does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Which contract or account it is for; `None` makes a contract.
    pub to: Option<Address>,
    /// How much coin goes along, in its smallest unit.
    pub value: Amount,
    /// The call, or the code of the contract to be made.
    pub data: Vec<u8>,
}

impl Call {
    /// A call of a contract, with no coin.
    #[must_use]
    pub fn of(contract: Address, data: Vec<u8>) -> Self {
        Self { to: Some(contract), value: Amount::ZERO, data }
    }
}

/// A transaction before it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// The chain it is valid on.
    pub chain_id: ChainId,
    /// Its place among the sender's transactions.
    pub nonce: u64,
    /// The most gas it may take.
    pub gas_limit: u64,
    /// What it pays per gas.
    pub fees: Fees,
    /// What it does.
    pub call: Call,
}

/// A transaction as a node takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedTransaction {
    /// Its bytes.
    pub raw: Vec<u8>,
    /// Its name on chain.
    pub hash: Digest,
}

impl Transaction {
    /// The digest that the sender signs.
    #[must_use]
    pub fn sighash(&self) -> Digest {
        digest(self.typed().sighash())
    }

    /// The transaction with the sender's signature under [`Transaction::sighash`]. Another's signature, or
    /// one under another digest, makes it a transaction of some other sender.
    #[must_use]
    pub fn with_signature(&self, signature: &Signature) -> SignedTransaction {
        let bytes = signature.as_bytes();
        let signature = EthersSignature {
            r: U256::from_big_endian(&bytes[..32]),
            s: U256::from_big_endian(&bytes[32..64]),
            // Typed transactions carry the parity alone.
            v: u64::from(bytes[64]) - 27,
        };
        let raw = self.typed().rlp_signed(&signature).to_vec();
        let hash = keccak256(&[&raw]);
        SignedTransaction { raw, hash }
    }

    /// Signs with a key at hand.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> SignedTransaction {
        self.with_signature(&key.sign(self.sighash()))
    }

    fn typed(&self) -> TypedTransaction {
        let mut request = Eip1559TransactionRequest::new()
            .chain_id(self.chain_id.get())
            .nonce(self.nonce)
            .gas(self.gas_limit)
            .max_fee_per_gas(self.fees.max_per_gas)
            .max_priority_fee_per_gas(self.fees.max_priority_per_gas)
            .value(u256(self.call.value))
            .data(self.call.data.clone());
        request.to = self.call.to.map(|to| NameOrAddress::Address(h160(to)));
        TypedTransaction::Eip1559(request)
    }
}
