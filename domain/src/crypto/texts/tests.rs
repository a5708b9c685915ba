use super::*;
use crate::crypto::samples::{broker, params};
use crate::crypto::{Signed, eip191_digest};

const REQ: &str = r#"[1, "ping", {} ,1700000000000]"#;

#[test]
fn texts_name_their_purpose_and_their_place_and_keep_the_raw_text() {
    let (broker, channel) = (broker().address(), params().channel_id());
    let request = RequestText::new(broker, REQ).to_string();
    assert_eq!(request, format!("clearnet:request:v1\n{broker}\n{REQ}"));
    let response = ResponseText::new(broker, REQ).to_string();
    assert_eq!(response, format!("clearnet:response:v1\n{broker}\n{REQ}"));
    let room = RoomText::new(channel, REQ).to_string();
    assert_eq!(room, format!("clearnet:room:v1\n{channel}\n{REQ}"));
    assert_eq!(NitroText::new(REQ).unwrap().to_string(), REQ);
}

#[test]
fn the_digest_tried_first_is_the_hash_of_the_text_and_then_that_of_the_message() {
    let text = RequestText::new(broker().address(), REQ);
    let bytes = text.to_string().into_bytes();
    assert_eq!(text.hash(), keccak256(&[&bytes]));
    let digests: Vec<Digest> = text.digests().iter().collect();
    assert_eq!(digests, [text.hash(), eip191_digest(&bytes)]);
}

#[test]
fn only_arrays_are_signed_bare() {
    let disguised = RequestText::new(broker().address(), REQ).to_string();
    for raw in ["", "{}", " []", "\"x\"", "clearnet:auth:v1", "[\0]", &disguised] {
        assert_eq!(NitroText::new(raw), Err(NitroTextError), "{raw}");
    }
}

#[test]
fn a_request_is_for_one_broker_and_a_room_text_for_one_room() {
    let key = broker();
    let signers = [key.address()];
    let here = RequestText::new(key.address(), REQ);
    let elsewhere = RequestText::new(Address::ZERO, REQ);
    let signature = key.sign(here.hash());
    assert!(Signed::verify(here, &[signature], &signers).is_ok());
    assert!(Signed::verify(elsewhere, &[signature], &signers).is_err());
    let here = RoomText::new(params().channel_id(), REQ);
    let elsewhere = RoomText::new(ChannelId::NONE, REQ);
    let signature = key.sign(here.hash());
    assert!(Signed::verify(here, &[signature], &signers).is_ok());
    assert!(Signed::verify(elsewhere, &[signature], &signers).is_err());
}
