//! Goes through every file that git knows or would add, and asks the rules for its kind.

use std::fs;

use anyhow::Context;

use super::{attributes, documents, layout, routes};
use crate::finding::Finding;
use crate::workspace;

/// Looks at the whole workspace.
///
/// # Errors
/// When git fails or a file cannot be read.
pub(crate) fn run() -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for path in workspace::files()? {
        if !is_looked_at(&path) {
            continue;
        }
        let bytes = fs::read(workspace::root().join(&path))
            .with_context(|| format!("failed to read {path}"))?;
        match String::from_utf8(bytes) {
            Ok(text) => findings.extend(check(&path, &text)),
            Err(_) => findings.push(Finding::of_file(&path, "not UTF-8")),
        }
    }
    Ok(findings)
}

fn is_looked_at(path: &str) -> bool {
    matches!(extension(path), "rs" | "sql" | "md")
}

fn extension(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, extension)| extension)
}

fn check(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    match extension(path) {
        "rs" => {
            findings.extend(layout::opens_with_its_purpose(path, text));
            findings.extend(layout::is_one_idea(path, text));
            findings.extend(attributes::are_permitted(path, text));
            findings.extend(routes::ask_who_may(path, text));
        }
        "sql" => findings.extend(documents::migration_has_a_comment(path, text)),
        "md" => {
            findings.extend(documents::adr_has_a_status(path, text));
            findings.extend(documents::lines_end_in_no_space(path, text));
        }
        _ => {}
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_file_meets_its_rules() {
        assert_eq!(check("api/src/lib.rs", "fn main() {}\n").len(), 1);
        assert_eq!(check("migrations/0001_log.sql", "select 1;\n").len(), 1);
        assert_eq!(check("docs/adr/0001-log.md", "# Log \n").len(), 2);
        assert_eq!(check("README.md", "# Calotype\n"), []);
    }

    #[test]
    fn other_files_are_left_alone() {
        assert!(is_looked_at("domain/src/id.rs"));
        assert!(!is_looked_at("schemas/openapi.json"));
        assert!(!is_looked_at("dev"));
    }
}
