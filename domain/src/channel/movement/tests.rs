use proptest::prelude::*;

use super::*;
use crate::ledger::Side;
use crate::primitives::ChainId;

const ALICE: Address = Address::from_bytes([0xa1; 20]);
const BOB: Address = Address::from_bytes([0xb0; 20]);
const SHIB: Token = Token { chain_id: ChainId::new(1), address: Address::from_bytes([0x51; 20]) };
const PEPE: Token = Token { chain_id: ChainId::new(2), address: Address::from_bytes([0x51; 20]) };

fn amount(value: u64) -> Amount {
    Amount::from(value)
}

fn part(channel: u8, before: u64, after: u64) -> PartMove {
    PartMove {
        channel: ChannelId::from_bytes([channel; 32]),
        participant: ALICE,
        token: SHIB,
        before: amount(before),
        after: amount(after),
    }
}

fn movement(received: u64, paid: u64, parts: Vec<PartMove>) -> Movement {
    Movement { participant: ALICE, token: SHIB, received: amount(received), paid: amount(paid), parts }
}

#[test]
fn the_wallet_bears_what_no_part_does() {
    let table = [
        (movement(0, 0, vec![]), Delta::Zero),
        (movement(7, 0, vec![]), Delta::more(amount(7))),
        (movement(0, 7, vec![]), Delta::less(amount(7))),
        (movement(7, 7, vec![]), Delta::Zero),
        (movement(0, 5, vec![part(1, 20, 15)]), Delta::Zero),
        (movement(0, 5, vec![part(1, 20, 10)]), Delta::more(amount(5))),
        (movement(5, 0, vec![part(1, 0, 20)]), Delta::less(amount(15))),
        (movement(0, 0, vec![part(1, 20, 15), part(2, 0, 5)]), Delta::Zero),
    ];
    for (movement, expected) in table {
        assert_eq!(movement.wallet_delta(), Ok(expected), "{movement:?}");
    }
}

#[test]
fn writes_one_entry_for_each_account_that_changes() {
    let moved = movement(0, 3, vec![part(1, 20, 15), part(2, 4, 4)]);
    let direct = AccountKey::direct(ChannelId::from_bytes([1; 32]), ALICE, SHIB);
    let expected = vec![
        Entry::new(AccountKey::wallet(ALICE, SHIB), Side::Credit, amount(2)).unwrap(),
        Entry::new(direct, Side::Debit, amount(5)).unwrap(),
    ];
    assert_eq!(moved.entries(), Ok(expected));
    assert_eq!(movement(3, 3, vec![]).entries(), Ok(vec![]));
}

#[test]
fn refuses_parts_of_others_and_of_other_tokens_and_parts_named_twice() {
    let foreign = Err(MovementError::ForeignPart { channel: ChannelId::from_bytes([1; 32]) });
    let of_bob = PartMove { participant: BOB, ..part(1, 0, 1) };
    assert_eq!(movement(1, 0, vec![of_bob]).entries(), foreign);
    let of_pepe = PartMove { token: PEPE, ..part(1, 0, 1) };
    assert_eq!(movement(1, 0, vec![of_pepe]).entries(), foreign);
    let repeated = Err(MovementError::RepeatedPart { channel: ChannelId::from_bytes([1; 32]) });
    let twice = movement(1, 0, vec![part(1, 0, 1), part(2, 0, 0), part(1, 1, 0)]);
    assert_eq!(twice.entries(), repeated);
    let foreign_first = movement(1, 0, vec![of_bob, part(2, 0, 0), part(2, 0, 0)]);
    assert_eq!(foreign_first.entries(), foreign);
}

#[test]
fn overflows_only_when_a_sum_does() {
    let whole = PartMove { before: Amount::MAX, after: Amount::ZERO, ..part(1, 0, 0) };
    let all = Movement { paid: Amount::MAX, ..movement(0, 0, vec![whole]) };
    assert_eq!(all.wallet_delta(), Ok(Delta::Zero));
    let overflow = Err(MovementError::Overflow { token: SHIB });
    assert_eq!(movement(1, 0, vec![whole]).wallet_delta(), overflow);
    let into = PartMove { before: Amount::ZERO, after: Amount::MAX, ..part(1, 0, 0) };
    assert_eq!(movement(0, 1, vec![into]).wallet_delta(), overflow);
    // The repeat is told before the overflow.
    let repeated = Err(MovementError::RepeatedPart { channel: whole.channel });
    assert_eq!(movement(1, 0, vec![whole, whole]).wallet_delta(), repeated);
}

/// Credits less debits of all entries, in a width that cannot overflow here.
fn sum(entries: &[Entry]) -> i128 {
    let signed = |entry: &Entry| {
        let amount: i128 = entry.posting.amount().to_string().parse().unwrap();
        if entry.posting.side() == Side::Credit { amount } else { -amount }
    };
    entries.iter().map(signed).sum()
}

proptest! {
    #[test]
    fn entries_sum_to_what_came_in_less_what_went_out(
        received: u64,
        paid: u64,
        parts in proptest::collection::vec((any::<u64>(), any::<u64>()), 0..4),
    ) {
        let parts: Vec<PartMove> =
            (1..).zip(parts).map(|(channel, (before, after))| part(channel, before, after)).collect();
        let moved = movement(received, paid, parts.clone());
        let entries = moved.entries().unwrap();
        prop_assert_eq!(sum(&entries), i128::from(received) - i128::from(paid));
        for part in &parts {
            let account = AccountKey::direct(part.channel, ALICE, SHIB);
            let of_part: Vec<Entry> = entries.iter().filter(|e| e.account == account).copied().collect();
            let before: i128 = part.before.to_string().parse().unwrap();
            let after: i128 = part.after.to_string().parse().unwrap();
            prop_assert_eq!(sum(&of_part), after - before);
            prop_assert!(of_part.len() <= 1);
        }
    }
}
