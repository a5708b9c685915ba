//! Deadlines, the window, and the one end (L6).

use super::*;
use crate::channel::virtual_channel::samples::version;

fn tick(channel: &mut VirtualChannel, now: Timestamp) -> Applied {
    channel.apply(VirtualChannelEvent::Tick, now).unwrap()
}

/// An update to a version that skips some.
fn higher(channel: &VirtualChannel, number: u64) -> Update {
    let state =
        VirtualState { version: version(number), ..next(channel, VirtualIntent::Operate, &bob_won()) };
    update(state, &[alice(), bob()])
}

#[test]
fn the_deadline_is_the_end_of_the_lifetime_then_of_the_window_then_none() {
    let mut channel = story();
    assert_eq!(channel.deadline(), Some(at(EXPIRED)));
    tick(&mut channel, at(EXPIRED));
    assert_eq!((channel.phase(), channel.deadline()), (Phase::Expiring, Some(at(WINDOW_OVER))));
    tick(&mut channel, at(WINDOW_OVER));
    assert_eq!((channel.phase(), channel.deadline()), (Phase::Expired, None));
}

#[test]
fn ticks_act_at_the_deadline_and_not_a_millisecond_before() {
    let mut channel = story();
    let just_before = |secs| at(secs).minus_millis(1);
    assert_eq!(tick(&mut channel, just_before(EXPIRED)), Transition::default());
    tick(&mut channel, at(EXPIRED));
    assert_eq!(tick(&mut channel, just_before(WINDOW_OVER)), Transition::default());
    assert_eq!(channel.phase(), Phase::Expiring);
    tick(&mut channel, at(WINDOW_OVER));
    assert_eq!(channel.phase(), Phase::Expired);
}

#[test]
fn repeated_ticks_do_nothing_more() {
    let mut channel = story();
    for now in [at(EXPIRED), at(WINDOW_OVER)] {
        tick(&mut channel, now);
        let after = channel.clone();
        assert_eq!(tick(&mut channel, now), Transition::default());
        assert_eq!(channel, after);
    }
    assert_eq!(tick(&mut channel, Timestamp::from_millis(u64::MAX)), Transition::default());
}

#[test]
fn a_late_tick_opens_the_whole_window() {
    let mut channel = story();
    let late = 10 * WINDOW_SECS;
    tick(&mut channel, at(EXPIRED + late));
    assert_eq!(channel.phase(), Phase::Expiring);
    assert_eq!(channel.deadline(), Some(at(WINDOW_OVER + late)));
    let update = VirtualChannelEvent::Update(won(&channel));
    assert!(channel.apply(update, at(WINDOW_OVER + late - 1)).is_ok());
    let paid = tick(&mut channel, at(WINDOW_OVER + late)).transfers;
    assert_eq!(paid[0].cause(), Cause::Timer(channel.id(), at(WINDOW_OVER + late)));
}

#[test]
fn what_arrives_after_the_lifetime_opens_the_window_without_a_tick() {
    let mut channel = story();
    let update = VirtualChannelEvent::Update(higher(&channel, 9));
    channel.apply(update, at(EXPIRED + 60)).unwrap();
    assert_eq!((channel.phase(), channel.version()), (Phase::Expiring, version(9)));
    assert_eq!(channel.deadline(), Some(at(WINDOW_OVER + 60)));
    assert_eq!(channel.expires_at(), at(EXPIRED));
}

#[test]
fn what_is_refused_after_the_lifetime_opens_no_window() {
    let mut channel = story();
    let update = VirtualChannelEvent::Update(higher(&channel, 1));
    refused(&mut channel, update, at(EXPIRED + 60));
    assert_eq!(channel.phase(), Phase::Open);
}

