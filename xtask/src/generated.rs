//! Compares files that a program generates with those that are committed.
//! Bytes are compared, not JSON: a file that reads the same but is written otherwise would show up
//! as a change in the next person's diff.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::Context;

use crate::finding::Finding;

/// Whether committed files are compared or written first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Check,
    Write,
}

/// File name to content.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// The `.json` files that lie directly in a folder; none if there is no such folder.
///
/// # Errors
/// When the folder or a file cannot be read, or a name is not UTF-8.
pub(crate) fn read_json_files(folder: &Path) -> anyhow::Result<Files> {
    let unreadable = || format!("failed to read {}", folder.display());
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Files::new()),
        Err(error) => return Err(error).with_context(unreadable),
    };
    let mut files = Files::new();
    for entry in entries {
        let path = entry.with_context(unreadable)?.path();
        if !path.is_file() || path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.with_context(|| format!("name is not UTF-8: {}", path.display()))?;
        let content =
            fs::read(&path).with_context(|| format!("failed to read {}", path.display()))?;
        files.insert(name.to_owned(), content);
    }
    Ok(files)
}

/// Writes those files that are new or differ; leaves all others alone.
///
/// # Errors
/// When the folder cannot be made or a file cannot be written.
pub(crate) fn write_changed(folder: &Path, wanted: &Files, present: &Files) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("failed to make {}", folder.display()))?;
    for (name, content) in wanted {
        if present.get(name) != Some(content) {
            let path = folder.join(name);
            fs::write(&path, content)
                .with_context(|| format!("failed to write {}", path.display()))?;
        }
    }
    Ok(())
}

/// Findings for generated files that are not committed, or committed with other bytes.
///
/// `shown` is the committed folder's path from the root, `writer` the command that mends it.
pub(crate) fn missing_or_changed(
    generated: &Files,
    committed: &Files,
    shown: &str,
    writer: &str,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, content) in generated {
        let path = format!("{shown}/{name}");
        match committed.get(name) {
            None => findings.push(Finding::of_file(&path, format!("missing: {writer}"))),
            Some(present) if present != content => findings.push(Finding::at_line(
                &path,
                first_difference_line(present, content),
                format!("not what the code generates: {writer}"),
            )),
            Some(_) => {}
        }
    }
    findings
}

/// The first line, from 1, in which two texts that differ do so.
fn first_difference_line(left: &[u8], right: &[u8]) -> usize {
    let same = left.iter().zip(right).take_while(|(left, right)| left == right);
    1 + same.filter(|(left, _)| **left == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Scratch;

    fn files(entries: &[(&str, &str)]) -> Files {
        entries.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
    }

    #[test]
    fn equal_files_pass() {
        let both = files(&[("A.v1.json", "{}\n")]);
        assert_eq!(missing_or_changed(&both, &both, "schemas", "write"), []);
    }

    #[test]
    fn a_missing_file_and_a_changed_line_are_found() {
        let generated = files(&[("A.v1.json", "{\n1\n}\n"), ("B.v1.json", "{}\n")]);
        let committed = files(&[("A.v1.json", "{\n2\n}\n")]);
        let findings = missing_or_changed(&generated, &committed, "schemas", "write it");
        let findings: Vec<_> = findings.iter().map(Finding::to_string).collect();
        assert_eq!(
            findings,
            [
                "schemas/A.v1.json:2: not what the code generates: write it",
                "schemas/B.v1.json: missing: write it"
            ]
        );
    }

    #[test]
    fn a_lost_end_is_a_difference_in_the_last_line() {
        assert_eq!(first_difference_line(b"a\nb", b"a\nb\n"), 2);
        assert_eq!(first_difference_line(b"", b"a"), 1);
    }

    #[test]
    fn written_files_read_back_and_other_files_stay() {
        let scratch = Scratch::create("test-of-generated").unwrap();
        let folder = scratch.path().join("events");
        assert_eq!(read_json_files(&folder).unwrap(), Files::new());
        let old = files(&[("Old.v1.json", "{}")]);
        write_changed(&folder, &old, &Files::new()).unwrap();
        fs::write(folder.join("README.md"), "not a schema").unwrap();
        write_changed(&folder, &files(&[("New.v1.json", "[]")]), &old).unwrap();
        let expected = files(&[("New.v1.json", "[]"), ("Old.v1.json", "{}")]);
        assert_eq!(read_json_files(&folder).unwrap(), expected);
    }
}
