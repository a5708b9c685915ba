//! Every reason to refuse a state, and which of several is given.

use super::*;
use crate::channel::virtual_channel::samples::{
    BROKER, Key, carol, doge, open_with, opening, part, signed, signers, table, version,
};
use crate::channel::virtual_channel::{DATA_BYTES_MAX, PlanError, QuorumError, TOKENS_MAX};
use crate::crypto::{VirtualAllocations, VirtualAllocationsError};
use crate::primitives::{Address, Amount, ChainId, ChannelId, Token};

fn update_refused(state: VirtualState, keys: &[Key]) -> VirtualChannelError {
    refused(&mut story(), VirtualChannelEvent::Update(update(state, keys)), at(1))
}

fn both() -> [Key; 2] {
    [alice(), bob()]
}

fn good() -> VirtualState {
    next(&story(), VirtualIntent::Operate, &bob_won())
}

fn with_lines(lines: &[VirtualAllocation]) -> VirtualState {
    next(&story(), VirtualIntent::Operate, lines)
}

/// How a case spoils a state, and what is said.
type Case = (fn(&mut VirtualState), WrongStateError);

/// One spoiler for each reason about the state itself, in the order of precedence.
fn cases() -> Vec<Case> {
    let (id, stranger) = (story().id(), Address::from_bytes([9; 20]));
    let hash = VirtualState::hash_of_data(None);
    let total = Amount::from(5_u64);
    vec![
        (
            |s| s.broker = Address::from_bytes([9; 20]),
            WrongStateError::WrongBroker { expected: BROKER, actual: stranger },
        ),
        (
            |s| s.channel_id = ChannelId::NONE,
            WrongStateError::WrongChannel { expected: id, actual: ChannelId::NONE },
        ),
        (
            |s| s.intent = VirtualIntent::Close,
            WrongStateError::WrongIntent { expected: VirtualIntent::Operate, actual: VirtualIntent::Close },
        ),
        (
            |s| s.version = version(1),
            WrongStateError::StaleVersion { current: version(1), proposed: version(1) },
        ),
        (
            |s| s.data_hash = VirtualState::hash_of_data(Some("{}")),
            WrongStateError::WrongDataHash { actual: hash, signed: VirtualState::hash_of_data(Some("{}")) },
        ),
        (
            |s| {
                let lines = [line(bob(), shib(), 4_u64), line(bob(), pepe(), 10_u64)];
                s.allocations = VirtualAllocations::new(&[bob().address()], lines).unwrap();
            },
            WrongStateError::ConservationBroken { token: shib(), total, proposed: Amount::from(4_u64) },
        ),
    ]
}

#[test]
fn each_reason_is_given_by_itself() {
    for (spoil, error) in cases() {
        let mut state = good();
        spoil(&mut state);
        assert_eq!(update_refused(state, &both()), error.into());
    }
}

#[test]
fn of_two_reasons_the_first_is_given_and_the_quorum_comes_last() {
    let cases = cases();
    for (place, (spoil, error)) in cases.iter().enumerate() {
        for (also, _) in &cases[place + 1..] {
            let mut state = good();
            spoil(&mut state);
            also(&mut state);
            assert_eq!(update_refused(state.clone(), &both()), error.clone().into());
            assert_eq!(update_refused(state, &[alice()]), error.clone().into());
        }
    }
}

#[test]
fn versions_follow_on_each_other_without_gaps() {
    let with = |number| VirtualState { version: version(number), ..good() };
    let current = version(1);
    for number in [0, 1] {
        let error = WrongStateError::StaleVersion { current, proposed: version(number) };
        assert_eq!(update_refused(with(number), &both()), error.into());
    }
    for number in [3, version(0).get() + (1 << 53) - 1] {
        let error = WrongStateError::VersionGap { current, proposed: version(number) };
        assert_eq!(update_refused(with(number), &both()), error.into());
    }
}

