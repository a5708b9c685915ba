//! The schema of the store and its history, append-only. Never imports `entity`: rows move on, history must not.
