//! Signatures in the golden frames: each is over what the document says, by who it says.

use super::golden::{Line, files};
use super::samples::{
    ASKED, bob, broker, channel_id, closed, custody, definition, example, parsed, request, response, room_id,
    session_key, submitted, user,
};
use crate::crypto::{Signed, Signers};
use crate::primitives::Address;
use crate::protocol::method::{Method, Signing, get_state};
use crate::protocol::{ClientBody, ClientFrame, ServerBody, ServerFrame, Stamp};

fn addresses(signers: &Signers) -> Vec<Address> {
    signers.iter().collect()
}

#[test]
fn requests_are_signed_by_whom_their_method_needs() {
    for method in Method::ALL.iter().copied() {
        let request = request(method);
        let text = request.text(broker().address());
        let verify = |state: &crate::protocol::CarriedState| {
            let owner = [user().address()];
            Signed::verify_on(&custody(), state.to_direct(), &[state.sig], &owner).unwrap()
        };
        let states: Vec<_> = request.states().iter().map(verify).collect();
        let expected = match method.signing() {
            Signing::Session => {
                assert!(request.signatures().is_empty() && states.is_empty());
                continue;
            }
            Signing::Requester | Signing::RequesterItself | Signing::Approvals => vec![user().address()],
            Signing::RequesterAndKey => vec![user().address(), session_key().address()],
            Signing::Members => definition().participants,
        };
        let signed = Signed::verify_carrying(text, request.signatures(), &states, &expected).unwrap();
        assert_eq!(addresses(signed.signers()), expected, "{}", method.name());
    }
}

#[test]
fn responses_and_the_states_they_give_back_are_signed_by_the_broker() {
    let broker_only = [broker().address()];
    for method in Method::ALL.iter().copied() {
        let response = response(method);
        let text = response.text(broker().address());
        assert!(Signed::verify(text, response.signatures(), &broker_only).is_ok());
        for state in response.states() {
            assert!(Signed::verify(state.to_direct(), &[state.sig], &broker_only).is_ok());
        }
    }
}

#[test]
fn approvals_are_signed_by_the_members_over_the_virtual_state() {
    let members = definition().participants;
    let both = [user().address(), bob().address()];
    let update = submitted();
    let state = update.state(broker().address(), &members).unwrap();
    assert!(Signed::verify(state.clone(), &update.approvals, &both).is_ok());
    let close = closed();
    let last = close.state(broker().address(), &members).unwrap();
    assert!(Signed::verify(last, &close.approvals, &both).is_ok());
    assert!(Signed::verify(state, &close.approvals, &both).is_err(), "an update is no close");
}

#[test]
fn the_newest_state_has_the_signature_of_the_participant_and_that_of_the_broker() {
    let reply: get_state::Reply = parsed(Method::GetState.reply_example());
    assert_eq!(reply.channel_id, example::<get_state::Params>().channel_id);
    assert_eq!(reply.channel.on_chain(reply.chain_id).channel_id(), channel_id());
    let state = reply.state.of_channel(reply.channel_id);
    let [participant, of_broker] = reply.signatures;
    assert!(Signed::verify(state.clone(), &[participant], &[user().address()]).is_ok());
    assert!(Signed::verify(state, &[of_broker], &[broker().address()]).is_ok());
}

#[test]
fn calls_in_a_room_are_signed_by_guest_and_host_and_delivered_as_they_came() {
    let lines = &files()["room"];
    let mut signers = Vec::new();
    let mut sent = Vec::new();
    for line in lines {
        match line {
            Line::Client(text) => {
                if let ClientBody::RoomRpc(call) = ClientFrame::decode(text).unwrap().body {
                    let members = definition().participants;
                    let signed = Signed::verify(call.text(), call.signatures(), &members).unwrap();
                    signers.extend(addresses(signed.signers()));
                    sent.push(call.data().get().to_owned());
                }
            }
            Line::Server(text) => {
                if let ServerBody::RoomRpc { stamp, call } = ServerFrame::decode(text).unwrap().unwrap().body
                {
                    assert_eq!(stamp.sender, *signers.last().unwrap());
                    assert_eq!(call.data().get(), sent.last().unwrap());
                }
            }
        }
    }
    assert_eq!(signers, [bob().address(), user().address()]);
}

/// Spaces inside `req` are part of what is signed.
#[test]
fn the_text_of_a_request_is_what_came_to_the_byte() {
    let req = "[ 7 , \"ping\",{ } ,\n1700000000000]";
    let frame = format!(r#"{{"type":"rpc","data":{{"req": {req} ,"sig":[]}}}}"#);
    let ClientBody::Rpc(request) = ClientFrame::decode(&frame).unwrap().body else { panic!("{frame}") };
    assert_eq!(request.req(), req);
    let text = request.text(broker().address()).to_string();
    assert_eq!(text, format!("clearnet:request:v1\n{}\n{req}", broker().address()));
    let key = request.key(user().address());
    assert_eq!((key.id, key.at.as_millis(), key.signer), (7, 1_700_000_000_000, user().address()));
}

/// Whatever a member wrote reaches the other side: order, spaces, fields that the broker does not know.
#[test]
fn a_call_in_a_room_is_delivered_to_the_byte() {
    let data = r#"{ "sig":[],  "mine": {"a":1,"a":2}, "req":[1 ,"move",{ },5 ] }"#;
    let frame = format!(r#"{{"type":"rpc","channel":"{}","data":{data}}}"#, room_id());
    let ClientBody::RoomRpc(call) = ClientFrame::decode(&frame).unwrap().body else { panic!("{frame}") };
    assert_eq!((call.data().get(), call.content()), (data, "[1 ,\"move\",{ },5 ]"));
    assert_eq!(call.text().to_string(), format!("clearnet:room:v1\n{}\n{}", room_id(), call.content()));
    let stamp = Stamp { seq: 1, timestamp: ASKED, sender: bob().address() };
    let delivered = ServerFrame { id: None, body: ServerBody::RoomRpc { stamp, call } }.encode();
    assert!(delivered.ends_with(&format!(",\"data\":{data}}}")), "{delivered}");
}
