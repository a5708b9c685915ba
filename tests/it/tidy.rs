//! Taste that matters is a test: what the rules of CONTRIBUTING.md ask of every file, checked.
//!
//! Each rule is a pure function from files to findings, tried on bad samples beside it; here they meet the
//! repository itself.

mod arrows;
mod containers;
mod manifests;
mod source;
mod texts;

use std::fmt;
use std::path::Path;

use source::Module;

/// What is never ours to check: build products, fetched packages, local data, git's own files.
const SKIPPED: [&str; 5] = [".git", "target", "node_modules", "data", "proptest-regressions"];

/// A text file of the repository, by its path from the top with `/` in it.
#[derive(Debug, Clone)]
struct TextFile {
    path: String,
    text: String,
}

/// One thing that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    line: usize,
    what: String,
}

impl TextFile {
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    fn finding(&self, line: usize, what: impl Into<String>) -> Finding {
        Finding { path: self.path.clone(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// Every text file of the repository, sorted by path.
fn repository() -> Vec<TextFile> {
    let mut files = Vec::new();
    collect(Path::new(env!("CARGO_MANIFEST_DIR")), "", &mut files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn collect(directory: &Path, prefix: &str, files: &mut Vec<TextFile>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if SKIPPED.contains(&name.as_str()) {
            continue;
        }
        let path = format!("{prefix}{name}");
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), &format!("{path}/"), files);
        } else if let Ok(text) = std::fs::read_to_string(entry.path()) {
            files.push(TextFile { path, text });
        }
    }
}

/// Every module of the workspace that is not there for tests alone.
fn modules() -> Vec<Module> {
    source::modules(&repository())
}

#[track_caller]
fn assert_tidy(findings: Vec<Finding>) {
    let lines: String = findings.iter().map(|finding| format!("\n{finding}")).collect();
    assert!(findings.is_empty(), "{} found:{lines}", findings.len());
}

#[test]
fn the_repository_is_seen_whole() {
    let files = repository();
    for path in ["Cargo.toml", "src/main.rs", "domain/src/lib.rs", "tests/it/tidy.rs", "config.toml"] {
        assert!(files.iter().any(|file| file.path == path), "{path}");
    }
    let modules = modules();
    for path in ["src/main.rs", "domain/src/primitives/mod.rs", "evm/src/lib.rs"] {
        assert!(modules.iter().any(|module| module.file.path == path), "{path}");
    }
    assert!(!modules.iter().any(|module| module.file.path.ends_with("/tests.rs")));
}

#[test]
fn arrows_between_modules_point_down() {
    assert_tidy(modules().iter().flat_map(arrows::check).collect());
}

#[test]
fn arrows_between_crates_point_down() {
    assert_tidy(repository().iter().flat_map(manifests::check).collect());
}

#[test]
fn every_module_says_what_it_is_for() {
    assert_tidy(repository().iter().flat_map(texts::lacks_module_doc).collect());
}

#[test]
fn modules_are_small() {
    assert_tidy(texts::is_too_large(&modules(), &texts::LARGER_WITH_REASON));
}

#[test]
fn modules_have_names_of_their_own() {
    assert_tidy(repository().iter().flat_map(texts::has_empty_name).collect());
}

#[test]
fn no_test_is_switched_off() {
    assert_tidy(repository().iter().flat_map(texts::switches_a_test_off).collect());
}

#[test]
fn messages_of_the_log_are_always_the_same() {
    assert_tidy(repository().iter().flat_map(texts::logs_what_differs).collect());
}

#[test]
fn nothing_tells_of_the_machine_it_was_written_on() {
    assert_tidy(repository().iter().flat_map(texts::names_the_workplace).collect());
}

#[test]
fn lock_files_of_npm_name_no_host() {
    assert_tidy(repository().iter().flat_map(texts::locks_a_host).collect());
}

#[test]
fn documents_that_the_architecture_names_exist() {
    let files = repository();
    let exists = |path: &str| files.iter().any(|file| file.path == path);
    assert_tidy(files.iter().flat_map(|file| texts::names_missing_documents(file, &exists)).collect());
}
