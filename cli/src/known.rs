//! Files that were imported before and have not changed: asked for thousands at a time, and not read again.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::entry::Entry;
use crate::group::Work;
use crate::progress::Became;
use crate::server::Trouble;
use crate::target::{InBatch, Target};

/// Files that are asked for at once.
const ASKED_MAX: usize = 5_000;

impl Work {
    /// Tells of what an earlier import knows and the server has; the rest is left to be imported.
    ///
    /// # Errors
    /// Only where nothing further can be done.
    pub(crate) async fn without_known(
        self: &Arc<Self>,
        entries: Vec<Entry>,
    ) -> anyhow::Result<Vec<Entry>> {
        let Target::Batch(batch) = &self.target else { return Ok(entries) };
        if self.journal.is_new() {
            return Ok(entries);
        }
        let mut left = Vec::new();
        let mut asked: Vec<Entry> = Vec::new();
        for entry in entries {
            if !self.is_known(&entry) {
                left.push(entry);
                continue;
            }
            asked.push(entry);
            if asked.len() == ASKED_MAX {
                left.extend(self.ask_for(batch, std::mem::take(&mut asked)).await?);
            }
        }
        left.extend(self.ask_for(batch, asked).await?);
        Ok(left)
    }

    /// Whether an earlier import knows it, and nothing is wished for but that it is there.
    fn is_known(&self, entry: &Entry) -> bool {
        let moves = self.library.as_ref().is_some_and(crate::local::Library::takes);
        self.journal.digests(&entry.file).is_some()
            && entry.film.is_none()
            && entry.notes.as_ref().is_none_or(|notes| notes.stack.is_none())
            && entry.albums.is_empty()
            && self.tags_of(entry).is_empty()
            && !moves
    }

    async fn ask_for(&self, batch: &InBatch, entries: Vec<Entry>) -> anyhow::Result<Vec<Entry>> {
        if entries.is_empty() {
            return Ok(entries);
        }
        let sha1 = |entry: &Entry| self.journal.digests(&entry.file).map(|digests| digests.sha1);
        let files: Vec<Value> = entries
            .iter()
            .filter_map(|entry| {
                let digests = self.journal.digests(&entry.file)?;
                let mut asked = json!({ "extension": entry.file.extension });
                digests.put_into(&mut asked);
                Some(asked)
            })
            .collect();
        let path = format!("/calotype/batches/{}/check", batch.id);
        let answer = self.server.post(&path, &json!({ "files": files })).await;
        let answer = answer.map_err(Trouble::into_error)?;
        let told = answer["files"].as_array().into_iter().flatten();
        let status: HashMap<&str, &str> = told
            .filter_map(|file| Some((file["sha1"].as_str()?, file["status"].as_str()?)))
            .collect();
        let mut left = Vec::new();
        for entry in entries {
            let status = sha1(&entry).and_then(|sha1| status.get(sha1.as_str()).copied());
            match status {
                Some("duplicate") => self.report.entry(&entry, Became::Duplicate, None),
                Some("committed") => self.report.entry(&entry, Became::Created, None),
                Some(_) | None => left.push(entry),
            }
        }
        Ok(left)
    }
}
