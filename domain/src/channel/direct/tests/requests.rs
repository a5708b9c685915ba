//! Which requests are refused, and with which of several reasons.

use super::super::phase::Phase;
use super::super::requests::VERSION_STEP_MAX;
use super::super::{AgreedState, DirectChannel, DirectEffect, DirectError, DirectEvent, IgnoreReason};
use super::support::{
    ALICE_KEY, BROKER, DAY_SECS, MALLORY_KEY, NOW, OTHER, PEPE, REQUEST, SHIB, alice, amount, announce,
    apply, created_by, finalize, happened, in_phase, initialize, mallory, operate, params, propose, refuse,
    release, signed_by, state_of, terms, usual, version, void,
};
use crate::channel::PartMove;
use crate::crypto::{DirectState, Intent, SigningKey};
use crate::primitives::{Amount, Version};

type Repair = fn(&mut DirectState, &mut &SigningKey);

fn propose_by(key: &SigningKey, state: DirectState) -> DirectEvent {
    DirectEvent::Propose { request_hash: REQUEST, next: signed_by(key, state) }
}

fn finalize_by(key: &SigningKey, state: DirectState) -> DirectEvent {
    DirectEvent::Finalize { state: signed_by(key, state) }
}

/// A state with every mistake there is, except that it names the channel.
fn faulty() -> DirectState {
    let mut state = state_of(&usual(), Intent::Resize, 5, b"nonsense", [amount(5), amount(6)]);
    state.allocations.swap(0, 1);
    state.allocations[0].amount = amount(5);
    state.allocations[1].amount = amount(6);
    state
}

/// Repairs one mistake after the other and sees each one told before those behind it.
fn tells_in_order(
    channel: &DirectChannel,
    request: fn(&SigningKey, DirectState) -> DirectEvent,
    steps: Vec<(DirectError, Repair)>,
) {
    let (mut state, mut key) = (faulty(), &*MALLORY_KEY);
    for (error, repair) in steps {
        assert_eq!(refuse(&mut channel.clone(), request(key, state.clone())), error);
        repair(&mut state, &mut key);
    }
    apply(&mut channel.clone(), request(key, state));
}

/// Alice's channel with the shortest challenge there is, in which parts cannot shrink. Its terms are
/// the usual ones in all else, so the id is another.
fn short_challenge(part: u64) -> (DirectChannel, crate::crypto::DirectParams) {
    let params = params(3600);
    let mut channel = DirectChannel::new(params.channel_id(), terms());
    apply(&mut channel, created_by(alice(), &params, &initialize(&params, part)));
    let opened = crate::chain::CustodyEvent::Opened { channel_id: params.channel_id() };
    apply(&mut channel, happened(opened));
    (channel, params)
}

#[test]
fn a_proposal_s_mistakes_are_told_in_order() {
    let wrong_allocations =
        DirectError::WrongAllocations { destinations: [alice(), BROKER], token: SHIB.address };
    let (current, proposed) = (version(5), version(5));
    let steps: Vec<(DirectError, Repair)> = vec![
        (DirectError::WrongIntent { expected: Intent::Operate, proposed: Intent::Resize }, |state, _| {
            state.intent = Intent::Operate
        }),
        (DirectError::WrongData { expected: Some(REQUEST) }, |state, _| {
            state.data = REQUEST.as_bytes().to_vec();
        }),
        (DirectError::StaleVersion { current, proposed }, |state, _| {
            state.version = version(5 + VERSION_STEP_MAX + 1);
        }),
        (DirectError::VersionTooHigh { max: version(1005), proposed: version(1006) }, |state, _| {
            state.version = version(1005)
        }),
        (wrong_allocations, |state, _| {
            let [part, rest] = &mut state.allocations;
            std::mem::swap(&mut part.destination, &mut rest.destination);
        }),
        (DirectError::TotalDiffers { locked: amount(10), proposed: [amount(5), amount(6)] }, |state, _| {
            state.allocations[1].amount = amount(5)
        }),
        (DirectError::NotSignedByOwner { owner: alice() }, |_, key| *key = &ALICE_KEY),
    ];
    tells_in_order(&in_phase(Phase::Active), propose_by, steps);
}

