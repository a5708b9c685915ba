//! The bytes that call a token.

use domain::primitives::{Address, Amount};

use crate::custody::artifact::TEST_TOKEN;
use crate::custody::tokens;

/// Lets `spender` take up to `amount` of the sender's tokens; replaces what was allowed before.
#[must_use]
pub fn approve(spender: Address, amount: Amount) -> Vec<u8> {
    TEST_TOKEN.call("approve", &[tokens::address(spender), tokens::amount(amount)])
}

/// Gives tokens of the sender away.
#[must_use]
pub fn transfer(to: Address, amount: Amount) -> Vec<u8> {
    TEST_TOKEN.call("transfer", &[tokens::address(to), tokens::amount(amount)])
}

/// Makes tokens out of nothing: test tokens only.
#[must_use]
pub fn mint(to: Address, amount: Amount) -> Vec<u8> {
    TEST_TOKEN.call("mint", &[tokens::address(to), tokens::amount(amount)])
}
