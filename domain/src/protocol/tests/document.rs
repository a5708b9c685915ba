//! Holds `docs/protocol.md` to the code: its tables, its examples, its signed texts.

use serde_json::Value;

use super::golden::{Line, files, login};
use super::samples::{broker, definition, parsed, paying_state, request, response, room_id, submitted};
use crate::crypto::Signable;
use crate::protocol::method::{Call, Method, rewritten_reply};
use crate::protocol::notification::Notification;
use crate::protocol::{AssetsFrame, ClientFrame, Code, LIMITS, ServerFrame};

const DOCUMENT: &str = include_str!("../../../../docs/protocol.md");

/// The blocks whose first word is `json`: what else stands there, and what is in them.
fn blocks() -> Vec<(Vec<&'static str>, String)> {
    let mut blocks = Vec::new();
    let mut lines = DOCUMENT.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else { continue };
        let body: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
        let mut words = info.split_whitespace();
        if words.next() == Some("json") {
            blocks.push((words.collect(), body.join("\n")));
        }
    }
    blocks
}

/// The rows of the table under a heading.
fn rows(heading: &str) -> Vec<&'static str> {
    let section = DOCUMENT.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no {heading}")).1;
    let table = section.lines().skip_while(|line| !line.starts_with('|'));
    table.take_while(|line| line.starts_with('|')).skip(2).collect()
}

fn code_names(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[test]
fn the_table_of_codes_is_that_of_the_code() {
    let row = |code: &Code| {
        let retry = if code.is_retryable() { "yes" } else { "no" };
        let (effect, details) = (code.session_effect().name(), code_names(code.details()));
        format!("| `{code}` | {retry} | {effect} | {} | {details} |", code.meaning())
    };
    let expected: Vec<_> = Code::ALL.iter().map(row).collect();
    assert_eq!(rows("## Error codes"), expected, "should be:\n{}\n", expected.join("\n"));
}

#[test]
fn the_table_of_limits_is_that_of_the_code() {
    let row = |limit: &crate::protocol::Limit| {
        format!("| `{}` | {} | {} | {} |", limit.name, limit.value, limit.unit, limit.reason)
    };
    let expected: Vec<_> = LIMITS.iter().map(row).collect();
    assert_eq!(rows("## Limits"), expected, "should be:\n{}\n", expected.join("\n"));
}

#[test]
fn the_table_of_methods_is_that_of_the_code() {
    let beginnings: Vec<_> = Method::ALL
        .iter()
        .map(|method| format!("| `{}` | {} | ", method.name(), method.signing().name()))
        .collect();
    let rows = rows("## Methods");
    let is_alike = rows.iter().zip(&beginnings).all(|(row, beginning)| row.starts_with(beginning));
    let is_complete = rows.len() == beginnings.len();
    assert!(is_alike && is_complete, "should begin:\n{}\n", beginnings.join("\n"));
}

#[test]
fn every_method_and_notification_has_its_section_with_its_examples() {
    let blocks = blocks();
    let shown = |kind: &str, name: &str| {
        let mut found = blocks.iter().filter(|(words, _)| *words == [kind, name]);
        let block = &found.next().unwrap_or_else(|| panic!("no {kind} of {name}")).1;
        assert!(found.next().is_none(), "{kind} of {name} twice");
        block.clone()
    };
    for method in Method::ALL.iter().copied() {
        let name = method.name();
        assert!(DOCUMENT.contains(&format!("\n### `{name}`\n")), "{name}");
        assert_eq!(
            parsed::<Value>(&shown("params", name)),
            parsed::<Value>(method.params_example()),
            "{name}"
        );
        assert_eq!(
            parsed::<Value>(&shown("result", name)),
            parsed::<Value>(method.reply_example()),
            "{name}"
        );
    }
    for (name, example) in Notification::EXAMPLES {
        assert!(DOCUMENT.contains(&format!("\n### `{name}`\n")), "{name}");
        assert_eq!(parsed::<Value>(&shown("notification", name)), parsed::<Value>(example), "{name}");
    }
}

#[test]
fn every_example_is_read_and_written_by_the_types() {
    let golden: Vec<&Line> = files().values().flatten().collect();
    let mut client_frames = 0;
    let mut server_frames = 0;
    for (words, body) in blocks() {
        match words.as_slice() {
            ["client"] => {
                assert!(golden.contains(&&Line::Client(body.clone())), "not golden: {body}");
                ClientFrame::decode(&body).unwrap();
                client_frames += 1;
            }
            ["server"] => {
                assert!(golden.contains(&&Line::Server(body.clone())), "not golden: {body}");
                match ServerFrame::decode(&body).unwrap() {
                    Some(frame) => assert_eq!(frame.encode(), body),
                    None => assert!(AssetsFrame::decode(&body).is_ok()),
                }
                server_frames += 1;
            }
            ["params", name] => {
                let call = Call::decode(Method::from_name(name).unwrap(), &body).unwrap();
                assert_eq!(serde_json::to_value(call).unwrap(), parsed::<Value>(&body));
            }
            ["result", name] => {
                let reply = rewritten_reply(Method::from_name(name).unwrap(), &body).unwrap();
                assert_eq!(parsed::<Value>(&reply), parsed::<Value>(&body));
            }
            ["notification", name] => {
                let told = Notification::decode(name, &body).unwrap().unwrap();
                assert_eq!(serde_json::to_value(told).unwrap(), parsed::<Value>(&body));
            }
            other => panic!("no test reads blocks of {other:?}"),
        }
    }
    assert!(client_frames >= 9 && server_frames >= 10, "{client_frames} and {server_frames}");
}

/// Every type of frame that either side sends is shown.
#[test]
fn every_type_of_frame_is_shown() {
    let shown: String = blocks().into_iter().map(|(_, body)| body + "\n").collect();
    for line in files().values().flatten() {
        let (Line::Client(text) | Line::Server(text)) = line;
        let Some(beginning) = text.find("\"type\":").map(|_| text.split(',').next().unwrap()) else {
            continue;
        };
        assert!(shown.contains(beginning.trim_end_matches('}')), "{beginning}");
    }
}

#[test]
fn signed_texts_and_digests_are_those_of_the_code() {
    let broker = broker().address();
    let transfer = request(Method::Transfer).text(broker);
    let answer = response(Method::Transfer).text(broker);
    let update = submitted().state(broker, &definition().participants).unwrap();
    for expected in [
        format!("```text\n{}\n```", login()),
        login().digests().first().to_string(),
        format!("```text\n{transfer}\n```"),
        transfer.hash().to_string(),
        format!("```text\n{answer}\n```"),
        answer.hash().to_string(),
        paying_state().hash().to_string(),
        update.digest().to_string(),
        room_id().to_string(),
    ] {
        assert!(DOCUMENT.contains(&expected), "not in the document: {expected}");
    }
}

/// What the document says a method can be refused with are codes.
#[test]
fn every_error_named_in_a_list_is_a_code() {
    let mut lists = 0;
    for line in DOCUMENT.lines() {
        let Some(list) = line.strip_prefix("Errors, in this order: ") else { continue };
        lists += 1;
        for name in list.split('`').skip(1).step_by(2) {
            assert!(Code::from_name(name).is_some(), "{name}");
        }
    }
    assert!(lists >= 10, "{lists}");
}
