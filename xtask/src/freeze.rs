//! What a release published never changes: files may be added to a frozen folder, nothing else.
//! Compared with the newest `v*` tag that the current commit descends from, working tree included.
//! In a clone without tags there is nothing to compare with, and it says so.

use std::path::Path;

use anyhow::Context;

use crate::finding::Finding;
use crate::{report, workspace};

/// Modified, deleted, renamed, retyped: everything but added.
const ALTERED: &str = "--diff-filter=MDRT";

/// Findings for each file of the folder that is not as it was released.
///
/// # Errors
/// When git fails.
pub(crate) fn run(folder: &str) -> anyhow::Result<Vec<Finding>> {
    let repository = workspace::root();
    let Some(tag) = newest_tag(repository)? else {
        report::note("no release tag here: nothing is frozen yet");
        return Ok(Vec::new());
    };
    altered_since(&tag, repository, folder)
}

fn altered_since(tag: &str, repository: &Path, folder: &str) -> anyhow::Result<Vec<Finding>> {
    let altered = workspace::stdout_of(workspace::git(repository).args([
        "diff",
        "--name-status",
        ALTERED,
        tag,
        "--",
        folder,
    ]))?;
    let altered = String::from_utf8(altered).context("a path is not UTF-8")?;
    Ok(findings(&altered, tag))
}

fn newest_tag(repository: &Path) -> anyhow::Result<Option<String>> {
    let head =
        workspace::git(repository).args(["rev-parse", "--quiet", "--verify", "HEAD"]).output()?;
    if !head.status.success() {
        return Ok(None); // no commit yet
    }
    let tags = workspace::stdout_of(workspace::git(repository).args([
        "-c",
        "versionsort.suffix=-", // v0.2.0-rc1 comes before v0.2.0
        "tag",
        "--list",
        "v*",
        "--merged",
        "HEAD",
        "--sort=-version:refname",
    ]))?;
    let tags = String::from_utf8(tags).context("a tag is not UTF-8")?;
    Ok(tags.lines().next().map(str::to_owned))
}

/// One finding a line of `git diff --name-status`: status, tab, path, and the new path of a rename.
fn findings(name_status: &str, tag: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for line in name_status.lines() {
        let (status, paths) = line.split_once('\t').unwrap_or(("", line));
        let released = paths.split('\t').next().unwrap_or(paths);
        let what = match status.chars().next() {
            Some('D') => "removed",
            Some('R') => "renamed",
            Some('T') => "made another kind of file",
            _ => "edited",
        };
        let message = format!("{what} since {tag}: a published event never changes, add a version");
        findings.push(Finding::of_file(released, message));
    }
    findings
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::workspace::Scratch;

    /// A repository of its own with one committed file in `events`.
    fn repository(name: &str) -> Scratch {
        let scratch = Scratch::create(name).unwrap();
        fs::create_dir(scratch.path().join("events")).unwrap();
        fs::write(scratch.path().join("events/A.v1.json"), "{}\n").unwrap();
        git(&scratch, &["init", "--quiet"]);
        git(&scratch, &["add", "."]);
        commit(&scratch);
        scratch
    }

    fn git(repository: &Scratch, arguments: &[&str]) {
        workspace::stdout_of(workspace::git(repository.path()).args(arguments)).unwrap();
    }

    fn commit(repository: &Scratch) {
        let who = ["-c", "user.name=Test", "-c", "user.email=test@localhost"];
        let what = ["commit", "--quiet", "--allow-empty", "--message", "change"];
        git(repository, &[who.as_slice(), what.as_slice()].concat());
    }

    fn altered(repository: &Scratch, tag: &str) -> Vec<String> {
        let findings = altered_since(tag, repository.path(), "events").unwrap();
        findings.iter().map(Finding::to_string).collect()
    }

    #[test]
    fn before_the_first_release_nothing_is_frozen() {
        let repository = repository("test-of-freeze-before");
        assert_eq!(newest_tag(repository.path()).unwrap(), None);
        git(&repository, &["tag", "nightly"]);
        assert_eq!(newest_tag(repository.path()).unwrap(), None);
    }

    #[test]
    fn the_newest_release_is_told_by_its_number() {
        let repository = repository("test-of-freeze-newest");
        for tag in ["v0.10.0", "v0.9.0", "v0.10.0-rc1"] {
            git(&repository, &["tag", tag]);
        }
        assert_eq!(newest_tag(repository.path()).unwrap().as_deref(), Some("v0.10.0"));
    }

    #[test]
    fn a_new_file_passes() {
        let repository = repository("test-of-freeze-new");
        git(&repository, &["tag", "v0.1.0"]);
        fs::write(repository.path().join("events/A.v2.json"), "[]\n").unwrap();
        assert!(altered(&repository, "v0.1.0").is_empty());
        git(&repository, &["add", "."]);
        commit(&repository);
        assert!(altered(&repository, "v0.1.0").is_empty());
    }

    #[test]
    fn an_edited_and_a_removed_file_are_found() {
        let repository = repository("test-of-freeze-edited");
        git(&repository, &["tag", "v0.1.0"]);
        let path = repository.path().join("events/A.v1.json");
        fs::write(&path, "[]\n").unwrap();
        let message = "since v0.1.0: a published event never changes, add a version";
        assert_eq!(altered(&repository, "v0.1.0"), [format!("events/A.v1.json: edited {message}")]);
        fs::remove_file(&path).unwrap();
        assert_eq!(
            altered(&repository, "v0.1.0"),
            [format!("events/A.v1.json: removed {message}")]
        );
    }

    #[test]
    fn a_renamed_file_is_named_as_it_was_released() {
        let found = findings("R100\tevents/A.v1.json\tevents/B.v1.json\n", "v0.1.0");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, "events/A.v1.json");
        assert!(found[0].message.starts_with("renamed since v0.1.0"));
    }
}
