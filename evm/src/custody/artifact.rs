//! The compiled contracts, as they are committed beside their sources.

use std::sync::LazyLock;

use ethers_core::abi::{Contract, Event, Function, Token};
use ethers_core::types::Bytes;
use serde::Deserialize;

/// Holds the money.
pub(crate) static CUSTODY: LazyLock<Artifact> =
    LazyLock::new(|| Artifact::parse(include_str!("../../../contracts/artifacts/Custody.json")));
/// Judges states.
pub(crate) static ADJUDICATOR: LazyLock<Artifact> =
    LazyLock::new(|| Artifact::parse(include_str!("../../../contracts/artifacts/ConsensusAdjudicator.json")));
/// A token that anybody can mint; its ABI serves for all ERC-20 tokens.
pub(crate) static TEST_TOKEN: LazyLock<Artifact> =
    LazyLock::new(|| Artifact::parse(include_str!("../../../contracts/artifacts/TestERC20.json")));

/// A compiled contract.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Artifact {
    pub(crate) abi: Contract,
    /// What a deployment sends, before the arguments of the constructor.
    pub(crate) bytecode: Bytes,
    /// What stands on chain afterwards, with zeros where the constructor puts immutable values.
    pub(crate) deployed_bytecode: Bytes,
}

impl Artifact {
    fn parse(json: &str) -> Self {
        serde_json::from_str(json).expect("artifacts are committed as the compiler wrote them")
    }

    /// A function of the contract.
    pub(crate) fn function(&self, name: &str) -> &Function {
        self.abi.function(name).expect("callers name functions that the artifact has")
    }

    /// An event of the contract.
    pub(crate) fn event(&self, name: &str) -> &Event {
        self.abi.event(name).expect("callers name events that the artifact has")
    }

    /// The bytes that call a function.
    pub(crate) fn call(&self, function: &str, arguments: &[Token]) -> Vec<u8> {
        self.function(function).encode_input(arguments).expect("callers give what the function takes")
    }

    /// The bytes that deploy the contract.
    pub(crate) fn deployment(&self, arguments: &[Token]) -> Vec<u8> {
        let code = self.bytecode.to_vec();
        match self.abi.constructor() {
            Some(constructor) => {
                constructor.encode_input(code, arguments).expect("callers give what the constructor takes")
            }
            None => code,
        }
    }
}
