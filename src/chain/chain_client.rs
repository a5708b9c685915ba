//! The contract between the broker and a chain.

use async_trait::async_trait;
use domain::chain::CustodyEvent;
use domain::primitives::{Address, Amount, ChainId, ChannelId, Digest};
use evm::custody::{CustodyCall, OnChainChannel, PoisonLog};
use evm::{BlockRef, Call, ChainError, NonceAndFees, RawLog, Receipt, Wake};
use futures::stream::BoxStream;

/// One chain and our custody contract on it.
///
/// An implementation asks and sends; it decides nothing, and remembers nothing that an answer could
/// depend on. Every method may be called again at any time and by several callers at once.
///
/// # Truth, order and reorgs
/// - Blocks below the head can be taken back: a height can get another hash, and the head can move to a
///   lower height, without any notice. Whoever keeps something under a height keeps the hash with it and
///   compares. An answer holds for the block it was asked at and says nothing of others.
/// - [`logs`](Self::logs) is the only truth about what happened. It is of one branch: the one that ends
///   in the block `to` named by the caller. Logs come in the order in which they were written. Asking again
///   for blocks that are still on the chain gives the same logs; a cursor over (height, hash) therefore
///   misses nothing and sees nothing twice. **Money is lost** by moving the cursor past a block whose logs
///   were not read, by reading logs up to a bare height (a node that lags behind, or a load balancer's
///   other node, answers with fewer), and by applying a log of a block that is gone without taking it back.
/// - The same transaction, and so the same channel, can be mined again in another block after a reorg:
///   then it is another log, told apart by its block hash.
/// - [`wake_ups`](Self::wake_ups) is a hint and no more: heads may be left out, told twice or told of
///   blocks that are gone. Its end means that the connection was lost; what happened meanwhile is only to be
///   had from `logs`. The right order at the start is: subscribe, wait for [`Wake::Connected`], scan from
///   the cursor, then scan at every hint.
///
/// # Sending
/// - [`send_raw`](Self::send_raw) may be repeated with the same bytes, and must be after an error of class
///   unavailable, whose outcome is unknown. **Money is lost** by signing something else with the same nonce
///   while the first may still be mined, unless the second is meant to take its place, and by giving a
///   transaction up before its nonce is used up at confirmed depth.
/// - A [`receipt`](Self::receipt) can vanish with its block; `None` does not mean that the transaction never
///   comes.
///
/// # Errors
/// Every method returns what the chain or the node would not do as [`ChainError`]; its class says whether
/// asking again can help. A range of blocks that a node finds too wide comes back as an error too, in the
/// words of that node: whoever scans halves the range after any failure.
#[async_trait]
pub trait ChainClient: Send + Sync {
    /// The chain.
    fn chain_id(&self) -> ChainId;

    /// The newest block.
    async fn head(&self) -> Result<BlockRef, ChainError>;

    /// The block at a height of the chain as it stands; `None` above the head.
    async fn block(&self, height: u64) -> Result<Option<BlockRef>, ChainError>;

    /// All logs of the custody contract about channels, and about the broker's own deposits and withdrawals, in the
    /// blocks `from ..= to.height` of the branch that ends in
    /// `to`, in order; none when `from` lies above `to`. [`ChainError::UnknownBlock`] when `to` is not on
    /// the chain, or did not stay there until the answer was complete: look at the head again.
    async fn logs(&self, from: u64, to: BlockRef) -> Result<Vec<RawLog>, ChainError>;

    /// What a log of the custody contract says; pure. A log that cannot be read is never one that this
    /// program's contract wrote: it is recorded and passed over, and an operator is told.
    fn decode(&self, log: &RawLog) -> Result<CustodyEvent, PoisonLog>;

    /// Hints, over one connection: waits until there is one, says [`Wake::Connected`], then [`Wake::Head`]
    /// whenever there may be something to see, and ends with the connection. Call again after the end;
    /// pauses between connections are kept inside. One stream at a time.
    fn wake_ups(&self) -> BoxStream<'static, Wake>;

    /// The channel as the custody contract has it after block `at`; `None` when it was never created there,
    /// or has ended.
    async fn channel_at(&self, id: ChannelId, at: BlockRef) -> Result<Option<OnChainChannel>, ChainError>;

    /// What the channel holds of a token after block `at`.
    async fn channel_balance_at(
        &self,
        id: ChannelId,
        token: Address,
        at: BlockRef,
    ) -> Result<Amount, ChainError>;

    /// The account's available balance of a token in the custody contract after block `at`.
    async fn available_at(
        &self,
        account: Address,
        token: Address,
        at: BlockRef,
    ) -> Result<Amount, ChainError>;

    /// How many transactions of the address the chain holds up to and with block `at`: all nonces below are
    /// used up, as finally as that block stands.
    async fn nonce_at(&self, address: Address, at: BlockRef) -> Result<u64, ChainError>;

    /// The nonces of an address and what a transaction has to pay, as things stand.
    async fn nonce_and_fees(&self, address: Address) -> Result<NonceAndFees, ChainError>;

    /// The call that makes the custody contract do something; pure.
    fn encode(&self, call: &CustodyCall) -> Call;

    /// How much gas a call by `from` would take on top of the newest block; [`ChainError::Reverted`] when
    /// it would fail there.
    async fn estimate_gas(&self, from: Address, call: &Call) -> Result<u64, ChainError>;

    /// Hands a signed transaction to the chain and returns its hash; the same bytes again are no error
    /// while it waits. [`ChainError::NonceTooLow`] means that it, or another in its place, is in a block.
    async fn send_raw(&self, raw: &[u8]) -> Result<Digest, ChainError>;

    /// What became of a transaction; `None` while it is in no block of the chain as it stands.
    async fn receipt(&self, tx: Digest) -> Result<Option<Receipt>, ChainError>;
}
