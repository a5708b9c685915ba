//! Objects: never arrays, and faults in them carry their path.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::fault::JsonFault;

/// Decodes `json` whole.
///
/// # Errors
/// Where it is not what it should be.
pub(in crate::protocol) fn decode<T: DeserializeOwned>(json: &str) -> Result<T, JsonFault> {
    serde_json::from_str(json).map_err(|error| JsonFault::from_error(&error))
}

/// Decodes `json`, which must be an object, whole.
///
/// # Errors
/// Where it is not what it should be.
pub(in crate::protocol) fn decode_object<T: DeserializeOwned>(json: &str) -> Result<T, JsonFault> {
    decode(json).map(|Object(value)| value)
}

/// For fields that are structs: `#[serde(deserialize_with = "object")]`.
pub(in crate::protocol) fn object<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Object::deserialize(deserializer).map(|Object(value)| value)
}

/// A struct decoded of an object; what serde derives would take an array of the fields too.
pub(in crate::protocol) struct Object<T>(pub(in crate::protocol) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData)).map(Self)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(Tracked { map, key: String::new() }))
    }
}

/// Remembers the key whose value is being read.
struct Tracked<A> {
    map: A,
    key: String,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Tracked<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        let Some(key) = self.map.next_key()? else { return Ok(None) };
        self.key = key;
        let known = seed.deserialize(self.key.as_str().into_deserializer());
        known.map(Some).map_err(|error: A::Error| within(&error, &self.key))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed).map_err(|error| within(&error, &self.key))
    }
}

/// The error as the container of the value under `step` passes it on.
pub(super) fn within<E: serde::de::Error>(error: &E, step: &str) -> E {
    JsonFault::from_error(error).within(step).into_error()
}
