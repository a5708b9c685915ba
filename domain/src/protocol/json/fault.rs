//! Where JSON is not what it should be.

use serde::de;
use thiserror::Error;

/// Stands between path and reason while a fault is an error of serde, which carries one text only.
const SEPARATOR: char = '\u{1}';

/// The longest path and the longest reason that are told, in characters: both may quote what was sent.
const CHARS_MAX: usize = 200;

/// What is wrong in JSON, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}{}{reason}", path, if path.is_empty() { "" } else { ": " })]
pub struct JsonFault {
    /// The path to the value, such as `allocations[0].amount`; empty for the whole. Of a field that is missing
    /// or stands twice, the path to the object that should have it once.
    pub path: String,
    /// What is wrong with it, for people.
    pub reason: String,
}

impl JsonFault {
    /// A fault of the value at `path`.
    pub(in crate::protocol) fn at(path: &str, reason: &str) -> Self {
        Self { path: path.to_owned(), reason: reason.to_owned() }
    }

    /// The same fault, seen from the object or list that holds the value under `step`.
    pub(in crate::protocol) fn within(self, step: &str) -> Self {
        let step: String = step.chars().filter(|c| !c.is_control()).collect();
        let path = match self.path.chars().next() {
            None => step,
            Some('[') => step + &self.path,
            Some(_) => step + "." + &self.path,
        };
        Self { path: cut(&path), ..self }
    }

    /// Takes an error of serde apart.
    pub(super) fn from_error(error: &impl de::Error) -> Self {
        let text = error.to_string();
        let (path, reason) = text.split_once(SEPARATOR).unwrap_or(("", &text));
        Self { path: cut(path), reason: cut(without_position(reason)) }
    }

    /// Makes an error of serde that [`JsonFault::from_error`] takes apart again.
    pub(super) fn into_error<E: de::Error>(self) -> E {
        E::custom(format_args!("{}{SEPARATOR}{}", self.path, self.reason))
    }
}

/// Leaves out the line and column that serde_json appends: what is decoded is often a part of the frame.
fn without_position(text: &str) -> &str {
    text.rsplit_once(" at line ").map_or(text, |(reason, _)| reason)
}

fn cut(text: &str) -> String {
    text.chars().take(CHARS_MAX).collect()
}
