//! Who may import whom: the rooms of CONTRIBUTING.md as a table.

use super::Finding;
use super::source::{Module, Reference};

/// What a room may reach.
#[derive(Debug)]
enum Reach {
    /// A module with all that is in it; `*` stands for any one part of the path.
    All(&'static str),
    /// Only what stands in the module itself (its traits and rows), not the modules below it.
    Surface(&'static str),
}

use Reach::{All, Surface};

/// Rooms, and what each may reach besides itself. The longest path that fits a module is its room; a
/// module without a room is a finding, so that a new one is thought about.
const ROOMS: &[(&str, &[Reach])] = &[
    ("domain", &[All("domain")]),
    ("domain::primitives", &[]),
    ("domain::crypto", &[All("domain::primitives")]),
    ("domain::ledger", &[All("domain::primitives")]),
    // Events on chain move direct channels.
    (
        "domain::channel",
        &[All("domain::primitives"), All("domain::crypto"), All("domain::ledger"), All("domain::chain")],
    ),
    // What a machine is and does stands with the channels.
    (
        "domain::participant",
        &[All("domain::primitives"), All("domain::crypto"), All("domain::ledger"), All("domain::channel")],
    ),
    // Events carry states, whose types stand beside their packed layouts.
    ("domain::chain", &[All("domain::primitives"), All("domain::crypto")]),
    // Frames carry states and signatures.
    (
        "domain::protocol",
        &[
            All("domain::primitives"),
            All("domain::crypto"),
            All("domain::channel"),
            All("domain::ledger"),
            // What session keys may do is named on the wire.
            All("domain::participant"),
        ],
    ),
    ("entity", &[]),
    ("migration", &[]),
    ("evm", &[All("domain")]),
    ("client", &[All("domain"), All("evm")]),
    ("clearnet", &[All("clearnet")]),
    ("clearnet::main", &[All("clearnet::cli")]),
    // Knows all that it puts together, but not the commands that ask it to.
    (
        "clearnet::app",
        &[
            All("clearnet::actors"),
            All("clearnet::chain"),
            All("clearnet::clock"),
            All("clearnet::config"),
            All("clearnet::http"),
            All("clearnet::signer"),
            All("clearnet::store"),
            All("domain"),
            All("evm"),
            All("migration"),
        ],
    ),
    (
        "clearnet::cli",
        &[
            All("clearnet::app"),
            All("clearnet::devnet"),
            All("clearnet::config"),
            All("clearnet::signer"),
            All("clearnet::audit"),
            All("clearnet::chain"),
            All("clearnet::store"),
            All("evm"),
            All("client"),
            All("domain"),
        ],
    ),
    // The keys of its participants sign.
    (
        "clearnet::devnet",
        &[All("evm"), All("clearnet::config"), All("domain::primitives"), All("domain::crypto")],
    ),
    ("clearnet::config", &[All("domain::primitives")]),
    ("clearnet::clock", &[All("domain::primitives")]),
    // Labels are names of methods and codes, never what a client wrote.
    ("clearnet::metrics", &[All("domain::primitives"), All("domain::protocol")]),
    ("clearnet::signer", &[All("clearnet::config"), All("domain::primitives"), All("domain::crypto")]),
    ("clearnet::chain", &[All("domain"), All("evm")]),
    ("clearnet::store", &[All("domain"), All("entity"), All("migration")]),
    ("clearnet::audit", &[All("domain"), Surface("clearnet::store"), Surface("clearnet::chain")]),
    (
        "clearnet::actors",
        &[
            All("domain"),
            All("clearnet::clock"),
            All("clearnet::metrics"),
            Surface("clearnet::store"),
            Surface("clearnet::chain"),
            Surface("clearnet::signer"),
        ],
    ),
    (
        "clearnet::http",
        &[
            All("domain::primitives"),
            All("domain::protocol"),
            All("clearnet::actors::session"),
            All("clearnet::actors::*::messages"),
            All("clearnet::actors::journal::JournalHealth"),
        ],
    ),
];

/// Crates of ours: a path that begins with another name leads outside.
const OURS: &[&str] = &["domain", "entity", "migration", "evm", "client", "clearnet"];

/// Packages that only some rooms may see, so that replacing one is those rooms' change.
const PACKAGES: &[(&str, &[&str])] = &[
    ("ethers_core", &["evm"]),
    ("ethers_providers", &["evm"]),
    ("sea_orm", &["entity", "migration", "clearnet::store"]),
    ("sea_orm_migration", &["migration"]),
    ("actix", &["clearnet::actors", "clearnet::http", "clearnet::app", "clearnet::cli"]),
    ("actix_rt", &["clearnet::actors", "clearnet::http", "clearnet::app", "clearnet::cli"]),
    ("actix_web", &["clearnet::actors::session", "clearnet::http", "clearnet::app"]),
    ("actix_web_actors", &["clearnet::actors::session", "clearnet::http"]),
    ("prometheus", &["clearnet::metrics"]),
    ("secp256k1", &["domain::crypto"]),
    ("anyhow", &["clearnet::main", "clearnet::app", "clearnet::cli", "clearnet::devnet"]),
    ("clap", &["clearnet::main", "clearnet::cli"]),
    ("toml", &["clearnet::config"]),
];

/// What in a module reaches where its room may not.
pub(super) fn check(module: &Module) -> Vec<Finding> {
    let Some((room, reaches)) = room_of(&module.path) else {
        return vec![module.file.finding(1, format!("{} has no room in the table", module.path.join("::")))];
    };
    let is_wrong = |reference: &Reference| {
        let path = &reference.path;
        let is_ours = OURS.contains(&path[0].as_str());
        let is_allowed = if is_ours {
            fits(path, room) || reaches.iter().any(|reach| reach.allows(path))
        } else {
            PACKAGES.iter().all(|(package, rooms)| {
                *package != path[0] || rooms.iter().any(|allowed| fits(&module.path, allowed))
            })
        };
        !is_allowed
    };
    let references = module.references();
    let wrong = references.iter().filter(|reference| is_wrong(reference));
    wrong
        .map(|it| module.file.finding(it.line, format!("{room} must not reach {}", it.path.join("::"))))
        .collect()
}

impl Reach {
    fn allows(&self, path: &[String]) -> bool {
        match self {
            All(module) => fits(path, module),
            Surface(module) => {
                let after = path.get(module.split("::").count());
                fits(path, module)
                    && after.is_none_or(|part| part.starts_with(|c: char| c.is_ascii_uppercase()))
            }
        }
    }
}

/// The room of a module; that of a crate's own file is not handed down to modules without a room.
fn room_of(path: &[String]) -> Option<(&'static str, &'static [Reach])> {
    let parts = |room: &str| room.split("::").count();
    let fitting = ROOMS.iter().filter(|(room, _)| fits(path, room));
    let (room, reaches) = fitting.max_by_key(|(room, _)| parts(room))?;
    let has_rooms = ROOMS.iter().any(|(other, _)| other.starts_with(&format!("{room}::")));
    (!has_rooms || path.len() == parts(room)).then_some((*room, *reaches))
}

/// Whether a path is the module or in it; `*` fits any one part.
fn fits(path: &[String], module: &str) -> bool {
    let mut parts = path.iter();
    module.split("::").all(|wanted| parts.next().is_some_and(|part| wanted == "*" || wanted == part))
}

#[cfg(test)]
mod tests {
    use super::super::TextFile;
    use super::*;

    fn check_text(path: &str, text: &str) -> Vec<String> {
        let module = Module::of(&TextFile::new(path, text)).unwrap();
        check(&module).iter().map(ToString::to_string).collect()
    }

    /// Files that only gather the modules of their crate.
    const GATHERERS: [&str; 2] = ["domain", "clearnet"];

    /// The rooms that a room may reach, besides itself and the gatherers.
    fn reached_from(room: &str) -> Vec<&'static str> {
        let reaches = ROOMS.iter().filter(|(name, _)| *name == room).flat_map(|(_, reaches)| *reaches);
        let is_in = |inner: &str, outer: &str| inner == outer || inner.starts_with(&format!("{outer}::"));
        let rooms = reaches.flat_map(|reach| {
            let (All(module) | Surface(module)) = reach;
            ROOMS.iter().map(|(name, _)| *name).filter(|name| is_in(name, module) || is_in(module, name))
        });
        rooms.filter(|name| *name != room && !GATHERERS.contains(name)).collect()
    }

    #[test]
    fn the_table_itself_has_no_way_back() {
        for (room, _) in ROOMS.iter().filter(|(room, _)| !GATHERERS.contains(room)) {
            let mut seen = Vec::new();
            let mut ahead = reached_from(room);
            while let Some(next) = ahead.pop() {
                assert_ne!(next, *room, "{room} reaches itself by way of {seen:?}");
                if !seen.contains(&next) {
                    seen.push(next);
                    ahead.extend(reached_from(next));
                }
            }
        }
        assert!(reached_from("clearnet::http").contains(&"clearnet::actors"));
    }

    #[test]
    fn finds_arrows_that_point_up() {
        let cases = [
            (
                "domain/src/primitives/a.rs",
                "use crate::ledger::Entry;",
                "domain::primitives",
                "domain::ledger::Entry",
            ),
            (
                "domain/src/ledger/a.rs",
                "use super::super::crypto::Key;",
                "domain::ledger",
                "domain::crypto::Key",
            ),
            (
                "src/config/a.rs",
                "use domain::crypto::SigningKey;",
                "clearnet::config",
                "domain::crypto::SigningKey",
            ),
            (
                "src/config/a.rs",
                "fn f() { crate::store::open() }",
                "clearnet::config",
                "clearnet::store::open",
            ),
            (
                "src/store/a.rs",
                "use crate::actors::journal::Commit;",
                "clearnet::store",
                "clearnet::actors::journal::Commit",
            ),
            ("src/actors/journal/a.rs", "use evm::Client;", "clearnet::actors", "evm::Client"),
            (
                "src/actors/journal/a.rs",
                "use crate::store::memory::Book;",
                "clearnet::actors",
                "clearnet::store::memory::Book",
            ),
            (
                "src/http/a.rs",
                "use crate::actors::journal::actor::X;",
                "clearnet::http",
                "clearnet::actors::journal::actor::X",
            ),
            ("src/main.rs", "use clearnet::app::App;", "clearnet::main", "clearnet::app::App"),
            ("migration/src/a.rs", "use entity::account::Model;", "migration", "entity::account::Model"),
        ];
        for (path, text, room, reached) in cases {
            assert_eq!(check_text(path, text), [format!("{path}:1: {room} must not reach {reached}")]);
        }
    }

    #[test]
    fn finds_packages_where_they_do_not_belong() {
        let cases = [
            ("src/chain/a.rs", "use ethers_core::types::U256;"),
            ("domain/src/ledger/a.rs", "use sea_orm::Value;"),
            ("src/actors/journal/a.rs", "use sea_orm::Value;"),
            ("src/store/a.rs", "use actix::prelude::*;"),
            ("src/actors/journal/a.rs", "use actix_web::web::Data;"),
            ("src/actors/journal/a.rs", "use secp256k1::Message;"),
            ("src/store/a.rs", "fn f() -> anyhow::Result<()> {}"),
        ];
        for (path, text) in cases {
            assert_eq!(check_text(path, text).len(), 1, "{path}: {text}");
        }
    }

    #[test]
    fn leaves_arrows_that_point_down_alone() {
        let cases = [
            (
                "domain/src/ledger/a.rs",
                "use crate::primitives::Amount; use super::b::C; use std::fmt::Display;",
            ),
            ("src/config/a.rs", "use domain::primitives::ChainId; use toml::Spanned; use super::reader::X;"),
            (
                "src/actors/journal/a.rs",
                "use crate::store::{Store, StoreError}; use crate::actors::session::X;",
            ),
            ("src/http/a.rs", "use crate::actors::journal::messages::X; use actix_web::web::Data;"),
            ("src/actors/session/a.rs", "use actix_web_actors::ws::Message;"),
            ("evm/src/a.rs", "use ethers_core::types::U256; use domain::chain::X;"),
            ("src/main.rs", "use clearnet::cli::Cli;"),
            ("src/store/a.rs", "use sea_orm::Value; use entity::account::Model; use migration::Migrator;"),
        ];
        for (path, text) in cases {
            assert_eq!(check_text(path, text), [""; 0], "{path}");
        }
    }

    #[test]
    fn wants_a_room_for_every_module() {
        let findings = check_text("src/planner/mod.rs", "");
        assert_eq!(findings, ["src/planner/mod.rs:1: clearnet::planner has no room in the table"]);
        assert_eq!(check_text("bridge/src/lib.rs", "").len(), 1);
        assert_eq!(check_text("src/lib.rs", "pub use crate::config::Config;"), [""; 0]);
    }
}
