use super::*;
use crate::channel::virtual_channel::samples::{
    BROKER, Key, LIFETIME_SECS, NOW, WINDOW_SECS, addresses, alice, amount, at, bob, carol, changes, doge,
    line, open_with, opening, part, pepe, request, room, shib, signers, table, version,
};
use crate::channel::{Machine as _, PartMove};
use crate::ledger::{AccountKey, Ledger};
use crate::primitives::{ChainId, ChannelId};

fn story() -> OpeningRequest {
    opening(room(), vec![line(alice(), shib(), 5_u64), line(bob(), pepe(), 10_u64)])
}

fn refused(request: OpeningRequest) -> OpeningError {
    open_with(request).unwrap_err()
}

fn refused_lines(lines: Vec<VirtualAllocation>) -> OpeningError {
    refused(opening(room(), lines))
}

#[test]
fn the_main_story_moves_parts_of_direct_channels_into_the_room() {
    let parts = vec![part(alice(), 1, shib(), 20, 15), part(bob(), 2, pepe(), 100, 90)];
    let opened = open_with(OpeningRequest { parts: parts.clone(), ..story() }).unwrap();
    let id = room().channel_id();
    let expected = BTreeMap::from([
        (AccountKey::direct(parts[0].channel, alice().address(), shib()), -5),
        (AccountKey::direct(parts[1].channel, bob().address(), pepe()), -10),
        (AccountKey::member(id, alice().address(), shib()), 5),
        (AccountKey::member(id, bob().address(), pepe()), 10),
    ]);
    assert_eq!(changes(&opened.transition.transfers), expected);
    assert_eq!(opened.transition.transfers.len(), 1);
    let transfer = &opened.transition.transfers[0];
    assert_eq!((transfer.kind(), transfer.at()), (TransferKind::VirtualOpened, NOW));
    assert_eq!(transfer.cause(), Cause::Request(request(1)));
    assert!(opened.plan.wallet_debits().is_empty());
}

#[test]
fn what_no_part_gives_comes_from_the_wallet_and_is_reported() {
    let opened =
        open_with(OpeningRequest { parts: vec![part(alice(), 1, shib(), 20, 18)], ..story() }).unwrap();
    let debits = [((alice().address(), shib()), amount(3)), ((bob().address(), pepe()), amount(10))];
    assert_eq!(opened.plan.wallet_debits(), &BTreeMap::from(debits));
    let id = room().channel_id();
    let funded = Ledger::with_balances([
        (AccountKey::direct(ChannelId::from_bytes([1; 32]), alice().address(), shib()), amount(20)),
        (AccountKey::wallet(alice().address(), shib()), amount(3)),
        (AccountKey::wallet(bob().address(), pepe()), amount(10)),
    ]);
    let mut book = funded.clone();
    book.post(&opened.transition.transfers[0]).unwrap();
    let left: Vec<_> = book.balances().collect();
    let expected = [
        (AccountKey::direct(ChannelId::from_bytes([1; 32]), alice().address(), shib()), amount(18)),
        (AccountKey::member(id, bob().address(), pepe()), amount(10)),
        (AccountKey::member(id, alice().address(), shib()), amount(5)),
    ];
    assert_eq!(BTreeMap::from_iter(left), BTreeMap::from(expected));
}

#[test]
fn begins_open_at_version_one_with_its_deadlines() {
    let data = Some("{\"board\":[]}".to_owned());
    let opened = open_with(OpeningRequest { data: data.clone(), ..story() }).unwrap();
    let channel = &opened.channel;
    assert_eq!(
        (channel.id(), channel.phase(), channel.version()),
        (room().channel_id(), Phase::Open, version(1))
    );
    assert_eq!(channel.data(), data.as_deref());
    assert_eq!(channel.allocation_of(alice().address(), shib()), amount(5));
    assert_eq!(channel.allocation_of(bob().address(), shib()), Amount::ZERO);
    assert_eq!(channel.allocations().len(), 2);
    assert_eq!((channel.created_at(), channel.updated_at()), (NOW, NOW));
    assert_eq!(channel.expires_at(), at(LIFETIME_SECS));
    assert_eq!(channel.window_ends_at(), at(LIFETIME_SECS + WINDOW_SECS));
    assert_eq!(channel.deadline(), Some(at(LIFETIME_SECS)));
    assert!(channel.is_member(alice().address()) && !channel.is_member(carol().address()));
    let signed = signers(&[alice(), bob()]);
    assert_eq!(channel.approvals().len(), 2);
    for (signer, by) in channel.approvals() {
        assert_eq!(signed.signature_of(*signer), Some(by.signature));
    }
}

