use super::*;
use crate::channel::direct::tests::support::{
    ALICE_KEY, BROKER, DAY_SECS, MALLORY_KEY, OTHER, PEPE, SHIB, alice, amount, initialize, mallory,
    recorded, terms, usual, version,
};
use crate::crypto::eip191_digest;
use crate::primitives::{Amount, ChainId};

struct Case {
    id: ChannelId,
    params: DirectParams,
    initial: RecordedState,
}

type Change = fn(&mut Case);

/// A case that fits.
fn fitting() -> Case {
    let params = usual();
    Case { id: params.channel_id(), initial: recorded(&initialize(&params, 10)), params }
}

fn verdict(case: &Case) -> Result<(), IgnoreReason> {
    judge_recorded(&terms(), case.id, &case.params, &case.initial).map(|_| ())
}

/// Signs the case's first state anew under the id that follows from its terms.
fn renew(case: &mut Case) {
    case.id = case.params.channel_id();
    sign_by(&ALICE_KEY, case);
}

fn sign_by(key: &crate::crypto::SigningKey, case: &mut Case) {
    let state = case.initial.to_direct(case.id).unwrap();
    case.initial.signatures[0] = key.sign(state.hash()).as_bytes().to_vec();
}

#[test]
fn each_rule_alone_keeps_a_channel_from_counting() {
    let table: [(IgnoreReason, Change); 20] = [
        (IgnoreReason::WrongTerms, |case| case.id = OTHER),
        (IgnoreReason::WrongTerms, |case| case.params.nonce += 1),
        (IgnoreReason::WrongTerms, |case| {
            case.params.chain_id = ChainId::new(1);
            renew(case);
        }),
        (IgnoreReason::WrongAdjudicator, |case| {
            case.params.adjudicator = mallory();
            renew(case);
        }),
        (IgnoreReason::WrongBroker, |case| {
            case.params.participants[1] = mallory();
            renew(case);
        }),
        (IgnoreReason::WrongOwner, |case| {
            case.params.participants[0] = BROKER;
            renew(case);
        }),
        (IgnoreReason::WrongOwner, |case| {
            case.params.participants[0] = Address::ZERO;
            renew(case);
        }),
        (IgnoreReason::ChallengeOutOfRange, |case| {
            case.params.challenge_secs = 3599;
            renew(case);
        }),
        (IgnoreReason::ChallengeOutOfRange, |case| {
            case.params.challenge_secs = 30 * DAY_SECS + 1;
            renew(case);
        }),
        (IgnoreReason::NotInitialize, |case| case.initial.intent = Intent::Operate),
        (IgnoreReason::NotInitialize, |case| case.initial.version = Some(version(1))),
        (IgnoreReason::NotInitialize, |case| case.initial.version = None),
        (IgnoreReason::WithData, |case| case.initial.data = vec![0]),
        (IgnoreReason::WrongDestinations, |case| case.initial.allocations.swap(0, 1)),
        (IgnoreReason::WrongToken, |case| case.initial.allocations[1].token = PEPE.address),
        (IgnoreReason::WrongToken, |case| {
            case.initial.allocations.iter_mut().for_each(|allocation| allocation.token = mallory());
        }),
        (IgnoreReason::BrokerPays, |case| case.initial.allocations[1].amount = amount(1)),
        (IgnoreReason::NotSignedByOwner, |case| case.initial.signatures.clear()),
        (IgnoreReason::NotSignedByOwner, |case| case.initial.signatures[0].push(0)),
        (IgnoreReason::NotSignedByOwner, |case| sign_by(&MALLORY_KEY, case)),
    ];
    assert_eq!(verdict(&fitting()), Ok(()));
    for (place, (reason, fault)) in table.into_iter().enumerate() {
        let mut case = fitting();
        fault(&mut case);
        assert_eq!(verdict(&case), Err(reason), "row {place}");
    }
}

#[test]
fn the_first_reason_that_applies_is_told() {
    let mut case = fitting();
    let repairs: [(IgnoreReason, Change); 11] = [
        (IgnoreReason::WrongTerms, |case| case.id = case.params.channel_id()),
        (IgnoreReason::WrongAdjudicator, |case| case.params.adjudicator = terms().adjudicator),
        (IgnoreReason::WrongBroker, |case| case.params.participants[1] = BROKER),
        (IgnoreReason::WrongOwner, |case| case.params.participants[0] = alice()),
        (IgnoreReason::ChallengeOutOfRange, |case| case.params.challenge_secs = DAY_SECS),
        (IgnoreReason::NotInitialize, |case| case.initial.intent = Intent::Initialize),
        (IgnoreReason::WithData, |case| case.initial.data.clear()),
        (IgnoreReason::WrongDestinations, |case| case.initial.allocations.swap(0, 1)),
        (IgnoreReason::WrongToken, |case| case.initial.allocations[0].token = SHIB.address),
        (IgnoreReason::BrokerPays, |case| case.initial.allocations[1].amount = Amount::ZERO),
        (IgnoreReason::NotSignedByOwner, |case| sign_by(&ALICE_KEY, case)),
    ];
    case.initial.signatures.clear();
    case.initial.signatures.push(Vec::new());
    case.initial.allocations.swap(0, 1);
    case.initial.allocations[1].amount = amount(10);
    case.initial.allocations[1].token = PEPE.address;
    case.initial.data = vec![0];
    case.initial.intent = Intent::Finalize;
    case.params.challenge_secs = 0;
    case.params.participants = [Address::ZERO, mallory()];
    case.params.adjudicator = mallory();
    case.id = OTHER;
    // A swap moves the amounts along: the broker's is above zero only after the destinations are right.
    case.initial.allocations[0].amount = amount(1);
    for (reason, repair) in repairs {
        assert_eq!(verdict(&case), Err(reason));
        repair(&mut case);
        if reason != IgnoreReason::WrongTerms {
            case.id = case.params.channel_id();
        }
    }
    assert_eq!(verdict(&case), Ok(()));
}

#[test]
fn the_bounds_themselves_count() {
    for challenge_secs in [CONTRACT_CHALLENGE_SECS_MIN, terms().challenge_secs_max] {
        let mut case = fitting();
        case.params.challenge_secs = challenge_secs;
        renew(&mut case);
        assert_eq!(verdict(&case), Ok(()));
    }
    for part in [Amount::ZERO, Amount::MAX] {
        let mut case = fitting();
        case.initial.allocations[0].amount = part;
        renew(&mut case);
        assert_eq!(verdict(&case), Ok(()));
    }
}

#[test]
fn every_form_of_an_owner_s_signature_counts_and_is_kept() {
    let state = initialize(&usual(), 10);
    let custody = terms().custody;
    for digest in [state.hash(), eip191_digest(&state.packed()), custody.state_digest(&state)] {
        let mut case = fitting();
        let signature = ALICE_KEY.sign(digest);
        case.initial.signatures = vec![signature.as_bytes().to_vec()];
        let kept = judge_recorded(&terms(), case.id, &case.params, &case.initial);
        assert_eq!(kept, Ok(signature));
    }
    // The owner signed, but as if it were the second participant.
    let mut case = fitting();
    case.initial.signatures.swap(0, 1);
    assert_eq!(verdict(&case), Err(IgnoreReason::NotSignedByOwner));
}

#[test]
fn codes_are_kept() {
    for (code, reason) in (1..).zip(REASONS) {
        assert_eq!((reason.code(), IgnoreReason::from_code(code)), (code, Some(reason)));
    }
    assert_eq!((IgnoreReason::from_code(0), IgnoreReason::from_code(14)), (None, None));
}