#[test]
fn after_the_last_version_there_is_no_next_one() {
    let (mut channel, now) = in_phase(Phase::Expiring);
    let last = (1 << 53) - 1;
    let state = VirtualState { version: version(last), ..good() };
    channel.apply(VirtualChannelEvent::Update(update(state.clone(), &both())), now).unwrap();
    let error = refused(&mut channel, VirtualChannelEvent::Update(update(state, &both())), now);
    let stale = WrongStateError::StaleVersion { current: version(last), proposed: version(last) };
    assert_eq!(error, stale.into());
}

#[test]
fn what_is_handed_in_for_one_thing_does_not_serve_for_another() {
    let as_update = VirtualState { intent: VirtualIntent::Close, ..good() };
    let (operate, close_intent) = (VirtualIntent::Operate, VirtualIntent::Close);
    let error = WrongStateError::WrongIntent { expected: operate, actual: close_intent };
    assert_eq!(update_refused(as_update, &both()), error.into());
    let event = VirtualChannelEvent::Close(close(good(), &both()));
    let error = WrongStateError::WrongIntent { expected: close_intent, actual: operate };
    assert_eq!(refused(&mut story(), event, at(1)), error.into());
}

#[test]
fn money_moves_one_way_only_when_it_comes_in_or_goes_out() {
    let (deposit, withdraw) = (VirtualIntent::Deposit, VirtualIntent::Withdraw);
    let wrong = |who: Key, token, current: u64, proposed: u64| {
        let (current, proposed) = (Amount::from(current), Amount::from(proposed));
        let participant = who.address();
        VirtualChannelError::from(WrongStateError::WrongDirection { participant, token, current, proposed })
    };
    let same = [line(alice(), shib(), 5_u64), line(bob(), pepe(), 10_u64)];
    let more = [line(alice(), shib(), 6_u64), line(bob(), pepe(), 10_u64)];
    let less = [line(alice(), shib(), 4_u64), line(bob(), pepe(), 10_u64)];
    let both_ways = [line(alice(), shib(), 4_u64), line(bob(), pepe(), 11_u64)];
    let cases = [
        (deposit, same, WrongStateError::NothingMoves.into()),
        (withdraw, same, WrongStateError::NothingMoves.into()),
        (deposit, less, wrong(alice(), shib(), 5, 4)),
        (withdraw, more, wrong(alice(), shib(), 5, 6)),
        (deposit, both_ways, wrong(alice(), shib(), 5, 4)),
        (withdraw, both_ways, wrong(bob(), pepe(), 10, 11)),
    ];
    for (intent, lines, error) in cases {
        assert_eq!(update_refused(next(&story(), intent, &lines), &both()), error, "{intent:?} {lines:?}");
    }
    let most = [line(alice(), shib(), Amount::MAX), line(bob(), shib(), 1_u64), line(bob(), pepe(), 10_u64)];
    let error = WrongStateError::TotalOverflow { token: shib() };
    assert_eq!(update_refused(next(&story(), deposit, &most), &both()), error.into());
}

#[test]
fn a_deposit_brings_in_no_more_tokens_than_a_channel_may_have() {
    let token = |byte| Token { chain_id: ChainId::new(1), address: Address::from_bytes([byte; 20]) };
    let with = |count: u8| {
        let lines: Vec<_> = (0..count).map(|byte| line(alice(), token(byte + 1), 1_u64)).collect();
        let stay = [line(alice(), shib(), 5_u64), line(bob(), pepe(), 10_u64)];
        next(&story(), VirtualIntent::Deposit, &[lines, stay.to_vec()].concat())
    };
    let most = u8::try_from(TOKENS_MAX).unwrap() - 2;
    let event = VirtualChannelEvent::Update(update(with(most), &both()));
    assert!(story().apply(event, at(1)).is_ok());
    assert_eq!(update_refused(with(most + 1), &both()), WrongStateError::TooManyTokens.into());
}

