mod holds;
mod life;
mod money;
mod requests;
pub(crate) mod support;
