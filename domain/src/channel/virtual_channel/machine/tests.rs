//! Tests of the machine, by what is looked at.

mod lifetime;
mod money;
mod phases;
mod refusals;

use super::super::error::WrongStateError;
use super::*;
use crate::channel::virtual_channel::samples::{
    ACCEPT_SECS, LIFETIME_SECS, WINDOW_SECS, alice, at, bob, close, line, next, pepe, proposed, request,
    shib, story, update,
};
use crate::crypto::VirtualAllocation;
use crate::ledger::RequestKey;

const EXPIRED: u64 = LIFETIME_SECS;
const WINDOW_OVER: u64 = LIFETIME_SECS + WINDOW_SECS;

/// The allocations of the main story after Bob has won.
fn bob_won() -> Vec<VirtualAllocation> {
    vec![line(bob(), shib(), 5_u64), line(bob(), pepe(), 10_u64)]
}

/// A state of the main story's room in which Bob has won, agreed on by both.
fn won(channel: &VirtualChannel) -> Update {
    update(next(channel, VirtualIntent::Operate, &bob_won()), &[alice(), bob()])
}

/// The close of the main story's room in which Bob has won, agreed on by both.
fn end(channel: &VirtualChannel) -> Close {
    close(next(channel, VirtualIntent::Close, &bob_won()), &[alice(), bob()])
}

/// The main story's room in this phase, and a time at which it stays in it.
fn in_phase(phase: Phase) -> (VirtualChannel, Timestamp) {
    let mut channel = story();
    let now = match phase {
        Phase::Open => at(1),
        Phase::Expiring => {
            channel.apply(VirtualChannelEvent::Tick, at(EXPIRED)).unwrap();
            at(EXPIRED + 1)
        }
        Phase::Closed => {
            channel.apply(VirtualChannelEvent::Close(end(&channel)), at(1)).unwrap();
            at(2)
        }
        Phase::Proposed => {
            channel = proposed();
            at(1)
        }
        Phase::Rejected | Phase::Cancelled => {
            channel = proposed();
            let signer = if phase == Phase::Rejected { bob() } else { alice() }.address();
            let request = RequestKey { signer, ..request(5) };
            channel.apply(VirtualChannelEvent::Decline(request), at(1)).unwrap();
            at(2)
        }
        Phase::Lapsed => {
            channel = proposed();
            channel.apply(VirtualChannelEvent::Tick, at(ACCEPT_SECS)).unwrap();
            at(ACCEPT_SECS + 1)
        }
        Phase::Expired => {
            channel.apply(VirtualChannelEvent::Tick, at(EXPIRED)).unwrap();
            channel.apply(VirtualChannelEvent::Tick, at(WINDOW_OVER)).unwrap();
            at(WINDOW_OVER + 1)
        }
    };
    assert_eq!(channel.phase(), phase);
    (channel, now)
}

/// Applies an event that is refused, and proves that nothing has changed.
fn refused(channel: &mut VirtualChannel, event: VirtualChannelEvent, now: Timestamp) -> VirtualChannelError {
    let before = channel.clone();
    let error = channel.apply(event, now).unwrap_err();
    assert_eq!(*channel, before);
    error
}

fn change_of(effect: &VirtualChannelEffect) -> Option<Change> {
    match effect {
        VirtualChannelEffect::Notify { notification, .. } => Some(notification.change),
        VirtualChannelEffect::EndTopic => None,
    }
}
