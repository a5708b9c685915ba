//! Entries, and the transfers that bind them: all of a transfer is posted, or nothing.

use std::collections::BTreeMap;

use crate::primitives::{Amount, Delta, Timestamp, Token};

use super::account::{AccountKey, Side};
use super::cause::Cause;
use super::error::LedgerError;

/// A credit or a debit above zero; a posting of nothing cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Posting {
    side: Side,
    amount: Amount,
}

impl Posting {
    /// A posting on `side`; `None` when the amount is zero.
    #[must_use]
    pub fn new(side: Side, amount: Amount) -> Option<Self> {
        (!amount.is_zero()).then_some(Self { side, amount })
    }

    /// A credit if positive, a debit if negative; `None` when nothing changes.
    #[must_use]
    pub fn of(delta: Delta) -> Option<Self> {
        match delta {
            Delta::Zero => None,
            Delta::More(amount) => Self::new(Side::Credit, amount),
            Delta::Less(amount) => Self::new(Side::Debit, amount),
        }
    }

    /// Credit or debit.
    #[must_use]
    pub const fn side(&self) -> Side {
        self.side
    }

    /// How much, above zero.
    #[must_use]
    pub const fn amount(&self) -> Amount {
        self.amount
    }
}

/// One line of the book: a posting on one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Where.
    pub account: AccountKey,
    /// What.
    pub posting: Posting,
}

impl Entry {
    /// An entry of `amount` on `side` of `account`.
    ///
    /// # Errors
    /// [`LedgerError::ZeroEntry`] when the amount is zero.
    pub fn new(account: AccountKey, side: Side, amount: Amount) -> Result<Self, LedgerError> {
        let posting = Posting::new(side, amount).ok_or(LedgerError::ZeroEntry { account })?;
        Ok(Self { account, posting })
    }

    /// Whether it takes from the account: a debit of what grows by credits, and the other way round.
    #[must_use]
    pub fn takes(&self) -> bool {
        self.posting.side() != self.account.kind().normal_side()
    }
}

/// What a transfer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TransferKind {
    /// A direct channel became active on chain.
    ChannelOpened,
    /// A direct channel was closed on chain.
    ChannelClosed,
    /// A participant paid another.
    Payment,
    /// Wallet money moved into a co-signed state, or out of it.
    Anchor,
    /// Members put money into a virtual channel as it opened.
    VirtualOpened,
    /// An agreed state moved money between the members of a virtual channel.
    VirtualUpdated,
    /// A virtual channel was closed by agreement.
    VirtualClosed,
    /// A virtual channel expired and was paid by its last agreed state.
    VirtualExpired,
    /// Wallet money was set aside for its way to the chain.
    SettlementRequested,
    /// What was set aside arrived in a direct channel.
    SettlementExecuted,
    /// What was set aside came back to the wallet.
    SettlementRefunded,
    /// Tokens reached the broker's available balance in the custody contract.
    BrokerDeposited,
    /// Tokens left the broker's available balance in the custody contract.
    BrokerWithdrawn,
    /// Corrects an earlier transfer.
    Correction,
    /// The Host put its share into a virtual channel that it proposed.
    VirtualProposed,
    /// The Host's share came back from a proposal that was not accepted.
    VirtualReturned,
    /// Members put money into an open virtual channel.
    VirtualDeposited,
    /// Members took money out of an open virtual channel.
    VirtualWithdrawn,
    /// A wallet got money from nothing, in test mode.
    TestFunded,
    /// The book was begun anew, in test mode, with what the broker has available in custody contracts.
    BookBegun,
}

