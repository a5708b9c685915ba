//! A directory for the files of a broker that a command runs: one that was named, or a temporary one.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// Where the broker's files are; a temporary directory goes when this is dropped.
pub(super) struct Workspace {
    path: PathBuf,
    temporary: Option<tempfile::TempDir>,
}

impl Workspace {
    /// The directory that is `wanted`, made if it is missing, or a temporary one whose name begins with `prefix`.
    pub(super) fn new(wanted: Option<PathBuf>, prefix: &str) -> anyhow::Result<Self> {
        let Some(path) = wanted else {
            let temporary = tempfile::Builder::new().prefix(prefix).tempdir()?;
            return Ok(Self { path: temporary.path().to_owned(), temporary: Some(temporary) });
        };
        let cannot_use = || format!("cannot use {}", path.display());
        std::fs::create_dir_all(&path).with_context(cannot_use)?;
        let path = path.canonicalize().with_context(cannot_use)?;
        Ok(Self { path, temporary: None })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps a temporary directory too.
    pub(super) fn keep(self) -> PathBuf {
        self.temporary.map_or(self.path, tempfile::TempDir::keep)
    }
}
