use super::*;
use crate::channel::virtual_channel::samples::{alice, bob, carol, room, signers, table};

#[test]
fn weights_of_those_who_signed_reach_the_quorum_or_not() {
    let reached = |keys: &[_]| check_quorum(&table(), &signers(keys));
    let short = |sum| Err(QuorumError::QuorumNotReached { sum, quorum: 3 });
    assert_eq!(reached(&[alice()]), short(2));
    assert_eq!(reached(&[bob()]), short(1));
    assert_eq!(reached(&[bob(), carol()]), short(2));
    assert_eq!(reached(&[alice(), carol()]), Ok(()));
    assert_eq!(reached(&[alice(), bob(), carol()]), Ok(()));
}

#[test]
fn a_member_without_weight_adds_nothing() {
    let definition = Definition { weights: vec![100, 0], ..room() };
    assert_eq!(check_quorum(&definition, &signers(&[alice()])), Ok(()));
    let error = QuorumError::QuorumNotReached { sum: 0, quorum: 100 };
    assert_eq!(check_quorum(&definition, &signers(&[bob()])), Err(error));
}

#[test]
fn a_stranger_beside_a_quorum_is_refused() {
    let error = QuorumError::SignedByStranger { signer: carol().address() };
    assert_eq!(check_quorum(&room(), &signers(&[alice(), bob(), carol()])), Err(error.clone()));
    assert_eq!(check_quorum(&room(), &signers(&[carol()])), Err(error));
}

#[test]
fn the_largest_weights_do_not_overflow() {
    let definition = Definition { weights: vec![u64::MAX - 1, 1], quorum: u64::MAX, ..room() };
    assert_eq!(check_quorum(&definition, &signers(&[alice(), bob()])), Ok(()));
    let error = QuorumError::QuorumNotReached { sum: u64::MAX - 1, quorum: u64::MAX };
    assert_eq!(check_quorum(&definition, &signers(&[alice()])), Err(error));
}
