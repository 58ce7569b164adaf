//! `schemas/events/<Type>.v<N>.json` and `docs/events.md` are what the code generates, and released schemas
//! stay as they are.
//! The generator is `calotype-tests`' binary `schemas`, which writes the files into the folder it is
//! given. The code knows only the newest version of an event; files of older versions are kept, and
//! it is the comparison with the newest release (`freeze`) that guards them.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::bail;

use crate::finding::Finding;
use crate::generated::{Files, Mode, missing_or_changed, read_json_files, write_changed};
use crate::workspace::Scratch;
use crate::{freeze, workspace};

/// Where the files lie, from the root.
const FOLDER: &str = "schemas/events";
/// The page about all events, for people.
const PAGE_FOLDER: &str = "docs";
const PAGE: &str = "events.md";
const WRITER: &str = "cargo xtask schemas --write";

/// Generates the schemas, writes them if asked to, and compares.
///
/// # Errors
/// When the generator, git or the file system fails, or the generator makes nothing.
pub(crate) fn run(mode: Mode) -> anyhow::Result<Vec<Finding>> {
    let scratch = Scratch::create("schemas")?;
    workspace::stdout_of(workspace::program("schemas")?.arg(scratch.path()))?;
    let generated = read_json_files(scratch.path())?;
    if generated.is_empty() {
        bail!("the generator wrote no schema");
    }
    let folder = workspace::root().join(FOLDER);
    let mut committed = read_json_files(&folder)?;
    if mode == Mode::Write {
        write_changed(&folder, &generated, &committed)?;
        committed = read_json_files(&folder)?;
    }
    let mut findings = missing_or_changed(&generated, &committed, FOLDER, WRITER);
    findings.extend(extra(&generated, &committed));
    findings.extend(page(scratch.path(), mode)?);
    findings.extend(freeze::run(FOLDER)?);
    Ok(findings)
}

/// The page, written if asked to, and compared.
fn page(generated: &Path, mode: Mode) -> anyhow::Result<Vec<Finding>> {
    let wanted = Files::from([(PAGE.to_owned(), fs::read(generated.join(PAGE))?)]);
    let folder = workspace::root().join(PAGE_FOLDER);
    let read = || match fs::read(folder.join(PAGE)) {
        Ok(content) => Ok(Files::from([(PAGE.to_owned(), content)])),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Files::new()),
        Err(error) => Err(error),
    };
    if mode == Mode::Write {
        write_changed(&folder, &wanted, &read()?)?;
    }
    Ok(missing_or_changed(&wanted, &read()?, PAGE_FOLDER, WRITER))
}

/// Committed files that belong to no event of the code, neither as its newest version nor an older.
fn extra(generated: &Files, committed: &Files) -> Vec<Finding> {
    let newest: Vec<EventVersion<'_>> =
        generated.keys().filter_map(|name| EventVersion::of(name)).collect();
    let belongs = |name: &str| {
        EventVersion::of(name).is_some_and(|file| {
            newest.iter().any(|known| known.event == file.event && known.version >= file.version)
        })
    };
    committed
        .keys()
        .filter(|name| !belongs(name))
        .map(|name| {
            let message = "belongs to no event of the code: remove it if it was never released";
            Finding::of_file(&format!("{FOLDER}/{name}"), message)
        })
        .collect()
}

/// A file name taken apart: `AssetUploaded.v2.json`.
struct EventVersion<'name> {
    event: &'name str,
    version: u32,
}

impl<'name> EventVersion<'name> {
    fn of(name: &'name str) -> Option<Self> {
        let (event, version) = name.strip_suffix(".json")?.rsplit_once(".v")?;
        let version = version.parse().ok()?;
        Some(Self { event, version })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &[&str]) -> Files {
        names.iter().map(|name| ((*name).to_owned(), Vec::new())).collect()
    }

    fn extra_names(generated: &[&str], committed: &[&str]) -> Vec<String> {
        let findings = extra(&files(generated), &files(committed));
        findings.into_iter().map(|finding| finding.path).collect()
    }

    #[test]
    fn older_versions_of_an_event_stay() {
        let committed = ["AssetUploaded.v1.json", "AssetUploaded.v2.json"];
        assert_eq!(extra_names(&["AssetUploaded.v2.json"], &committed), Vec::<String>::new());
    }

    #[test]
    fn a_version_newer_than_the_code_is_extra() {
        let committed = ["AssetUploaded.v1.json", "AssetUploaded.v2.json"];
        assert_eq!(
            extra_names(&["AssetUploaded.v1.json"], &committed),
            ["schemas/events/AssetUploaded.v2.json"]
        );
    }

    #[test]
    fn a_file_of_no_event_is_extra() {
        let committed = ["AlbumCreated.v1.json", "notes.json"];
        assert_eq!(
            extra_names(&["AssetUploaded.v1.json"], &committed),
            ["schemas/events/AlbumCreated.v1.json", "schemas/events/notes.json"]
        );
    }
}
