//! The book: accounts, entries and the transfers that bind them.
