//! The kinds of targets, and how one is found.

use anyhow::Context as _;
use serde_json::{Value, json};

use super::{InBatch, Plain};
use crate::entry::Entry;
use crate::journal::Journal;
use crate::server::{Server, Trouble};

/// Where files go.
pub(crate) enum Target {
    /// A batch of a Calotype server.
    Batch(InBatch),
    /// Any Immich server.
    Plain(Box<Plain>),
}

/// Opens a batch, unless the server knows none or `is_plain` asks for none.
///
/// # Errors
/// When the server refuses, or the import of before is over: then the journal is gone.
pub(crate) async fn open(
    server: &Server,
    journal: Journal,
    is_plain: bool,
) -> anyhow::Result<(Target, Journal)> {
    if is_plain {
        return Ok((Target::Plain(Box::default()), journal));
    }
    let opened = server.post_once("/calotype/batches", &journal.batch().to_string()).await;
    let opened = match opened {
        Err(Trouble::Refused(message)) if message.starts_with("404") => {
            let there = server.get("/server/version").await.map_err(Trouble::into_error)?;
            anyhow::ensure!(there["major"].is_number(), "what answers there is no Immich server");
            return Ok((Target::Plain(Box::default()), journal));
        }
        answer => answer.map_err(Trouble::into_error).context("failed to open a batch")?,
    };
    let id = opened["id"].as_str().and_then(|id| id.parse().ok());
    let id = id.context("the server told no batch")?;
    if opened["status"] != "open" {
        journal.close()?;
        anyhow::bail!("the import of before was finished or rolled back; start it once more");
    }
    Ok((Target::Batch(InBatch::new(id)), journal))
}

/// Who is on a photo, as a batch takes it.
pub(crate) fn people_of(entry: &Entry) -> Vec<Value> {
    let people = entry.notes.iter().flat_map(|notes| &notes.people);
    people
        .map(|person| {
            let mut told = json!({ "name": person.name });
            if let Some(face) = person.face {
                let end = |start: f64, length: f64| (start + length).min(1.0);
                told["face"] = json!({
                    "left": face.left, "top": face.top,
                    "right": end(face.left, face.width), "bottom": end(face.top, face.height),
                });
            }
            told
        })
        .collect()
}
