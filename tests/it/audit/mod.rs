//! The audit: finds nothing in a book that the journal wrote, and everything that was changed by hand.

mod command;
mod rows;
mod spoilt;
mod tables;
mod writing;
