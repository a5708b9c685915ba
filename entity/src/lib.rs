//! The rows of the store, as sea-orm models: plain data, one module a table.