#[test]
fn nobody_pays_in_without_having_signed_the_request() {
    let lines = [line(alice(), shib(), 6_u64), line(bob(), pepe(), 11_u64)];
    let deposit = |keys: &[Key]| {
        let update = update(next(&story(), VirtualIntent::Deposit, &lines), &both());
        VirtualChannelEvent::Update(Update { consents: signers(keys), ..update })
    };
    for (signed, missing) in [(vec![alice()], bob()), (vec![bob()], alice())] {
        let error = VirtualChannelError::MissingConsent { member: missing.address() };
        assert_eq!(refused(&mut story(), deposit(&signed), at(1)), error);
    }
    assert!(story().apply(deposit(&both()), at(1)).is_ok());
}

#[test]
fn after_the_lifetime_no_money_comes_in_or_goes_out() {
    for (intent, amount) in [(VirtualIntent::Deposit, 6_u64), (VirtualIntent::Withdraw, 4)] {
        // With a tick before it and without one.
        let (mut channel, now) = in_phase(Phase::Expiring);
        let lines = [line(alice(), shib(), amount), line(bob(), pepe(), 10_u64)];
        let event = VirtualChannelEvent::Update(update(next(&channel, intent, &lines), &both()));
        let error = VirtualChannelError::LifetimeOver { expires_at: at(EXPIRED) };
        assert_eq!(refused(&mut channel, event.clone(), now), error);
        assert_eq!(refused(&mut story(), event.clone(), at(EXPIRED)), error);
        assert!(story().apply(event, at(EXPIRED - 1)).is_ok());
    }
}

#[test]
fn data_belongs_to_its_hash_and_is_bounded() {
    let with = |data: Option<String>| {
        let state = VirtualState { data_hash: VirtualState::hash_of_data(data.as_deref()), ..good() };
        Update { data, ..update(state, &both()) }
    };
    let swapped = Update { data: Some("{}".to_owned()), ..with(None) };
    let actual = VirtualState::hash_of_data(Some("{}"));
    let error = WrongStateError::WrongDataHash { actual, signed: VirtualState::hash_of_data(None) };
    assert_eq!(refused(&mut story(), VirtualChannelEvent::Update(swapped), at(1)), error.into());
    let bytes = DATA_BYTES_MAX + 1;
    let longest = with(Some("x".repeat(DATA_BYTES_MAX)));
    assert!(story().apply(VirtualChannelEvent::Update(longest), at(1)).is_ok());
    let longer = VirtualChannelEvent::Update(with(Some("x".repeat(bytes))));
    assert_eq!(refused(&mut story(), longer, at(1)), WrongStateError::DataTooLarge { bytes }.into());
}

#[test]
fn only_members_get_something() {
    let lines = [line(carol(), shib(), 5_u64), line(bob(), pepe(), 10_u64)];
    let strangers = [alice().address(), bob().address(), carol().address()];
    let state = VirtualState { allocations: VirtualAllocations::new(&strangers, lines).unwrap(), ..good() };
    let error = VirtualAllocationsError::NotAMember { participant: carol().address() };
    assert_eq!(update_refused(state, &both()), WrongStateError::Allocations(error).into());
}

#[test]
fn allocations_stand_in_the_order_of_the_definition() {
    let lines = [line(alice(), shib(), 5_u64), line(bob(), pepe(), 10_u64)];
    let turned = VirtualAllocations::new(&[bob().address(), alice().address()], lines).unwrap();
    let state = VirtualState { allocations: turned, ..good() };
    assert_eq!(update_refused(state, &both()), WrongStateError::AllocationsOutOfOrder.into());
}

#[test]
fn only_tokens_inside_are_dealt() {
    let lines = [line(alice(), doge(), 1_u64), line(bob(), shib(), 5_u64), line(bob(), pepe(), 10_u64)];
    let error = WrongStateError::UnknownToken { token: doge() };
    assert_eq!(update_refused(with_lines(&lines), &both()), error.into());
}

