//! What holds across the whole of this module.

mod login_policy;
mod purposes;
mod vectors;
