use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn key(at: Timestamp, id: u64) -> RequestKey {
    RequestKey { at, signer: Address::from_bytes([7; 20]), id }
}

fn hash(byte: u8) -> Digest {
    Digest::from_bytes([byte; 32])
}

#[test]
fn gives_one_permit_per_key_until_it_is_settled() {
    let permits = Permits::new([]);
    let permit = permits.take(key(NOW, 1), hash(1), NOW).unwrap();
    assert!(matches!(permits.take(key(NOW, 1), hash(1), NOW), Err(NoPermit::InFlight(_))));
    assert!(matches!(permits.take(key(NOW, 1), hash(2), NOW), Err(NoPermit::Conflict)));
    assert!(matches!(permits.known(key(NOW, 1), hash(1)), Some(NoPermit::InFlight(_))));
    assert!(permits.known(key(NOW, 2), hash(1)).is_none());
    assert_eq!(permits.in_flight(), 1);
    permit.posted(b"answer");
    assert_eq!(permits.in_flight(), 0);
    assert!(matches!(permits.take(key(NOW, 1), hash(1), NOW), Err(NoPermit::Posted)));
    assert!(matches!(permits.take(key(NOW, 1), hash(2), NOW), Err(NoPermit::Conflict)));
}

#[test]
fn a_permit_given_back_unused_leaves_the_key_free() {
    let permits = Permits::new([]);
    drop(permits.take(key(NOW, 1), hash(1), NOW).unwrap());
    assert_eq!(permits.in_flight(), 0);
    assert!(permits.take(key(NOW, 1), hash(2), NOW).is_ok());
}

#[test]
fn repeats_in_flight_hear_the_first_answer_or_that_there_is_none() {
    let permits = Permits::new([]);
    let waiting = |id| match permits.take(key(NOW, id), hash(1), NOW) {
        Err(NoPermit::InFlight(answer)) => answer,
        other => panic!("expected to wait, got {other:?}"),
    };
    let first = permits.take(key(NOW, 1), hash(1), NOW).unwrap();
    let mut repeat = waiting(1);
    first.posted(b"answer");
    assert_eq!(repeat.try_recv(), Ok(Some(b"answer".to_vec())));
    let second = permits.take(key(NOW, 2), hash(1), NOW).unwrap();
    let mut repeat = waiting(2);
    drop(second);
    assert_eq!(repeat.try_recv(), Err(oneshot::Canceled));
}

#[test]
fn bounds_who_waits_and_what_is_in_flight() {
    let permits = Permits::new([]);
    let _first = permits.take(key(NOW, 0), hash(1), NOW).unwrap();
    let waiting: Vec<_> = (0..WAITERS_MAX).map(|_| permits.take(key(NOW, 0), hash(1), NOW)).collect();
    assert!(waiting.iter().all(|repeat| matches!(repeat, Err(NoPermit::InFlight(_)))));
    // It is in flight: nobody is told that nothing has happened.
    assert!(matches!(permits.take(key(NOW, 0), hash(1), NOW), Err(NoPermit::Closed)));
    drop(waiting);
    assert!(matches!(permits.take(key(NOW, 0), hash(1), NOW), Err(NoPermit::InFlight(_))));
    let ids = 1..u64::try_from(PERMITS_MAX).unwrap();
    let held: Vec<_> = ids.map(|id| permits.take(key(NOW, id), hash(1), NOW).unwrap()).collect();
    assert!(matches!(permits.take(key(NOW, u64::MAX), hash(1), NOW), Err(NoPermit::Overloaded)));
    drop(held);
    assert!(permits.take(key(NOW, u64::MAX), hash(1), NOW).is_ok());
}

#[test]
fn the_window_reaches_sixty_seconds_either_way() {
    let permits = Permits::new([]);
    let (before, ahead) = (NOW.minus_millis(WINDOW_MILLIS), NOW.plus_millis(WINDOW_MILLIS));
    assert!(permits.take(key(before, 1), hash(1), NOW).is_ok());
    assert!(permits.take(key(ahead, 1), hash(1), NOW).is_ok());
    let too_old = permits.take(key(before.minus_millis(1), 1), hash(1), NOW);
    assert!(matches!(too_old, Err(NoPermit::BeforeWindow)));
    let too_new = permits.take(key(ahead.plus_millis(1), 1), hash(1), NOW);
    assert!(matches!(too_new, Err(NoPermit::Early)));
}

#[test]
fn posted_keys_are_known_for_the_whole_window_and_forgotten_after_it() {
    let permits = Permits::new([(key(NOW, 1), hash(1))]);
    let end = NOW.plus_millis(WINDOW_MILLIS);
    assert!(matches!(permits.take(key(NOW, 1), hash(1), end), Err(NoPermit::Posted)));
    let after = end.plus_millis(1);
    assert!(matches!(permits.take(key(NOW, 1), hash(1), after), Err(NoPermit::BeforeWindow)));
    // A clock set back does not bring the forgotten key back into the window.
    assert!(matches!(permits.take(key(NOW, 1), hash(1), NOW), Err(NoPermit::BeforeWindow)));
}

#[test]
fn gives_nothing_while_closed_but_still_knows_its_keys() {
    let permits = Permits::new([(key(NOW, 1), hash(1))]);
    permits.set_open(false);
    assert!(matches!(permits.take(key(NOW, 2), hash(1), NOW), Err(NoPermit::Closed)));
    assert!(matches!(permits.take(key(NOW, 1), hash(1), NOW), Err(NoPermit::Posted)));
    permits.set_open(true);
    assert!(permits.take(key(NOW, 2), hash(1), NOW).is_ok());
}
