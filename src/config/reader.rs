//! Reads a TOML document key by key and remembers what was wrong, where.
//!
//! A derived deserialiser stops at the first mistake; an operator wants all of them at once. So sections
//! are asked for their keys one by one: what is asked for *is* the list of known keys, what is left over
//! is unknown. Knows nothing of what the keys mean.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::entry::{Entry, Field};
use super::overlay::Overlay;
use super::problem::{Place, Problem, ProblemKind, nearest};

/// A file, what is laid over it, and the problems found so far.
pub(super) struct Document<'t> {
    path: &'t Path,
    text: &'t str,
    table: DeTable<'t>,
    found: RefCell<Found>,
}

/// What reading finds out.
struct Found {
    overlay: Overlay,
    problems: Vec<Problem>,
}

/// A table of the document, to be asked for its keys and then finished.
pub(super) struct Section<'d> {
    document: &'d Document<'d>,
    /// `None` when the file does not have it: then the overlay and defaults speak.
    table: Option<&'d DeTable<'d>>,
    place: Place,
    key: String,
    /// Under which path variables reach this section; `None` when they do not.
    overlay_path: Option<String>,
    asked: BTreeSet<&'static str>,
}

/// A text of the overlay, which becomes what is asked for, or a value of the file, which has a type.
enum Raw<'d> {
    Text(String),
    Value(&'d DeValue<'d>),
}

impl<'t> Document<'t> {
    /// Parses the file.
    ///
    /// # Errors
    /// Every mistake in its syntax.
    pub(super) fn parse(path: &'t Path, text: &'t str, overlay: Overlay) -> Result<Self, Vec<Problem>> {
        let (table, errors) = DeTable::parse_recoverable(text);
        let found = Found { overlay, problems: Vec::new() };
        let document = Self { path, text, table: table.into_inner(), found: RefCell::new(found) };
        if errors.is_empty() {
            return Ok(document);
        }
        let problem = |error: toml::de::Error| Problem {
            place: document.place(error.span().map_or(text.len(), |span| span.start)),
            key: String::new(),
            kind: ProblemKind::Syntax(error),
        };
        Err(errors.into_iter().map(problem).collect())
    }

    /// The top level of the file.
    pub(super) fn root<'d>(&'d self) -> Section<'d> {
        Section {
            document: self,
            table: Some(&self.table),
            place: self.place(0),
            key: String::new(),
            overlay_path: Some(String::new()),
            asked: BTreeSet::new(),
        }
    }

    /// What was wrong, in the order of the file, then that of the variables and flags: must be called
    /// after every section was finished.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        let Found { overlay, mut problems } = self.found.into_inner();
        problems.extend(overlay.into_problems());
        problems.sort_by(|a, b| a.place.cmp(&b.place));
        problems
    }

    pub(super) fn report(&self, place: Place, key: String, kind: ProblemKind) {
        self.found.borrow_mut().problems.push(Problem { place, key, kind });
    }

    /// The directory that relative paths start from.
    pub(super) fn directory(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    fn place(&self, offset: usize) -> Place {
        let line = 1 + self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count();
        Place::File { path: self.path.to_owned(), line }
    }
}

