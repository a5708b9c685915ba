//! Refusals: what each mistake is called, with which figures, and what a client makes of those it does not know.

use serde_json::Value;

use super::samples::{bob, broker, request, sign, user};
use crate::crypto::{Signable, SignatureError, Signed, VerifyError, VirtualAllocationsError};
use crate::primitives::{Address, ChainId, Digest, Token};
use crate::protocol::method::Method;
use crate::protocol::{
    CallError, Code, FrameFault, JsonFault, MESSAGE_BYTES_MAX, Refusal, ServerBody, ServerFrame,
};

/// The names of the figures that a refusal has.
fn figures(refusal: &Refusal) -> Vec<String> {
    let value = serde_json::to_value(refusal).unwrap();
    let details = value["details"].as_object().cloned().unwrap_or_default();
    details.keys().cloned().collect()
}

fn fault(path: &str) -> JsonFault {
    JsonFault { path: path.to_owned(), reason: "wrong".to_owned() }
}

#[test]
fn every_refusal_has_figures_that_its_code_is_said_to_have() {
    let digest = Digest::from_bytes([1; 32]);
    let token = Token { chain_id: ChainId::new(1), address: Address::ZERO };
    let participant = bob().address();
    let unknown = VerifyError::UnknownSigner { position: 1, recovered: participant, expected_digest: digest };
    let of = |error: &VerifyError| Refusal::of_signatures(error, digest);
    for (refusal, code, expected) in [
        (Refusal::from(&FrameFault::TooLarge), Code::FrameTooLarge, vec!["max"]),
        (Refusal::from(&FrameFault::TooDeep), Code::FrameTooDeep, vec!["max"]),
        (Refusal::from(&FrameFault::MessageTooLarge), Code::MessageTooLarge, vec!["max"]),
        (Refusal::from(&FrameFault::NotUtf8), Code::MalformedFrame, vec![]),
        (Refusal::from(&FrameFault::Malformed(fault("id"))), Code::MalformedFrame, vec!["field"]),
        (Refusal::from(&FrameFault::Malformed(fault(""))), Code::MalformedFrame, vec![]),
        (Refusal::from(&FrameFault::OtherDialect), Code::UnsupportedDialect, vec![]),
        (Refusal::from(&FrameFault::UnknownType(fault("type"))), Code::UnknownType, vec!["field"]),
        (Refusal::from(&FrameFault::Field(fault("id"))), Code::InvalidFrame, vec!["field"]),
        (Refusal::from(&FrameFault::Envelope(fault("req"))), Code::InvalidEnvelope, vec!["field"]),
        (Refusal::from(&CallError::UnknownMethod), Code::UnknownMethod, vec![]),
        (Refusal::from(&CallError::Params(fault("amount"))), Code::InvalidParams, vec!["field"]),
        (
            of(&VerifyError::NoSignature { expected_digest: digest }),
            Code::MissingSignature,
            vec!["expected_digest"],
        ),
        (
            of(&VerifyError::Signature(SignatureError::Unrecoverable)),
            Code::BadSignature,
            vec!["expected_digest"],
        ),
        (of(&unknown), Code::UnknownSigner, vec!["expected_digest", "position", "recovered"]),
        (
            of(&VerifyError::DuplicateSigner { signer: participant }),
            Code::DuplicateSigner,
            vec!["participant"],
        ),
        (
            Refusal::from(&VirtualAllocationsError::NotAMember { participant }),
            Code::NotAMember,
            vec!["participant"],
        ),
        (
            Refusal::from(&VirtualAllocationsError::Repeated { participant, token }),
            Code::InvalidAmount,
            vec!["field"],
        ),
    ] {
        assert_eq!(
            (refusal.code, figures(&refusal)),
            (code, expected.iter().map(ToString::to_string).collect())
        );
        for figure in figures(&refusal) {
            assert!(code.details().contains(&figure.as_str()), "{code} has {figure}");
        }
    }
    let max = Refusal::from(&FrameFault::MessageTooLarge).details.unwrap().max;
    assert_eq!(max, u64::try_from(MESSAGE_BYTES_MAX).ok());
}

#[test]
fn a_signature_of_somebody_else_is_told_with_the_digest_that_was_expected() {
    let text = request(Method::Ping).text(broker().address());
    let expected = text.digests().first();
    let signatures = [sign(&bob(), &text)];
    let error = Signed::verify(text, &signatures, &[user().address()]).unwrap_err();
    let details = Refusal::of_signatures(&error, expected).details.unwrap();
    assert_eq!((details.expected_digest, details.recovered), (Some(expected), Some(bob().address())));
}

#[test]
fn only_what_may_succeed_later_is_retryable() {
    let retryable: Vec<_> =
        Code::ALL.iter().filter(|code| code.is_retryable()).map(|code| code.name()).collect();
    assert_eq!(
        retryable,
        [
            "liquidity_short",
            "chain_unavailable",
            "rate_limited",
            "overloaded",
            "unavailable",
            "slow_consumer",
            "too_many_sessions",
        ]
    );
    for code in Code::ALL.iter().copied() {
        let value: Value = serde_json::to_value(Refusal::new(code)).unwrap();
        assert_eq!(value["retryable"], code.is_retryable());
        assert_eq!(Code::from_name(code.name()), Some(code));
    }
}

#[test]
fn clients_pass_over_what_they_do_not_know() {
    for text in
        [r#"{"res":[0,"assets",{"assets":[]},1],"sig":[]}"#, r#"{"type":"weather","data":{}}"#, r#"{"x":1}"#]
    {
        assert!(ServerFrame::decode(text).unwrap().is_none(), "{text}");
    }
    let told = r#"{"type":"rpc","data":{"res":[0,"weather",{},1],"sig":[],"x":1},"x":1}"#;
    let ServerBody::Rpc(response) = ServerFrame::decode(told).unwrap().unwrap().body else {
        panic!("{told}")
    };
    assert_eq!(response.notification(), Ok(None));
    let pong = r#"{"type":"pong","x":1,"data":{"timestamp":1,"x":1}}"#;
    assert!(matches!(ServerFrame::decode(pong).unwrap().unwrap().body, ServerBody::Pong { .. }));
}

/// So that a client can give up waiting for the answer.
#[test]
fn an_error_of_an_unknown_code_still_says_what_it_answers() {
    let text = r#"{"type":"error","id":7,"data":{"code":"weather","message":"rain","retryable":true}}"#;
    let error = ServerFrame::decode(text).unwrap_err();
    assert_eq!(error.id.unwrap().as_json(), "7");
    assert_eq!(
        error.fault,
        FrameFault::Field(JsonFault { path: "data.code".into(), reason: "unknown error code".into() })
    );
}
