//! Writes `<folder>/<Type>.v<N>.json` for every event, and a page `<folder>/events.md` about them:
//! `cargo xtask schemas` calls this and compares.
//! With `--facts FILE` it writes what Immich's document says of words and formats.

use std::path::PathBuf;

use anyhow::Context as _;
use calotype_tests::{facts, schemas};
use clap::Parser;

/// Writes the JSON Schema of every event.
#[derive(Debug, Parser)]
struct Arguments {
    /// The folder to write into.
    folder: PathBuf,
    /// Writes instead what `api/src/document/facts.json` holds, to this file.
    #[arg(long)]
    facts: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let Arguments { folder, facts: to } = Arguments::parse();
    if let Some(to) = to {
        let text = serde_json::to_string_pretty(&facts::generate()?)?;
        return std::fs::write(&to, text + "\n")
            .with_context(|| format!("failed to write {}", to.display()));
    }
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("failed to make {}", folder.display()))?;
    for (name, text) in schemas::generate()? {
        let path = folder.join(name);
        std::fs::write(&path, text)
            .with_context(|| format!("failed to write {}", path.display()))?;
    }
    let page = folder.join("events.md");
    std::fs::write(&page, schemas::page()?)
        .with_context(|| format!("failed to write {}", page.display()))
}
