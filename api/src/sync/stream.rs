//! Reads a plan page by page and writes its lines, no faster than the phone takes them.

use std::collections::VecDeque;

use axum::body::Bytes;
use calotype_projections::sync::Page;
use chrono::{DateTime, Utc};
use futures::Stream;
use uuid::Uuid;

use super::content;
use super::lines;
use super::plan::{Plan, Section, Step};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// Changes read at once.
const PAGE_CHANGES_MAX: i64 = 2_000;
/// A chunk is sent when it has this many bytes, or when nothing is left.
const CHUNK_BYTES: usize = 64 * 1024;

/// A stream that is being read.
pub(super) struct Streaming {
    api: Api,
    caller: Caller,
    now: DateTime<Utc>,
    steps: VecDeque<Step>,
    /// Whether something was sent already.
    has_begun: bool,
}

impl Streaming {
    /// Of a plan, for a caller.
    pub(super) fn new(api: Api, caller: Caller, now: DateTime<Utc>, plan: Plan) -> Self {
        Self { api, caller, now, steps: plan.steps, has_begun: false }
    }

    /// The next lines; none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        let mut chunk = Vec::new();
        if self.has_begun {
            self.ensure_open().await?;
        }
        self.has_begun = true;
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

    /// Whoever was logged out meanwhile hears nothing more.
    async fn ensure_open(&self) -> Result<(), Problem> {
        let Some(session) = self.caller.session() else { return Ok(()) };
        let now = self.api.commands.clock().now();
        let open = self.api.queries.session_by_token(&session.token_sha256, now).await?;
        open.map(drop).ok_or_else(|| Problem::unauthorized("Invalid user token"))
    }

    /// Leaves out what is shared no longer.
    async fn only_shared(&self, section: &mut Section) -> Result<(), Problem> {
        let user_id = self.caller.user_id().uuid();
        let is_own = |scope: &Uuid| *scope == user_id || scope.is_nil();
        if !section.scopes.iter().all(is_own) {
            let shared = self.api.queries.sync_scopes(user_id).await?;
            section.scopes.retain(|scope| is_own(scope) || shared.contains(scope));
        }
        Ok(())
    }

    /// The lines of a page, and what is left of the section.
    async fn page(&self, mut section: Section) -> Result<(Vec<u8>, Option<Section>), Problem> {
        self.only_shared(&mut section).await?;
        let entries = self
            .api
            .queries
            .sync_page(&Page {
                feed: section.feed,
                scopes: &section.scopes,
                viewer_id: self.caller.user_id().uuid(),
                after: section.after,
                until: section.until,
                added_until: section.added_until,
                limit: PAGE_CHANGES_MAX,
            })
            .await?;
        let is_full = i64::try_from(entries.len()).is_ok_and(|count| count >= PAGE_CHANGES_MAX);
        let rest = match entries.last() {
            Some(last) if is_full => {
                Some(Section { after: last.change, opening: None, ..section.clone() })
            }
            _ => None,
        };
        let content =
            content::load(&self.api, section.entity, &entries, self.caller.user_id().uuid())
                .await?;
        let (viewer, now) = (self.caller.viewer().clone(), self.now);
        let lines = tokio::task::spawn_blocking(move || {
            lines::page(&section, &entries, &content, &viewer, now)
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
