use proptest::prelude::*;

use super::*;
use crate::crypto::samples::{broker, session_key, small_address, user};
use crate::primitives::ChainId;

fn allocation(participant: Address, chain: u64, token: u8, amount: u64) -> VirtualAllocation {
    let token = Token { chain_id: ChainId::new(chain), address: small_address(token) };
    VirtualAllocation { participant, token, amount: Amount::from(amount) }
}

fn members() -> [Address; 2] {
    // The second address is the smaller one: order is that of the definition, not of the numbers.
    [broker().address(), user().address()]
}

fn state(allocations: VirtualAllocations) -> VirtualState {
    VirtualState {
        broker: session_key().address(),
        channel_id: ChannelId::from_bytes([0xcd; 32]),
        version: Version::new(2).unwrap(),
        intent: VirtualIntent::Operate,
        data_hash: VirtualState::hash_of_data(Some("{\"move\":1}")),
        allocations,
    }
}

#[test]
fn allocations_stand_in_order_of_member_chain_and_token_without_zeros() {
    let [first, second] = members();
    let given = [
        allocation(second, 1, 1, 7),
        allocation(first, 10, 1, 6),
        allocation(first, 2, 9, 5),
        allocation(second, 1, 2, 0),
        allocation(first, 2, 3, 4),
    ];
    let ordered = [given[4], given[2], given[1], given[0]];
    assert_eq!(VirtualAllocations::new(&members(), given).unwrap().as_slice(), ordered);
    assert_eq!(VirtualAllocations::new(&members(), []), Ok(VirtualAllocations::default()));
}

#[test]
fn refuses_allocations_to_strangers_and_repeated_ones_even_of_nothing() {
    let [first, _] = members();
    let participant = session_key().address();
    for amount in [0, 1] {
        let lines = [allocation(first, 1, 1, 1), allocation(participant, 1, 1, amount)];
        let error = VirtualAllocationsError::NotAMember { participant };
        assert_eq!(VirtualAllocations::new(&members(), lines), Err(error));
        let lines = [allocation(first, 1, 1, 1), allocation(first, 1, 1, amount)];
        let error = VirtualAllocationsError::Repeated { participant: first, token: lines[0].token };
        assert_eq!(VirtualAllocations::new(&members(), lines), Err(error));
    }
    let both = [allocation(first, 1, 1, 1), allocation(first, 1, 1, 1), allocation(participant, 1, 1, 1)];
    let error = VirtualAllocationsError::NotAMember { participant };
    assert_eq!(VirtualAllocations::new(&members(), both), Err(error));
}

#[test]
fn every_field_is_part_of_what_is_signed() {
    let [first, second] = members();
    let lines = [allocation(first, 1, 1, 1), allocation(second, 1, 1, 2)];
    let allocations =
        |lines: &[VirtualAllocation]| VirtualAllocations::new(&members(), lines.iter().copied()).unwrap();
    let state = state(allocations(&lines));
    let with =
        |lines: &[VirtualAllocation]| VirtualState { allocations: allocations(lines), ..state.clone() };
    let others = [
        VirtualState { broker: first, ..state.clone() },
        VirtualState { channel_id: ChannelId::NONE, ..state.clone() },
        VirtualState { version: Version::MAX, ..state.clone() },
        VirtualState { intent: VirtualIntent::Deposit, ..state.clone() },
        VirtualState { intent: VirtualIntent::Withdraw, ..state.clone() },
        VirtualState { intent: VirtualIntent::Close, ..state.clone() },
        VirtualState { data_hash: VirtualState::hash_of_data(None), ..state.clone() },
        with(&[]),
        with(&lines[..1]),
        with(&[lines[0], allocation(second, 1, 1, 3)]),
        with(&[lines[0], allocation(second, 1, 2, 2)]),
        with(&[lines[0], allocation(second, 2, 1, 2)]),
        with(&[lines[1], allocation(first, 1, 1, 2)]),
    ];
    for (i, other) in others.iter().enumerate() {
        assert_ne!(other.digest(), state.digest(), "{other:?}");
        for another in &others[..i] {
            assert_ne!(other.digest(), another.digest(), "{other:?}");
        }
    }
}

#[test]
fn absent_data_counts_as_empty() {
    let of_nothing = "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470";
    assert_eq!(VirtualState::hash_of_data(None).to_string(), of_nothing);
    assert_eq!(VirtualState::hash_of_data(Some("")), VirtualState::hash_of_data(None));
    assert_eq!(VirtualState::hash_of_data(Some("é")), keccak256(&[&[0xc3, 0xa9]]));
}

proptest! {
    #[test]
    fn the_order_of_lines_does_not_matter(
        lines in prop::collection::btree_map((0..2_usize, 0..4_u64, 0..4_u8), 0..3_u64, 0..12),
        seed: u64,
    ) {
        let given: Vec<_> = lines
            .iter()
            .map(|((member, chain, token), amount)| allocation(members()[*member], *chain, *token, *amount))
            .collect();
        let mut shuffled = given.clone();
        let rotation = usize::try_from(seed % 13).unwrap().min(shuffled.len());
        shuffled.rotate_left(rotation);
        shuffled.reverse();
        let one = VirtualAllocations::new(&members(), given).unwrap();
        let other = VirtualAllocations::new(&members(), shuffled).unwrap();
        prop_assert_eq!(state(one).digest(), state(other).digest());
    }
}
