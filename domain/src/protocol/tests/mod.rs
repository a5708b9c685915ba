//! Tests of the wire as a whole: examples, golden frames, bad input, the document.

mod bad_input;
mod document;
mod examples;
mod golden;
mod login;
mod refusals;
mod samples;
mod signing;
