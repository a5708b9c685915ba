//! Accounts: what kinds there are, whose they are, and on which side they grow.

use std::fmt;

use crate::primitives::{Address, Amount, ChainId, ChannelId, Token};

use super::error::LedgerError;
use super::transfer::Posting;

/// What the money on an account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountKind {
    /// A participant's part in a direct channel.
    Direct,
    /// A member's money in a virtual channel.
    Virtual,
    /// What the broker owes a participant and no channel anchors.
    Wallet,
    /// On its way out: what signed but unexecuted states would pay above the `direct` account.
    Settling,
    /// The broker's own means.
    Broker,
    /// What the custody contract holds for the broker and its channels. Debit-normal.
    Custody,
    /// What a deep reorganisation took back after it had been spent. Debit-normal.
    Shortfall,
    /// What was made from nothing in test mode. Debit-normal.
    Faucet,
}

/// The two sides of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// What came in.
    Credit,
    /// What went out.
    Debit,
}

impl AccountKind {
    /// Every kind, in the order of their stored codes.
    pub const ALL: [Self; 8] = [
        Self::Direct,
        Self::Virtual,
        Self::Wallet,
        Self::Settling,
        Self::Broker,
        Self::Custody,
        Self::Shortfall,
        Self::Faucet,
    ];

    /// The name shown to people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Virtual => "virtual",
            Self::Wallet => "wallet",
            Self::Settling => "settling",
            Self::Broker => "broker",
            Self::Custody => "custody",
            Self::Shortfall => "shortfall",
            Self::Faucet => "faucet",
        }
    }

    /// The number that stands for this kind in the store; never reused.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Direct => 1,
            Self::Virtual => 2,
            Self::Wallet => 3,
            Self::Settling => 4,
            Self::Broker => 5,
            Self::Custody => 6,
            Self::Shortfall => 7,
            Self::Faucet => 8,
        }
    }

    /// The kind of a stored number; `None` for a number that stands for none.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The side on which accounts of this kind grow; their balance is what this side exceeds the other by.
    #[must_use]
    pub const fn normal_side(self) -> Side {
        match self {
            Self::Direct | Self::Virtual | Self::Wallet | Self::Settling | Self::Broker => Side::Credit,
            Self::Custody | Self::Shortfall | Self::Faucet => Side::Debit,
        }
    }
}

/// Names one account: its kind, the channel and the participant it belongs to, and the token.
///
/// The kinds `broker`, `custody`, `shortfall` and `faucet` have neither channel nor participant: they hold
/// [`ChannelId::NONE`] and [`Address::ZERO`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountKey {
    kind: AccountKind,
    channel: ChannelId,
    participant: Address,
    token: Token,
}

impl AccountKey {
    /// The participant's part in a direct channel.
    #[must_use]
    pub const fn direct(channel: ChannelId, participant: Address, token: Token) -> Self {
        Self { kind: AccountKind::Direct, channel, participant, token }
    }

    /// A member's money in a virtual channel.
    #[must_use]
    pub const fn member(channel: ChannelId, participant: Address, token: Token) -> Self {
        Self { kind: AccountKind::Virtual, channel, participant, token }
    }

    /// What the broker owes a participant outside any channel.
    #[must_use]
    pub fn wallet(participant: Address, token: Token) -> Self {
        let channel = ChannelId::of_wallet(participant);
        Self { kind: AccountKind::Wallet, channel, participant, token }
    }

    /// What is on its way out into the direct channel `channel`.
    #[must_use]
    pub const fn settling(channel: ChannelId, participant: Address, token: Token) -> Self {
        Self { kind: AccountKind::Settling, channel, participant, token }
    }

    /// The broker's own means.
    #[must_use]
    pub const fn broker(token: Token) -> Self {
        Self::without_channel(AccountKind::Broker, token)
    }

    /// What the custody contract holds for the broker and its channels.
    #[must_use]
    pub const fn custody(token: Token) -> Self {
        Self::without_channel(AccountKind::Custody, token)
    }

    /// What a deep reorganisation took back after it had been spent.
    #[must_use]
    pub const fn shortfall(token: Token) -> Self {
        Self::without_channel(AccountKind::Shortfall, token)
    }