#[test]
fn in_the_window_every_higher_version_counts_and_none_comes_back() {
    let (mut channel, now) = in_phase(Phase::Expiring);
    for number in [5, 6, 100] {
        let update = VirtualChannelEvent::Update(higher(&channel, number));
        channel.apply(update, now).unwrap();
        assert_eq!(channel.version(), version(number));
        let stale = VirtualChannelEvent::Update(higher(&channel, number));
        let (current, proposed) = (version(number), version(number));
        let error = WrongStateError::StaleVersion { current, proposed };
        assert_eq!(refused(&mut channel, stale, now), error.into());
    }
    assert_eq!(channel.deadline(), Some(at(WINDOW_OVER)), "handing in does not prolong the window");
}

#[test]
fn a_close_leaves_no_version_out_even_in_the_window() {
    let (mut channel, now) = in_phase(Phase::Expiring);
    let state = VirtualState { version: version(3), ..next(&channel, VirtualIntent::Close, &bob_won()) };
    let error = refused(&mut channel, VirtualChannelEvent::Close(close(state, &[alice(), bob()])), now);
    assert_eq!(error, WrongStateError::VersionGap { current: version(1), proposed: version(3) }.into());
}

#[test]
fn after_the_window_nothing_is_taken_but_the_tick() {
    let (mut channel, _) = in_phase(Phase::Expiring);
    let window_ends_at = at(WINDOW_OVER);
    let error = VirtualChannelError::WindowEnded { window_ends_at };
    let events = [VirtualChannelEvent::Update(won(&channel)), VirtualChannelEvent::Close(end(&channel))];
    for event in events {
        assert_eq!(refused(&mut channel, event.clone(), at(WINDOW_OVER)), error);
        let last_moment = at(WINDOW_OVER).minus_millis(1);
        assert!(channel.clone().apply(event, last_moment).is_ok());
    }
}

#[test]
fn a_window_that_nobody_could_use_stays_open_for_a_grace() {
    let (mut channel, _) = in_phase(Phase::Expiring);
    let until = at(WINDOW_OVER + WINDOW_SECS);
    channel.keep_window_open(until);
    assert_eq!(channel.deadline(), Some(until));
    assert_eq!(tick(&mut channel, at(WINDOW_OVER)), Transition::default());
    assert!(channel.apply(VirtualChannelEvent::Update(won(&channel)), until.minus_millis(1)).is_ok());
    channel.keep_window_open(at(EXPIRED));
    assert_eq!(channel.deadline(), Some(until), "a grace shortens nothing");
    let mut open = story();
    open.keep_window_open(until);
    assert_eq!(open, story());
}

#[test]
fn after_a_close_the_timer_pays_nothing() {
    let (mut channel, _) = in_phase(Phase::Closed);
    assert_eq!(channel.deadline(), None);
    for now in [at(EXPIRED), at(WINDOW_OVER), at(10 * WINDOW_OVER)] {
        assert_eq!(tick(&mut channel, now), Transition::default());
    }
    assert_eq!(channel.phase(), Phase::Closed);
}

#[test]
fn a_close_in_the_window_is_judged_like_any_other() {
    let mut channel = story();
    let end = end(&channel);
    let applied = channel.apply(VirtualChannelEvent::Close(end), at(EXPIRED + 1)).unwrap();
    assert_eq!((channel.phase(), applied.transfers.len()), (Phase::Closed, 1));
}

#[test]
fn the_agreed_state_can_be_proven_by_its_approvals() {
    use crate::crypto::Signed;
    let mut channel = story();
    let proven = |channel: &VirtualChannel| {
        let signatures: Vec<_> = channel.approvals().values().map(|by| by.signature).collect();
        Signed::verify(channel.agreed_state(), &signatures, channel.members())
    };
    assert!(proven(&channel).is_err(), "the opening is signed as a request");
    channel.apply(VirtualChannelEvent::Update(won(&channel)), at(1)).unwrap();
    assert_eq!(proven(&channel).unwrap().signers().iter().count(), 2);
    channel.apply(VirtualChannelEvent::Close(end(&channel)), at(2)).unwrap();
    assert_eq!(proven(&channel).unwrap().body().intent, VirtualIntent::Close);
}
