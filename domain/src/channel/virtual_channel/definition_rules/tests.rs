use super::*;
use crate::channel::virtual_channel::samples::{BROKER, alice, bob, room, table};

/// How each case spoils a definition, and what is said.
type Case = (fn(&mut Definition), DefinitionError);

fn address(number: usize) -> Address {
    Address::from_bytes([u8::try_from(number).unwrap(); 20])
}

fn set_members(definition: &mut Definition, count: usize) {
    definition.participants = (1..=count).map(address).collect();
    definition.weights = vec![1; count];
    definition.quorum = 1;
}

/// One spoiler for each error, in the order of precedence.
fn cases() -> Vec<Case> {
    vec![
        (
            |d| d.protocol = "NitroRPC/0.4".to_owned(),
            DefinitionError::UnsupportedProtocol { protocol: "NitroRPC/0.4".to_owned() },
        ),
        (|d| d.participants[1] = Address::ZERO, DefinitionError::ZeroParticipant { position: 1 }),
        (|d| d.weights.push(1), DefinitionError::WeightsDoNotMatch { participants: 2, weights: 3 }),
        (|d| d.weights[0] = u64::MAX, DefinitionError::WeightsOverflow),
        (|d| d.quorum = 0, DefinitionError::ZeroQuorum),
        (|d| d.challenge = 0, DefinitionError::LifetimeOutOfBounds { secs: 0 }),
        (|d| d.nonce = 0, DefinitionError::ZeroNonce),
        (|d| d.application = "a".repeat(129), DefinitionError::ApplicationTooLong { bytes: 129 }),
    ]
}

fn check(spoil: impl FnOnce(&mut Definition)) -> Result<(), DefinitionError> {
    let mut definition = room();
    spoil(&mut definition);
    check_definition(&definition, BROKER)
}

#[test]
fn accepts_rooms_and_tables() {
    assert_eq!(check_definition(&room(), BROKER), Ok(()));
    assert_eq!(check_definition(&table(), BROKER), Ok(()));
}

#[test]
fn each_rule_is_broken_by_itself() {
    for (spoil, error) in cases() {
        assert_eq!(check(spoil), Err(error));
    }
}

#[test]
fn of_two_broken_rules_the_first_is_reported() {
    let cases = cases();
    for (place, (spoil, error)) in cases.iter().enumerate() {
        for (also, _) in &cases[place + 1..] {
            // What spoils weights or quorum alike is judged by the former alone.
            let both = check(|d| {
                also(d);
                spoil(d);
            });
            assert_eq!(both, Err(error.clone()));
        }
    }
}

#[test]
fn members_are_two_to_sixteen() {
    for count in [0, 1] {
        let error = DefinitionError::TooFewParticipants { count };
        assert_eq!(check(|d| set_members(d, count)), Err(error));
    }
    assert_eq!(check(|d| set_members(d, 2)), Ok(()));
    assert_eq!(check(|d| set_members(d, 16)), Ok(()));
    let error = DefinitionError::TooManyParticipants { count: 17 };
    assert_eq!(check(|d| set_members(d, 17)), Err(error));
}

#[test]
fn nobody_opens_with_itself_or_the_broker() {
    let oneself = DefinitionError::DuplicateParticipant { participant: alice().address() };
    assert_eq!(check(|d| d.participants = vec![alice().address(); 2]), Err(oneself));
    for place in [0, 1] {
        assert_eq!(check(|d| d.participants[place] = BROKER), Err(DefinitionError::BrokerIsParticipant));
    }
}

#[test]
fn of_bad_participants_the_first_is_reported() {
    let named = |participants: &[Address]| {
        let participants = participants.to_vec();
        check(|d| {
            d.weights = vec![1; participants.len()];
            d.participants = participants;
        })
    };
    let (alice, bob) = (alice().address(), bob().address());
    let again = DefinitionError::DuplicateParticipant { participant: alice };
    assert_eq!(named(&[alice, bob, alice, BROKER, Address::ZERO]), Err(again));
    assert_eq!(named(&[alice, BROKER, alice]), Err(DefinitionError::BrokerIsParticipant));
    let zero = DefinitionError::ZeroParticipant { position: 0 };
    assert_eq!(named(&[Address::ZERO, Address::ZERO, BROKER]), Err(zero));
}

#[test]
fn the_quorum_lies_between_one_and_all_weights() {
    for quorum in [1, 100] {
        assert_eq!(check(|d| d.quorum = quorum), Ok(()));
    }
    let error = DefinitionError::QuorumAboveWeights { quorum: 101, sum: 100 };
    assert_eq!(check(|d| d.quorum = 101), Err(error));
    let at_the_limit = |d: &mut Definition| {
        d.weights = vec![u64::MAX, 0];
        d.quorum = u64::MAX;
    };
    assert_eq!(check(at_the_limit), Ok(()));
    let without_weights = |d: &mut Definition| d.weights = vec![0, 0];
    assert_eq!(check(without_weights), Err(DefinitionError::QuorumAboveWeights { quorum: 100, sum: 0 }));
}

#[test]
fn the_lifetime_has_bounds() {
    for secs in [LIFETIME_SECS_MIN, LIFETIME_SECS_MAX] {
        assert_eq!(check(|d| d.challenge = secs), Ok(()));
    }
    for secs in [LIFETIME_SECS_MIN - 1, LIFETIME_SECS_MAX + 1, u64::MAX] {
        assert_eq!(check(|d| d.challenge = secs), Err(DefinitionError::LifetimeOutOfBounds { secs }));
    }
}

#[test]
fn the_name_of_the_application_may_be_empty_or_128_bytes_long() {
    for name in [String::new(), "é".repeat(64)] {
        assert_eq!(check(|d| d.application = name), Ok(()));
    }
    let error = DefinitionError::ApplicationTooLong { bytes: 130 };
    assert_eq!(check(|d| d.application = "é".repeat(65)), Err(error));
}
