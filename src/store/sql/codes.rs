//! The numbers and bytes that stand in columns for values of the domain. Never reused, never changed.

use domain::ledger::{Cause, EventKey, OwnerId, RequestKey, Side};
use domain::primitives::{Address, ChainId, ChannelId, Digest, Timestamp};

use crate::store::{OutboxStatus, StateKind};

/// Bytes that are not what this program would have written.
pub(super) const WRONG_LENGTH: &str = "bytes of a wrong length";
/// A number that stands for nothing.
pub(super) const UNKNOWN_CODE: &str = "an unknown code";

pub(super) const fn of_side(side: Side) -> i16 {
    match side {
        Side::Credit => 1,
        Side::Debit => 2,
    }
}

pub(super) fn side(code: i16) -> Result<Side, &'static str> {
    [Side::Credit, Side::Debit].into_iter().find(|side| of_side(*side) == code).ok_or(UNKNOWN_CODE)
}

pub(super) const fn of_state_kind(kind: StateKind) -> i16 {
    match kind {
        StateKind::Direct => 1,
        StateKind::Virtual => 2,
        StateKind::Participant => 3,
        StateKind::Sender => 4,
    }
}

pub(super) fn state_kind(code: i16) -> Result<StateKind, &'static str> {
    let all = [StateKind::Direct, StateKind::Virtual, StateKind::Participant, StateKind::Sender];
    all.into_iter().find(|kind| of_state_kind(*kind) == code).ok_or(UNKNOWN_CODE)
}

/// The schema's index of open rows knows the code of [`OutboxStatus::Open`].
pub(super) const fn of_outbox_status(status: OutboxStatus) -> i16 {
    match status {
        OutboxStatus::Open => 1,
        OutboxStatus::Done => 2,
    }
}

pub(super) fn outbox_status(code: i16) -> Result<OutboxStatus, &'static str> {
    let all = [OutboxStatus::Open, OutboxStatus::Done];
    all.into_iter().find(|status| of_outbox_status(*status) == code).ok_or(UNKNOWN_CODE)
}

/// The kind of owner that a channel is.
pub(super) const OWNER_CHANNEL: i16 = 1;

/// Kind and id of an owner; together they sort like [`OwnerId`].
pub(super) fn of_owner(owner: OwnerId) -> (i16, Vec<u8>) {
    match owner {
        OwnerId::Channel(id) => (OWNER_CHANNEL, id.as_bytes().to_vec()),
        OwnerId::Participant(address) => (2, address.as_bytes().to_vec()),
        OwnerId::Network(chain_id) => (3, chain_id.get().to_be_bytes().to_vec()),
    }
}

pub(super) fn owner(kind: i16, id: &[u8]) -> Result<OwnerId, &'static str> {
    match kind {
        OWNER_CHANNEL => channel_id(id).map(OwnerId::Channel),
        2 => address(id).map(OwnerId::Participant),
        3 => array(id).map(|bytes| OwnerId::Network(ChainId::new(u64::from_be_bytes(bytes)))),
        _ => Err(UNKNOWN_CODE),
    }
}

/// Kind and bytes of a cause: numbers of eight bytes, most significant first, then the rest.
pub(super) fn of_cause(cause: &Cause) -> (i16, Vec<u8>) {
    match cause {
        Cause::Request(key) => (1, request_bytes(key)),
        Cause::Chain(key) => {
            let numbers = [key.chain_id.get(), key.log_index];
            (2, join(&numbers, &[key.block_hash.as_bytes(), key.tx_hash.as_bytes()]))
        }
        Cause::Timer(channel, at) => (3, join(&[at.as_millis()], &[channel.as_bytes()])),
        Cause::Operator(key) => (4, request_bytes(key)),
    }
}

pub(super) fn cause(kind: i16, bytes: &[u8]) -> Result<Cause, &'static str> {
    match kind {
        1 => request_key(bytes).map(Cause::Request),
        2 => {
            let (chain_id, rest) = split_number(bytes)?;
            let (log_index, rest) = split_number(rest)?;
            let (block_hash, tx_hash) = rest.split_at_checked(rest.len() / 2).ok_or(WRONG_LENGTH)?;
            Ok(Cause::Chain(EventKey {
                chain_id: ChainId::new(chain_id),
                block_hash: digest(block_hash)?,
                tx_hash: digest(tx_hash)?,
                log_index,
            }))
        }
        3 => {
            let (at, rest) = split_number(bytes)?;
            Ok(Cause::Timer(channel_id(rest)?, Timestamp::from_millis(at)))
        }
        4 => request_key(bytes).map(Cause::Operator),
        _ => Err(UNKNOWN_CODE),
    }
}

pub(super) fn channel_id(bytes: &[u8]) -> Result<ChannelId, &'static str> {
    array(bytes).map(ChannelId::from_bytes)
}

