//! The audit: reads a whole store, page by page, and says of each law whether the book keeps it.
//!
//! Trusts nothing that the journal checked: sums, balances and chains of entries are computed again from
//! the rows. Reads while a journal writes, and changes nothing. Deliberately absent: the laws that no book
//! can show (durability, liveness, who acts for whom), and mending what is broken.
//!
//! Needs about 300 bytes of memory an account and 200 for each chain event and deadline that moved money,
//! however many transfers there are.

mod book;
mod conservation;
mod finding;
mod once;
mod pages;
mod rebuilt;
mod report;
mod signed;
mod solvency;

use std::collections::BTreeMap;

pub use finding::{Finding, Findings, NamedAccount, Problem};
pub use report::{Law, Report, Unchecked, Verdict};

use crate::store::{Store, StoreError};

/// Checks the book in a store, and nothing outside it.
///
/// # Errors
/// [`StoreError`] when the store cannot be read. Rows that are damaged are findings.
pub async fn audit_book(store: &dyn Store) -> Result<Report, StoreError> {
    let book = book::read(store).await?;
    let laws = BTreeMap::from([
        (Law::Conservation, Verdict::of(book.conservation)),
        (Law::Custody, Verdict::NotChecked(Unchecked::BookOnly)),
        (Law::Solvency, Verdict::of(book.solvency)),
        (Law::Once, Verdict::of(book.once)),
        (Law::Replay, Verdict::of(book.replay)),
        (Law::Enforceable, Verdict::NotChecked(Unchecked::UnknownStates)),
        (Law::Agreed, Verdict::NotChecked(Unchecked::UnknownStates)),
    ]);
    Ok(Report {
        head: book.head,
        accounts: book.accounts,
        transfers: book.transfers,
        entries: book.entries,
        laws,
    })
}