    /// What was made from nothing in test mode.
    #[must_use]
    pub const fn faucet(token: Token) -> Self {
        Self::without_channel(AccountKind::Faucet, token)
    }

    const fn without_channel(kind: AccountKind, token: Token) -> Self {
        Self { kind, channel: ChannelId::NONE, participant: Address::ZERO, token }
    }

    /// Puts a key together again from its stored parts; `None` when they do not belong together.
    #[must_use]
    pub fn from_parts(
        kind: AccountKind,
        channel: ChannelId,
        participant: Address,
        token: Token,
    ) -> Option<Self> {
        let key = match kind {
            AccountKind::Direct => Self::direct(channel, participant, token),
            AccountKind::Virtual => Self::member(channel, participant, token),
            AccountKind::Settling => Self::settling(channel, participant, token),
            AccountKind::Wallet => Self::wallet(participant, token),
            AccountKind::Broker => Self::broker(token),
            AccountKind::Custody => Self::custody(token),
            AccountKind::Shortfall => Self::shortfall(token),
            AccountKind::Faucet => Self::faucet(token),
        };
        (key.channel == channel && key.participant == participant).then_some(key)
    }

    /// What the money on it is.
    #[must_use]
    pub const fn kind(&self) -> AccountKind {
        self.kind
    }

    /// The channel it belongs to.
    #[must_use]
    pub const fn channel(&self) -> ChannelId {
        self.channel
    }

    /// The participant it belongs to.
    #[must_use]
    pub const fn participant(&self) -> Address {
        self.participant
    }

    /// The token its amounts are of.
    #[must_use]
    pub const fn token(&self) -> Token {
        self.token
    }

    /// Who alone may debit it; `None` for the accounts of the outside world, which the journal debits
    /// and which cannot be overdrawn by anybody's request.
    #[must_use]
    pub const fn owner(&self) -> Option<OwnerId> {
        match self.kind {
            AccountKind::Direct | AccountKind::Virtual | AccountKind::Settling => {
                Some(OwnerId::Channel(self.channel))
            }
            AccountKind::Wallet => Some(OwnerId::Participant(self.participant)),
            AccountKind::Broker => Some(OwnerId::Network(self.token.chain_id)),
            AccountKind::Custody | AccountKind::Shortfall | AccountKind::Faucet => None,
        }
    }

    /// The balance after `posting`, for an account of this key that held `balance` before.
    ///
    /// # Errors
    /// [`LedgerError::InsufficientBalance`] below zero on the normal side, [`LedgerError::Overflow`]
    /// above 2^256 − 1.
    pub fn balance_after(&self, balance: Amount, posting: Posting) -> Result<Amount, LedgerError> {
        if posting.side() == self.kind.normal_side() {
            balance.checked_add(posting.amount()).ok_or(LedgerError::Overflow { account: *self })
        } else {
            balance.checked_sub(posting.amount()).ok_or(LedgerError::InsufficientBalance {
                account: *self,
                available: balance,
                requested: posting.amount(),
            })
        }
    }
}

impl fmt::Display for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.kind.name(), self.token)?;
        match self.kind {
            AccountKind::Direct | AccountKind::Virtual | AccountKind::Settling => {
                write!(f, " in channel {} for {}", self.channel, self.participant)
            }
            AccountKind::Wallet => write!(f, " for {}", self.participant),
            AccountKind::Broker | AccountKind::Custody | AccountKind::Shortfall | AccountKind::Faucet => {
                Ok(())
            }
        }
    }
}

impl fmt::Debug for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Who alone may debit an account or replace a state: at most one actor acts for each (L8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OwnerId {
    /// A direct or virtual channel.
    Channel(ChannelId),
    /// A participant, for what it has outside channels.
    Participant(Address),
    /// A network's sender, for the broker's own means there.
    Network(ChainId),
}

impl fmt::Display for OwnerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Channel(id) => write!(f, "channel {id}"),
            Self::Participant(address) => write!(f, "participant {address}"),
            Self::Network(chain_id) => write!(f, "network {chain_id}"),
        }
    }
}
