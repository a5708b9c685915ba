//! Direct transactions of one key, and what a participant does with its own hands on chain.

use std::time::Duration;

use domain::crypto::{DirectParams, DirectState, Signature, SigningKey};
use domain::primitives::{Address, Amount, Digest};
use evm::custody::{CustodyCall, SignedState};
use evm::{Call, ChainError, Client, ErrorClass, Receipt, Transaction, erc20};
use thiserror::Error;
use tokio::sync::Mutex;
use tokio::time::{interval, timeout};

/// How long a transaction may take to get into a block: the slowest local chains make one every few seconds.
const RECEIPT_TIMEOUT: Duration = Duration::from_secs(60);

/// How often a transaction is asked for.
const RECEIPT_POLL: Duration = Duration::from_millis(20);

/// Why a transaction did not do what it was to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WalletError {
    /// The chain refused it, or could not be asked.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// It is in a block, but something came before it that made it fail.
    #[error("transaction {tx} failed in its block")]
    Failed {
        /// The transaction.
        tx: Digest,
    },
    /// It was sent and is in no block yet; it may still come.
    #[error("transaction {tx} is in no block yet")]
    Overdue {
        /// The transaction.
        tx: Digest,
    },
}

/// A key that pays for its own transactions.
#[derive(Debug)]
pub struct Wallet {
    client: Client,
    key: SigningKey,
    /// Held while a nonce is taken and used.
    sending: Mutex<()>,
}

impl Wallet {
    /// A wallet on a chain. No other wallet may send with this key at the same time.
    #[must_use]
    pub fn new(client: Client, key: SigningKey) -> Self {
        Self { client, key, sending: Mutex::new(()) }
    }

    /// Who sends.
    #[must_use]
    pub fn address(&self) -> Address {
        self.key.address()
    }

    /// Sends a transaction and returns its hash.
    ///
    /// # Errors
    /// [`WalletError::Chain`]: [`ChainError::Reverted`] when it would fail, and nothing is sent then.
    pub async fn send(&self, call: Call) -> Result<Digest, WalletError> {
        let _sending = self.sending.lock().await;
        let gas = self.client.estimate_gas(self.address(), &call).await?;
        let next = self.client.nonce_and_fees(self.address()).await?;
        let transaction = Transaction {
            chain_id: self.client.chain_id(),
            nonce: next.nonce_pending,
            // What comes before it in its block can make it dearer.
            gas_limit: gas + gas / 4,
            fees: next.fees,
            call,
        };
        Ok(self.client.send_raw(&transaction.sign(&self.key).raw).await?)
    }

    /// Sends a transaction and waits until it is in a block.
    ///
    /// # Errors
    /// As [`Wallet::send`] and [`Wallet::receipt`].
    pub async fn run(&self, call: Call) -> Result<Receipt, WalletError> {
        let tx = self.send(call).await?;
        self.receipt(tx).await
    }

    /// Waits until a transaction is in a block, over lost connections too.
    ///
    /// # Errors
    /// [`WalletError::Failed`], [`WalletError::Overdue`]; [`WalletError::Chain`] when asking is in vain.
    pub async fn receipt(&self, tx: Digest) -> Result<Receipt, WalletError> {
        let mut ticks = interval(RECEIPT_POLL);
        let arrives = async {
            loop {
                ticks.tick().await;
                match self.client.receipt(tx).await {
                    Ok(Some(receipt)) => return Ok(receipt),
                    Ok(None) => {}
                    Err(error) if error.class() == ErrorClass::Unavailable => {}
                    Err(error) => return Err(error),
                }
            }
        };
        let receipt = timeout(RECEIPT_TIMEOUT, arrives).await.map_err(|_| WalletError::Overdue { tx })??;
        if receipt.succeeded { Ok(receipt) } else { Err(WalletError::Failed { tx }) }
    }
}

/// A wallet that deals with one custody contract. Each method returns when its transaction is in a block,
/// and fails as [`Wallet::run`] does.
#[derive(Debug)]
pub struct Participant {
    wallet: Wallet,
    custody: Address,
}

