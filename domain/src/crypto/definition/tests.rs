use super::*;
use crate::crypto::samples::{broker, user};

fn definition() -> Definition {
    Definition {
        application: "Test App".to_owned(),
        protocol: "NitroRPC/0.4".to_owned(),
        participants: vec![user().address(), broker().address()],
        weights: vec![50, 50],
        quorum: 100,
        challenge: 86400,
        nonce: 1_700_000_000_000,
    }
}

#[test]
fn the_id_is_that_of_an_app_session() {
    let expected = "0xb4c71b0ba8941ea519fc43af69ab1ddcea469f5959ed235b556fa798e7ebc0de";
    assert_eq!(definition().channel_id().to_string(), expected);
}

#[test]
fn strings_are_escaped_as_in_go() {
    let definition = Definition {
        application: "a<b&c".to_owned(),
        protocol: "NitroRPC/0.2".to_owned(),
        weights: vec![100, 0],
        challenge: 0,
        nonce: 1,
        ..definition()
    };
    let expected = "0xaa8005724c4af60d16118387862b842c02307c7683660a0d9fcea0899378670d";
    assert_eq!(definition.channel_id().to_string(), expected);
}

#[test]
fn everything_that_go_escapes_is_escaped_and_nothing_else() {
    let text = "\"\\/\u{8}\u{c}\n\r\t\u{0}\u{b}\u{1f}\u{7f}<>&'é\u{2027}\u{2028}\u{2029}\u{202a}😀";
    let expected = "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u000b\\u001f\u{7f}\\u003c\\u003e\\u0026'é\u{2027}\
        \\u2028\\u2029\u{202a}😀\"";
    assert_eq!(quoted(text), expected);
    assert_eq!(serde_json::from_str::<String>(&quoted(text)).unwrap(), text);
}

#[test]
fn every_term_is_part_of_the_id() {
    let one = definition();
    let [first, second] = [one.participants[0], one.participants[1]];
    let others = [
        Definition { application: String::new(), ..one.clone() },
        Definition { protocol: "NitroRPC/0.2".to_owned(), ..one.clone() },
        Definition { participants: vec![second, first], ..one.clone() },
        Definition { participants: Vec::new(), ..one.clone() },
        Definition { weights: vec![5050], ..one.clone() },
        Definition { weights: Vec::new(), ..one.clone() },
        Definition { quorum: 99, ..one.clone() },
        Definition { challenge: 0, ..one.clone() },
        Definition { nonce: u64::MAX, ..one.clone() },
    ];
    for other in others {
        assert_ne!(other.channel_id(), one.channel_id(), "{other:?}");
    }
}
