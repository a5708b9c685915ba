//! The audit: reads a whole store, page by page, and says of each law whether the book keeps it.
//!
//! Trusts nothing that the journal checked: sums, balances and chains of entries are computed again from
//! the rows. Reads while a journal writes, and changes nothing. Deliberately absent: the laws that no book
//! can show (durability, liveness, who acts for whom), and mending what is broken.
//!
//! Needs about 300 bytes of memory an account and 200 for each chain event and deadline that moved money,
//! however many transfers there are.

mod book;
mod claims;
mod conservation;
mod custody;
mod finding;
mod once;
mod pages;
mod rebuilt;
mod report;
mod signed;
mod solvency;

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::primitives::Address;

pub use finding::{Finding, Findings, NamedAccount, Problem};
pub use report::{Law, Report, Shortfall, Surplus, Unchecked, Verdict};

use crate::chain::ChainClient;
use crate::store::{Store, StoreError};
use custody::CustodyAudit;

/// The contracts that a book is compared with.
pub struct Contracts {
    /// Whose book it is.
    pub broker: Address,
    /// The chains, each with the broker's custody contract.
    pub chains: Vec<Arc<dyn ChainClient>>,
}

/// Checks the book in a store and, where `contracts` are given, that they hold what it says.
///
/// # Errors
/// [`StoreError`] when the store cannot be read. Rows that are damaged are findings, and chains that do not
/// answer leave a law unchecked.
pub async fn audit(store: &dyn Store, contracts: Option<&Contracts>) -> Result<Report, StoreError> {
    let book = book::read(store).await?;
    let mut positions = Vec::new();
    for chain in contracts.iter().flat_map(|contracts| &contracts.chains) {
        positions.push(custody::position(store, chain.as_ref(), &book.custody).await?);
    }
    let claims = claims::check(store, &book.funded).await?;
    let mut custody = CustodyAudit::new(contracts.is_none().then_some(Unchecked::BookOnly));
    if let Some(Contracts { broker, chains }) = contracts {
        for (chain, position) in chains.iter().zip(&positions) {
            custody.check(store, chain.as_ref(), *broker, position, &claims.counted).await?;
        }
    }
    let moving = |law| {
        let channel = claims.moving.filter(|(of, _)| *of == law);
        channel.map(|(_, id)| Unchecked::Moving { what: format!("channel {id}") })
    };
    let laws = BTreeMap::from([
        (Law::Conservation, Verdict::of(book.conservation)),
        (Law::Custody, Verdict::of_part(custody.findings, custody.unchecked)),
        (Law::Solvency, Verdict::of(book.solvency)),
        (Law::Once, Verdict::of(book.once)),
        (Law::Replay, Verdict::of(book.replay)),
        (Law::Enforceable, Verdict::of_part(claims.enforceable, moving(Law::Enforceable))),
        (Law::Agreed, Verdict::of_part(claims.agreed, moving(Law::Agreed))),
    ]);
    Ok(Report {
        head: book.head,
        accounts: book.accounts,
        transfers: book.transfers,
        entries: book.entries,
        laws,
        surpluses: custody.surpluses,
        shortfalls: book.shortfalls,
    })
}
