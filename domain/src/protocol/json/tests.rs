use serde::Deserialize;

use super::*;

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Outer {
    #[serde(deserialize_with = "objects::<_, _, 2>")]
    lines: Vec<Inner>,
    name: Option<Text<4>>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Inner {
    amount: u64,
}

fn path_of(json: &str) -> String {
    decode_object::<Outer>(json).unwrap_err().path
}

#[test]
fn a_fault_names_the_path_to_it() {
    for (json, path) in [
        (r#"{"lines":[{"amount":1},{"amount":"1"}]}"#, "lines[1].amount"),
        (r#"{"lines":[{"amount":1,"x":1}]}"#, "lines[0].x"),
        (r#"{"lines":[{"amount":1}],"x":1}"#, "x"),
        (r#"{"lines":[{}]}"#, "lines[0]"),
        (r#"{"lines":[{"amount":1,"amount":1}]}"#, "lines[0]"),
        (r#"{"lines":[[1]]}"#, "lines[0]"),
        (r#"{"lines":[{"amount":1},{"amount":1},{"amount":1}]}"#, "lines"),
        (r#"{"lines":{}}"#, "lines"),
        (r#"{"lines":[],"name":"12345"}"#, "name"),
        (r#"{"lines":[],"name":5}"#, "name"),
        (r#"{}"#, ""),
        (r#"[[]]"#, ""),
        (r#"null"#, ""),
        (r#"{"lines":[]} x"#, ""),
    ] {
        assert_eq!(path_of(json), path, "{json}");
    }
}

#[test]
fn a_fault_says_what_is_wrong_without_a_position() {
    let fault = decode_object::<Outer>(r#"{"lines":[{"amount":"1"}]}"#).unwrap_err();
    assert_eq!(fault.to_string(), "lines[0].amount: invalid type: string \"1\", expected u64");
    let fault = decode_object::<Outer>("[]").unwrap_err();
    assert_eq!(fault.to_string(), "invalid type: sequence, expected an object");
}

#[test]
fn a_fault_quotes_only_the_beginning_of_what_was_sent() {
    let key = "k".repeat(100_000);
    let fault = decode_object::<Outer>(&format!("{{\"{key}\":1}}")).unwrap_err();
    assert!(fault.path.len() <= 200 && fault.reason.len() <= 200);
}

#[test]
fn depth_counts_brackets_outside_strings() {
    assert!(!is_deeper_than("[[]]", 2));
    assert!(is_deeper_than("[[[]]]", 2));
    assert!(!is_deeper_than(r#"["[[[\"[[["]"#, 1));
    assert!(!is_deeper_than("[],[],[{}]", 2));
    assert!(is_deeper_than(&"[".repeat(10_000), 32));
}
