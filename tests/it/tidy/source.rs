//! As much of Rust as the rules need: code without comments, texts and tests, and the paths in it.
//!
//! Deliberately no parser: macros, raw texts with quotes in them and `use` inside nested modules are read
//! roughly, which is enough for code that `cargo fmt` has been over.

use super::TextFile;

/// A module that is not there for tests alone.
#[derive(Debug, Clone)]
pub(super) struct Module {
    pub(super) file: TextFile,
    /// Its crate, then its path in it: `clearnet`, `store`, `memory`.
    pub(super) path: Vec<String>,
    /// Its text, with blanks for comments, texts and tests; lines are where they were.
    pub(super) code: String,
}

/// A path somewhere in the code, from its crate on where it began with `crate`, `self` or `super`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) line: usize,
    pub(super) path: Vec<String>,
}

/// The modules among the files of the workspace.
pub(super) fn modules(files: &[TextFile]) -> Vec<Module> {
    let all: Vec<Module> = files.iter().filter_map(Module::of).collect();
    let tests: Vec<Vec<String>> = all.iter().flat_map(Module::test_modules).collect();
    let is_for_tests = |module: &Module| tests.iter().any(|test| module.path.starts_with(test));
    all.into_iter().filter(|module| !is_for_tests(module)).collect()
}

impl Module {
    /// The module in a file; `None` when it is no module of the program (a test, bench or build script).
    pub(super) fn of(file: &TextFile) -> Option<Self> {
        let (before, inside) = file.path.strip_suffix(".rs")?.rsplit_once("src/")?;
        let crate_name = if before.is_empty() { "clearnet" } else { before.trim_end_matches('/') };
        let mut path = vec![crate_name.to_owned()];
        path.extend(inside.split('/').map(str::to_owned));
        if path.last().is_some_and(|last| last == "mod" || last == "lib") {
            path.pop();
        }
        Some(Self { file: file.clone(), path, code: without_tests(&without_comments(&file.text)) })
    }

    /// The paths in the code, each with the line where it begins.
    pub(super) fn references(&self) -> Vec<Reference> {
        let tokens = tokens(&self.code);
        let mut references = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            at = self.read_path(&tokens, at, &[], &mut references);
        }
        references
    }

    /// The modules below this one that exist for tests only.
    fn test_modules(&self) -> Vec<Vec<String>> {
        let code = without_comments(&self.file.text);
        let declared = code.split("#[cfg(test)]").skip(1).filter_map(|rest| {
            let rest = rest.trim_start().trim_start_matches("pub(crate) ").trim_start_matches("pub(super) ");
            rest.strip_prefix("mod ")?.split(|c: char| !is_of_word(c)).next()
        });
        let below = |name: &str| [self.path.clone(), vec![name.to_owned()]].concat();
        declared.map(below).collect()
    }

    /// Reads a path that continues `before` at `at`; returns where reading goes on.
    fn read_path(
        &self,
        tokens: &[Token<'_>],
        at: usize,
        before: &[String],
        into: &mut Vec<Reference>,
    ) -> usize {
        let Some(Token { line, text }) = tokens.get(at) else { return at };
        if *text == "{" && !before.is_empty() {
            return self.read_group(tokens, at + 1, before, into);
        }
        if !text.starts_with(is_of_word) {
            return at + 1;
        }
        let mut path = before.to_vec();
        path.push((*text).to_owned());
        if tokens.get(at + 1).is_some_and(|token| token.text == "::") {
            let is_path =
                tokens.get(at + 2).is_some_and(|it| it.text == "{" || it.text.starts_with(is_of_word));
            return if is_path {
                self.read_path(tokens, at + 2, &path, into)
            } else {
                self.keep(path, *line, at + 3, into)
            };
        }
        self.keep(path, *line, at + 1, into)
    }

    /// Reads `a, b::c}`.
    fn read_group(
        &self,
        tokens: &[Token<'_>],
        at: usize,
        before: &[String],
        into: &mut Vec<Reference>,
    ) -> usize {
        let mut at = at;
        while let Some(token) = tokens.get(at) {
            match token.text {
                "}" => return at + 1,
                "," => at += 1,
                // `a as b` leads to `a` only.
                "as" => at += 2,
                _ => at = self.read_path(tokens, at, before, into),
            }
        }
        at
    }

    /// Keeps a path that leads somewhere; a single word leads nowhere.
    fn keep(&self, path: Vec<String>, line: usize, next: usize, into: &mut Vec<Reference>) -> usize {
        if path.len() > 1 {
            into.push(Reference { line, path: self.resolve(path) });
        }
        next
    }

    /// The path from its crate on.
    fn resolve(&self, path: Vec<String>) -> Vec<String> {
        let ups = path.iter().take_while(|part| *part == "super").count();
        match path[0].as_str() {
            "crate" => [&self.path[..1], &path[1..]].concat(),
            "self" => [&self.path[..], &path[1..]].concat(),
            "super" => [&self.path[..self.path.len().saturating_sub(ups).max(1)], &path[ups..]].concat(),
            // A module that is declared here goes before a crate of the same name.
            child if self.declares(child) => [&self.path[..], &path[..]].concat(),
            _ => path,
        }
    }

    fn declares(&self, name: &str) -> bool {
        self.code.contains(&format!("mod {name};"))
    }
}

/// A word, `::` or any other single character that is not white space.
#[derive(Debug, Clone, Copy)]
struct Token<'t> {
    line: usize,
    text: &'t str,
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn tokens(code: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = match first {
                ':' if rest.starts_with("::") => 2,
                _ if is_of_word(first) => rest.find(|c| !is_of_word(c)).unwrap_or(rest.len()),
                _ => first.len_utf8(),
            };
            let (text, after) = rest.split_at(length);
            tokens.push(Token { line: index + 1, text });
            rest = after.trim_start();
        }
    }
    tokens
}

