//! The custody contract's language: its names on chain, its log byte for byte, its refusals.

#![allow(clippy::unwrap_used)]

use domain::chain::CustodyEvent;
use domain::crypto::{Allocation, DirectParams, DirectState, Intent, Signature};
use domain::primitives::{Address, Amount, ChainId, ChannelId, Delta, Digest, Version, decode_hex};
use evm::custody::{CustodyCall, LogProblem, PoisonLog, Refusal, Revert, SignedState, decode_log};
use evm::{LogPosition, RawLog};
use proptest::prelude::*;
use serde::Deserialize;

/// The chain that the logs in `data/` were taken from.
const CHAIN_ID: ChainId = ChainId::new(31_337);

/// A log of each kind, as a chain gave them.
#[derive(Deserialize)]
struct Sample {
    event: String,
    topics: Vec<Digest>,
    data: String,
}

fn samples() -> Vec<(String, RawLog)> {
    let samples: Vec<Sample> = serde_json::from_str(include_str!("data/custody_logs.json")).unwrap();
    assert_eq!(samples.len(), 9);
    let log = |sample: Sample| (sample.event, raw(sample.topics, decode_hex(&sample.data).unwrap()));
    samples.into_iter().map(log).collect()
}

fn raw(topics: Vec<Digest>, data: Vec<u8>) -> RawLog {
    let word = |byte| Digest::from_bytes([byte; 32]);
    let position = LogPosition { height: 7, log_index: 3, block_hash: word(1), tx_hash: word(2) };
    RawLog { position, address: Address::from_bytes([9; 20]), topics, data }
}

fn name(event: &CustodyEvent) -> &'static str {
    match event {
        CustodyEvent::Deposited { .. } => "Deposited",
        CustodyEvent::Withdrawn { .. } => "Withdrawn",
        CustodyEvent::Created { .. } => "Created",
        CustodyEvent::Joined { .. } => "Joined",
        CustodyEvent::Opened { .. } => "Opened",
        CustodyEvent::Challenged { .. } => "Challenged",
        CustodyEvent::Checkpointed { .. } => "Checkpointed",
        CustodyEvent::Resized { .. } => "Resized",
        CustodyEvent::Closed { .. } => "Closed",
    }
}

fn problem(log: &RawLog) -> LogProblem {
    let PoisonLog { position, problem } = decode_log(log, CHAIN_ID).unwrap_err();
    assert_eq!(position, log.position);
    problem
}

#[test]
fn a_log_of_each_kind_is_read() {
    for (event, log) in samples() {
        let decoded = decode_log(&log, CHAIN_ID).unwrap();
        assert_eq!(name(&decoded), event);
        match decoded {
            CustodyEvent::Resized { deltas, .. } => {
                assert_eq!(deltas, [Delta::more(Amount::from(50_u64)), Delta::Zero]);
            }
            CustodyEvent::Created { params, initial, .. } => {
                assert_eq!((params.challenge_secs, params.nonce), (3_600, 1));
                assert_eq!((initial.intent, initial.version), (Intent::Initialize, Some(Version::ZERO)));
                assert_eq!(initial.signatures.len(), 2);
            }
            _ => {}
        }
    }
}

#[test]
fn a_log_that_only_resembles_an_event_is_poison() {
    for (event, log) in samples() {
        let malformed = |what: &str, topics: Vec<Digest>, data: Vec<u8>| {
            let problem = problem(&raw(topics, data));
            let is_malformed = matches!(problem, LogProblem::Malformed { event: named } if named == event);
            assert!(is_malformed, "{event} with {what}: {problem:?}");
        };
        let (topics, data) = (&log.topics, &log.data);
        malformed("more topics", [topics.as_slice(), &[topics[1]]].concat(), data.clone());
        malformed("fewer topics", topics[..topics.len() - 1].to_vec(), data.clone());
        malformed("a byte more", topics.clone(), [data.as_slice(), &[0]].concat());
        malformed("a word more", topics.clone(), [data.as_slice(), &[0; 32]].concat());
        if let Some((_, fewer)) = data.split_last() {
            malformed("a byte less", topics.clone(), fewer.to_vec());
            malformed("nothing", topics.clone(), Vec::new());
        }
        if matches!(event.as_str(), "Deposited" | "Withdrawn") {
            let mut word = *topics[1].as_bytes();
            word[0] = 1;
            malformed(
                "a word for an address",
                vec![topics[0], Digest::from_bytes(word), topics[2]],
                data.clone(),
            );
        }
        let unknown = Digest::from_bytes([5; 32]);
        let renamed = raw([&[unknown], &topics[1..]].concat(), data.clone());
        assert_eq!(problem(&renamed), LogProblem::UnknownEvent { topic: unknown });
        assert_eq!(problem(&raw(Vec::new(), data.clone())), LogProblem::Anonymous);
    }
}

