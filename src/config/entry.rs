//! A value of the configuration together with the place where it was written.
//!
//! Whoever finds a value wrong, even later and beside another one, reports it here and need not know
//! whether it came from the file, a variable or a flag.

use std::collections::BTreeMap;
use std::path::Path;

use super::problem::{Place, ProblemKind};
use super::reader::Document;

/// What a section has under a key.
pub(super) enum Field<'d, T> {
    Given(Entry<'d, T>),
    /// Neither in the overlay nor in the file; the place is that of the section.
    Absent(Entry<'d, ()>),
    /// There, but not what it should be; was reported.
    Wrong,
}

/// A value and where it was written.
#[derive(Clone)]
pub(super) struct Entry<'d, T> {
    pub(super) value: T,
    pub(super) document: &'d Document<'d>,
    pub(super) place: Place,
    pub(super) key: String,
}

impl<'d, T> Field<'d, T> {
    /// Makes something else of the value; what cannot be made is reported.
    pub(super) fn try_map<U>(self, make: impl FnOnce(T) -> Result<U, ProblemKind>) -> Field<'d, U> {
        match self {
            Self::Given(entry) => {
                let (value, entry) = entry.split();
                match make(value) {
                    Ok(value) => Field::Given(entry.with(value)),
                    Err(kind) => {
                        entry.report(kind);
                        Field::Wrong
                    }
                }
            }
            Self::Absent(entry) => Field::Absent(entry),
            Self::Wrong => Field::Wrong,
        }
    }

    /// The value, `default` where there is none; `None` when it is wrong.
    pub(super) fn or(self, default: T) -> Option<Entry<'d, T>> {
        match self {
            Self::Given(entry) => Some(entry),
            Self::Absent(entry) => Some(entry.with(default)),
            Self::Wrong => None,
        }
    }

    /// The value; `None` when there is none or it is wrong, both of which are reported.
    pub(super) fn required(self) -> Option<Entry<'d, T>> {
        match self {
            Self::Given(entry) => Some(entry),
            Self::Absent(entry) => {
                entry.report(ProblemKind::Missing);
                None
            }
            Self::Wrong => None,
        }
    }
}

impl<'d, T> Entry<'d, T> {
    pub(super) fn report(&self, kind: ProblemKind) {
        self.document.report(self.place.clone(), self.key.clone(), kind);
    }

    /// The directory that relative paths start from.
    pub(super) fn directory(&self) -> &'d Path {
        self.document.directory()
    }

    /// The same place with another value.
    pub(super) fn with<U>(self, value: U) -> Entry<'d, U> {
        Entry { value, document: self.document, place: self.place, key: self.key }
    }

    fn split(self) -> (T, Entry<'d, ()>) {
        let Self { value, document, place, key } = self;
        (value, Entry { value: (), document, place, key })
    }
}

/// The values of one kind seen so far, each with its key, to find those that come twice.
pub(super) struct Seen<T>(BTreeMap<T, String>);

impl<T: Ord> Seen<T> {
    pub(super) fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Reports `entry` when an equal `value` was seen before.
    pub(super) fn add<U>(&mut self, value: T, entry: &Entry<'_, U>) {
        match self.0.get(&value) {
            Some(first) => entry.report(ProblemKind::Duplicate { first: first.clone() }),
            None => {
                self.0.insert(value, entry.key.clone());
            }
        }
    }
}
