//! Reads a plan page by page and writes its lines, no faster than the phone takes them.

use std::collections::VecDeque;

use axum::body::Bytes;
use chrono::{DateTime, Utc};
use futures::Stream;
use uuid::Uuid;

use super::content;
use super::lines;
use super::plan::{Plan, Section, Step};
use crate::problem::Problem;
use crate::state::Api;

/// Changes read at once.
const PAGE_CHANGES_MAX: i64 = 2_000;
/// A chunk is sent when it has this many bytes, or when nothing is left.
const CHUNK_BYTES: usize = 64 * 1024;

/// A stream that is being read.
pub(super) struct Streaming {
    pub(super) api: Api,
    pub(super) user_id: Uuid,
    pub(super) now: DateTime<Utc>,
    steps: VecDeque<Step>,
}

impl Streaming {
    /// Of a plan, for a person.
    pub(super) fn new(api: Api, user_id: Uuid, now: DateTime<Utc>, plan: Plan) -> Self {
        Self { api, user_id, now, steps: plan.steps }
    }

    /// The next lines; none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        let mut chunk = Vec::new();
        while chunk.len() < CHUNK_BYTES {
            match self.steps.pop_front() {
                None => break,
                Some(Step::Mark { entity, ack }) => lines::mark(&mut chunk, entity, &ack)?,
                Some(Step::Section(section)) => {
                    let (mut lines, rest) = self.page(section).await?;
                    chunk.append(&mut lines);
                    if let Some(rest) = rest {
                        self.steps.push_front(Step::Section(rest));
                    }
                }
            }
        }
        Ok((!chunk.is_empty()).then(|| chunk.into()))
    }

    /// The lines of a page, and what is left of the section.
    async fn page(&self, section: Section) -> Result<(Vec<u8>, Option<Section>), Problem> {
        let entries = self
            .api
            .queries
            .sync_page(
                section.feed,
                &section.scopes,
                section.after,
                section.until,
                PAGE_CHANGES_MAX,
            )
            .await?;
        let is_full = i64::try_from(entries.len()).is_ok_and(|count| count >= PAGE_CHANGES_MAX);
        let rest = match entries.last() {
            Some(last) if is_full => Some(Section { after: last.change, ..section.clone() }),
            _ => None,
        };
        let content = content::load(&self.api, section.entity, &entries).await?;
        let (user_id, now) = (self.user_id, self.now);
        let lines = tokio::task::spawn_blocking(move || {
            lines::page(&section, &entries, &content, user_id, now)
        })
        .await
        .map_err(|error| Problem::internal(&error))??;
        Ok((lines, rest))
    }

    /// The rest as the body of an answer. An error breaks it off; the phone asks again later.
    pub(super) fn chunks(self) -> impl Stream<Item = Result<Bytes, std::io::Error>> {
        futures::stream::try_unfold(self, async |mut streaming| {
            let chunk = streaming.next().await.map_err(|problem| {
                std::io::Error::other(format!("sync broke off with {}", problem.status()))
            })?;
            Ok(chunk.map(|chunk| (chunk, streaming)))
        })
    }
}
