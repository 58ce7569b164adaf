//! Putting a library in order: tags, stacks, memories, duplicates, and taking things back.

mod beside;
mod holds;
mod housekeeping;
mod memories;
mod stacks;
mod tags;
mod trash;
mod undo;

use anyhow::Context as _;
use calotype_tests::media::media;
use calotype_tests::{Client, Upload};
use serde_json::Value;

/// Uploads so many different small pictures.
pub(crate) async fn pictures(client: &Client, count: usize) -> anyhow::Result<Vec<String>> {
    let picture = Upload::of(&media("photos/edge/rating_1.jpg")?)?;
    let mut ids = Vec::with_capacity(count);
    for index in 0..count {
        let name = format!("{index}-{}", picture.name);
        let bytes = calotype_tests::jpeg::with_comment(&picture.bytes, &name);
        ids.push(client.upload(&Upload::new(&name, bytes)).await?);
    }
    Ok(ids)
}

/// The text under a name.
pub(crate) fn text(value: &Value, name: &str) -> anyhow::Result<String> {
    Ok(value[name].as_str().with_context(|| format!("no {name} in {value}"))?.to_owned())
}
