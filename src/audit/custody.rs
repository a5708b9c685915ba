//! L1, the chains' side: each contract holds for the broker what the book says it holds.
//!
//! Looks at the block up to which the book has read the chain, with every event taken in: the `custody`
//! account then equals the broker's available balance and what the contract holds for its channels that
//! count. More than that is no fault, since anybody can give to the broker; less is.

use std::collections::{BTreeMap, BTreeSet};

use domain::ledger::AccountKey;
use domain::primitives::{Address, Amount, ChannelId, Delta, Token};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};

use super::finding::{Finding, Findings, Problem};
use super::report::{Surplus, Unchecked};
use crate::chain::{BlockRef, ChainClient, ChainError};
use crate::store::{AccountRow, CursorRow, Store, StoreError};

/// How many channels a node is asked about at a time.
const ASKED_MAX: usize = 16;

/// What the book says of one chain, before its channels were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Position {
    cursor: Option<CursorRow>,
    custody: BTreeMap<Token, AccountRow>,
}

/// What the contracts come to.
#[derive(Debug)]
pub(super) struct CustodyAudit {
    pub(super) findings: Findings,
    pub(super) surpluses: Vec<Surplus>,
    /// Why a chain was not checked: the first reason.
    pub(super) unchecked: Option<Unchecked>,
}

/// Why one chain was not checked.
enum Stop {
    Store(StoreError),
    Unchecked(Unchecked),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Where the book stands on a chain; to be read before the states of its channels. `tokens` are those that
/// there are `custody` accounts of.
///
/// # Errors
/// What the store says when it cannot be read.
pub(super) async fn position(
    store: &dyn Store,
    chain: &dyn ChainClient,
    tokens: &BTreeSet<Token>,
) -> Result<Position, StoreError> {
    let chain_id = chain.chain_id();
    let cursor = store.cursor(chain_id).await?.last().copied();
    let tokens = tokens.iter().filter(|token| token.chain_id == chain_id);
    let keys: Vec<AccountKey> = tokens.map(|token| AccountKey::custody(*token)).collect();
    let rows = if keys.is_empty() { Vec::new() } else { store.accounts(&keys).await? };
    Ok(Position { cursor, custody: rows.into_iter().map(|row| (row.key.token(), row)).collect() })
}

impl CustodyAudit {
    /// Begins with no chain compared; `unchecked` when none is to be.
    pub(super) fn new(unchecked: Option<Unchecked>) -> Self {
        Self { findings: Findings::default(), surpluses: Vec::new(), unchecked }
    }

    /// Compares one chain's contract with the book; `before` was read before `counted`.
    ///
    /// # Errors
    /// What the store says when it cannot be read.
    pub(super) async fn check(
        &mut self,
        store: &dyn Store,
        chain: &dyn ChainClient,
        broker: Address,
        before: &Position,
        counted: &[(ChannelId, Token)],
    ) -> Result<(), StoreError> {
        let tokens = before.custody.keys().chain(counted.iter().map(|(_, token)| token));
        let tokens: BTreeSet<Token> =
            tokens.filter(|token| token.chain_id == chain.chain_id()).copied().collect();
        match self.compare(store, chain, broker, before, counted, &tokens).await {
            Ok(()) => Ok(()),
            Err(Stop::Store(error)) => Err(error),
            Err(Stop::Unchecked(why)) => {
                self.unchecked.get_or_insert(why);
                Ok(())
            }
        }
    }

    async fn compare(
        &mut self,
        store: &dyn Store,
        chain: &dyn ChainClient,
        broker: Address,
        before: &Position,
        counted: &[(ChannelId, Token)],
        tokens: &BTreeSet<Token>,
    ) -> Result<(), Stop> {
        let chain_id = chain.chain_id();
        let at = block_of(chain, before).await?;
        let mut held = BTreeMap::new();
        for token in tokens {
            let amount = held_at(chain, broker, *token, counted, at).await;
            held.insert(*token, amount.map_err(|error| unavailable(chain, &error))?);
        }
        // Asked last: what waits now was there or came since, and what moved since shows in the accounts. Blocks
        // that were read since and moved nothing do not matter.
        if let Some(row) = store.unhandled(chain_id, None, 1).await?.first() {
            return Err(Stop::Unchecked(Unchecked::NotDrained { chain_id, height: row.height }));
        }
        if position(store, chain, tokens).await?.custody != before.custody {
            return Err(Stop::Unchecked(Unchecked::Moving { what: format!("chain {chain_id}") }));
        }
        for (token, actual) in held {
            self.judge(token, before.custody.get(&token), actual);
        }
        Ok(())
    }

    fn judge(&mut self, token: Token, row: Option<&AccountRow>, actual: Option<Amount>) {
        let expected = row.map(|row| row.balance).unwrap_or_default();
        let named = |finding: Finding| match row {
            Some(row) => finding.on(row),
            None => finding.at(AccountKey::custody(token)),
        };
        match actual.map(|actual| Delta::between(expected, actual)) {
            None => self.findings.push(named(Finding::new(Problem::Overflow).figures(expected, "more"))),
            Some(Delta::Zero) => {}
            Some(Delta::More(amount)) => self.surpluses.push(Surplus { token, amount }),
            Some(Delta::Less(missing)) => {
                let actual = format_args!("{missing} less");
                self.findings.push(named(Finding::new(Problem::Deficit).figures(expected, actual)));
            }
        }
    }
}

/// The block up to which the book has read the chain.
async fn block_of(chain: &dyn ChainClient, before: &Position) -> Result<BlockRef, Stop> {
    let chain_id = chain.chain_id();
    let cursor = before.cursor.ok_or(Stop::Unchecked(Unchecked::NeverRead { chain_id }))?;
    match chain.block(cursor.height).await.map_err(|error| unavailable(chain, &error))? {
        Some(block) if block.hash == cursor.hash => Ok(block),
        Some(_) | None => Err(Stop::Unchecked(Unchecked::Reorganised { chain_id, height: cursor.height })),
    }
}

fn unavailable(chain: &dyn ChainClient, error: &ChainError) -> Stop {
    let (chain_id, reason) = (chain.chain_id(), error.to_string());
    Stop::Unchecked(Unchecked::ChainUnavailable { chain_id, reason })
}

/// What the contract holds for the broker of a token after a block; `None` above 2^256 − 1.
async fn held_at(
    chain: &dyn ChainClient,
    broker: Address,
    token: Token,
    counted: &[(ChannelId, Token)],
    at: BlockRef,
) -> Result<Option<Amount>, ChainError> {
    let available = chain.available_at(broker, token.address, at).await?;
    let channels = counted.iter().filter(|(_, of)| *of == token);
    let balances = channels.map(|(id, _)| chain.channel_balance_at(*id, token.address, at));
    let balances: Vec<Amount> = stream::iter(balances).buffer_unordered(ASKED_MAX).try_collect().await?;
    Ok(Amount::checked_sum(balances.into_iter().chain([available])))
}