#[test]
fn the_total_of_each_token_stays() {
    let broken = |token, total: u64, proposed: u64| {
        let (total, proposed) = (Amount::from(total), Amount::from(proposed));
        VirtualChannelError::from(WrongStateError::ConservationBroken { token, total, proposed })
    };
    let short = [line(bob(), shib(), 5_u64), line(bob(), pepe(), 9_u64)];
    assert_eq!(update_refused(with_lines(&short), &both()), broken(pepe(), 10, 9));
    let long = [line(alice(), shib(), 1_u64), line(bob(), shib(), 5_u64), line(bob(), pepe(), 10_u64)];
    assert_eq!(update_refused(with_lines(&long), &both()), broken(shib(), 5, 6));
    let missing = [line(bob(), shib(), 5_u64)];
    assert_eq!(update_refused(with_lines(&missing), &both()), broken(pepe(), 10, 0));
    // What one token lacks another cannot make up for.
    let swapped = [line(bob(), shib(), 10_u64), line(bob(), pepe(), 5_u64)];
    assert_eq!(update_refused(with_lines(&swapped), &both()), broken(shib(), 5, 10));
}

#[test]
fn sums_that_wrap_around_do_not_pass_as_the_total() {
    // 2^256 − 1 and 6 make 5 where arithmetic wraps.
    let lines = [line(alice(), shib(), Amount::MAX), line(bob(), shib(), 6_u64), line(bob(), pepe(), 10_u64)];
    let error = WrongStateError::TotalOverflow { token: shib() };
    assert_eq!(update_refused(with_lines(&lines), &both()), error.into());
}

#[test]
fn the_quorum_decides_by_weights() {
    let short = |sum, quorum| VirtualChannelError::from(QuorumError::QuorumNotReached { sum, quorum });
    assert_eq!(update_refused(good(), &[alice()]), short(50, 100));
    let channel = open_with(opening(table(), Vec::new())).unwrap().channel;
    let by = |keys: &[Key]| {
        let event = update(next(&channel, VirtualIntent::Operate, &[]), keys);
        channel.clone().apply(VirtualChannelEvent::Update(event), at(1)).map(|_| ())
    };
    assert_eq!(by(&[bob(), carol()]), Err(short(2, 3)));
    assert_eq!(by(&[alice(), carol()]), Ok(()));
}

#[test]
fn a_stranger_beside_a_quorum_is_refused() {
    let error = QuorumError::SignedByStranger { signer: carol().address() };
    assert_eq!(update_refused(good(), &[alice(), bob(), carol()]), error.into());
}

#[test]
fn a_close_is_judged_like_an_update_before_its_parts() {
    let stranger = part(carol(), 1, shib(), 0, 1);
    let attempt = |state: VirtualState, keys: &[Key]| {
        let close = Close { parts: vec![stranger], ..close(state, keys) };
        assert_eq!(
            story().plan(&VirtualChannelEvent::Close(close.clone()), at(1)),
            Err(refused(&mut story(), VirtualChannelEvent::Close(close.clone()), at(1),))
        );
        story().plan(&VirtualChannelEvent::Close(close.clone()), at(1)).unwrap_err()
    };
    let state = |lines: &[VirtualAllocation]| next(&story(), VirtualIntent::Close, lines);
    let short = [line(bob(), shib(), 5_u64)];
    let error = attempt(state(&short), &[alice()]);
    assert!(matches!(error, VirtualChannelError::WrongState(WrongStateError::ConservationBroken { .. })));
    let error = attempt(state(&bob_won()), &[alice()]);
    assert_eq!(error, QuorumError::QuorumNotReached { sum: 50, quorum: 100 }.into());
    let (participant, channel) = (carol().address(), stranger.channel);
    let error = attempt(state(&bob_won()), &both());
    assert_eq!(error, PlanError::PartOfStranger { participant, channel }.into());
}

#[test]
fn an_ended_channel_says_so_before_anything_else() {
    for phase in [Phase::Closed, Phase::Expired, Phase::Rejected, Phase::Cancelled, Phase::Lapsed] {
        let (mut channel, now) = in_phase(phase);
        let state = VirtualState { broker: Address::ZERO, ..good() };
        let event = VirtualChannelEvent::Update(Update { state: signed(state, &[alice()]), ..won(&channel) });
        assert_eq!(refused(&mut channel, event, now), VirtualChannelError::Ended { phase });
    }
}
