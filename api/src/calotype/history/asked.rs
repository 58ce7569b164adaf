//! What somebody asks of a history, and the answer: a page as JSON, or all of it as lines, read while they are sent.

use std::collections::VecDeque;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use calotype_projections::Queries;
use calotype_projections::history::{GlobalPosition, PAGE_EVENTS, Reader, Selection};
use futures::stream;
use serde::Serialize;
use utoipa::ToSchema;

use super::event::{CSV_HEADER, HistoryEvent};
use super::may_audit;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// The largest number that JSON's readers keep whole.
const NUMBER_MAX: i64 = 9_007_199_254_740_991;
/// The longest name of an actor or a kind, in characters.
const NAME_CHARS_MAX: usize = 100;
/// Looks at the log for one page, so that an answer comes soon also where little fits.
const LOOKS_MAX: usize = 20;

/// How the answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// A page.
    Json,
    /// A line of JSON for each event.
    JsonLines,
    /// A table.
    Csv,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    selection: Selection,
    after: Option<i64>,
    limit: usize,
    format: Format,
}

/// The names of the query's parts, for the document.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a query that is read field by field")]
pub(super) struct HistoryQuery {
    /// Only what was done by this user, or this session, key, link or processor.
    actor: Option<String>,
    /// Only events of this type (`AssetFavorited`), or of things of this kind (`asset`).
    kind: Option<String>,
    /// Only what was recorded then or later.
    from: Option<String>,
    /// Only what was recorded before.
    to: Option<String>,
    /// Only what comes after this: `next` of the page before.
    after: Option<i64>,
    /// Events of a page, at most 1,000.
    limit: Option<i64>,
    /// `json` (a page), `jsonl` or `csv` (everything, streamed).
    format: Option<String>,
}

/// A page of events, oldest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct HistoryPage {
    /// The events.
    pub(super) events: Vec<HistoryEvent>,
    /// Where the next page begins; `null` at the end.
    #[schema(required)]
    pub(super) next: Option<i64>,
}

/// Where events come from.
pub(super) enum Source {
    /// What happened to one thing.
    Object(Reader),
    /// The whole log.
    Log,
}

impl Asked {
    /// Reads the query.
    ///
    /// # Errors
    /// 400 for what is not right.
    pub(super) fn parse(query: Option<&str>) -> Result<Self, Problem> {
        let mut fields = Fields::query(query);
        let kind = fields.string_up_to("kind", NAME_CHARS_MAX);
        let is_type = |kind: &String| kind.starts_with(|letter: char| letter.is_ascii_uppercase());
        let (event_type, aggregate) = match kind {
            Some(kind) if is_type(&kind) => (Some(kind), None),
            aggregate => (None, aggregate.map(|name| super::stored_kind(&name).to_owned())),
        };
        let asked = Self {
            selection: Selection {
                actor: fields.string_up_to("actor", NAME_CHARS_MAX),
                aggregate,
                event_type,
                from: fields.datetime("from").map(|time| time.to_utc()),
                to: fields.datetime("to").map(|time| time.to_utc()),
            },
            after: fields.integer("after", -1, NUMBER_MAX),
            limit: fields
                .integer("limit", 1, i64::from(PAGE_EVENTS))
                .and_then(|limit| usize::try_from(limit).ok())
                .unwrap_or(usize::try_from(PAGE_EVENTS).unwrap_or(1)),
            format: match fields.option("format", &["json", "jsonl", "csv"]).as_deref() {
                Some("jsonl") => Format::JsonLines,
                Some("csv") => Format::Csv,
                _ => Format::Json,
            },
        };
        fields.finish()?;
        Ok(asked)
    }

    /// Whether a page is asked for, and not all as lines.
    pub(super) fn is_page(&self) -> bool {
        self.format == Format::Json
    }

    /// The page that is asked for.
    ///
    /// # Errors
    /// What the log said.
    pub(super) async fn page(
        self,
        queries: &Queries,
        source: Source,
    ) -> Result<HistoryPage, Problem> {
        let limit = self.limit;
        let mut pages = Pages::of(self, source);
        let (mut events, mut looks) = (VecDeque::new(), 0);
        while events.len() <= limit && looks < LOOKS_MAX && !pages.is_over {
            let before = pages.after;
            events.extend(pages.next(queries).await?);
            // Pages that lie before what is asked for are only read for what fields were.
            looks += usize::from(pages.after > before);
        }
        let is_more = events.len() > limit;
        events.truncate(limit);
        let next = match (is_more, events.back()) {
            (true, Some(last)) => Some(pages.place_of(last)),
            _ => (!pages.is_over).then_some(pages.after),
        };
        Ok(HistoryPage { events: events.into(), next })
    }

    /// The whole answer.
    ///
    /// # Errors
    /// What the log said; a stream that has begun breaks off instead.
    pub(super) async fn answer(
        self,
        api: Api,
        source: Source,
        again: (HeaderMap, Option<String>),
    ) -> Result<Response, Problem> {
        if self.is_page() {
            return Ok(Json(self.page(&api.queries, source).await?).into_response());
        }
        let format = self.format;
        let kind = match format {
            Format::Csv => "text/csv; charset=utf-8",
            Format::Json | Format::JsonLines => "application/x-ndjson",
        };
        let pages = Pages::of(self, source);
        let lines = stream::try_unfold((api, pages, true), move |state| {
            let again = again.clone();
            async move { next_lines(format, state, again).await }
        });
        Ok(([(header::CONTENT_TYPE, kind)], Body::from_stream(lines)).into_response())
    }
}

