//! Chains with an EVM: the RPC client, the custody contract and its deployment. The only crate that sees ethers.
