//! Reads a plan page by page and writes its lines, no faster than the phone takes them.

use std::collections::VecDeque;

use axum::body::Bytes;
use calotype_projections::sync::{Entry, Page};
use chrono::{DateTime, Utc};
use futures::Stream;
use uuid::Uuid;

use super::acks::unavailable;
use super::content::{self, Content};
use super::lines;
use super::plan::{Plan, Section, Step};
use super::token::{self, Id, Said};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// Changes read at once; two such pages are in memory, whatever the length of the stream.
const PAGE_CHANGES_MAX: i64 = 2_000;
/// A chunk is sent when it has this many bytes, or when nothing is left.
const CHUNK_BYTES: usize = 64 * 1024;

/// A stream that is being read.
pub(super) struct Streaming {
    api: Api,
    caller: Caller,
    now: DateTime<Utc>,
    steps: VecDeque<Step>,
    /// The next page of the first step, where it is read already.
    ahead: Option<Read>,
    /// What turned out to have no lines up to where the stream goes: kept as acknowledged at its end.
    silent: Vec<(String, String)>,
    /// Whether something was sent already.
    has_begun: bool,
}

/// A page that was read and is to be written.
struct Read {
    section: Section,
    entries: Vec<Entry>,
    content: Content,
}

impl Read {
    /// The ack of a section that has no change at all, and never had one: of nothing else may an ack be kept
    /// that no phone sent, because the phone may be starting anew meanwhile.
    fn silent(&self, now: DateTime<Utc>) -> Option<(String, String)> {
        let Section { entity, since, after, until, floor, .. } = &self.section;
        let is_silent = self.entries.is_empty() && since.is_none() && *after == 0 && *floor == 0;
        let said = Said::UpTo(Id::new(now, *until));
        is_silent.then(|| (entity.word().to_owned(), token::write(*entity, said)))
    }

    /// What is left of the section behind this page.
    fn rest(&self) -> Option<Section> {
        let is_full =
            i64::try_from(self.entries.len()).is_ok_and(|count| count >= PAGE_CHANGES_MAX);
        let last = self.entries.last().filter(|_| is_full)?;
        Some(Section { after: last.change, opening: None, ..self.section.clone() })
    }
}

impl Streaming {
    /// Of a plan, for a caller.
    pub(super) fn new(api: Api, caller: Caller, now: DateTime<Utc>, plan: Plan) -> Self {
        Self {
            api,
            caller,
            now,
            steps: plan.steps,
            ahead: None,
            silent: Vec::new(),
            has_begun: false,
        }
    }

    /// Whether nothing is left to be sent or kept.
    pub(super) fn is_over(&self) -> bool {
        self.steps.is_empty() && self.silent.is_empty()
    }

    /// The next lines; none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        if self.has_begun && self.is_over() {
            return Ok(None);
        }
        let mut chunk = Vec::new();
        if self.has_begun {
            self.ensure_open().await?;
        }
        self.has_begun = true;
        while chunk.len() < CHUNK_BYTES {
            match self.steps.pop_front() {
                None => {
                    self.keep_silent().await?;
                    break;
                }
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

    /// Keeps as acknowledged what a phone cannot acknowledge, because it has no lines: so that the next
    /// sync need not look again.
    async fn keep_silent(&mut self) -> Result<(), Problem> {
        let silent = std::mem::take(&mut self.silent);
        let Some(session) = self.caller.session().filter(|_| !silent.is_empty()) else {
            return Ok(());
        };
        self.api.sync_acks.keep(session.session_id, &silent).await.map_err(unavailable)
    }

    /// Whoever was logged out meanwhile hears nothing more.
    async fn ensure_open(&self) -> Result<(), Problem> {
        let Some(session) = self.caller.session() else { return Ok(()) };
        let now = self.api.commands.clock().now();
        let open = self.api.queries.session_by_token(&session.token_sha256, now).await?;
        open.map(drop).ok_or_else(|| Problem::unauthorized("Invalid user token"))
    }

    /// The lines of a page, and what is left of the section.
    ///
    /// Of what is a person's own the next page is read while this one is written. What others share is
    /// looked up at the last moment: it may be taken away.
    async fn page(&mut self, section: Section) -> Result<(Vec<u8>, Option<Section>), Problem> {
        let read = match self.ahead.take() {
            Some(read) => read,
            None => self.read(section).await?,
        };
        self.silent.extend(read.silent(self.now));
        let rest = read.rest();
        let (viewer, now) = (self.caller.viewer().clone(), self.now);
        let written = tokio::task::spawn_blocking(move || {
            lines::page(&read.section, &read.entries, &read.content, &viewer, now)
        });
        let next = async {
            match rest.clone().filter(|rest| rest.scopes.iter().all(|scope| self.is_own(*scope))) {
                Some(rest) => self.read(rest).await.map(Some),
                None => Ok(None),
            }
        };
        let (written, next) = tokio::join!(written, next);
        self.ahead = next?;
        let lines = written.map_err(|error| Problem::internal(&error))??;
        Ok((lines, rest))
    }

    /// Reads a page of a section, without what is shared no longer.
    async fn read(&self, mut section: Section) -> Result<Read, Problem> {
        let (user_id, queries) = (self.caller.user_id().uuid(), &self.api.queries);
        if !section.scopes.iter().all(|scope| self.is_own(*scope)) {
            let shared = queries.sync_scopes(user_id).await?;
            section.scopes.retain(|scope| self.is_own(*scope) || shared.contains(scope));
        }
        let page = Page {
            feed: section.feed,
            scopes: &section.scopes,
            viewer_id: user_id,
            after: section.after,
            until: section.until,
            added_until: section.added_until,
            limit: PAGE_CHANGES_MAX,
        };
        let entries = queries.sync_page(&page).await?;
        let content = content::load(&self.api, section.entity, &entries, user_id).await?;
        Ok(Read { section, entries, content })
    }

    /// Whether nobody can take away what stands in a feed.
    fn is_own(&self, scope: Uuid) -> bool {
        scope == self.caller.user_id().uuid() || scope.is_nil()
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
