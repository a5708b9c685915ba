//! The actors: thin shells that let pure machines decide and perform what they decided.
//!
//! Asks go down (session, supervisor, virtual channel, participant, direct channel, journal), tells go
//! up. Nothing here computes money.

pub mod journal;
pub mod pen;
