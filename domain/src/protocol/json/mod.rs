//! Reading JSON strictly, and saying where it is wrong.
//!
//! Beyond what serde does by itself: a struct is an object and never an array of its fields, lists and texts
//! are bounded, and a fault names the path to it. Deliberately absent: what any field means.

mod depth;
mod fault;
mod list;
mod object;
mod text;

pub use fault::JsonFault;
pub use text::Text;

pub(super) use depth::is_deeper_than;
pub(super) use list::{list, object_pair, objects, pair};
pub(super) use object::{decode, decode_object, object};

#[cfg(test)]
mod tests;
