//! What scenarios stand on: databases of their own, the real program, and ways to look at what is kept.

pub(crate) mod cluster;
pub(crate) mod database;
pub(crate) mod digest;
pub(crate) mod home;
