use proptest::prelude::*;

use super::*;
use crate::crypto::samples::broker;

fn login() -> LoginText {
    LoginText {
        broker: broker().address(),
        challenge: LoginChallenge::from_bytes([0xab; 32]),
        expires_at: Timestamp::from_millis(1_700_000_000_000),
    }
}

#[test]
fn names_the_broker_the_challenge_and_the_end() {
    let expected = format!(
        "clearnet:auth:v1\nbroker: 0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A\nchallenge: 0x{}\n\
        expires_at: 1700000000000",
        "ab".repeat(32)
    );
    assert_eq!(login().to_string(), expected);
}

#[test]
fn refuses_every_other_way_to_write_it() {
    let text = login().to_string();
    let others = [
        String::new(),
        text.replace("v1", "v2"),
        text.replace("auth", "request"),
        text.replace('\n', "\r\n"),
        text.replace(": ", ":"),
        text.replace("0xab", "0xAB"),
        text.replace("0x19E7", "0x19e7"),
        text.to_lowercase(),
        text.replace("abab\n", "ab\n"),
        text.replace("17000", "017000"),
        text.replace("17000", "+17000"),
        text.replace("17000", "-17000"),
        text.replace("1700000000000", "18446744073709551616"),
        text.replace("\nexpires_at: 1700000000000", ""),
        format!("{text}\n"),
        format!("{text} "),
        format!(" {text}"),
        format!("{text}\nexpires_at: 1700000000000"),
        format!("{text}\nscope: all"),
    ];
    for other in others {
        assert_ne!(other, text);
        assert_eq!(other.parse::<LoginText>(), Err(LoginTextError), "{other:?}");
    }
}

proptest! {
    #[test]
    fn a_text_reads_as_what_was_written(broker: [u8; 20], challenge: [u8; 32], expires_at: u64) {
        let login = LoginText {
            broker: Address::from_bytes(broker),
            challenge: LoginChallenge::from_bytes(challenge),
            expires_at: Timestamp::from_millis(expires_at),
        };
        prop_assert_eq!(login.to_string().parse(), Ok(login));
    }

    #[test]
    fn no_text_at_all_panics(text: String) {
        let _ = text.parse::<LoginText>();
        let _ = format!("{TITLE}\nbroker: {text}\nchallenge: {text}\nexpires_at: {text}").parse::<LoginText>();
    }
}
