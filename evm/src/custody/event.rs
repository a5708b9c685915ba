//! Reading what the custody contract writes to its log.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use domain::chain::{CustodyEvent, RecordedState};
use domain::crypto::decode_resize;
use domain::primitives::{Address, Amount, ChainId, ChannelId, Delta, Digest};
use ethers_core::abi::{self, Event, ParamType, Token};
use thiserror::Error;

use super::artifact::CUSTODY;
use super::tokens;
use crate::convert;
use crate::types::{LogPosition, RawLog};

/// A log that cannot be read, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("log {} of block {} cannot be read: {problem}", position.log_index, position.height)]
pub struct PoisonLog {
    /// Where it stands.
    pub position: LogPosition,
    /// What is wrong with it.
    pub problem: LogProblem,
}

/// Why a log cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LogProblem {
    /// It has no topic.
    #[error("the log names no event")]
    Anonymous,
    /// Its first topic is no event of the custody contract.
    #[error("{topic} is no event of the custody contract")]
    UnknownEvent {
        /// The topic.
        topic: Digest,
    },
    /// Its topics or data are not what the event is made of, byte for byte.
    #[error("the log does not have the form of {event}")]
    Malformed {
        /// The event that it names.
        event: &'static str,
    },
    /// Its terms belong to another channel than the one it names.
    #[error("the log names channel {named}, its terms are those of {computed}")]
    OtherChannel {
        /// The channel that the log names.
        named: ChannelId,
        /// The id of the terms.
        computed: ChannelId,
    },
}

/// Reads the values of one kind of event: its indexed words and the rest.
type Reader = fn(&mut Fields<'_>, ChainId) -> Option<CustodyEvent>;

/// The events that are read, by name.
const READERS: [(&str, Reader); 9] = [
    ("Deposited", |f, _| {
        Some(CustodyEvent::Deposited {
            wallet: f.indexed_address()?,
            token: f.indexed_address()?,
            amount: f.amount()?,
        })
    }),
    ("Withdrawn", |f, _| {
        Some(CustodyEvent::Withdrawn {
            wallet: f.indexed_address()?,
            token: f.indexed_address()?,
            amount: f.amount()?,
        })
    }),
    ("Created", |f, chain_id| {
        Some(CustodyEvent::Created {
            channel_id: f.indexed_id()?,
            wallet: f.indexed_address()?,
            params: tokens::into_params(f.next()?, chain_id)?,
            initial: f.state()?,
        })
    }),
    ("Joined", |f, _| {
        Some(CustodyEvent::Joined { channel_id: f.indexed_id()?, side: tokens::into_number(f.next()?)? })
    }),
    ("Opened", |f, _| Some(CustodyEvent::Opened { channel_id: f.indexed_id()? })),
    ("Challenged", |f, _| {
        Some(CustodyEvent::Challenged {
            channel_id: f.indexed_id()?,
            state: f.state()?,
            expires_at_secs: tokens::into_secs(f.next()?)?,
        })
    }),
    ("Checkpointed", |f, _| {
        Some(CustodyEvent::Checkpointed { channel_id: f.indexed_id()?, state: f.state()? })
    }),
    ("Resized", |f, _| Some(CustodyEvent::Resized { channel_id: f.indexed_id()?, deltas: f.deltas()? })),
    ("Closed", |f, _| Some(CustodyEvent::Closed { channel_id: f.indexed_id()?, state: f.state()? })),
];

static KINDS: LazyLock<BTreeMap<Digest, (&'static str, &'static Event, Reader)>> = LazyLock::new(|| {
    let kind = |(name, reader)| {
        let event = CUSTODY.event(name);
        (convert::digest(event.signature()), (name, event, reader))
    };
    READERS.into_iter().map(kind).collect()
});

/// What the first topic can be of events about channels, and of those about wallets.
pub(crate) fn event_topics() -> (Vec<Digest>, Vec<Digest>) {
    let is_of_wallet = |name: &str| ["Deposited", "Withdrawn"].contains(&name);
    let (wallets, channels): (Vec<_>, Vec<_>) =
        KINDS.iter().map(|(topic, (name, ..))| (*topic, *name)).partition(|(_, name)| is_of_wallet(name));
    let topics = |kinds: Vec<(Digest, &str)>| kinds.into_iter().map(|(topic, _)| topic).collect();
    (topics(channels), topics(wallets))
}

/// Reads a log of the custody contract on a chain: exactly what the contract writes, nothing similar.
///
/// # Errors
/// [`PoisonLog`] with the first that applies: [`LogProblem::Anonymous`], [`LogProblem::UnknownEvent`],
/// [`LogProblem::Malformed`], [`LogProblem::OtherChannel`].
pub fn decode_log(log: &RawLog, chain_id: ChainId) -> Result<CustodyEvent, PoisonLog> {
    let poison = |problem| PoisonLog { position: log.position, problem };
    let Some((topic, indexed)) = log.topics.split_first() else {
        return Err(poison(LogProblem::Anonymous));
    };
    let Some((name, event, reader)) = KINDS.get(topic) else {
        return Err(poison(LogProblem::UnknownEvent { topic: *topic }));
    };
    let read = Fields::of(event, indexed, &log.data).and_then(|mut fields| {
        let decoded = reader(&mut fields, chain_id)?;
        fields.is_used_up().then_some(decoded)
    });
    let decoded = read.ok_or(poison(LogProblem::Malformed { event: name }))?;
    if let CustodyEvent::Created { channel_id, params, .. } = &decoded {
        let (named, computed) = (*channel_id, params.channel_id());
        if named != computed {
            return Err(poison(LogProblem::OtherChannel { named, computed }));
        }
    }
    Ok(decoded)
}

/// The values of a log, taken one after another.
struct Fields<'a> {
    indexed: std::slice::Iter<'a, Digest>,
    data: std::vec::IntoIter<Token>,
}

impl<'a> Fields<'a> {
    /// Decodes the data; `None` unless it is exactly what the contract writes for these values.
    fn of(event: &Event, indexed: &'a [Digest], data: &[u8]) -> Option<Self> {
        let kinds: Vec<ParamType> =
            event.inputs.iter().filter(|input| !input.indexed).map(|input| input.kind.clone()).collect();
        let values = if kinds.is_empty() { Vec::new() } else { abi::decode(&kinds, data).ok()? };
        // The decoder overlooks trailing bytes and padding; writing the values again does not.
        let is_exact = abi::encode(&values) == data;
        is_exact.then(|| Self { indexed: indexed.iter(), data: values.into_iter() })
    }

    fn indexed_id(&mut self) -> Option<ChannelId> {
        self.indexed.next().map(|word| ChannelId::from_bytes(*word.as_bytes()))
    }

    fn indexed_address(&mut self) -> Option<Address> {
        let word = self.indexed.next()?;
        let (_, bytes) = word.as_bytes().split_last_chunk::<20>()?;
        let address = Address::from_bytes(*bytes);
        (address.to_word() == *word.as_bytes()).then_some(address)
    }

    fn next(&mut self) -> Option<Token> {
        self.data.next()
    }

    fn amount(&mut self) -> Option<Amount> {
        tokens::into_amount(self.next()?)
    }

    fn state(&mut self) -> Option<RecordedState> {
        tokens::into_state(self.next()?)
    }

    /// Two numbers with sign, which the domain reads from their encoding.
    fn deltas(&mut self) -> Option<[Delta; 2]> {
        decode_resize(&abi::encode(&[self.next()?])).ok()
    }

    fn is_used_up(&self) -> bool {
        self.indexed.len() == 0 && self.data.len() == 0
    }
}