#[test]
fn a_finalize_s_mistakes_are_told_in_order() {
    let wrong_allocations =
        DirectError::WrongAllocations { destinations: [alice(), BROKER], token: SHIB.address };
    let (current, proposed) = (version(5), version(5));
    let steps: Vec<(DirectError, Repair)> = vec![
        (DirectError::WrongIntent { expected: Intent::Finalize, proposed: Intent::Resize }, |state, _| {
            state.intent = Intent::Finalize
        }),
        (DirectError::WrongData { expected: None }, |state, _| state.data.clear()),
        (DirectError::StaleVersion { current, proposed }, |state, _| state.version = version(7)),
        (DirectError::VersionTooHigh { max: version(6), proposed: version(7) }, |state, _| {
            state.version = version(6);
        }),
        (wrong_allocations, |state, _| {
            let [part, rest] = &mut state.allocations;
            std::mem::swap(&mut part.destination, &mut rest.destination);
        }),
        (DirectError::TotalDiffers { locked: amount(10), proposed: [amount(5), amount(6)] }, |state, _| {
            state.allocations[1].amount = amount(5)
        }),
        (DirectError::PartDiffers { part: amount(6), proposed: amount(5) }, |state, _| {
            state.allocations[0].amount = amount(6);
            state.allocations[1].amount = amount(4);
        }),
        (DirectError::NotSignedByOwner { owner: alice() }, |_, key| *key = &ALICE_KEY),
    ];
    tells_in_order(&in_phase(Phase::Active), finalize_by, steps);
}

#[test]
fn the_channel_and_its_phase_come_before_the_state() {
    let of_other = || DirectState { channel_id: OTHER, ..faulty() };
    for request in [propose_by, finalize_by] {
        for phase in Phase::ALL {
            let mut channel = in_phase(phase);
            let expected = channel.id();
            let error = refuse(&mut channel, request(&MALLORY_KEY, of_other()));
            assert_eq!(error, DirectError::WrongChannel { expected });
            if phase != Phase::Active {
                let expected = if phase.is_counted() {
                    DirectError::Frozen { phase }
                } else {
                    DirectError::NotActive { phase }
                };
                assert_eq!(refuse(&mut channel, request(&MALLORY_KEY, faulty())), expected);
            }
        }
    }
}

#[test]
fn while_something_is_held_a_good_request_waits_and_a_bad_one_is_told_why() {
    let mut channel = in_phase(Phase::Active);
    apply(&mut channel, propose(operate(6, 5, 5)));
    assert_eq!(refuse(&mut channel, propose(operate(7, 5, 5))), DirectError::Busy);
    assert_eq!(refuse(&mut channel, finalize_by(&ALICE_KEY, finalize(6, 6, 4))), DirectError::Busy);
    let unsigned = refuse(&mut channel, propose_by(&MALLORY_KEY, operate(7, 5, 5)));
    assert_eq!(unsigned, DirectError::NotSignedByOwner { owner: alice() });
    let unsigned = refuse(&mut channel, finalize_by(&MALLORY_KEY, finalize(6, 6, 4)));
    assert_eq!(unsigned, DirectError::NotSignedByOwner { owner: alice() });
}

#[test]
fn a_short_challenge_lets_a_part_grow_but_not_shrink() {
    let (mut channel, params) = short_challenge(10);
    let state = |number, part, rest| {
        state_of(&params, Intent::Operate, number, REQUEST.as_bytes(), [amount(part), amount(rest)])
    };
    let too_short = DirectError::ChallengeTooShort { min_secs: DAY_SECS, actual_secs: 3600 };
    // Before all other mistakes of the state.
    let faulty = DirectState { channel_id: params.channel_id(), ..faulty() };
    assert_eq!(refuse(&mut channel, propose_by(&MALLORY_KEY, faulty)), too_short);
    assert_eq!(refuse(&mut channel, propose(state(1, 9, 1))), too_short);
    apply(&mut channel, propose(state(1, 10, 0)));
    let end = state_of(&params, Intent::Finalize, 1, &[], [amount(10), Amount::ZERO]);
    apply(&mut channel, release());
    apply(&mut channel, finalize_by(&ALICE_KEY, end));
    // With exactly the least challenge a part shrinks.
    apply(&mut in_phase(Phase::Active), propose(operate(6, 0, 10)));
}