type Lines = (Api, Pages, bool);

async fn next_lines(
    format: Format,
    (api, mut pages, is_first): Lines,
    (headers, query): (HeaderMap, Option<String>),
) -> Result<Option<(Bytes, Lines)>, std::io::Error> {
    let mut text = String::new();
    if is_first && format == Format::Csv {
        text.push_str(CSV_HEADER);
    }
    while text.is_empty() && !pages.is_over {
        if !is_first && matches!(pages.source, Source::Log) {
            // Who is an auditor no longer reads no further.
            let caller = Caller::again(&api, &headers, query.as_deref()).await.map_err(broken)?;
            if !may_audit(&caller) {
                return Err(std::io::Error::other("the caller may not read this any more"));
            }
        }
        for event in pages.next(&api.queries).await.map_err(broken)? {
            text.push_str(&match format {
                Format::Csv => event.csv_line()?,
                Format::Json | Format::JsonLines => event.json_line()?,
            });
        }
    }
    Ok((!text.is_empty()).then(|| (Bytes::from(text), (api, pages, false))))
}

#[expect(clippy::needless_pass_by_value, reason = "errors are mapped by value")]
fn broken(problem: Problem) -> std::io::Error {
    std::io::Error::other(format!("{problem:?}"))
}

/// Events page by page.
struct Pages {
    source: Source,
    selection: Selection,
    /// Revision or position of the last event that was looked at.
    after: i64,
    is_over: bool,
}

impl Pages {
    fn of(asked: Asked, source: Source) -> Self {
        let start = match source {
            Source::Object(_) => -1,
            Source::Log => 0,
        };
        let after = asked.after.unwrap_or(start).max(start);
        Self { source, selection: asked.selection, after, is_over: false }
    }

    fn place_of(&self, event: &HistoryEvent) -> i64 {
        match self.source {
            Source::Object(_) => event.revision,
            Source::Log => event.position.unwrap_or(self.after),
        }
    }

    async fn next(&mut self, queries: &Queries) -> Result<Vec<HistoryEvent>, Problem> {
        match &mut self.source {
            Source::Log => {
                let after = GlobalPosition::new(self.after);
                let found = queries.look_through(after, &self.selection, PAGE_EVENTS).await?;
                self.after = found.looked_to.get();
                self.is_over = found.is_end;
                Ok(found.events.into_iter().map(HistoryEvent::from).collect())
            }
            Source::Object(reader) => {
                let page = reader.page().await?;
                let Some(last) = page.last().map(|told| told.recorded.revision.get()) else {
                    self.is_over = true;
                    return Ok(Vec::new());
                };
                // The first pages are read again for what fields were, and not told again.
                let after = self.after;
                self.after = self.after.max(last);
                self.is_over = page.len() < usize::try_from(PAGE_EVENTS).unwrap_or(usize::MAX);
                let some = page.into_iter().filter(|told| {
                    told.recorded.revision.get() > after && self.selection.takes(&told.recorded)
                });
                Ok(some.map(HistoryEvent::from).collect())
            }
        }
    }
}

/// Writes what is asked for, for who reads it without a server: a page as JSON, or all of it as lines.
///
/// # Errors
/// What the log said, or a query that is not right.
pub async fn tell_history(
    queries: &Queries,
    of: Option<(&str, uuid::Uuid)>,
    query: &str,
    mut write: impl FnMut(&str),
) -> Result<(), Problem> {
    let asked = Asked::parse(Some(query))?;
    let source = match of {
        Some((kind, id)) => Source::Object(queries.history_of(super::stored_kind(kind), id)),
        None => Source::Log,
    };
    let text = |error: serde_json::Error| Problem::internal(&error);
    if asked.is_page() {
        let page = asked.page(queries, source).await?;
        let shown = match of {
            Some((kind, id)) => serde_json::to_string_pretty(&super::History::of(
                super::stored_kind(kind),
                id,
                page,
            )),
            None => serde_json::to_string_pretty(&page),
        };
        write(&format!("{}\n", shown.map_err(text)?));
        return Ok(());
    }
    let is_table = asked.format == Format::Csv;
    if is_table {
        write(CSV_HEADER);
    }
    let mut pages = Pages::of(asked, source);
    while !pages.is_over {
        for event in pages.next(queries).await? {
            let line = if is_table { event.csv_line() } else { event.json_line() };
            write(&line.map_err(text)?);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_a_type_or_a_kind_of_thing() {
        let of = |query| Asked::parse(Some(query)).unwrap().selection;
        assert_eq!(of("kind=AssetFavorited").event_type.as_deref(), Some("AssetFavorited"));
        assert_eq!(of("kind=asset").aggregate.as_deref(), Some("asset"));
        assert_eq!(of("kind=link").aggregate.as_deref(), Some("shared_link"));
        assert!(Asked::parse(Some("format=xml")).is_err());
        assert!(Asked::parse(Some("limit=1001")).is_err());
    }
}