#[test]
fn terms_of_another_channel_are_poison() {
    let (_, log) = samples().into_iter().find(|(event, _)| event == "Created").unwrap();
    let computed = ChannelId::from_bytes(*log.topics[1].as_bytes());
    let named = ChannelId::from_bytes([4; 32]);
    let renamed = raw(vec![log.topics[0], Digest::from_bytes([4; 32]), log.topics[2]], log.data.clone());
    assert_eq!(problem(&renamed), LogProblem::OtherChannel { named, computed });
    let elsewhere = decode_log(&log, ChainId::new(1)).unwrap_err();
    assert!(matches!(elsewhere.problem, LogProblem::OtherChannel { named, .. } if named == computed));
}

#[test]
fn states_of_strangers_are_read_though_the_broker_would_never_sign_them() {
    let (_, log) = samples().into_iter().find(|(event, _)| event == "Checkpointed").unwrap();
    let mut data = log.data.clone();
    // The state's second word, after the offset of the state and its intent.
    data[64..96].copy_from_slice(&[0xff; 32]);
    let decoded = decode_log(&raw(log.topics.clone(), data), CHAIN_ID).unwrap();
    let CustodyEvent::Checkpointed { channel_id, state } = decoded else { panic!("{decoded:?}") };
    assert_eq!(state.version, None);
    assert_eq!(state.to_direct(channel_id), None);

    let (_, log) = samples().into_iter().find(|(event, _)| event == "Challenged").unwrap();
    let mut data = log.data.clone();
    // The expiry, after the offset of the state.
    data[32..64].copy_from_slice(&[0xff; 32]);
    let decoded = decode_log(&raw(log.topics.clone(), data), CHAIN_ID).unwrap();
    assert!(matches!(decoded, CustodyEvent::Challenged { expires_at_secs: u64::MAX, .. }));
}

proptest! {
    #[test]
    fn no_bytes_in_a_log_or_a_revert_end_the_process(
        kind in 0..9_usize,
        at in any::<proptest::sample::Index>(),
        word: [u8; 32],
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let (_, log) = samples().swap_remove(kind);
        let mut data = log.data.clone();
        if !data.is_empty() {
            let start = at.index(data.len() / 32) * 32;
            data[start..start + 32].copy_from_slice(&word);
        }
        let _ = decode_log(&raw(log.topics.clone(), data), CHAIN_ID);
        let _ = decode_log(&raw(log.topics, bytes.clone()), CHAIN_ID);
        let _ = Revert::decode(&bytes).to_string();
    }
}

