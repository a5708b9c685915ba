//! What is held is memory: nothing else moves until it is adopted or released.

use super::super::phase::Phase;
use super::super::{DirectError, DirectEvent};
use super::support::{
    announce, apply, challenged, checkpointed, closed, created, in_phase, opened, operate, propose, refuse,
    release, resized, settlement_failed,
};
use crate::primitives::Digest;

#[test]
fn nothing_else_happens_while_something_is_held() {
    for (mut channel, hold) in
        [(in_phase(Phase::Active), propose(operate(6, 5, 5))), (in_phase(Phase::Void), announce(10))]
    {
        apply(&mut channel, hold);
        let events = [
            created(),
            opened(),
            challenged(&operate(5, 6, 4)),
            checkpointed(&operate(5, 6, 4)),
            resized(),
            closed(&operate(5, 6, 4)),
            settlement_failed(),
        ];
        for event in events {
            assert_eq!(refuse(&mut channel, event), DirectError::Busy);
        }
        assert!(channel.held().is_some());
    }
}

#[test]
fn a_release_ends_the_hold_of_its_name_only() {
    let before = in_phase(Phase::Active);
    let mut channel = before.clone();
    apply(&mut channel, propose(operate(6, 5, 5)));
    let held = channel.clone();
    apply(&mut channel, DirectEvent::Release { request_hash: Digest::from_bytes([9; 32]) });
    assert_eq!(channel, held);
    apply(&mut channel, release());
    assert_eq!(channel, before);
    apply(&mut channel, release());
    assert_eq!(channel, before);
    // The version was never agreed to: it is free.
    apply(&mut channel, propose(operate(6, 1, 9)));
}

#[test]
fn a_hold_is_adopted_once() {
    let mut channel = in_phase(Phase::Active);
    apply(&mut channel, propose(operate(6, 5, 5)));
    apply(&mut channel, DirectEvent::Adopt);
    assert_eq!(refuse(&mut channel, DirectEvent::Adopt), DirectError::NothingHeld);
}

#[test]
fn resuming_changes_nothing() {
    for phase in Phase::ALL {
        let mut channel = in_phase(phase);
        assert_eq!(apply(&mut channel, DirectEvent::Resume).transfers, []);
        assert_eq!(channel, in_phase(phase));
    }
}
