//! Books in databases, changed by SQL as somebody with access to them could.
