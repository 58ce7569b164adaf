//! The shared test media: paths, and what the manifest says about each file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

/// The folder of the workspace.
#[must_use]
pub fn workspace() -> PathBuf {
    let mut folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    folder.pop();
    folder
}

/// The folder beside the workspace that holds media and fixtures; `CALOTYPE_SHARED` names another.
#[must_use]
pub fn shared() -> PathBuf {
    std::env::var_os("CALOTYPE_SHARED").map_or_else(|| workspace().join("../shared"), PathBuf::from)
}

/// A file of the shared media, by its path in the manifest.
///
/// # Errors
/// It is not there: nothing is left out silently.
pub fn media(path: &str) -> anyhow::Result<PathBuf> {
    let found = shared().join("media").join(path);
    ensure!(found.exists(), "the test media lack {path}: looked for {}", found.display());
    Ok(found)
}

/// A recorded request and response of the reference server, by name.
///
/// # Errors
/// It is not there or no JSON.
pub fn fixture(name: &str) -> anyhow::Result<serde_json::Value> {
    let path = shared().join("immich/fixtures").join(format!("{name}.json"));
    read_json(&path)
}

/// The names of all recorded requests with JSON answers.
///
/// # Errors
/// The folder cannot be read.
pub fn fixture_names() -> anyhow::Result<Vec<String>> {
    let folder = shared().join("immich/fixtures");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder)
        .with_context(|| format!("failed to list the fixtures in {}", folder.display()))?
    {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if let Some(name) = name.strip_suffix(".json").filter(|name| !name.starts_with('_')) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Reads a JSON file.
///
/// # Errors
/// It cannot be read or is no JSON.
pub fn read_json(path: &Path) -> anyhow::Result<serde_json::Value> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("failed to read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no JSON", path.display()))
}

/// One line of the manifest: column to value.
pub type Facts = BTreeMap<String, String>;

/// What the manifest says, by path.
///
/// # Errors
/// The manifest cannot be read or has a line of another width.
pub fn manifest() -> anyhow::Result<BTreeMap<String, Facts>> {
    let mut files = BTreeMap::new();
    for facts in read_csv(&media("manifest.csv")?)? {
        let path = facts.get("path").context("a line without a path")?.clone();
        files.insert(path, facts);
    }
    Ok(files)
}

/// The lines of a CSV file (RFC 4180) with a heading.
///
/// # Errors
/// The file cannot be read or has a line of another width.
pub fn read_csv(path: &Path) -> anyhow::Result<Vec<Facts>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("failed to read {}", path.display()))?;
    let mut records = records(&text).into_iter();
    let heading = records.next().context("an empty list")?;
    records
        .map(|record| {
            ensure!(record.len() == heading.len(), "a line of {} values: {record:?}", record.len());
            Ok(heading.iter().cloned().zip(record).collect())
        })
        .collect()
}

fn records(text: &str) -> Vec<Vec<String>> {
    let mut records = Vec::new();
    let mut record = Vec::new();
    let mut value = String::new();
    let mut quoted = false;
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        match sign {
            '"' if quoted && signs.peek() == Some(&'"') => {
                value.push('"');
                signs.next();
            }
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut value)),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                record.push(std::mem::take(&mut value));
                records.push(std::mem::take(&mut record));
            }
            other => value.push(other),
        }
    }
    if !value.is_empty() || !record.is_empty() {
        record.push(value);
        records.push(record);
    }
    records
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_values_keep_commas_quotes_and_line_ends() {
        let found = records("a,b\n\"x, \"\"y\"\"\",\"1\n2\"\n");

        assert_eq!(found, [vec!["a", "b"], vec!["x, \"y\"", "1\n2"]]);
    }
}
