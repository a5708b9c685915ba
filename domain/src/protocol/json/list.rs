//! Lists: bounded, and faults in them carry the place.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::object::{Object, within};

/// For lists of at most `MAX` values: `#[serde(deserialize_with = "list::<_, _, MAX>")]`.
pub(in crate::protocol) fn list<'de, D, T, const MAX: usize>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_seq(ListVisitor::<T, MAX>(PhantomData))
}

/// For lists of at most `MAX` structs: `#[serde(deserialize_with = "objects::<_, _, MAX>")]`.
pub(in crate::protocol) fn objects<'de, D, T, const MAX: usize>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let objects = list::<D, Object<T>, MAX>(deserializer)?;
    Ok(objects.into_iter().map(|Object(value)| value).collect())
}

/// For exactly two values: `#[serde(deserialize_with = "pair")]`.
pub(in crate::protocol) fn pair<'de, D, T>(deserializer: D) -> Result<[T; 2], D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let pair = list::<D, T, 2>(deserializer)?;
    pair.try_into().map_err(|short: Vec<T>| D::Error::invalid_length(short.len(), &"2 elements"))
}

/// For exactly two structs: `#[serde(deserialize_with = "object_pair")]`.
pub(in crate::protocol) fn object_pair<'de, D, T>(deserializer: D) -> Result<[T; 2], D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let objects = pair::<D, Object<T>>(deserializer)?;
    Ok(objects.map(|Object(value)| value))
}

struct ListVisitor<T, const MAX: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for ListVisitor<T, MAX> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array of at most {MAX} elements")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
        let mut values = Vec::new();
        loop {
            let next = seq.next_element();
            match next.map_err(|error| within(&error, &format!("[{}]", values.len())))? {
                None => return Ok(values),
                Some(_) if values.len() == MAX => return Err(A::Error::invalid_length(MAX + 1, &self)),
                Some(value) => values.push(value),
            }
        }
    }
}
