//! The examples of methods and notifications: what the types make of them, and what the story says they are.

use serde_json::{Value, json};

use super::samples::{
    ASKED, START, channel_id, closed, cosigned, definition, first_state, parsed, paying_state, room_id,
    settlement_id, sign, submitted, terms, user,
};
use crate::protocol::method::rewritten_reply;
use crate::protocol::method::{Call, Method};
use crate::protocol::notification::Notification;

#[test]
fn every_example_is_read_and_written_byte_for_byte() {
    for method in Method::ALL.iter().copied() {
        let call = Call::decode(method, method.params_example()).unwrap();
        assert_eq!(call.method(), method);
        assert_eq!(serde_json::to_string(&call).unwrap(), method.params_example());
        assert_eq!(rewritten_reply(method, method.reply_example()).unwrap(), method.reply_example());
    }
    for (name, example) in Notification::EXAMPLES {
        let notification = Notification::decode(name, example).unwrap().unwrap();
        assert_eq!(notification.name(), *name);
        assert_eq!(serde_json::to_string(&notification).unwrap(), *example);
    }
}

#[test]
fn every_method_is_found_by_its_name_and_no_other_name_is() {
    for method in Method::ALL.iter().copied() {
        assert_eq!(Method::from_name(method.name()), Some(method));
    }
    for name in ["", "Ping", "ping ", "resize_channel", "get_user_tag"] {
        assert_eq!(Method::from_name(name), None, "{name}");
    }
}

/// Ids and signatures in examples are those of the story, so that readers can check their code with them.
#[test]
fn ids_and_signatures_in_examples_are_real() {
    let broker = super::samples::broker();
    let first = first_state();
    let newest = cosigned(&paying_state());
    let lines = submitted().allocations;
    let app_session = json!({
        "app_session_id": room_id(), "status": "open", "definition": definition(), "version": 2,
        "allocations": lines, "session_data": "{\"move\":1}", "created_at": START,
        "updated_at": ASKED, "expires_at": 1_700_086_400_000_u64,
    });
    let settlement = json!({
        "channel_id": settlement_id(), "chain_id": 31337, "token": super::samples::small_address(0xbb),
        "amount": "5000000", "status": "requested",
        "created_at": ASKED, "updated_at": 1_700_000_061_000_u64,
    });
    let channels: Value = parsed(Method::GetChannels.reply_example());
    let example_of = |name: &str| {
        let found = Notification::EXAMPLES.iter().find(|(other, _)| *other == name);
        parsed::<Value>(found.unwrap().1)
    };
    let expected = [
        (
            Method::GetState.reply_example(),
            json!({
                "channel_id": channel_id(), "chain_id": 31337, "channel": terms(1_700_000_000_000),
                "state": newest.state, "signatures": newest.signatures,
            }),
        ),
        (
            Method::CreateChannel.reply_example(),
            json!({
                "channel_id": channel_id(), "channel": terms(1_700_000_000_000),
                "state": crate::protocol::State::of(&first).unwrap(), "server_signature": sign(&broker, &first),
            }),
        ),
        (Method::SubmitAppState.params_example(), json!(submitted())),
        (Method::CloseAppSession.params_example(), json!(closed())),
        (Method::GetAppDefinition.params_example(), json!({ "app_session_id": room_id() })),
        (Method::GetAppDefinition.reply_example(), json!(definition())),
        (Method::GetAppSessions.reply_example(), json!({ "app_sessions": [app_session] })),
        (Method::GetSettlement.reply_example(), settlement.clone()),
        (Method::GetSettlement.params_example(), json!({ "channel_id": settlement_id() })),
        (Method::Settle.reply_example(), json!({ "channel_id": settlement_id() })),
    ];
    for (example, expected) in expected {
        assert_eq!(parsed::<Value>(example), expected, "should be {expected}");
    }
    assert_eq!(parsed::<Value>(Method::Settle.params_example())["channel"], json!(terms(1_700_000_050_000)));
    assert_eq!(example_of("virtual_channel"), json!({ "app_session": app_session }));
    assert_eq!(example_of("settlement"), settlement);
    assert_eq!(example_of("channel"), json!({ "channel": channels["channels"][0], "state": newest }));
    assert_eq!(channels["channels"][0]["participant"], json!(user().address()));
    for method in [Method::CreateAppSession, Method::SubmitAppState, Method::CloseAppSession] {
        let reply: Value = parsed(method.reply_example());
        assert_eq!(reply["app_session_id"], json!(room_id()), "{}", method.name());
    }
}