#[test]
fn tells_every_member_and_nobody_else() {
    let opened = open_with(opening(table(), Vec::new())).unwrap();
    let [VirtualChannelEffect::Notify { to, notification }] = opened.transition.effects.as_slice() else {
        panic!("{:?}", opened.transition.effects)
    };
    assert_eq!(to, &addresses(&[alice(), bob(), carol()]));
    assert_eq!(notification.change, Change::Opened);
    assert_eq!(notification.channel, opened.channel.snapshot());
}

#[test]
fn a_room_without_money_needs_no_transfer() {
    let opened = open_with(opening(room(), Vec::new())).unwrap();
    assert!(opened.transition.transfers.is_empty() && opened.plan.owners().is_empty());
    assert!(opened.channel.allocations().is_empty());
}

#[test]
fn a_room_without_money_may_still_anchor() {
    let request = OpeningRequest { parts: vec![part(bob(), 1, pepe(), 0, 3)], ..opening(room(), Vec::new()) };
    let opened = open_with(request).unwrap();
    assert_eq!(opened.plan.wallet_debits(), &BTreeMap::from([((bob().address(), pepe()), amount(3))]));
    assert_eq!(opened.transition.transfers[0].entries().len(), 2);
}

#[test]
fn takes_the_largest_amounts_and_not_more() {
    let whole = vec![line(alice(), shib(), Amount::MAX), line(bob(), pepe(), Amount::MAX)];
    let opened = open_with(opening(room(), whole)).unwrap();
    assert_eq!(opened.channel.allocation_of(alice().address(), shib()), Amount::MAX);
    assert_eq!(opened.plan.wallet_debits().len(), 2);
    let above = vec![line(alice(), shib(), Amount::MAX), line(bob(), shib(), 1_u64)];
    let error = AllocationError::TotalOverflow { token: shib() };
    assert_eq!(refused_lines(above), OpeningError::Allocation(error));
}

#[test]
fn credits_above_the_largest_amount_make_no_transfer() {
    // Each member's own movement fits, the sum of their credits does not.
    let emptied = |who: Key, channel| PartMove { before: Amount::MAX, ..part(who, channel, shib(), 0, 0) };
    let parts = vec![emptied(alice(), 1), emptied(bob(), 2)];
    let error = refused(OpeningRequest { parts, ..opening(room(), Vec::new()) });
    assert!(matches!(error, OpeningError::Ledger(LedgerError::Overflow { .. })), "{error}");
}

#[test]
fn refuses_each_wrong_allocation() {
    let (alice, bob, carol) = (alice(), bob(), carol());
    let participant = carol.address();
    let not_a_member = AllocationError::NotAMember { participant };
    assert_eq!(refused_lines(vec![line(carol, doge(), 0_u64)]), not_a_member.into());
    let unknown = AllocationError::UnknownToken { token: doge() };
    assert_eq!(refused_lines(vec![line(alice, doge(), 0_u64)]), unknown.into());
    let zero = AllocationError::Zero { participant: alice.address(), token: shib() };
    assert_eq!(refused_lines(vec![line(alice, shib(), 1_u64), line(alice, shib(), 0_u64)]), zero.into());
    let repeated = AllocationError::Repeated { participant: alice.address(), token: shib() };
    let twice = vec![line(alice, shib(), 1_u64), line(bob, shib(), 1_u64), line(alice, shib(), Amount::MAX)];
    assert_eq!(refused_lines(twice), repeated.into());
}

#[test]
fn of_wrong_allocations_the_first_line_is_reported() {
    let zero = line(alice(), shib(), 0_u64);
    let strange = line(carol(), shib(), 1_u64);
    let refused = [refused_lines(vec![zero, strange]), refused_lines(vec![strange, zero])];
    let expected = [
        AllocationError::Zero { participant: alice().address(), token: shib() }.into(),
        AllocationError::NotAMember { participant: carol().address() }.into(),
    ];
    assert_eq!(refused, expected);
}

#[test]
fn holds_sixteen_tokens_and_not_more() {
    let token = |number| Token { chain_id: ChainId::new(number), address: Address::ZERO };
    let open_with_tokens = |count: u64| {
        let tokens: BTreeSet<Token> = (1..=count).map(token).collect();
        let lines = tokens.iter().map(|token| line(alice(), *token, 1_u64)).collect();
        let terms = OpeningTerms {
            broker: BROKER,
            tokens: &tokens,
            with_direct_channel: &addresses(&[alice(), bob()]).into_iter().collect(),
            expiry_window_secs: WINDOW_SECS,
        };
        open(opening(room(), lines), &terms, NOW)
    };
    assert_eq!(open_with_tokens(16).unwrap().channel.allocations().len(), 16);
    assert_eq!(open_with_tokens(17), Err(AllocationError::TooManyTokens.into()));
}

