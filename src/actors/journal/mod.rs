//! The journal: the only writer of the store, and the one that knows what is posted.
//!
//! Owners hand commits over through a [`JournalHandle`] and hear of their fate in one ordered stream.
//! What arrives while a database transaction is being written is gathered and written in the next one
//! (group commit). Nothing here decides what a participant may do: a commit is refused only when it
//! breaks a law of the book, names an ended incarnation, or cannot be stored.

mod actor;
mod anew;
mod answers;
mod book;
mod commit;
mod draft;
mod handle;
mod lives;
mod messages;
mod permits;

pub use actor::JournalActor;
pub use anew::{BeginAnew, Beginning, EndedLives, NotBegun};
pub use answers::{FirstAnswer, first_answer};
pub use commit::{Author, Commit, Incarnation, NewEvent, NewOutbox, NewState, Refusal, Ticket};
pub use handle::{EnterError, JournalClosed, JournalHandle, JournalHealth};
pub use messages::{FromJournal, JournalMemory, PostedAccount, RegisterError, Registered};
pub use permits::{KEPT_MILLIS, NoPermit, Permit, Permits, WINDOW_MILLIS};
