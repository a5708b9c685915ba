//! Rules about files as texts: what each begins with, how long it is, what it is called, what it gives away.

use super::source::{Module, without_comments};
use super::{Finding, TextFile};

/// Above this a module needs a reason in [`LARGER_WITH_REASON`].
const MODULE_LINES_MAX: usize = 500;

/// Modules that are allowed to be larger, each with its reason.
pub(super) const LARGER_WITH_REASON: [(&str, &str); 0] = [];

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 8] = ["util", "utils", "common", "helper", "helpers", "misc", "stuff", "shared"];

/// A module that does not begin with its document.
pub(super) fn lacks_module_doc(file: &TextFile) -> Option<Finding> {
    let is_module = file.path.ends_with(".rs") && !is_of_tests(&file.path);
    let first = file.text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let is_told = first.strip_prefix("//!").is_some_and(|doc| !doc.trim().is_empty());
    (is_module && !is_told).then(|| file.finding(1, "must begin with //! and say what it is for"))
}

/// The tests beside a module: the module itself says what they are about.
fn is_of_tests(path: &str) -> bool {
    path.ends_with("/tests.rs") || (path.contains("src/") && path.contains("/tests/"))
}

/// Modules that are too large without a reason, and reasons for modules that are not.
pub(super) fn is_too_large(modules: &[Module], reasons: &[(&str, &str)]) -> Vec<Finding> {
    let lines = |module: &Module| {
        let code = without_comments(&module.file.text);
        let end = code.find("#[cfg(test)]\nmod tests {").unwrap_or(code.len());
        code[..end].lines().count()
    };
    let is_excused = |path: &str| reasons.iter().any(|(excused, _)| *excused == path);
    let large: Vec<&Module> = modules.iter().filter(|module| lines(module) > MODULE_LINES_MAX).collect();
    let unexcused = large.iter().filter(|module| !is_excused(&module.file.path));
    let mut findings: Vec<Finding> = unexcused
        .map(|module| {
            let what = format!("{} lines, the most without a reason is {MODULE_LINES_MAX}", lines(module));
            module.file.finding(1, what)
        })
        .collect();
    let stale = reasons.iter().filter(|(path, _)| !large.iter().any(|module| module.file.path == *path));
    findings.extend(stale.map(|(path, _)| Finding {
        path: (*path).to_owned(),
        line: 1,
        what: "is excused from its size and need not be".to_owned(),
    }));
    findings
}

/// A file or directory of sources whose name says nothing.
pub(super) fn has_empty_name(file: &TextFile) -> Option<Finding> {
    let path = file.path.strip_suffix(".rs")?;
    let name = path.split('/').find(|part| EMPTY_NAMES.contains(part))?;
    Some(file.finding(1, format!("{name} says nothing: name the module after what is in it")))
}

/// Tests that are left out of the run.
pub(super) fn switches_a_test_off(file: &TextFile) -> Vec<Finding> {
    if !file.path.ends_with(".rs") {
        return Vec::new();
    }
    let code = without_comments(&file.text);
    let off = code.lines().enumerate().filter(|(_, line)| line.contains("#[ignore"));
    off.map(|(index, _)| file.finding(index + 1, "a test is run or deleted, never ignored")).collect()
}

/// Messages of the log that are not the same every time: what differs belongs into key-values.
pub(super) fn logs_what_differs(file: &TextFile) -> Vec<Finding> {
    const LEVELS: [&str; 5] = ["log::error!(", "log::warn!(", "log::info!(", "log::debug!(", "log::trace!("];
    if !file.path.ends_with(".rs") || !file.path.contains("src/") {
        return Vec::new();
    }
    let code = &file.text;
    let calls = LEVELS.iter().flat_map(|level| code.match_indices(level));
    let wrong = calls.filter(|(at, level)| {
        // No key-value holds a text of its own, so the first text is the message.
        let message = code[at + level.len()..].split('"').nth(1);
        message.is_some_and(|message| message.contains('{'))
    });
    wrong
        .map(|(at, _)| {
            let line = code[..at].matches('\n').count() + 1;
            file.finding(line, "a message of the log is always the same: what differs is a key-value")
        })
        .collect()
}

/// Paths of the machine that something was written on, and hosts of package registries.
pub(super) fn names_the_workplace(file: &TextFile) -> Vec<Finding> {
    // In pieces, so that this file does not name them itself.
    let words =
        [["/wo", "rk/"], ["/fa", "rm/"], ["/ro", "ot/"], ["registry.np", "mjs"]].map(|it| it.concat());
    let lines = file.text.lines().enumerate();
    let wrong =
        lines.filter_map(|(index, line)| Some((index, words.iter().find(|word| line.contains(*word))?)));
    wrong.map(|(index, word)| file.finding(index + 1, format!("names the workplace: {word}"))).collect()
}

/// Download hosts in a lock file of npm, which may not be reachable elsewhere.
pub(super) fn locks_a_host(file: &TextFile) -> Vec<Finding> {
    if !file.path.ends_with("package-lock.json") {
        return Vec::new();
    }
    let lines = file.text.lines().enumerate().filter(|(_, line)| {
        line.trim_start().strip_prefix("\"resolved\":").is_some_and(|rest| rest.contains("://"))
    });
    lines.map(|(index, _)| file.finding(index + 1, "names a download host: see .npmrc")).collect()
}