impl<'d> Section<'d> {
    /// The table `name`; one that the file does not have is empty.
    pub(super) fn table(&mut self, name: &'static str) -> Section<'d> {
        let found = self.find(name);
        let entry = self.entry(name, found);
        let table = found.and_then(|(_, value)| entry.as_table(value));
        let overlay_path = self.overlay_path.as_ref().map(|path| join(path, name));
        entry.section(table, overlay_path)
    }

    /// The tables of the list `name`, which variables do not reach; empty when the file does not have it.
    ///
    /// `None` when it is no list of tables, which was reported.
    pub(super) fn tables(&mut self, name: &'static str) -> Option<Vec<Section<'d>>> {
        let found = self.find(name);
        let list = self.entry(name, found);
        let Some((_, value)) = found else { return Some(Vec::new()) };
        let Some(array) = value.get_ref().as_array() else {
            list.report(wrong_type("a list of tables", value.get_ref()));
            return None;
        };
        let section = |(index, item): (usize, &'d Spanned<DeValue<'d>>)| {
            let entry = Entry {
                value: (),
                document: self.document,
                place: self.document.place(item.span().start),
                key: format!("{}[{index}]", list.key),
            };
            entry.as_table(item).map(|table| entry.section(Some(table), None))
        };
        array.iter().enumerate().map(section).collect::<Vec<_>>().into_iter().collect()
    }

    /// Lets variables reach this section under `path` from here on.
    pub(super) fn overlay_under(&mut self, path: String) {
        self.overlay_path = Some(path);
    }

    pub(super) fn text(&mut self, name: &'static str) -> Field<'d, String> {
        self.raw(name).try_map(|raw| match raw {
            Raw::Text(text) => Ok(text),
            Raw::Value(DeValue::String(text)) => Ok(text.clone().into_owned()),
            Raw::Value(other) => Err(wrong_type("text", other)),
        })
    }

    pub(super) fn boolean(&mut self, name: &'static str) -> Field<'d, bool> {
        let wrong = |actual| ProblemKind::WrongType { expected: "true or false", actual };
        self.raw(name).try_map(|raw| match raw {
            Raw::Text(text) => text.parse().map_err(|_| wrong("text")),
            Raw::Value(DeValue::Boolean(value)) => Ok(*value),
            Raw::Value(other) => Err(wrong(other.type_str())),
        })
    }

    /// A whole number within `bounds`.
    pub(super) fn number(&mut self, name: &'static str, bounds: RangeInclusive<u64>) -> Field<'d, u64> {
        let (min, max) = (*bounds.start(), *bounds.end());
        let wrong = |actual| ProblemKind::WrongType { expected: "a whole number", actual };
        let in_bounds = |number: i128| {
            let number = u64::try_from(number).ok().filter(|number| bounds.contains(number));
            number.ok_or(ProblemKind::OutOfRange { min, max })
        };
        self.raw(name).try_map(|raw| match raw {
            Raw::Text(text) => text.parse().map_err(|_| wrong("text")).and_then(in_bounds),
            Raw::Value(DeValue::Integer(number)) => i128::from_str_radix(number.as_str(), number.radix())
                .map_err(|_| ProblemKind::OutOfRange { min, max })
                .and_then(in_bounds),
            Raw::Value(other) => Err(wrong(other.type_str())),
        })
    }

    /// A secret that only a variable may carry; in the file it is reported.
    pub(super) fn secret(&mut self, name: &'static str, variable: &'static str) -> Field<'d, String> {
        self.raw(name).try_map(|raw| match raw {
            Raw::Text(text) => Ok(text),
            Raw::Value(_) => Err(ProblemKind::SecretInFile { variable }),
        })
    }

    /// Reports that the list `name` of this section holds nothing.
    pub(super) fn report_empty(&self, name: &'static str) {
        let key = join(&self.key, name);
        self.document.report(self.place.clone(), key, ProblemKind::Empty);
    }

    /// Reports what was not asked for: must be called after every key was.
    pub(super) fn finish(self) {
        for key in self.table.iter().flat_map(|table| table.keys()) {
            let name: &str = key.get_ref();
            if !self.asked.contains(name) {
                let known = self.asked.iter().copied().collect();
                let kind =
                    ProblemKind::UnknownKey { nearest: nearest(name, self.asked.iter().copied()), known };
                self.document.report(self.document.place(key.span().start), join(&self.key, name), kind);
            }
        }
    }

    /// What the overlay, else the file, has under `name`.
    fn raw(&mut self, name: &'static str) -> Field<'d, Raw<'d>> {
        let found = self.find(name);
        let entry = self.entry(name, found);
        let path = self.overlay_path.as_ref().map(|path| join(path, name));
        let over = path.and_then(|path| self.document.found.borrow_mut().overlay.take(&path));
        match (over, found) {
            (Some(over), _) => Field::Given(Entry { place: over.place, ..entry }.with(Raw::Text(over.text))),
            (None, Some((_, value))) => Field::Given(entry.with(Raw::Value(value.get_ref()))),
            (None, None) => Field::Absent(entry),
        }
    }

    /// What the file has under `name`, and at which offset the key stands.
    fn find(&mut self, name: &'static str) -> Option<(usize, &'d Spanned<DeValue<'d>>)> {
        self.asked.insert(name);
        let (key, value) = self.table?.get_key_value(name)?;
        Some((key.span().start, value))
    }

    /// An entry at the key, or at this section when the file does not have the key.
    fn entry(&self, name: &str, found: Option<(usize, &Spanned<DeValue<'_>>)>) -> Entry<'d, ()> {
        let place = found.map(|(offset, _)| self.document.place(offset));
        Entry {
            value: (),
            document: self.document,
            place: place.unwrap_or_else(|| self.place.clone()),
            key: join(&self.key, name),
        }
    }
}

impl<'d> Entry<'d, ()> {
    /// The value as a table; anything else is reported.
    fn as_table(&self, value: &'d Spanned<DeValue<'d>>) -> Option<&'d DeTable<'d>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.report(wrong_type("a table", value.get_ref()));
        }
        table
    }

    fn section(self, table: Option<&'d DeTable<'d>>, overlay_path: Option<String>) -> Section<'d> {
        let Self { document, place, key, .. } = self;
        Section { document, table, place, key, overlay_path, asked: BTreeSet::new() }
    }
}

/// The key of `name` in the section at `path`.
fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn wrong_type(expected: &'static str, actual: &DeValue<'_>) -> ProblemKind {
    ProblemKind::WrongType { expected, actual: actual.type_str() }
}