#[test]
fn versions_grow_by_one_to_a_thousand_and_end_at_the_last() {
    let table = [(5, false), (6, true), (1005, true), (1006, false), (0, false)];
    for (number, fits) in table {
        let mut channel = in_phase(Phase::Active);
        let outcome = crate::channel::Machine::apply(&mut channel, propose(operate(number, 6, 4)), NOW);
        assert_eq!(outcome.is_ok(), fits, "{number}");
    }
    let mut channel = in_phase(Phase::Active);
    let last = Version::MAX.get();
    let anchor = channel.state.anchor.as_mut().unwrap();
    anchor.newest.version = version(last - 1);
    apply(&mut channel, propose(operate(last, 6, 4)));
    apply(&mut channel, DirectEvent::Adopt);
    let stale = DirectError::StaleVersion { current: Version::MAX, proposed: Version::MAX };
    assert_eq!(refuse(&mut channel, propose(operate(last, 6, 4))), stale);
    assert_eq!(refuse(&mut channel, finalize_by(&ALICE_KEY, finalize(last, 6, 4))), stale);
}

#[test]
fn a_part_stays_between_nothing_and_what_is_locked() {
    for (part, rest) in [(0, 10), (10, 0)] {
        apply(&mut in_phase(Phase::Active), propose(operate(6, part, rest)));
    }
    for (part, rest) in [(11, 0), (0, 11), (10, 1), (6, 3)] {
        let error = refuse(&mut in_phase(Phase::Active), propose(operate(6, part, rest)));
        let proposed = [amount(part), amount(rest)];
        assert_eq!(error, DirectError::TotalDiffers { locked: amount(10), proposed });
    }
    // Sums that wrap around to what is locked.
    let mut wrapping = operate(6, 0, 11);
    wrapping.allocations[0].amount = Amount::MAX;
    let proposed = [Amount::MAX, amount(11)];
    let error = refuse(&mut in_phase(Phase::Active), propose(wrapping));
    assert_eq!(error, DirectError::TotalDiffers { locked: amount(10), proposed });
}

#[test]
fn allocations_go_to_the_owner_and_the_broker_in_the_channel_s_token() {
    let wrong = DirectError::WrongAllocations { destinations: [alice(), BROKER], token: SHIB.address };
    let faults: [fn(&mut DirectState); 4] = [
        |state| state.allocations[0].destination = mallory(),
        |state| state.allocations[1].destination = mallory(),
        |state| state.allocations[0].token = PEPE.address,
        |state| state.allocations[1].token = PEPE.address,
    ];
    for fault in faults {
        let mut state = operate(6, 5, 5);
        fault(&mut state);
        assert_eq!(refuse(&mut in_phase(Phase::Active), propose(state)), wrong);
    }
}

#[test]
fn a_held_state_says_what_it_moves_and_is_agreed_to_when_it_is_adopted() {
    let mut channel = in_phase(Phase::Active);
    let transition = apply(&mut channel, propose(operate(6, 1, 9)));
    let [DirectEffect::Held(held)] = &transition.effects[..] else { panic!("{transition:?}") };
    let moved = PartMove {
        channel: channel.id(),
        participant: alice(),
        token: SHIB,
        before: amount(6),
        after: amount(1),
    };
    assert_eq!((held.request_hash, held.part), (REQUEST, Some(moved)));
    assert_eq!(transition.transfers, []);
    assert_eq!((channel.version(), channel.part()), (version(5), amount(6)));
    let adopted = apply(&mut channel, DirectEvent::Adopt);
    let state = operate(6, 1, 9);
    let participant_signature = ALICE_KEY.sign(state.hash());
    let agreed = AgreedState { state, participant_signature };
    assert_eq!(adopted.effects, [DirectEffect::CoSign(agreed.clone())]);
    assert_eq!((channel.current(), channel.part()), (Some(agreed.clone()), amount(1)));
    assert_eq!(channel.encode(), held.next);
    assert_eq!(apply(&mut channel, DirectEvent::Resume).effects, [DirectEffect::CoSign(agreed)]);
}

