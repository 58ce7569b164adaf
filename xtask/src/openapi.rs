//! `schemas/openapi.json` is what `calotype openapi` prints.

use anyhow::Context;

use crate::finding::Finding;
use crate::generated::{Files, Mode, missing_or_changed, read_json_files, write_changed};
use crate::workspace;

/// Where the file lies, from the root.
const FOLDER: &str = "schemas";
const FILE: &str = "openapi.json";
const WRITER: &str = "cargo xtask openapi --write";

/// Generates the document, writes it if asked to, and compares.
///
/// # Errors
/// When the server does not build or prints something else than JSON, or the file system fails.
pub(crate) fn run(mode: Mode) -> anyhow::Result<Vec<Finding>> {
    let printed = workspace::stdout_of(workspace::program("calotype")?.arg("openapi"))?;
    // A log line on stdout would make every client generator fail later, and less plainly.
    serde_json::from_slice::<serde::de::IgnoredAny>(&printed)
        .context("calotype openapi printed something else than JSON")?;
    let generated = Files::from([(FILE.to_owned(), printed)]);
    let folder = workspace::root().join(FOLDER);
    let mut committed = read_json_files(&folder)?;
    if mode == Mode::Write {
        write_changed(&folder, &generated, &committed)?;
        committed = read_json_files(&folder)?;
    }
    Ok(missing_or_changed(&generated, &committed, FOLDER, WRITER))
}
