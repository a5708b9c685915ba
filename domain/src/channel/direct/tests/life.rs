//! Every phase meets every event.

use super::super::phase::Phase;
use super::super::{DirectAlarm, DirectChannel, DirectEffect, DirectEvent, IgnoreReason};
use super::support::{
    DAY_SECS, NOW, OTHER, SHIB, alice, amount, announce, apply, challenged, checkpointed, closed, created,
    created_by, finalize, happened, in_phase, initialize, opened, operate, propose, recorded, release,
    resized, settlement_failed, signed, usual, version, void,
};
use crate::chain::CustodyEvent;
use crate::channel::Machine;
use crate::primitives::Amount;

/// What an event leads to: the phase after it, or the name of the error.
fn outcome(channel: &DirectChannel, event: &DirectEvent) -> String {
    let mut after = channel.clone();
    match after.apply(event.clone(), NOW) {
        Ok(_) => after.phase().name().to_owned(),
        Err(error) => {
            assert_eq!(after, *channel, "{event:?}");
            let text = format!("{error:?}");
            text.split(|c: char| !c.is_alphanumeric()).next().unwrap().to_owned()
        }
    }
}

fn joined() -> DirectEvent {
    happened(CustodyEvent::Joined { channel_id: usual().channel_id(), side: 1 })
}

fn events() -> Vec<(&'static str, DirectEvent)> {
    let end = signed(finalize(6, 6, 4));
    vec![
        ("created", created()),
        ("misfit", created_by(alice(), &usual(), &operate(1, 10, 0))),
        ("joined", joined()),
        ("opened", opened()),
        ("challenged", challenged(&operate(5, 6, 4))),
        ("known", checkpointed(&operate(5, 6, 4))),
        ("unknown", checkpointed(&operate(6, 10, 0))),
        ("resized", resized()),
        ("closed", closed(&operate(5, 6, 4))),
        ("propose", propose(operate(6, 1, 9))),
        ("announce", announce(10)),
        ("adopt", DirectEvent::Adopt),
        ("release", release()),
        ("finalize", DirectEvent::Finalize { state: end }),
        ("failed", settlement_failed()),
        ("resume", DirectEvent::Resume),
    ]
}

/// A row per event, a column per phase in the order of [`Phase::ALL`]; `.` where the phase stays.
const EXPECTED: &str = "
    created    created   created   created   .  .  .  .  .  .  .
    misfit     ignored   ignored   ignored   .  .  .  .  .  .  .
    joined     .  .  .  .  .  .  .  .  .  .
    opened     ignored   ignored   ignored   active  .  .  .  .  .  .
    challenged .  .  .  .  disputed  disputed  .  .  .  .
    known      .  .  .  .  .  .  active  .  .  .
    unknown    .  .  .  .  halted  halted  halted  .  .  .
    resized    .  .  .  .  halted  halted  halted  .  .  .
    closed     closed closed closed closed closed closed closed closed . .
    propose    NotActive NotActive NotActive NotActive . Frozen Frozen Frozen NotActive NotActive
    announce   . AlreadyKnown AlreadyKnown AlreadyKnown AlreadyKnown AlreadyKnown AlreadyKnown AlreadyKnown AlreadyKnown AlreadyKnown
    adopt      NothingHeld NothingHeld NothingHeld NothingHeld NothingHeld NothingHeld NothingHeld NothingHeld NothingHeld NothingHeld
    release    .  .  .  .  .  .  .  .  .  .
    finalize   NotActive NotActive NotActive NotActive closing . Frozen Frozen NotActive NotActive
    failed     .  abandoned  .  .  .  .  .  .  .  .
    resume     .  .  .  .  .  .  .  .  .  .
";

#[test]
fn every_phase_answers_every_event_as_the_table_says() {
    let rows: Vec<Vec<&str>> = EXPECTED
        .lines()
        .map(|line| line.split_whitespace().collect())
        .filter(|r: &Vec<_>| !r.is_empty())
        .collect();
    assert_eq!(rows.len(), events().len());
    for (row, (name, event)) in rows.iter().zip(events()) {
        assert_eq!(row[0], name);
        assert_eq!(row.len(), 1 + Phase::ALL.len(), "{name}");
        for (phase, expected) in Phase::ALL.into_iter().zip(&row[1..]) {
            let expected = if *expected == "." { phase.name() } else { expected };
            assert_eq!(outcome(&in_phase(phase), &event), expected, "{name} in {phase}");
        }
    }
}

#[test]
fn events_of_other_channels_and_of_none_are_refused() {
    let wallet = alice();
    let (token, amount) = (SHIB.address, amount(1));
    let foreign = [
        CustodyEvent::Deposited { wallet, token, amount },
        CustodyEvent::Withdrawn { wallet, token, amount },
        CustodyEvent::Opened { channel_id: OTHER },
        CustodyEvent::Joined { channel_id: OTHER, side: 1 },
    ];
    for event in foreign {
        for phase in Phase::ALL {
            assert_eq!(outcome(&in_phase(phase), &happened(event.clone())), "WrongChannel");
        }
    }
}