impl Participant {
    /// Joins a wallet with a custody contract.
    #[must_use]
    pub fn new(wallet: Wallet, custody: Address) -> Self {
        Self { wallet, custody }
    }

    /// The wallet, for other transactions.
    #[must_use]
    pub fn wallet(&self) -> &Wallet {
        &self.wallet
    }

    /// Who it is.
    #[must_use]
    pub fn address(&self) -> Address {
        self.wallet.address()
    }

    /// Lets the custody contract take up to `amount` of a token.
    ///
    /// # Errors
    /// See [`Participant`].
    pub async fn approve(&self, token: Address, amount: Amount) -> Result<Receipt, WalletError> {
        self.wallet.run(Call::of(token, erc20::approve(self.custody, amount))).await
    }

    /// Adds to the available balance; a token must be approved before, the coin (zero address) not.
    ///
    /// # Errors
    /// See [`Participant`].
    pub async fn deposit(&self, token: Address, amount: Amount) -> Result<Receipt, WalletError> {
        self.call(CustodyCall::Deposit { account: self.address(), token, amount }).await
    }

    /// Takes out of the available balance.
    ///
    /// # Errors
    /// See [`Participant`].
    pub async fn withdraw(&self, token: Address, amount: Amount) -> Result<Receipt, WalletError> {
        self.call(CustodyCall::Withdraw { token, amount }).await
    }

    /// Deposits and opens a channel in one transaction.
    ///
    /// # Errors
    /// See [`Participant`].
    pub async fn deposit_and_create(
        &self,
        token: Address,
        amount: Amount,
        params: DirectParams,
        initial: SignedState,
    ) -> Result<Receipt, WalletError> {
        self.call(CustodyCall::DepositAndCreate { token, amount, params, initial }).await
    }

    /// Hands in a newer state.
    ///
    /// # Errors
    /// See [`Participant`].
    pub async fn checkpoint(&self, candidate: SignedState) -> Result<Receipt, WalletError> {
        self.call(CustodyCall::Checkpoint { candidate }).await
    }

    /// Begins a dispute.
    ///
    /// # Errors
    /// See [`Participant`].
    pub async fn challenge(
        &self,
        candidate: SignedState,
        challenger: Signature,
    ) -> Result<Receipt, WalletError> {
        self.call(CustodyCall::Challenge { candidate, challenger }).await
    }

    /// Ends a channel.
    ///
    /// # Errors
    /// See [`Participant`].
    pub async fn close(&self, candidate: SignedState) -> Result<Receipt, WalletError> {
        self.call(CustodyCall::Close { candidate }).await
    }

    /// Opens a channel whose first state both sides have signed: lets the contract take what is the
    /// participant's in it, deposits that and creates the channel.
    ///
    /// # Errors
    /// See [`Participant`].
    pub async fn open_channel(
        &self,
        params: DirectParams,
        first: DirectState,
        signatures: [Signature; 2],
    ) -> Result<Receipt, WalletError> {
        let [part, _] = first.allocations;
        self.approve(part.token, part.amount).await?;
        let initial = SignedState { state: first, signatures: signatures.to_vec() };
        self.deposit_and_create(part.token, part.amount, params, initial).await
    }

    /// Ends a channel by a last state that both sides have signed, and takes the participant's part out.
    ///
    /// # Errors
    /// See [`Participant`].
    pub async fn close_and_withdraw(
        &self,
        last: DirectState,
        signatures: [Signature; 2],
    ) -> Result<Receipt, WalletError> {
        let [part, _] = last.allocations;
        self.close(SignedState { state: last, signatures: signatures.to_vec() }).await?;
        self.withdraw(part.token, part.amount).await
    }

    /// Makes the custody contract do anything else.
    ///
    /// # Errors
    /// See [`Participant`].
    pub async fn call(&self, call: CustodyCall) -> Result<Receipt, WalletError> {
        self.wallet.run(call.to_call(self.custody)).await
    }
}
