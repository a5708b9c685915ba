use proptest::prelude::*;

use super::*;
use crate::primitives::encode_hex;

/// 2^255.
fn half() -> Amount {
    let mut bytes = [0; WORD];
    bytes[0] = 0x80;
    Amount::from_be_bytes(bytes)
}

fn half_less_one() -> Amount {
    half().checked_sub(Amount::from(1_u64)).unwrap()
}

#[test]
fn deltas_are_an_encoded_list_of_two_numbers() {
    let amount = Amount::from(500_000_000_u64);
    let data = encode_resize([Delta::more(amount), Delta::less(amount)]).unwrap();
    let words = [
        format!("{:0>64}", "20"),
        format!("{:0>64}", "2"),
        format!("{:0>64}", "1dcd6500"),
        format!("{:f>64}", "e2329b00"),
    ];
    assert_eq!(encode_hex(&data), format!("0x{}", words.concat()));
}

#[test]
fn deltas_end_at_255_bits() {
    let encode = |delta| encode_resize([Delta::Zero, delta]);
    for delta in [Delta::More(half_less_one()), Delta::Less(half())] {
        assert_eq!(decode_resize(&encode(delta).unwrap()), Ok([Delta::Zero, delta]));
    }
    let above = half().checked_add(Amount::from(1_u64)).unwrap();
    for delta in [Delta::More(half()), Delta::More(Amount::MAX), Delta::Less(above), Delta::Less(Amount::MAX)]
    {
        assert_eq!(encode(delta), Err(ResizeDataError::OutOfRange), "{delta}");
        assert_eq!(encode_resize([delta, Delta::Zero]), Err(ResizeDataError::OutOfRange), "{delta}");
    }
}

#[test]
fn refuses_any_other_encoding() {
    let data = encode_resize([Delta::Zero, Delta::Zero]).unwrap();
    let mut longer = data.clone();
    longer.push(0);
    let mut of_three = [data.as_slice(), &[0; WORD]].concat();
    assert_eq!(decode_resize(&of_three), Err(ResizeDataError::Malformed));
    of_three[2 * WORD - 1] = 3;
    let mut misplaced = data.clone();
    misplaced[0] = 1;
    let mut miscounted = data.clone();
    miscounted[2 * WORD - 1] = 1;
    for wrong in [&[], &data[1..], &data[WORD..], &longer, &of_three, &misplaced, &miscounted] {
        assert_eq!(decode_resize(wrong), Err(ResizeDataError::Malformed));
    }
}

proptest! {
    #[test]
    fn what_was_encoded_decodes_to_itself_and_nothing_else_decodes(a: [u8; 32], b: [u8; 32], noise: Vec<u8>) {
        let data = [number(WORD as u64), number(2), a, b].concat();
        let deltas = decode_resize(&data).unwrap();
        prop_assert_eq!(encode_resize(deltas), Ok(data));
        if let Ok(deltas) = decode_resize(&noise) {
            prop_assert_eq!(encode_resize(deltas), Ok(noise));
        }
    }
}