#[test]
fn a_misfit_says_why_it_never_counts() {
    let mut channel = void();
    let transition = apply(&mut channel, opened());
    assert_eq!(transition.effects, [DirectEffect::NotCounted(IgnoreReason::NeverCreated)]);
    assert_eq!(channel.ignored(), Some(IgnoreReason::NeverCreated));
    let mut channel = void();
    let transition = apply(&mut channel, created_by(alice(), &usual(), &operate(1, 10, 0)));
    assert_eq!(transition.effects, [DirectEffect::NotCounted(IgnoreReason::NotInitialize)]);
    // Nothing that comes later makes it count.
    apply(&mut channel, created());
    let transition = apply(&mut channel, opened());
    assert_eq!((transition.transfers, transition.effects), (vec![], vec![]));
    assert_eq!((channel.phase(), channel.part()), (Phase::Ignored, Amount::ZERO));
    assert_eq!(channel.ignored(), Some(IgnoreReason::NotInitialize));
}

#[test]
fn a_closed_id_never_counts_again() {
    for phase in [Phase::Created, Phase::Active, Phase::Closing] {
        let mut channel = in_phase(phase);
        apply(&mut channel, closed(&operate(5, 6, 4)));
        for event in [created(), opened()] {
            let transition = apply(&mut channel, event);
            assert_eq!((transition.transfers, transition.effects), (vec![], vec![]));
        }
        assert_eq!((channel.phase(), channel.locked()), (Phase::Closed, Amount::ZERO));
        assert_eq!(channel.current(), None);
    }
}

#[test]
fn what_disputes_a_channel_alarms_now_and_after_a_restart() {
    let table = [
        (challenged(&initialize(&usual(), 10)), DirectAlarm::Challenged),
        (resized(), DirectAlarm::Halted),
        (checkpointed(&operate(6, 6, 4)), DirectAlarm::Halted),
        // The version is agreed, but not with these parts.
        (checkpointed(&operate(5, 7, 3)), DirectAlarm::Halted),
    ];
    for (event, alarm) in table {
        let mut channel = in_phase(Phase::Active);
        let transition = apply(&mut channel, event);
        assert_eq!(transition.effects, [DirectEffect::ChannelChanged, DirectEffect::Alarm(alarm)]);
        let resumed = apply(&mut channel, DirectEvent::Resume);
        assert!(resumed.effects.contains(&DirectEffect::Alarm(alarm)), "{alarm:?}");
    }
}

#[test]
fn a_state_too_new_to_be_ours_halts_the_channel() {
    let mut channel = in_phase(Phase::Disputed);
    let mut state = recorded(&operate(5, 6, 4));
    state.version = None;
    let channel_id = channel.id();
    apply(&mut channel, happened(CustodyEvent::Checkpointed { channel_id, state }));
    assert_eq!(channel.phase(), Phase::Halted);
}

#[test]
fn an_answered_challenge_reopens_what_was_open_and_leaves_closing_what_was_closing() {
    for (phase, state) in [(Phase::Active, operate(5, 6, 4)), (Phase::Closing, operate(4, 10, 0))] {
        let mut channel = in_phase(phase);
        apply(&mut channel, challenged(&initialize(&usual(), 10)));
        assert_eq!(channel.phase(), Phase::Disputed);
        let transition = apply(&mut channel, checkpointed(&state));
        assert_eq!(transition.effects, [DirectEffect::ChannelChanged]);
        assert_eq!(channel, in_phase(phase));
    }
}

#[test]
fn a_resize_is_not_forgiven_by_a_checkpoint() {
    let mut channel = in_phase(Phase::Disputed);
    apply(&mut channel, resized());
    apply(&mut channel, checkpointed(&operate(5, 6, 4)));
    assert_eq!(channel.phase(), Phase::Halted);
}

#[test]
fn tells_what_it_is() {
    let channel = in_phase(Phase::Closing);
    assert_eq!((channel.owner(), channel.token()), (Some(alice()), Some(SHIB)));
    assert_eq!((channel.locked(), channel.part()), (amount(10), amount(6)));
    assert_eq!((channel.version(), channel.challenge_secs()), (version(5), Some(DAY_SECS)));
    assert_eq!(channel.current().unwrap().state, operate(5, 6, 4));
    assert_eq!(channel.finalize().unwrap().state, finalize(6, 6, 4));
    assert_eq!((channel.params(), channel.wallet()), (Some(&usual()), Some(alice())));
    assert_eq!((channel.deadline(), channel.settling()), (None, Amount::ZERO));
    let announced = in_phase(Phase::Announced);
    assert_eq!((announced.owner(), announced.token()), (Some(alice()), Some(SHIB)));
    assert_eq!((announced.settling(), announced.part()), (amount(10), Amount::ZERO));
    assert_eq!((announced.params(), announced.current()), (None, None));
    let created = in_phase(Phase::Created);
    assert_eq!((created.part(), created.locked(), created.current()), (Amount::ZERO, Amount::ZERO, None));
    assert_eq!((void().owner(), void().token()), (None, None));
}
