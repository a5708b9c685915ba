//! The audit: finds nothing in a book that the journal wrote, and everything that was changed by hand.

mod channels;
mod command;
mod contracts;
mod rows;
mod spoilt;
mod tables;
mod writing;