#[test]
fn a_finalize_freezes_the_channel_and_gets_the_same_answer_again() {
    let mut channel = in_phase(Phase::Active);
    let end = finalize(6, 6, 4);
    let transition = apply(&mut channel, finalize_by(&ALICE_KEY, end.clone()));
    let participant_signature = ALICE_KEY.sign(end.hash());
    let agreed = AgreedState { state: end.clone(), participant_signature };
    assert_eq!(transition.effects, [DirectEffect::CoSign(agreed)]);
    assert_eq!((channel.phase(), channel.version()), (Phase::Closing, version(5)));
    let frozen = DirectError::Frozen { phase: Phase::Closing };
    for number in [5, 6, 7] {
        assert_eq!(refuse(&mut channel, propose(operate(number, 6, 4))), frozen);
    }
    for other in [finalize(7, 6, 4), finalize(6, 5, 5), finalize(5, 6, 4)] {
        assert_eq!(refuse(&mut channel, finalize_by(&ALICE_KEY, other)), frozen);
    }
    let unsigned = refuse(&mut channel, finalize_by(&MALLORY_KEY, end.clone()));
    assert_eq!(unsigned, DirectError::NotSignedByOwner { owner: alice() });
    let before = channel.clone();
    let again = apply(&mut channel, finalize_by(&ALICE_KEY, end));
    assert_eq!((again.effects, channel.clone()), (transition.effects.clone(), before));
    assert_eq!(apply(&mut channel, DirectEvent::Resume).effects, transition.effects);
}

#[test]
fn only_what_will_count_and_is_the_owner_s_wish_is_announced() {
    let event = |token, settled: u64, state: DirectState, key| DirectEvent::Announce {
        request_hash: REQUEST,
        token,
        amount: amount(settled),
        params: Box::new(usual()),
        initial: signed_by(key, state),
    };
    let first = |part| initialize(&usual(), part);
    // Each row repairs the first mistake of the row before.
    let misfit = DirectError::NeverCounts(IgnoreReason::NotInitialize);
    assert_eq!(refuse(&mut void(), event(PEPE, 11, operate(1, 10, 0), &MALLORY_KEY)), misfit);
    let differs = DirectError::NotTheSettlement;
    assert_eq!(refuse(&mut void(), event(PEPE, 10, first(10), &MALLORY_KEY)), differs);
    assert_eq!(refuse(&mut void(), event(SHIB, 11, first(10), &MALLORY_KEY)), differs);
    assert_eq!(refuse(&mut void(), event(SHIB, 0, first(0), &ALICE_KEY)), differs);
    let elsewhere = crate::primitives::Token { chain_id: crate::primitives::ChainId::new(1), ..SHIB };
    assert_eq!(refuse(&mut void(), event(elsewhere, 10, first(10), &ALICE_KEY)), differs);
    let unsigned = DirectError::NotSignedByOwner { owner: alice() };
    let mut channel = void();
    apply(&mut channel, announce(10));
    assert_eq!(refuse(&mut channel, event(SHIB, 10, first(10), &MALLORY_KEY)), unsigned);
    assert_eq!(refuse(&mut channel, announce(10)), DirectError::Busy);
    apply(&mut channel, DirectEvent::Adopt);
    let known = DirectError::AlreadyKnown { phase: Phase::Announced };
    assert_eq!(refuse(&mut channel, event(PEPE, 11, operate(1, 10, 0), &MALLORY_KEY)), known);
}

#[test]
fn an_announcement_signs_nothing() {
    let mut channel = void();
    let transition = apply(&mut channel, announce(10));
    let [DirectEffect::Held(held)] = &transition.effects[..] else { panic!("{transition:?}") };
    assert_eq!((held.part, held.next.phase), (None, Phase::Announced.code()));
    assert_eq!(channel.phase(), Phase::Void);
    assert_eq!(apply(&mut channel, DirectEvent::Adopt).effects, []);
    assert_eq!((channel.phase(), channel.settling()), (Phase::Announced, amount(10)));
    assert_eq!(apply(&mut channel, DirectEvent::Resume).effects, []);
}