#[test]
fn all_members_have_to_sign_and_nobody_else() {
    let signed_by = |keys: &[Key]| refused(OpeningRequest { signers: signers(keys), ..story() });
    let missing = |who: Key| OpeningError::MissingSignature { member: who.address() };
    assert_eq!(signed_by(&[alice()]), missing(bob()));
    assert_eq!(signed_by(&[bob()]), missing(alice()));
    let stranger = QuorumError::SignedByStranger { signer: carol().address() };
    assert_eq!(signed_by(&[alice(), bob(), carol()]), stranger.clone().into());
    assert_eq!(signed_by(&[carol()]), stranger.into());
    // Even where the quorum would do with fewer.
    let without_carol =
        OpeningRequest { signers: signers(&[alice(), bob()]), ..opening(table(), Vec::new()) };
    assert_eq!(refused(without_carol), missing(carol()));
}

#[test]
fn every_member_needs_a_direct_channel_of_any_token() {
    let having = |keys: &[Key]| {
        let terms = OpeningTerms {
            broker: BROKER,
            tokens: &BTreeSet::from([shib(), pepe()]),
            with_direct_channel: &addresses(keys).into_iter().collect(),
            expiry_window_secs: WINDOW_SECS,
        };
        open(story(), &terms, NOW).map(|opened| opened.channel.id())
    };
    let missing = |who: Key| Err(OpeningError::NoDirectChannel { member: who.address() });
    assert_eq!(having(&[]), missing(alice()));
    assert_eq!(having(&[alice(), carol()]), missing(bob()));
    assert_eq!(having(&[alice(), bob(), carol()]), Ok(room().channel_id()));
}

#[test]
fn data_is_bounded() {
    let with = |bytes| open_with(OpeningRequest { data: Some("x".repeat(bytes)), ..story() });
    assert!(with(DATA_BYTES_MAX).is_ok());
    let bytes = DATA_BYTES_MAX + 1;
    assert_eq!(with(bytes), Err(OpeningError::DataTooLarge { bytes }));
}

#[test]
fn reasons_are_given_in_the_documented_order() {
    let stranger_part = part(carol(), 1, shib(), 0, 0);
    let (participant, channel) = (carol().address(), stranger_part.channel);
    let bytes = DATA_BYTES_MAX + 1;
    // Each case mends one mistake, so that the next one shows.
    let mut request = OpeningRequest {
        definition: Definition { nonce: 0, ..room() },
        allocations: vec![line(alice(), shib(), 0_u64)],
        data: Some("x".repeat(bytes)),
        signers: signers(&[alice(), carol()]),
        parts: vec![stranger_part],
        ..story()
    };
    let with = |request: &OpeningRequest, keys: &[Key]| {
        let terms = OpeningTerms {
            broker: BROKER,
            tokens: &BTreeSet::from([shib()]),
            with_direct_channel: &addresses(keys).into_iter().collect(),
            expiry_window_secs: WINDOW_SECS,
        };
        open(request.clone(), &terms, NOW).unwrap_err()
    };
    assert_eq!(with(&request, &[]), DefinitionError::ZeroNonce.into());
    request.definition.nonce = 1;
    assert_eq!(with(&request, &[]), OpeningError::DataTooLarge { bytes });
    request.data = None;
    let zero = AllocationError::Zero { participant: alice().address(), token: shib() };
    assert_eq!(with(&request, &[]), zero.into());
    request.allocations.clear();
    assert_eq!(with(&request, &[]), QuorumError::SignedByStranger { signer: participant }.into());
    request.signers = signers(&[alice()]);
    assert_eq!(with(&request, &[]), OpeningError::MissingSignature { member: bob().address() });
    request.signers = signers(&[alice(), bob()]);
    assert_eq!(with(&request, &[]), OpeningError::NoDirectChannel { member: alice().address() });
    let stranger = PlanError::PartOfStranger { participant, channel };
    assert_eq!(with(&request, &[alice(), bob()]), stranger.into());
}

#[test]
fn the_same_opening_comes_to_the_same() {
    assert_eq!(open_with(story()), open_with(story()));
}
