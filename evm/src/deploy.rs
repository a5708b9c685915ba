//! The transactions that put our contracts on a chain.

use domain::primitives::{Address, Amount};
use ethers_core::abi::Token;

use crate::custody::artifact::{ADJUDICATOR, CUSTODY, TEST_TOKEN};
use crate::custody::tokens;
use crate::tx::Call;

/// Makes a custody contract.
#[must_use]
pub fn custody() -> Call {
    creation(CUSTODY.deployment(&[]))
}

/// Makes an adjudicator that serves one custody contract.
#[must_use]
pub fn adjudicator(custody: Address) -> Call {
    creation(ADJUDICATOR.deployment(&[tokens::address(custody)]))
}

/// Makes a token that anybody can mint up to `cap`: for tests and local worlds only.
#[must_use]
pub fn test_token(name: &str, symbol: &str, decimals: u8, cap: Amount) -> Call {
    let arguments = [
        Token::String(name.to_owned()),
        Token::String(symbol.to_owned()),
        tokens::number(decimals.into()),
        tokens::amount(cap),
    ];
    creation(TEST_TOKEN.deployment(&arguments))
}

fn creation(code: Vec<u8>) -> Call {
    Call { to: None, value: Amount::ZERO, data: code }
}