/// Documents named in ARCHITECTURE.md that do not exist.
pub(super) fn names_missing_documents(file: &TextFile, exists: &dyn Fn(&str) -> bool) -> Vec<Finding> {
    if file.path != "ARCHITECTURE.md" {
        return Vec::new();
    }
    let is_of_path = |c: char| c.is_alphanumeric() || "_-./".contains(c);
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let words = line.split(|c| !is_of_path(c)).map(|word| word.trim_matches(['.', '/']));
        let missing = words.filter(|word| word.len() > 3 && word.ends_with(".md") && !exists(word));
        findings.extend(missing.map(|word| file.finding(index + 1, format!("{word} does not exist"))));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> TextFile {
        TextFile::new(path, text)
    }

    #[test]
    fn finds_modules_that_do_not_say_what_they_are_for() {
        for text in ["", "use a::b;\n", "// a comment\n", "//!\nuse a::b;", "/// of an item\nfn f() {}"] {
            assert!(lacks_module_doc(&file("src/a.rs", text)).is_some(), "{text}");
            assert!(lacks_module_doc(&file("tests/it/a.rs", text)).is_some(), "{text}");
            assert!(lacks_module_doc(&file("src/a/tests.rs", text)).is_none(), "{text}");
        }
        assert!(lacks_module_doc(&file("src/a.rs", "\n//! What it is for.\n")).is_none());
        assert!(lacks_module_doc(&file("README.md", "")).is_none());
    }

    #[test]
    fn finds_large_modules_and_reasons_that_have_gone_stale() {
        let of = |lines: usize, tests: usize| {
            let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "fn é() {}\n".repeat(tests));
            let text = format!("{}{tests}", "// é\n".repeat(lines));
            Module::of(&file("src/a.rs", &text)).unwrap()
        };
        assert_eq!(is_too_large(&[of(500, 500)], &[]), []);
        let large = is_too_large(&[of(501, 0)], &[]);
        assert_eq!(large[0].to_string(), "src/a.rs:1: 501 lines, the most without a reason is 500");
        assert_eq!(is_too_large(&[of(501, 0)], &[("src/a.rs", "a table")]), []);
        assert_eq!(is_too_large(&[of(500, 0)], &[("src/a.rs", "a table")]).len(), 1);
        assert_eq!(is_too_large(&[], &[("src/gone.rs", "a table")]).len(), 1);
    }

    #[test]
    fn finds_names_that_say_nothing() {
        for path in ["src/utils.rs", "src/common/mod.rs", "tests/it/helpers.rs", "domain/src/misc/a.rs"] {
            assert!(has_empty_name(&file(path, "")).is_some(), "{path}");
        }
        for path in ["src/commons.rs", "docs/misc/notes.md", "src/shared_map.rs"] {
            assert!(has_empty_name(&file(path, "")).is_none(), "{path}");
        }
    }

    #[test]
    fn finds_tests_that_are_switched_off() {
        let text = "#[test]\n#[ignore = \"slow\"]\nfn f() {}\n// #[ignore]\nlet x = \"#[ignore]\";";
        let findings = switches_a_test_off(&file("src/a.rs", text));
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].line, 2);
    }

    #[test]
    fn finds_messages_of_the_log_that_differ() {
        let text = "log::warn!(\"a {b}\");\nlog::info!(a:%; \"b {c}\");\nErr(e) => log::error!(\n  \"{}\",\n  e\n),\n";
        let findings = logs_what_differs(&file("src/a.rs", text));
        assert_eq!(findings.iter().map(|finding| finding.line).collect::<Vec<_>>(), [3, 1, 2]);
        let right = "log::warn!(a:%; \"b\");\nlog::info!(\"c\");\nlog::debug!(a:%; \"b (c)\");";
        assert_eq!(logs_what_differs(&file("src/a.rs", right)), []);
    }

    #[test]
    fn finds_words_of_the_workplace() {
        let text =
            ["a\nsee /wo", "rk/main\n\"https://registry.np", "mjs.org/x\"\n/home/me\nnetwork/x\n"].concat();
        let findings = names_the_workplace(&file("README.md", &text));
        assert_eq!(findings.iter().map(|finding| finding.line).collect::<Vec<_>>(), [2, 3]);
    }

    #[test]
    fn finds_hosts_in_lock_files_of_npm() {
        let text = "{\n  \"resolved\": \"https://packages.example/a.tgz\",\n  \"resolved\": \"../b\",\n  \"integrity\": \"x\"\n}";
        assert_eq!(locks_a_host(&file("contracts/package-lock.json", text)).len(), 1);
        assert_eq!(locks_a_host(&file("contracts/package.json", text)), []);
    }

    #[test]
    fn finds_documents_that_are_named_but_missing() {
        let text = "See `docs/protocol.md` and docs/adr/0001-a.md, or GLOSSARY.md.\nAny `.md` file.";
        let exists = |path: &str| path == "GLOSSARY.md";
        let findings = names_missing_documents(&file("ARCHITECTURE.md", text), &exists);
        let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert_eq!(
            findings,
            [
                "ARCHITECTURE.md:1: docs/protocol.md does not exist",
                "ARCHITECTURE.md:1: docs/adr/0001-a.md does not exist",
            ]
        );
        assert_eq!(names_missing_documents(&file("README.md", text), &exists), []);
    }
}
