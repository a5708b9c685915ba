//! What environment variables and flags lay over the file.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use super::Flags;
use super::problem::{Place, Problem, ProblemKind, nearest};

/// What every variable of the configuration begins with.
const PREFIX: &str = "CLEARNET__";
/// What stands between the parts of a variable's name.
const SEPARATOR: &str = "__";

/// A text that goes before what the file says.
#[derive(Debug)]
pub(super) struct Override {
    pub(super) place: Place,
    pub(super) text: String,
}

/// The texts that were not asked for yet, by the path of their key (`networks.polygon.rpc_url`).
#[derive(Debug)]
pub(super) struct Overlay {
    values: BTreeMap<String, Override>,
    asked: BTreeSet<String>,
    problems: Vec<Problem>,
}

impl Overlay {
    pub(super) fn new(environment: impl IntoIterator<Item = (OsString, OsString)>, flags: &Flags) -> Self {
        let mut overlay = Self { values: BTreeMap::new(), asked: BTreeSet::new(), problems: Vec::new() };
        for (name, value) in environment {
            overlay.add_variable(&name, value);
        }
        if let Some(text) = flags.listen.clone() {
            overlay
                .values
                .insert("server.listen".to_owned(), Override { place: Place::Flag("--listen"), text });
        }
        overlay
    }

    /// Takes the text for a key out, if there is one.
    pub(super) fn take(&mut self, path: &str) -> Option<Override> {
        self.asked.insert(path.to_owned());
        self.values.remove(path)
    }

    /// What is wrong with the variables: must be called after every key was asked for.
    pub(super) fn into_problems(mut self) -> Vec<Problem> {
        let known: Vec<String> = self.asked.iter().map(|path| variable(path)).collect();
        for unasked in self.values.into_values() {
            let name = unasked.place.to_string();
            let nearest = nearest(&name, known.iter().map(String::as_str));
            let kind = ProblemKind::UnknownVariable { nearest };
            self.problems.push(Problem { place: unasked.place, key: String::new(), kind });
        }
        self.problems
    }

    fn add_variable(&mut self, name: &OsString, value: OsString) {
        let shown = name.to_string_lossy().into_owned();
        let Some(rest) = shown.strip_prefix(PREFIX) else { return };
        let place = Place::Variable(shown.clone());
        let path = rest.to_lowercase().replace(SEPARATOR, ".");
        // A name that is not the one we would write ourselves (lower case, say) is kept under itself,
        // where nobody asks for it, so that it is reported and does not hide a right one.
        let path = if variable(&path) == shown { path } else { shown };
        match (name.to_str(), value.into_string()) {
            (Some(_), Ok(text)) => {
                self.values.insert(path, Override { place, text });
            }
            (None, _) | (_, Err(_)) => {
                self.problems.push(Problem { place, key: String::new(), kind: ProblemKind::NotUnicode });
            }
        }
    }
}

/// The variable that sets the key at `path`.
pub(super) fn variable(path: &str) -> String {
    format!("{PREFIX}{}", path.to_uppercase().replace('.', SEPARATOR))
}
