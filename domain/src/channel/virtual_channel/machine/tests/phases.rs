//! Every phase × every event.

use super::*;
use crate::channel::virtual_channel::samples::acceptance;

/// The phase that follows and what is told; `None` where nothing happens.
type Outcome = Result<(Phase, Option<Change>), VirtualChannelError>;

fn outcome(phase: Phase, event: impl FnOnce(&VirtualChannel) -> VirtualChannelEvent) -> Outcome {
    let (mut channel, now) = in_phase(phase);
    let event = event(&channel);
    let before = channel.clone();
    let applied = channel.apply(event, now);
    if applied.is_err() {
        assert_eq!(channel, before);
    }
    let effects = applied?.effects;
    let ends = effects.contains(&VirtualChannelEffect::EndTopic);
    assert_eq!(ends, channel.phase().is_end() && !phase.is_end(), "the topic ends with the channel");
    Ok((channel.phase(), effects.iter().find_map(change_of)))
}

fn expected(phase: Phase, happy: (Phase, Change)) -> Outcome {
    match phase {
        Phase::Open | Phase::Expiring => Ok((happy.0, Some(happy.1))),
        Phase::Proposed => Err(VirtualChannelError::WrongPhase { phase }),
        Phase::Closed | Phase::Expired | Phase::Rejected | Phase::Cancelled | Phase::Lapsed => {
            Err(VirtualChannelError::Ended { phase })
        }
    }
}

#[test]
fn an_update_is_taken_until_the_end() {
    for phase in Phase::ALL {
        let outcome = outcome(phase, |channel| VirtualChannelEvent::Update(won(channel)));
        assert_eq!(outcome, expected(phase, (phase, Change::Updated)), "{phase}");
    }
}

#[test]
fn a_close_is_taken_until_the_end() {
    for phase in Phase::ALL {
        let outcome = outcome(phase, |channel| VirtualChannelEvent::Close(end(channel)));
        assert_eq!(outcome, expected(phase, (Phase::Closed, Change::Closed)), "{phase}");
    }
}

#[test]
fn an_acceptance_opens_a_proposal_and_nothing_else() {
    for phase in Phase::ALL {
        let outcome = outcome(phase, |_| VirtualChannelEvent::Accept(acceptance()));
        let expected = match phase {
            Phase::Proposed => Ok((Phase::Open, Some(Change::Opened))),
            Phase::Open | Phase::Expiring => Err(VirtualChannelError::WrongPhase { phase }),
            Phase::Closed | Phase::Expired | Phase::Rejected | Phase::Cancelled | Phase::Lapsed => {
                Err(VirtualChannelError::Ended { phase })
            }
        };
        assert_eq!(outcome, expected, "{phase}");
    }
}

#[test]
fn a_proposal_is_declined_by_either_side_and_nothing_else_is() {
    for (who, end, change) in
        [(bob(), Phase::Rejected, Change::Rejected), (alice(), Phase::Cancelled, Change::Cancelled)]
    {
        for phase in Phase::ALL {
            let request = RequestKey { signer: who.address(), ..request(5) };
            let outcome = outcome(phase, |_| VirtualChannelEvent::Decline(request));
            let expected = match phase {
                Phase::Proposed => Ok((end, Some(change))),
                Phase::Open | Phase::Expiring => Err(VirtualChannelError::WrongPhase { phase }),
                Phase::Closed | Phase::Expired | Phase::Rejected | Phase::Cancelled | Phase::Lapsed => {
                    Err(VirtualChannelError::Ended { phase })
                }
            };
            assert_eq!(outcome, expected, "{phase}");
        }
    }
}

#[test]
fn a_host_that_is_gone_ends_its_proposal_only() {
    for phase in Phase::ALL {
        let outcome = outcome(phase, |_| VirtualChannelEvent::HostGone);
        let cancelled = (Phase::Cancelled, Some(Change::Cancelled));
        let expected = if phase == Phase::Proposed { cancelled } else { (phase, None) };
        assert_eq!(outcome, Ok(expected), "{phase}");
    }
}

#[test]
fn a_tick_before_its_time_does_nothing_in_any_phase() {
    for phase in Phase::ALL {
        let (mut channel, now) = in_phase(phase);
        let before = channel.clone();
        assert_eq!(channel.apply(VirtualChannelEvent::Tick, now), Ok(Transition::default()));
        assert_eq!(channel, before, "{phase}");
    }
}

#[test]
fn a_tick_at_its_time_leads_on_until_the_end() {
    for (phase, next, change) in [
        (Phase::Open, Phase::Expiring, Some(Change::Expiring)),
        (Phase::Expiring, Phase::Expired, Some(Change::Expired)),
        (Phase::Proposed, Phase::Lapsed, Some(Change::Lapsed)),
        (Phase::Rejected, Phase::Rejected, None),
        (Phase::Cancelled, Phase::Cancelled, None),
        (Phase::Lapsed, Phase::Lapsed, None),
        (Phase::Closed, Phase::Closed, None),
        (Phase::Expired, Phase::Expired, None),
    ] {
        let (mut channel, _) = in_phase(phase);
        let due = channel.deadline().unwrap_or(Timestamp::from_millis(u64::MAX));
        let effects = channel.apply(VirtualChannelEvent::Tick, due).unwrap().effects;
        assert_eq!((channel.phase(), effects.first().and_then(change_of)), (next, change), "{phase}");
    }
}

#[test]
fn notifications_show_the_channel_as_it_is_afterwards() {
    let (mut channel, now) = in_phase(Phase::Open);
    let update = Update { data: None, ..won(&channel) };
    let effects = channel.apply(VirtualChannelEvent::Update(update), now).unwrap().effects;
    let [VirtualChannelEffect::Notify { to, notification }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!(to.as_slice(), channel.members());
    assert_eq!(notification.channel, channel.snapshot());
    assert_eq!(notification.channel.allocations, bob_won());
    assert_eq!((notification.channel.version.get(), notification.channel.updated_at), (2, now));
}
