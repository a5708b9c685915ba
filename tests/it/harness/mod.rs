//! What scenarios stand on: databases of their own, and ways to look at what is kept.

pub(crate) mod database;
pub(crate) mod digest;
