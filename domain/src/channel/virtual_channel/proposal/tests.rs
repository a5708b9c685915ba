//! Tests of proposals.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::channel::Machine as _;
use crate::channel::virtual_channel::error::VirtualChannelError;
use crate::channel::virtual_channel::event::VirtualChannelEvent;
use crate::channel::virtual_channel::samples::{
    ACCEPT_SECS, LIFETIME_SECS, NOW, WINDOW_SECS, acceptance, alice, at, bob, carol, changes, line, part,
    pepe, proposal, propose_with, proposed, request, shib, signers, table,
};
use crate::channel::virtual_channel::{DefinitionError, QuorumError, VirtualChannelEffect};
use crate::ledger::{AccountKey, OwnerId};

fn refused(change: impl FnOnce(&mut OpeningRequest)) -> OpeningError {
    let mut request = proposal();
    change(&mut request);
    propose_with(request, ACCEPT_SECS).unwrap_err()
}

#[test]
fn the_hosts_share_goes_in_at_once_and_the_guests_does_not() {
    let opened = propose_with(proposal(), ACCEPT_SECS).unwrap();
    let channel = opened.channel;
    let expected = BTreeMap::from([
        (AccountKey::wallet(alice().address(), shib()), -5),
        (AccountKey::member(channel.id(), alice().address(), shib()), 5),
    ]);
    assert_eq!(changes(&opened.transition.transfers), expected);
    let transfer = &opened.transition.transfers[0];
    assert_eq!(
        (transfer.kind(), transfer.cause()),
        (TransferKind::VirtualProposed, Cause::Request(request(1)))
    );
    assert_eq!(opened.plan.owners(), BTreeSet::from([OwnerId::Participant(alice().address())]));
    assert_eq!((channel.phase(), channel.version()), (Phase::Proposed, Version::ZERO));
    assert_eq!(channel.deadline(), Some(at(ACCEPT_SECS)));
    let held: BTreeMap<_, _> = channel.balances().collect();
    let share = (AccountKey::member(channel.id(), alice().address(), shib()), 5_u64.into());
    assert_eq!(held, BTreeMap::from([share]), "what the Guest has not paid is nowhere");
    assert_eq!(channel.allocation_of(bob().address(), pepe()), 10_u64.into(), "it shows what is wanted");
}

#[test]
fn the_hosts_share_may_come_from_its_channel() {
    let request = OpeningRequest { parts: vec![part(alice(), 1, shib(), 20, 15)], ..proposal() };
    let opened = propose_with(request, ACCEPT_SECS).unwrap();
    assert!(opened.plan.wallet_debits().is_empty());
    assert_eq!(opened.plan.owners().len(), 1);
}

#[test]
fn an_acceptance_brings_the_guests_share_and_begins_the_lifetime() {
    let mut channel = proposed();
    let bobs = part(bob(), 2, pepe(), 100, 92);
    let event = VirtualChannelEvent::Accept(Acceptance { parts: vec![bobs], ..acceptance() });
    let plan = channel.plan(&event, at(10)).unwrap();
    assert_eq!(plan.wallet_debits(), &BTreeMap::from([((bob().address(), pepe()), 2_u64.into())]));
    let applied = channel.apply(event, at(10)).unwrap();
    let expected = BTreeMap::from([
        (AccountKey::direct(bobs.channel, bob().address(), pepe()), -8),
        (AccountKey::wallet(bob().address(), pepe()), -2),
        (AccountKey::member(channel.id(), bob().address(), pepe()), 10),
    ]);
    assert_eq!(changes(&applied.transfers), expected);
    assert_eq!(applied.transfers[0].kind(), TransferKind::VirtualOpened);
    assert_eq!((channel.phase(), channel.version().get()), (Phase::Open, 1));
    assert_eq!((channel.created_at(), channel.updated_at()), (NOW, at(10)));
    assert_eq!(channel.expires_at(), at(10 + LIFETIME_SECS));
    assert_eq!(channel.window_ends_at(), at(10 + LIFETIME_SECS + WINDOW_SECS));
    let signed: Vec<_> = channel.approvals().keys().copied().collect();
    assert_eq!(BTreeSet::from_iter(signed), BTreeSet::from([alice().address(), bob().address()]));
    assert_eq!(channel.balances().count(), 2);
}

/// How a proposal ends that is not accepted, and when.
fn ends() -> [(VirtualChannelEvent, Phase, u64); 4] {
    let by = |who: &crate::crypto::SigningKey| RequestKey { signer: who.address(), ..request(9) };
    [
        (VirtualChannelEvent::Decline(by(bob())), Phase::Rejected, 1),
        (VirtualChannelEvent::Decline(by(alice())), Phase::Cancelled, 1),
        (VirtualChannelEvent::HostGone, Phase::Cancelled, 1),
        (VirtualChannelEvent::Tick, Phase::Lapsed, ACCEPT_SECS),
    ]
}

