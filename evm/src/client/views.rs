//! State at a block: what contracts and accounts hold.

use std::fmt::Debug;

use domain::primitives::{Address, Amount, ChannelId};
use ethers_core::abi::Token;
use ethers_core::types::{Bytes, H256, U256};
use serde::Serialize;
use serde_json::{Value, json};

use super::Client;
use crate::convert::{self, h160, h256};
use crate::custody::artifact::{Artifact, CUSTODY, TEST_TOKEN};
use crate::custody::{OnChainChannel, tokens, views};
use crate::error::ChainError;
use crate::types::BlockRef;

const CALL: &str = "eth_call";

impl Client {
    /// The channel as the custody contract has it after a block; `None` when it was never created there,
    /// or has ended.
    ///
    /// # Errors
    /// [`ChainError::UnknownBlock`] when `at` is not on the chain (any more) or its state is forgotten;
    /// [`ChainError::Malformed`] when `custody` answers as no custody contract does; what
    /// [`crate::Rpc::request`] returns. The other views fail alike.
    pub async fn channel_at(
        &self,
        custody: Address,
        id: ChannelId,
        at: BlockRef,
    ) -> Result<Option<OnChainChannel>, ChainError> {
        let answer = self.view(&CUSTODY, custody, "getChannelData", &[tokens::channel_id(id)], at).await?;
        views::channel(id, answer, self.chain_id).ok_or_else(|| unreadable("the answer is no channel"))
    }

    /// What the channel holds of a token after a block.
    ///
    /// # Errors
    /// As [`Client::channel_at`].
    pub async fn channel_balance(
        &self,
        custody: Address,
        id: ChannelId,
        token: Address,
        at: BlockRef,
    ) -> Result<Amount, ChainError> {
        let arguments = [tokens::channel_id(id), list_of(token)];
        let answer = self.view(&CUSTODY, custody, "getChannelBalances", &arguments, at).await?;
        single(answer).and_then(sole_amount).ok_or_else(|| unreadable("the answer is no list of balances"))
    }

    /// The account's available balance of a token in custody after a block.
    ///
    /// # Errors
    /// As [`Client::channel_at`].
    pub async fn available_balance(
        &self,
        custody: Address,
        account: Address,
        token: Address,
        at: BlockRef,
    ) -> Result<Amount, ChainError> {
        let arguments = [list_of(account), list_of(token)];
        let answer = self.view(&CUSTODY, custody, "getAccountsBalances", &arguments, at).await?;
        let of_account = single(answer).and_then(tokens::into_list::<1>).map(|[list]| list);
        of_account.and_then(sole_amount).ok_or_else(|| unreadable("the answer is no list of balances"))
    }

    /// How many decimals a token says it has.
    ///
    /// # Errors
    /// As [`Client::channel_at`]; [`ChainError::Malformed`] too when it is no token.
    pub async fn token_decimals(&self, token: Address, at: BlockRef) -> Result<u8, ChainError> {
        let answer = self.view(&TEST_TOKEN, token, "decimals", &[], at).await?;
        let decimals = single(answer).and_then(tokens::into_number);
        decimals
            .and_then(|n| u8::try_from(n).ok())
            .ok_or_else(|| unreadable("the answer is no count of decimals"))
    }

    /// How much of a token, or of the coin (the zero address), an account holds itself after a block.
    ///
    /// # Errors
    /// As [`Client::token_decimals`].
    pub async fn balance(
        &self,
        account: Address,
        token: Address,
        at: BlockRef,
    ) -> Result<Amount, ChainError> {
        if token.is_zero() {
            let coins: U256 = self.at_block("eth_getBalance", (h160(account), on_chain(at)), at).await?;
            return Ok(convert::amount(coins));
        }
        let answer = self.view(&TEST_TOKEN, token, "balanceOf", &[tokens::address(account)], at).await?;
        let balance = single(answer).and_then(tokens::into_amount);
        balance.ok_or_else(|| unreadable("the answer is no balance"))
    }

    /// The code that stands at an address after a block; empty when it is no contract.
    ///
    /// # Errors
    /// As [`Client::channel_at`].
    pub async fn code_at(&self, address: Address, at: BlockRef) -> Result<Vec<u8>, ChainError> {
        let code: Bytes = self.at_block("eth_getCode", (h160(address), on_chain(at)), at).await?;
        Ok(code.to_vec())
    }

    /// How many transactions of an address the chain holds up to and with a block: all nonces below are
    /// used up.
    ///
    /// # Errors
    /// As [`Client::channel_at`].
    pub async fn nonce_at(&self, address: Address, at: BlockRef) -> Result<u64, ChainError> {
        let method = "eth_getTransactionCount";
        let count: U256 = self.at_block(method, (h160(address), on_chain(at)), at).await?;
        convert::number(count)
            .ok_or_else(|| ChainError::Malformed { method, detail: "nonce above 2^64".to_owned() })
    }

    /// Calls a function that changes nothing, and takes its answer apart.
    pub(super) async fn view(
        &self,
        artifact: &Artifact,
        contract: Address,
        function: &str,
        arguments: &[Token],
        at: BlockRef,
    ) -> Result<Vec<Token>, ChainError> {
        let data = Bytes::from(artifact.call(function, arguments));
        let call = json!({ "to": h160(contract), "data": data });
        let answer: Bytes = self.at_block(CALL, (call, on_chain(at)), at).await?;
        artifact
            .function(function)
            .decode_output(&answer)
            .map_err(|_| unreadable(&format!("the contract does not answer {function}")))
    }

    /// Asks about a block; when the node refuses, finds out whether it has that block at all.
    async fn at_block<P, T>(&self, method: &'static str, params: P, at: BlockRef) -> Result<T, ChainError>
    where
        P: Serialize + Debug + Send + Sync,
        T: serde::de::DeserializeOwned,
    {
        let answer = self.rpc.request(method, params).await;
        if let Err(ChainError::Refused { .. }) = answer {
            self.require_on_chain(at).await?;
        }
        answer
    }
}

/// Names a block by its hash and refuses one that a reorg took away (EIP-1898).
fn on_chain(at: BlockRef) -> Value {
    let hash: H256 = h256(at.hash);
    json!({ "blockHash": hash, "requireCanonical": true })
}

fn list_of(address: Address) -> Token {
    Token::Array(vec![tokens::address(address)])
}

/// Takes an answer of one value.
fn single(answer: Vec<Token>) -> Option<Token> {
    answer.into_iter().next()
}

/// Takes a list of one amount.
fn sole_amount(list: Token) -> Option<Amount> {
    let [amount] = tokens::into_list(list)?;
    tokens::into_amount(amount)
}

fn unreadable(detail: &str) -> ChainError {
    ChainError::Malformed { method: CALL, detail: detail.to_owned() }
}
