//! The book itself: balances, and entries that are being written.

use std::collections::BTreeMap;

use crate::primitives::{Amount, Delta, Timestamp};

use super::account::{AccountKey, AccountKind};
use super::cause::Cause;
use super::error::LedgerError;
use super::transfer::{Entry, Posting, Transfer, TransferKind};

/// Balances of accounts, and the entries of one transfer that is being written.
///
/// Entries are written through [`Ledger::account`] and become a transfer by [`Ledger::seal`]; until
/// then [`Ledger::discard`] takes them all back. Holds only the accounts it was told of: an account
/// never mentioned stands at zero.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    balances: BTreeMap<AccountKey, Amount>,
    /// What the accounts touched by `open` held before.
    before: BTreeMap<AccountKey, Amount>,
    open: Vec<Entry>,
}

/// One account of a [`Ledger`], to read or to write entries on.
#[derive(Debug)]
pub struct Account<'a> {
    ledger: &'a mut Ledger,
    key: AccountKey,
}

impl Ledger {
    /// An empty book.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A book that begins with these balances, such as those a store has kept.
    #[must_use]
    pub fn with_balances<I: IntoIterator<Item = (AccountKey, Amount)>>(balances: I) -> Self {
        Self { balances: balances.into_iter().collect(), ..Self::default() }
    }

    /// The account of that key.
    pub fn account(&mut self, key: AccountKey) -> Account<'_> {
        Account { ledger: self, key }
    }

    /// What the account holds, entries being written included.
    #[must_use]
    pub fn balance(&self, key: AccountKey) -> Amount {
        self.balances.get(&key).copied().unwrap_or_default()
    }

    /// All balances above zero, in the order of their keys.
    pub fn balances(&self) -> impl Iterator<Item = (AccountKey, Amount)> + '_ {
        self.balances.iter().map(|(key, amount)| (*key, *amount)).filter(|(_, amount)| !amount.is_zero())
    }

    /// Makes the entries written since the last seal a transfer.
    ///
    /// # Errors
    /// Those of [`Transfer::new`]; the entries are taken back.
    pub fn seal(&mut self, kind: TransferKind, cause: Cause, at: Timestamp) -> Result<Transfer, LedgerError> {
        let sealed = Transfer::new(kind, cause, at, self.open.clone());
        match sealed {
            Ok(_) => {
                self.before.clear();
                self.open.clear();
            }
            Err(_) => self.discard(),
        }
        sealed
    }

    /// Takes back the entries written since the last seal.
    pub fn discard(&mut self) {
        self.balances.append(&mut self.before);
        self.open.clear();
    }

    /// Posts a transfer that was made elsewhere: all of it or nothing.
    ///
    /// # Errors
    /// [`LedgerError::InsufficientBalance`] or [`LedgerError::Overflow`] for the first entry that does
    /// not fit; nothing has changed. Entries being written are taken back in any case.
    pub fn post(&mut self, transfer: &Transfer) -> Result<(), LedgerError> {
        self.discard();
        for entry in transfer.entries() {
            if let Err(error) = self.write(*entry) {
                self.discard();
                return Err(error);
            }
        }
        self.before.clear();
        self.open.clear();
        Ok(())
    }

    fn write(&mut self, entry: Entry) -> Result<(), LedgerError> {
        let balance = self.balance(entry.account);
        let after = entry.account.balance_after(balance, entry.posting)?;
        self.before.entry(entry.account).or_insert(balance);
        self.balances.insert(entry.account, after);
        self.open.push(entry);
        Ok(())
    }
}

impl Account<'_> {
    /// What the account holds, entries being written included.
    #[must_use]
    pub fn balance(&self) -> Amount {
        self.ledger.balance(self.key)
    }

    /// What the money on it is.
    #[must_use]
    pub const fn kind(&self) -> AccountKind {
        self.key.kind()
    }

    /// Writes an entry: a credit if `delta` is positive, a debit if it is negative.
    ///
    /// # Errors
    /// First that applies: [`LedgerError::ZeroEntry`], [`LedgerError::InsufficientBalance`],
    /// [`LedgerError::Overflow`]. Nothing was written.
    pub fn record(&mut self, delta: Delta) -> Result<(), LedgerError> {
        let posting = Posting::of(delta).ok_or(LedgerError::ZeroEntry { account: self.key })?;
        self.ledger.write(Entry { account: self.key, posting })
    }

    /// Debits this account and credits `to`.
    ///
    /// # Errors
    /// First that applies: [`LedgerError::TokensDiffer`], then those of [`Account::record`] on this
    /// account and on the other. Nothing was written.
    pub fn transfer(&mut self, to: AccountKey, amount: Amount) -> Result<(), LedgerError> {
        if self.key.token() != to.token() {
            return Err(LedgerError::TokensDiffer { from: self.key, to });
        }
        let (balance, written) = (self.balance(), self.ledger.open.len());
        self.record(Delta::less(amount))?;
        let credited = self.ledger.account(to).record(Delta::more(amount));
        if credited.is_err() {
            self.ledger.open.truncate(written);
            self.ledger.balances.insert(self.key, balance);
        }
        credited
    }
}

#[cfg(test)]
mod tests;