/// The kinds with their stored code and shown name, in one table so that none can be forgotten.
const KINDS: [(TransferKind, u8, &str); 20] = [
    (TransferKind::ChannelOpened, 1, "channel_opened"),
    (TransferKind::ChannelClosed, 2, "channel_closed"),
    (TransferKind::Payment, 3, "payment"),
    (TransferKind::Anchor, 4, "anchor"),
    (TransferKind::VirtualOpened, 5, "virtual_opened"),
    (TransferKind::VirtualUpdated, 6, "virtual_updated"),
    (TransferKind::VirtualClosed, 7, "virtual_closed"),
    (TransferKind::VirtualExpired, 8, "virtual_expired"),
    (TransferKind::SettlementRequested, 9, "settlement_requested"),
    (TransferKind::SettlementExecuted, 10, "settlement_executed"),
    (TransferKind::SettlementRefunded, 11, "settlement_refunded"),
    (TransferKind::BrokerDeposited, 12, "broker_deposited"),
    (TransferKind::BrokerWithdrawn, 13, "broker_withdrawn"),
    (TransferKind::Correction, 14, "correction"),
    (TransferKind::VirtualProposed, 15, "virtual_proposed"),
    (TransferKind::VirtualReturned, 16, "virtual_returned"),
    (TransferKind::VirtualDeposited, 17, "virtual_deposited"),
    (TransferKind::VirtualWithdrawn, 18, "virtual_withdrawn"),
    (TransferKind::TestFunded, 19, "test_funded"),
    (TransferKind::BookBegun, 20, "book_begun"),
];

impl TransferKind {
    /// The number that stands for this kind in the store; never reused.
    #[must_use]
    pub fn code(self) -> u8 {
        self.row().1
    }

    /// The name shown to people and on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().2
    }

    /// The kind of a stored number; `None` for a number that stands for none.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        KINDS.into_iter().find(|row| row.1 == code).map(|row| row.0)
    }

    fn row(self) -> (Self, u8, &'static str) {
        // The table follows the order of the variants; a test holds them together.
        KINDS[self as usize]
    }
}

/// An atomic set of entries that sums to zero per token.
///
/// The journal numbers transfers and entries when it posts them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    kind: TransferKind,
    cause: Cause,
    at: Timestamp,
    entries: Vec<Entry>,
}

impl Transfer {
    /// Proves that the entries make a transfer.
    ///
    /// # Errors
    /// First that applies: [`LedgerError::NoEntries`], [`LedgerError::Overflow`] (a sum leaves
    /// 2^256 − 1), [`LedgerError::Unbalanced`].
    pub fn new(
        kind: TransferKind,
        cause: Cause,
        at: Timestamp,
        entries: Vec<Entry>,
    ) -> Result<Self, LedgerError> {
        if entries.is_empty() {
            return Err(LedgerError::NoEntries);
        }
        let mut sums: BTreeMap<Token, (Amount, Amount)> = BTreeMap::new();
        for entry in &entries {
            let (credits, debits) = sums.entry(entry.account.token()).or_default();
            let sum = match entry.posting.side() {
                Side::Credit => credits,
                Side::Debit => debits,
            };
            *sum = sum
                .checked_add(entry.posting.amount())
                .ok_or(LedgerError::Overflow { account: entry.account })?;
        }
        match sums.into_iter().find(|(_, (credits, debits))| credits != debits) {
            Some((token, (credits, debits))) => Err(LedgerError::Unbalanced { token, credits, debits }),
            None => Ok(Self { kind, cause, at, entries }),
        }
    }

    /// What it is for.
    #[must_use]
    pub const fn kind(&self) -> TransferKind {
        self.kind
    }

    /// What brought it about.
    #[must_use]
    pub const fn cause(&self) -> Cause {
        self.cause
    }

    /// When it was decided.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// Its entries, in the order they were decided; at least two.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_row() {
        for (place, (kind, code, name)) in KINDS.into_iter().enumerate() {
            assert_eq!(kind as usize, place);
            assert_eq!((kind.code(), kind.name()), (code, name));
            assert_eq!(TransferKind::from_code(code), Some(kind));
            let same = KINDS.iter().filter(|row| row.1 == code || row.2 == name);
            assert_eq!(same.count(), 1);
        }
        assert_eq!(TransferKind::from_code(0), None);
    }
}