/// The text with blanks for comments, texts and characters.
pub(super) fn without_comments(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if first == '"' {
            1 + text_length(&rest[1..])
        } else if let Some(raw) = rest.strip_prefix("r#\"") {
            raw.find("\"#").map_or(rest.len(), |end| 3 + end + 2)
        } else if first == '\'' {
            character_length(rest)
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        code.extend(rest[..length].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = &rest[length..];
    }
    code
}

/// How long a text is up to and with its closing quote.
fn text_length(rest: &str) -> usize {
    let mut is_escaped = false;
    for (at, c) in rest.char_indices() {
        match c {
            '"' if !is_escaped => return at + 1,
            _ => is_escaped = c == '\\' && !is_escaped,
        }
    }
    rest.len()
}

/// How long a character with its quotes is; a lifetime has only its first quote taken.
fn character_length(rest: &str) -> usize {
    let body = &rest[1..];
    if let Some(escape) = body.strip_prefix('\\') {
        return escape.char_indices().skip(1).find(|(_, c)| *c == '\'').map_or(1, |(at, _)| at + 3);
    }
    let Some(c) = body.chars().next() else { return 1 };
    if body[c.len_utf8()..].starts_with('\'') { c.len_utf8() + 2 } else { 1 }
}

/// The code with blanks for every item under `#[cfg(test)]`.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut kept = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(start) = rest.find(MARK) {
        let end = start + MARK.len() + item_length(&rest[start + MARK.len()..]);
        kept.push_str(&rest[..start]);
        kept.extend(rest[start..end].chars().filter(|c| *c == '\n'));
        rest = &rest[end..];
    }
    kept.push_str(rest);
    kept
}

/// How long the item is that begins here: up to its `;`, or to the end of its braces.
fn item_length(code: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in code.char_indices() {
        match c {
            ';' if depth == 0 => return at + 1,
            '{' => depth += 1,
            '}' if depth <= 1 => return at + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(path: &str, text: &str) -> Module {
        Module::of(&TextFile::new(path, text)).unwrap()
    }

    fn references(path: &str, text: &str) -> Vec<String> {
        let references = module(path, text).references();
        references.iter().map(|it| format!("{} {}", it.line, it.path.join("::"))).collect()
    }

    #[test]
    fn files_know_their_place_in_the_tree() {
        let path = |path| module(path, "").path.join("::");
        assert_eq!(path("src/lib.rs"), "clearnet");
        assert_eq!(path("src/main.rs"), "clearnet::main");
        assert_eq!(path("src/store/mod.rs"), "clearnet::store");
        assert_eq!(path("src/store/memory/book.rs"), "clearnet::store::memory::book");
        assert_eq!(path("domain/src/ledger/book.rs"), "domain::ledger::book");
        assert!(Module::of(&TextFile::new("tests/it/main.rs", "")).is_none());
    }

    #[test]
    fn paths_are_resolved_and_groups_are_opened() {
        let text = "use crate::store::{Store, memory::{Book, Row as It}, sql};\n\
                    use super::book::Book;\nuse super::super::a;\nuse self::b::c;\n\
                    fn f() -> domain::ledger::Entry { tokio::spawn(crate::clock::now) }\n\
                    use actix::prelude::*;";
        assert_eq!(
            references("src/actors/journal/actor.rs", text),
            [
                "1 clearnet::store::Store",
                "1 clearnet::store::memory::Book",
                "1 clearnet::store::memory::Row",
                "1 clearnet::store::sql",
                "2 clearnet::actors::journal::book::Book",
                "3 clearnet::actors::a",
                "4 clearnet::actors::journal::actor::b::c",
                "5 domain::ledger::Entry",
                "5 tokio::spawn",
                "5 clearnet::clock::now",
                "6 actix::prelude",
            ]
        );
    }

    #[test]
    fn a_module_declared_here_goes_before_a_crate_of_its_name() {
        let text = "mod client;\nuse client::Frame;\nuse evm::Client;";
        let expected = ["2 domain::protocol::frame::client::Frame", "3 evm::Client"];
        assert_eq!(references("domain/src/protocol/frame/mod.rs", text), expected);
    }

    #[test]
    fn comments_texts_and_tests_say_nothing() {
        let text = "// crate::a::b\n/* crate::c::d\n */ let x = \"crate::e::f \\\" g::h\";\nlet y = r#\"i::j\"#;\n\
                    let z = ('\"', '\\'', '\\u{1F}');\n#[cfg(test)]\nmod tests {\n  use k::l;\n  mod m { n::o!(); }\n}\n\
                    #[cfg(test)]\nuse p::q;\nfn f<'a>(s: &'a str) { r::s(s) }";
        assert_eq!(references("src/x.rs", text), ["13 r::s"]);
    }

    #[test]
    fn modules_declared_for_tests_are_left_out_with_all_below_them() {
        let files = [
            TextFile::new(
                "src/a/mod.rs",
                "#[cfg(test)]\nmod samples;\n#[cfg(test)]\npub(crate) mod fakes;\nmod b;",
            ),
            TextFile::new("src/a/samples.rs", ""),
            TextFile::new("src/a/fakes/mod.rs", ""),
            TextFile::new("src/a/fakes/c.rs", ""),
            TextFile::new("src/a/b.rs", ""),
        ];
        let paths: Vec<String> = modules(&files).into_iter().map(|module| module.file.path).collect();
        assert_eq!(paths, ["src/a/mod.rs", "src/a/b.rs"]);
    }
}
