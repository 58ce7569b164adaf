//! Rules about migrations and Markdown.

use crate::finding::Finding;

/// Tells sqlx to run a migration outside a transaction; a marker, not an explanation.
const NO_TRANSACTION: &str = "no-transaction";

/// What a decision record's status may begin with.
const STATUSES: &[&str] = &["proposed", "accepted", "rejected", "superseded by "];

/// A migration opens with a comment that says what it is for.
pub(super) fn migration_has_a_comment(path: &str, text: &str) -> Option<Finding> {
    if !path.starts_with("migrations/") {
        return None;
    }
    let says = text
        .lines()
        .map_while(|line| line.strip_prefix("--"))
        .map(str::trim)
        .any(|words| !words.is_empty() && words != NO_TRANSACTION);
    (!says).then(|| Finding::at_line(path, 1, "open the migration with `--` and what it is for"))
}

/// A decision record is named `NNNN-title.md` and has a line `Status: accepted`, or another status.
pub(super) fn adr_has_a_status(path: &str, text: &str) -> Option<Finding> {
    let name = path.strip_prefix("docs/adr/")?;
    if name == "README.md" {
        return None;
    }
    let (number, _title) = name.split_once('-').unwrap_or((name, ""));
    if number.len() != 4 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Finding::of_file(path, "name it NNNN-title.md"));
    }
    let status = text.lines().find_map(|line| line.strip_prefix("Status: "));
    let known = status.is_some_and(|status| STATUSES.iter().any(|it| status.starts_with(it)));
    (!known).then(|| {
        let message = format!("wants a line `Status: `, then one of: {}", STATUSES.join(", "));
        Finding::of_file(path, message)
    })
}

/// No line of Markdown ends in a space or tab: two of them are an invisible line break.
pub(super) fn lines_end_in_no_space(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.ends_with([' ', '\t']) {
            findings.push(Finding::at_line(path, index + 1, "ends in a space"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_migration_says_what_it_is_for() {
        let path = "migrations/0001_log.sql";
        assert_eq!(migration_has_a_comment(path, "-- The log.\ncreate schema log;\n"), None);
        assert!(migration_has_a_comment(path, "create schema log; -- the log\n").is_some());
        assert!(migration_has_a_comment(path, "--\ncreate schema log;\n").is_some());
    }

    #[test]
    fn the_marker_of_no_transaction_explains_nothing() {
        let path = "migrations/0002_index.sql";
        let bare = "-- no-transaction\ncreate index concurrently a on b (c);\n";
        assert!(migration_has_a_comment(path, bare).is_some());
        let explained = "-- no-transaction\n-- Finds an asset by its digest.\nselect 1;\n";
        assert_eq!(migration_has_a_comment(path, explained), None);
    }

    #[test]
    fn sql_elsewhere_is_no_migration() {
        assert_eq!(migration_has_a_comment("tests/fixtures/a.sql", "select 1;\n"), None);
    }

    #[test]
    fn a_decision_has_a_known_status() {
        let path = "docs/adr/0001-event-log.md";
        assert_eq!(adr_has_a_status(path, "# 0001\n\nStatus: accepted\n"), None);
        assert_eq!(adr_has_a_status(path, "# 0001\n\nStatus: superseded by 0009\n"), None);
        assert!(adr_has_a_status(path, "# 0001\n\nStatus: perhaps\n").is_some());
        assert!(adr_has_a_status(path, "# 0001\n").is_some());
    }

    #[test]
    fn a_decision_has_a_number() {
        assert!(adr_has_a_status("docs/adr/log.md", "Status: accepted\n").is_some());
        assert!(adr_has_a_status("docs/adr/01-log.md", "Status: accepted\n").is_some());
        assert_eq!(adr_has_a_status("docs/adr/README.md", "# Decisions\n"), None);
        assert_eq!(adr_has_a_status("docs/operating.md", "# Operating\n"), None);
    }

    #[test]
    fn a_space_at_the_end_of_a_line_is_found() {
        let findings = lines_end_in_no_space("README.md", "one\ntwo \nthree\t\n");
        let lines: Vec<_> = findings.iter().filter_map(|finding| finding.line).collect();
        assert_eq!(lines, [2, 3]);
    }
}
