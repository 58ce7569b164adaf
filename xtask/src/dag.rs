//! Fails on a dependency between two rooms that `arrows` does not draw, and on a crate from outside
//! that a room has sworn off.
//! Build and test dependencies count like ordinary ones: a room that needs another for its tests
//! knows it. It looks at direct dependencies only.

use std::collections::BTreeSet;

use anyhow::Context;
use serde::Deserialize;

use crate::arrows::{PACKAGE_PREFIX, ROOMS, Room};
use crate::finding::Finding;
use crate::workspace;

/// The part of `cargo metadata --no-deps` that is read here.
#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    /// The package's own name, even where `Cargo.toml` renames it.
    name: String,
    /// `dev` or `build`; none for an ordinary dependency.
    kind: Option<String>,
}

/// Reads the workspace's metadata and compares it with the table.
///
/// # Errors
/// When cargo fails or answers something else than metadata.
pub(crate) fn run() -> anyhow::Result<Vec<Finding>> {
    let json = workspace::stdout_of(workspace::cargo().args([
        "metadata",
        "--no-deps",
        "--format-version",
        "1",
        "--offline",
    ]))?;
    let metadata = serde_json::from_slice(&json).context("failed to read cargo metadata")?;
    Ok(check(&metadata, ROOMS))
}

fn check(metadata: &Metadata, rooms: &[Room]) -> Vec<Finding> {
    let members: BTreeSet<&str> =
        metadata.packages.iter().map(|package| package.name.as_str()).collect();
    let mut findings = Vec::new();
    for package in &metadata.packages {
        let name = room_name(&package.name);
        let Some(room) = rooms.iter().find(|room| room.name == name) else {
            findings.push(Finding::of_file(
                &package.name,
                "not in the table of rooms: add it to xtask/src/arrows.rs and ARCHITECTURE.md",
            ));
            continue;
        };
        for dependency in &package.dependencies {
            findings.extend(check_dependency(room, dependency, &members));
        }
    }
    findings
}

fn check_dependency(
    room: &Room,
    dependency: &Dependency,
    members: &BTreeSet<&str>,
) -> Option<Finding> {
    let kind = dependency.kind.as_deref().unwrap_or("normal");
    let used = dependency.name.as_str();
    let message = if members.contains(used) {
        let used = room_name(used);
        if room.knows.contains(&used) {
            return None;
        }
        format!("depends on {used} ({kind}), an arrow that xtask/src/arrows.rs does not draw")
    } else if room.never.contains(&used) {
        format!("depends on {used} ({kind}), which this room does without")
    } else {
        return None;
    };
    Some(Finding::of_file(&format!("{}/Cargo.toml", room.name), message))
}

fn room_name(package: &str) -> &str {
    package.strip_prefix(PACKAGE_PREFIX).unwrap_or(package)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Crate and kind of a dependency.
    type Uses<'name> = &'name [(&'name str, Option<&'name str>)];

    /// Metadata of one package per entry: the room and what it uses.
    fn metadata(packages: &[(&str, Uses<'_>)]) -> Metadata {
        let packages: Vec<_> = packages
            .iter()
            .map(|(room, dependencies)| {
                let dependencies: Vec<_> = dependencies
                    .iter()
                    .map(|(name, kind)| json!({ "name": name, "kind": kind, "req": "*" }))
                    .collect();
                json!({ "name": format!("calotype-{room}"), "dependencies": dependencies })
            })
            .collect();
        serde_json::from_value(json!({ "packages": packages, "version": 1 })).unwrap()
    }

    fn messages(metadata: &Metadata) -> Vec<String> {
        check(metadata, ROOMS).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn drawn_arrows_pass() {
        let metadata = metadata(&[
            ("domain", &[("serde", None)]),
            ("eventstore", &[("sqlx", None)]),
            ("commands", &[("calotype-domain", None), ("calotype-eventstore", None)]),
            ("tests", &[("calotype-commands", None)]),
        ]);
        assert_eq!(messages(&metadata), Vec::<String>::new());
    }

    #[test]
    fn an_arrow_that_is_not_drawn_fails() {
        let metadata = metadata(&[("domain", &[]), ("media", &[("calotype-domain", None)])]);
        assert_eq!(
            messages(&metadata),
            [
                "media/Cargo.toml: depends on domain (normal), an arrow that xtask/src/arrows.rs does not draw"
            ]
        );
    }

    #[test]
    fn test_and_build_dependencies_count() {
        let metadata = metadata(&[
            ("commands", &[]),
            ("domain", &[("calotype-commands", Some("dev"))]),
            ("ml", &[("calotype-domain", Some("build"))]),
        ]);
        let messages = messages(&metadata);
        assert_eq!(messages.len(), 2);
        assert!(messages[0].contains("commands (dev)"), "{messages:?}");
        assert!(messages[1].contains("domain (build)"), "{messages:?}");
    }

    #[test]
    fn nothing_but_the_tests_depends_on_the_server() {
        let metadata = metadata(&[
            ("server", &[]),
            ("api", &[("calotype-server", None)]),
            ("tests", &[("calotype-server", None)]),
        ]);
        let messages = messages(&metadata);
        assert_eq!(messages.len(), 1);
        assert!(messages[0].starts_with("api/"), "{messages:?}");
    }

    #[test]
    fn a_room_that_is_not_in_the_table_fails() {
        let metadata = metadata(&[("cellar", &[])]);
        assert!(messages(&metadata)[0].contains("not in the table"));
    }

    #[test]
    fn the_api_speaks_no_sql() {
        let metadata = metadata(&[("api", &[("sqlx", None)]), ("projections", &[("sqlx", None)])]);
        assert_eq!(
            messages(&metadata),
            ["api/Cargo.toml: depends on sqlx (normal), which this room does without"]
        );
    }
}
