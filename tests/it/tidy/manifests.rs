//! Which packages a crate may be built with: what keeps I/O out of `domain` is its manifest.

use super::{Finding, TextFile};

/// Manifests, and beginnings of the names of packages that they must not have.
///
/// Development dependencies are free: the layouts of `domain` are tested against those of ethers.
const FORBIDDEN: &[(&str, &[&str])] = &[
    (
        "domain/Cargo.toml",
        &[
            "actix",
            "async",
            "entity",
            "ethers",
            "evm",
            "futures",
            "hyper",
            "log",
            "migration",
            "rand",
            "reqwest",
            "sea-orm",
            "sqlx",
            "tokio",
        ],
    ),
    ("entity/Cargo.toml", &["actix", "domain", "ethers", "evm", "migration", "tokio"]),
    ("migration/Cargo.toml", &["actix", "domain", "entity", "ethers", "evm", "tokio"]),
    ("evm/Cargo.toml", &["actix", "entity", "migration", "sea-orm", "sqlx"]),
    ("client/Cargo.toml", &["actix", "entity", "ethers", "migration", "sea-orm", "sqlx"]),
    ("Cargo.toml", &["ethers"]),
];

/// The packages in a manifest that must not be there.
pub(super) fn check(file: &TextFile) -> Vec<Finding> {
    let Some((_, forbidden)) = FORBIDDEN.iter().find(|(path, _)| *path == file.path) else {
        return Vec::new();
    };
    let manifest: toml::Table = file.text.parse().unwrap();
    let packages = manifest.get("dependencies").and_then(toml::Value::as_table);
    let packages = packages.into_iter().flat_map(toml::Table::keys);
    let wrong = packages.filter(|name| forbidden.iter().any(|beginning| name.starts_with(beginning)));
    wrong.map(|name| file.finding(1, format!("must not depend on {name}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_packages_that_a_crate_must_not_have() {
        let text = "[dependencies]\ntokio-stream.workspace = true\nserde = \"1\"\n[dependencies.ethers-core]\nversion = \"2\"";
        let findings = check(&TextFile::new("domain/Cargo.toml", text));
        let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert_eq!(
            findings,
            [
                "domain/Cargo.toml:1: must not depend on ethers-core",
                "domain/Cargo.toml:1: must not depend on tokio-stream"
            ]
        );
        assert_eq!(check(&TextFile::new("migration/Cargo.toml", "[dependencies]\nentity = \"0\"")).len(), 1);
        assert_eq!(check(&TextFile::new("Cargo.toml", "[dependencies]\nethers-core = \"2\"")).len(), 1);
    }

    #[test]
    fn leaves_development_dependencies_and_other_crates_alone() {
        let text = "[dev-dependencies]\nethers-core = \"2\"";
        assert_eq!(check(&TextFile::new("domain/Cargo.toml", text)), []);
        assert_eq!(check(&TextFile::new("evm/Cargo.toml", "[dependencies]\nethers-core = \"2\"")), []);
    }
}