#[test]
fn calls_bear_the_selectors_of_the_contract() {
    let [account, token] = [Address::from_bytes([1; 20]), Address::from_bytes([2; 20])];
    let (amount, channel_id) = (Amount::from(5_u64), ChannelId::from_bytes([3; 32]));
    let signature = Signature::from_slice(&[[1; 64].as_slice(), &[27]].concat()).unwrap();
    let params = DirectParams {
        participants: [account, token],
        adjudicator: token,
        challenge_secs: 1,
        nonce: 1,
        chain_id: CHAIN_ID,
    };
    let allocation = Allocation { destination: account, token, amount };
    let state = DirectState {
        channel_id,
        intent: Intent::Operate,
        version: Version::ZERO,
        data: Vec::new(),
        allocations: [allocation; 2],
    };
    let signed = || SignedState { state: state.clone(), signatures: vec![signature; 2] };
    let (candidate, proof, initial) = (signed(), signed(), signed());
    let coin = Address::ZERO;
    let none = Amount::ZERO;
    let expected = [
        (CustodyCall::Deposit { account, token, amount }, "8340f549", none),
        (CustodyCall::Deposit { account, token: coin, amount }, "8340f549", amount),
        (CustodyCall::Withdraw { token, amount }, "f3fef3a3", none),
        (CustodyCall::Withdraw { token: coin, amount }, "f3fef3a3", none),
        (CustodyCall::Create { params: params.clone(), initial: initial.clone() }, "4a7e7798", none),
        (
            CustodyCall::DepositAndCreate { token, amount, params: params.clone(), initial: initial.clone() },
            "00e2bb2c",
            none,
        ),
        (CustodyCall::DepositAndCreate { token: coin, amount, params, initial }, "00e2bb2c", amount),
        (CustodyCall::Join { channel_id, signature }, "bab3290a", none),
        (CustodyCall::Checkpoint { candidate: candidate.clone() }, "ecf668fd", none),
        (CustodyCall::Challenge { candidate: candidate.clone(), challenger: signature }, "1474e410", none),
        (CustodyCall::Resize { candidate: candidate.clone(), proof }, "183b4998", none),
        (CustodyCall::Close { candidate }, "7f9ebbd7", none),
    ];
    for (call, selector, value) in expected {
        let encoded = call.to_call(account);
        assert_eq!(domain::primitives::encode_hex(&encoded.data[..4]), format!("0x{selector}"), "{call:?}");
        assert_eq!((encoded.to, encoded.value), (Some(account), value), "{call:?}");
    }
}

#[test]
fn refusals_are_named_by_their_selectors() {
    let word = |number: u64| Amount::from(number).to_be_bytes();
    let revert = |selector: &str, words: &[[u8; 32]]| {
        let data = [decode_hex(selector).unwrap(), words.concat()].concat();
        Revert::decode(&data)
    };
    let plain = [
        ("0xf525e320", Refusal::InvalidStatus),
        ("0xbaf3f0f7", Refusal::InvalidState),
        ("0x52e4cb1c", Refusal::InvalidAllocations),
        ("0x773a750f", Refusal::InvalidStateSignatures),
        ("0x61a44f6e", Refusal::InvalidChallengerSignature),
        ("0xa145c43e", Refusal::InvalidParticipant),
        ("0xea9e70ce", Refusal::InvalidAdjudicator),
        ("0xb4e12433", Refusal::InvalidChallengePeriod),
        ("0xaa7feadc", Refusal::InvalidValue),
        ("0x2c5211c6", Refusal::InvalidAmount),
        ("0xf645eedf", Refusal::MalformedSignature),
    ];
    for (selector, refusal) in plain {
        assert_eq!(revert(selector, &[]), Revert::Named(refusal), "{selector}");
    }
    let short =
        Refusal::InsufficientBalance { available: Amount::from(1_u64), required: Amount::from(2_u64) };
    assert_eq!(short.to_string(), "available balance in custody is 1, needed 2");
    assert_eq!(revert("0xcf479181", &[word(1), word(2)]), Revert::Named(short));
    let absent = Revert::Named(Refusal::ChannelNotFound(ChannelId::from_bytes(word(7))));
    assert_eq!(revert("0xf383b13e", &[word(7)]), absent);
    assert_eq!(revert("0x5274afe7", &[word(7)]), Revert::Other("SafeERC20FailedOperation"));

    let text = [word(32), word(4), *b"full\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"];
    assert_eq!(revert("0x08c379a0", &text), Revert::Message("full".to_owned()));
    assert_eq!(revert("0x4e487b71", &[word(0x11)]).to_string(), "failed check 0x11");
    assert_eq!(revert("0x", &[]).to_string(), "without a reason");
    assert_eq!(
        revert("0xcf479181", &[word(1)]),
        Revert::Unexplained([decode_hex("0xcf479181").unwrap(), word(1).to_vec()].concat(),)
    );
}