pub(super) fn digest(bytes: &[u8]) -> Result<Digest, &'static str> {
    array(bytes).map(Digest::from_bytes)
}

pub(super) fn address(bytes: &[u8]) -> Result<Address, &'static str> {
    array(bytes).map(Address::from_bytes)
}

pub(super) fn array<const N: usize>(bytes: &[u8]) -> Result<[u8; N], &'static str> {
    bytes.try_into().map_err(|_| WRONG_LENGTH)
}

fn request_bytes(key: &RequestKey) -> Vec<u8> {
    join(&[key.at.as_millis(), key.id], &[key.signer.as_bytes()])
}

fn request_key(bytes: &[u8]) -> Result<RequestKey, &'static str> {
    let (at, rest) = split_number(bytes)?;
    let (id, signer) = split_number(rest)?;
    Ok(RequestKey { at: Timestamp::from_millis(at), signer: address(signer)?, id })
}

fn join(numbers: &[u64], rest: &[&[u8]]) -> Vec<u8> {
    let mut bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
    bytes.extend(rest.iter().copied().flatten());
    bytes
}

fn split_number(bytes: &[u8]) -> Result<(u64, &[u8]), &'static str> {
    let (number, rest) = bytes.split_first_chunk().ok_or(WRONG_LENGTH)?;
    Ok((u64::from_be_bytes(*number), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_causes_are_those_of_the_document() {
        let key =
            RequestKey { at: Timestamp::from_millis(1), signer: Address::from_bytes([0xaa; 20]), id: 2 };
        let text = |cause: Cause| {
            let (kind, bytes) = of_cause(&cause);
            assert_eq!(super::cause(kind, &bytes), Ok(cause));
            assert_eq!(super::cause(kind, &bytes[1..]), Err(WRONG_LENGTH));
            (kind, domain::primitives::encode_hex(&bytes))
        };
        let request = format!("0x{:016x}{:016x}{}", 1, 2, "aa".repeat(20));
        assert_eq!(text(Cause::Request(key)), (1, request.clone()));
        assert_eq!(text(Cause::Operator(key)), (4, request));
        let event = EventKey {
            chain_id: ChainId::new(u64::MAX),
            block_hash: Digest::from_bytes([0xbb; 32]),
            tx_hash: Digest::from_bytes([0xcc; 32]),
            log_index: 3,
        };
        let expected = format!("0x{:016x}{:016x}{}{}", u64::MAX, 3, "bb".repeat(32), "cc".repeat(32));
        assert_eq!(text(Cause::Chain(event)), (2, expected));
        let timer = Cause::Timer(ChannelId::from_bytes([0xdd; 32]), Timestamp::from_millis(4));
        assert_eq!(text(timer), (3, format!("0x{:016x}{}", 4, "dd".repeat(32))));
        assert_eq!(super::cause(5, &[]), Err(UNKNOWN_CODE));
    }

    #[test]
    fn codes_lead_back_to_their_values() {
        for side_of in [Side::Credit, Side::Debit] {
            assert_eq!(side(of_side(side_of)), Ok(side_of));
        }
        for kind in [StateKind::Direct, StateKind::Virtual, StateKind::Participant, StateKind::Sender] {
            assert_eq!(state_kind(of_state_kind(kind)), Ok(kind));
        }
        for status in [OutboxStatus::Open, OutboxStatus::Done] {
            assert_eq!(outbox_status(of_outbox_status(status)), Ok(status));
        }
        assert_eq!((side(0), side(3)), (Err(UNKNOWN_CODE), Err(UNKNOWN_CODE)));
        assert_eq!((state_kind(0), outbox_status(0)), (Err(UNKNOWN_CODE), Err(UNKNOWN_CODE)));
    }

    #[test]
    fn columns_of_owners_sort_like_owners() {
        let mut owners = vec![
            OwnerId::Network(ChainId::new(256)),
            OwnerId::Network(ChainId::new(1)),
            OwnerId::Participant(Address::from_bytes([0xff; 20])),
            OwnerId::Participant(Address::ZERO),
            OwnerId::Channel(ChannelId::from_bytes([0xff; 32])),
            OwnerId::Channel(ChannelId::NONE),
        ];
        owners.sort();
        let columns: Vec<_> = owners.iter().map(|owner| of_owner(*owner)).collect();
        assert!(columns.is_sorted());
        for (owner_of, (kind, id)) in owners.into_iter().zip(columns) {
            assert_eq!(owner(kind, &id), Ok(owner_of));
            assert_eq!(owner(kind, &id[1..]), Err(WRONG_LENGTH));
        }
        assert_eq!(owner(0, &[]), Err(UNKNOWN_CODE));
    }
}