#[test]
fn the_hosts_share_comes_back_exactly_once_however_a_proposal_ends() {
    for (event, phase, secs) in ends() {
        let mut channel = proposed();
        let applied = channel.apply(event.clone(), at(secs)).unwrap();
        let expected = BTreeMap::from([
            (AccountKey::member(channel.id(), alice().address(), shib()), -5),
            (AccountKey::wallet(alice().address(), shib()), 5),
        ]);
        assert_eq!(changes(&applied.transfers), expected, "{phase}");
        assert_eq!(applied.transfers[0].kind(), TransferKind::VirtualReturned);
        assert!(applied.effects.contains(&VirtualChannelEffect::EndTopic));
        assert_eq!((channel.phase(), channel.balances().count()), (phase, 0));
        assert_eq!(channel.deadline(), None);
        assert_eq!(channel.allocation_of(bob().address(), pepe()), 0_u64.into(), "who got what");
        // Whatever comes afterwards moves nothing.
        for (later, _, _) in ends() {
            let moved = channel.apply(later, at(2 * ACCEPT_SECS)).map(|applied| applied.transfers);
            assert!(moved.is_err() || moved.is_ok_and(|transfers| transfers.is_empty()), "{phase}");
        }
        let accepted = channel.apply(VirtualChannelEvent::Accept(acceptance()), at(secs));
        assert_eq!(accepted, Err(VirtualChannelError::Ended { phase }));
        let reread = VirtualChannel::from_stored(channel.id(), &channel.to_stored());
        assert_eq!(reread.as_ref(), Ok(&channel));
    }
}

#[test]
fn a_proposal_comes_back_from_the_store_as_it_was() {
    let channel = proposed();
    assert_eq!(VirtualChannel::from_stored(channel.id(), &channel.to_stored()).as_ref(), Ok(&channel));
}

#[test]
fn only_the_guest_accepts_in_time_and_what_was_proposed() {
    let judged = |change: &dyn Fn(&mut Acceptance), secs| {
        let (mut channel, mut acceptance) = (proposed(), acceptance());
        change(&mut acceptance);
        let before = channel.clone();
        let error = channel.apply(VirtualChannelEvent::Accept(acceptance), at(secs)).unwrap_err();
        assert_eq!(channel, before);
        error
    };
    let host = |a: &mut Acceptance| a.request.signer = alice().address();
    let shares = |a: &mut Acceptance| a.allocations[1] = line(bob(), pepe(), 9_u64);
    let doubled = |a: &mut Acceptance| a.allocations.push(a.allocations[0]);
    let other_data = |a: &mut Acceptance| a.data = Some("{}".to_owned());
    let signed_by_host = |a: &mut Acceptance| a.signers = signers(&[alice()]);
    let alone = |a: &mut Acceptance| {
        a.with_direct_channel.remove(&bob().address());
    };
    let guest_gone = VirtualChannelError::NoDirectChannel { member: bob().address() };
    let stranger = QuorumError::SignedByStranger { signer: alice().address() };
    let differ = |field| VirtualChannelError::TermsDiffer { field };
    assert_eq!(judged(&host, 1), VirtualChannelError::NotTheGuest { participant: alice().address() });
    let over = VirtualChannelError::ProposalOver { accept_by: at(ACCEPT_SECS) };
    assert_eq!(judged(&shares, ACCEPT_SECS), over);
    assert_eq!(judged(&shares, ACCEPT_SECS - 1), differ("allocations"));
    assert_eq!(judged(&doubled, 1), differ("allocations"));
    assert_eq!(judged(&other_data, 1), differ("session_data"));
    assert_eq!(judged(&signed_by_host, 1), stranger.into());
    assert_eq!(judged(&alone, 1), guest_gone);
}

#[test]
fn what_is_wrong_with_a_proposal_is_said_in_order() {
    let many = refused(|request| request.definition = table());
    assert_eq!(many, OpeningError::NotARoom { members: 3 });
    let signer = bob().address();
    let turned = refused(|request| request.request.signer = signer);
    assert_eq!(turned, OpeningError::NotTheHost { participant: signer });
    for secs in [0, ACCEPT_SECS_MAX + 1] {
        let error = propose_with(proposal(), secs).unwrap_err();
        assert_eq!(error, OpeningError::AcceptanceOutOfBounds { secs });
    }
    assert!(propose_with(proposal(), ACCEPT_SECS_MAX).is_ok());
    let by_both = refused(|request| request.signers = signers(&[alice(), bob()]));
    assert_eq!(by_both, OpeningError::Signers(QuorumError::SignedByStranger { signer }));
    let with_stranger = refused(|request| request.definition.participants[1] = carol().address());
    assert!(matches!(with_stranger, OpeningError::Allocation(_)), "{with_stranger}");
    let no_rules = refused(|request| request.definition.quorum = 0);
    assert_eq!(no_rules, OpeningError::Definition(DefinitionError::ZeroQuorum));
    let of_guest = refused(|request| request.parts = vec![part(bob(), 2, pepe(), 90, 80)]);
    assert!(matches!(of_guest, OpeningError::Plan(_)), "{of_guest}");
}
