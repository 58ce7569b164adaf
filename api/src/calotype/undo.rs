//! `POST /calotype/undo`: takes back what one of the caller's requests, sessions or keys did, checked for what has
//! changed since. What was done is told here, and `revert.rs` shares it.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_commands::CommandError;
use calotype_commands::context::ActorKind;
use calotype_commands::undo::{Item, Later, Span, UndoError, Wish};
use calotype_domain::AlbumId;
use calotype_domain::access::{Denied, Grant};
use calotype_domain::permission::Permission;
use calotype_domain::undo::Impossible;
use calotype_projections::shared_links::SharedLinkRow;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::albums::locked::leave_what_is_locked;
use crate::caller::Caller;
use crate::dates;
use crate::links::{self, unshow_what_is_locked};
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// What is to be taken back: what a request did, or everything that a session or a key of the caller's did from
/// `from` until `to`; just one of the three.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct UndoDto {
    /// The correlation id of a request, as histories show it, or the id of one command.
    command_id: Option<Uuid>,
    /// A session, which may be closed by now.
    session_id: Option<Uuid>,
    /// An API key, which may be deleted by now.
    api_key_id: Option<Uuid>,
    /// From when on, with a session or a key.
    from: Option<String>,
    /// Until when, with a session or a key; until now where it is left out.
    to: Option<String>,
    /// Only says what would be done.
    dry_run: Option<bool>,
}

/// What became of it. The answer's `correlationId` takes this back in turn.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UndoResponseDto {
    /// The request or command, where one was named.
    #[schema(required)]
    command_id: Option<Uuid>,
    #[schema(required)]
    correlation_id: Option<Uuid>,
    dry_run: bool,
    undone: Vec<UndoneDto>,
    left_alone: Vec<LeftAloneDto>,
    cannot_be_undone: Vec<ImpossibleDto>,
}

/// What of one object.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UndoneDto {
    /// `asset`, `album`, `shared_link`, `person`, …; of faces the id is the photo's.
    kind: String,
    id: String,
    /// `favorite`, `trashed`, `tag`, …
    what: Vec<&'static str>,
}

/// What of one object cannot be taken back at all.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ImpossibleDto {
    kind: String,
    id: String,
    what: Vec<&'static str>,
    /// Why not, of each in its order.
    why: Vec<&'static str>,
}

/// What stays as it is because somebody changed it since.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LeftAloneDto {
    kind: String,
    id: String,
    what: Vec<&'static str>,
    #[schema(required)]
    changed_by: Option<ChangedByDto>,
}

/// The last that happened to the object after the command.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChangedByDto {
    event_id: Uuid,
    r#type: String,
    recorded_at: String,
    /// `user`, `api_key`, `shared_link`, `processor` or `system`.
    actor_kind: &'static str,
    #[schema(required)]
    user_id: Option<Uuid>,
}

impl From<Later> for ChangedByDto {
    fn from(later: Later) -> Self {
        Self {
            event_id: later.event_id,
            r#type: later.event_type,
            recorded_at: dates::iso(later.recorded_at),
            actor_kind: later.actor.kind.as_str(),
            user_id: later.actor.user_id,
        }
    }
}

/// Takes back what the caller's request, command, session or key did, as far as nothing else has changed since.
#[utoipa::path(
    post,
    path = "/calotype/undo",
    operation_id = "undo",
    tag = "Calotype",
    request_body = UndoDto,
    responses((status = 200, body = UndoResponseDto)),
)]
pub(super) async fn undo(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<(StatusCode, Json<UndoResponseDto>), Problem> {
    let (wish, dry_run) = parse(&body, api.commands.clock().now())?;
    let answer = take_back(&api, &caller, &wish, dry_run).await?;
    Ok((StatusCode::OK, Json(answer)))
}

/// Takes something back, or only says what that would do.
///
/// # Errors
/// 403 for a key that may not, 400 for anything else that stands in the way, 503 where it is not sure yet that
/// everybody lost what they lose by it.
pub(super) async fn take_back(
    api: &Api,
    caller: &Caller,
    wish: &Wish,
    dry_run: bool,
) -> Result<UndoResponseDto, Problem> {
    // What is needed depends on what was done; the use case asks for each.
    let viewer = caller.viewer();
    if matches!(viewer.grant, Grant::SharedLink { .. }) {
        return Err(Problem::denied(Denied::NotForLinks, Permission::All));
    }
    let planned = api.commands.preview_undo(viewer, wish).await?;
    if dry_run {
        return Ok(told(wish, None, true, planned));
    }
    let context = caller.context();
    let links = links_to_albums_that_go(api, &planned).await?;
    let (items, outcome) = api.commands.undo(&context, viewer, wish).await?;
    // A deleted album ends its links, which come back when this is taken back in turn.
    for (album_id, links) in &links {
        if items.iter().any(|item| goes(item) == Some(*album_id)) {
            links::revoke(api, caller, links).await?;
        }
    }
    // Of taking back something may have been taken away from somebody.
    api.surely_seen_of(&outcome, items.len()).await?;
    let albums = given_back(&items, "album");
    leave_what_is_locked(api, &context, &albums).await?;
    let links = given_back(&items, "shared_link");
    unshow_what_is_locked(api, &context, &links).await?;
    let correlation_id = outcome.written().map(|_| context.correlation_id);
    Ok(told(wish, correlation_id, false, items))
}

/// The links to the albums that are to go, whosever they are.
async fn links_to_albums_that_go(
    api: &Api,
    items: &[Item],
) -> Result<Vec<(AlbumId, Vec<SharedLinkRow>)>, Problem> {
    let mut found = Vec::new();
    for album_id in items.iter().filter_map(goes) {
        found.push((album_id, api.queries.links_to_album(album_id.uuid()).await?));
    }
    Ok(found)
}

/// The album that goes because its making or its return is taken back.
fn goes(item: &Item) -> Option<AlbumId> {
    let stream_id = &item.stream_id;
    let goes = stream_id.aggregate() == "album" && item.undone.contains(&"created");
    if goes { stream_id.key().parse().ok() } else { None }
}

/// Those objects of a kind that may show assets again. What was locked since it was looked what may be shared
/// leaves them.
fn given_back(items: &[Item], kind: &str) -> Vec<Uuid> {
    let shows = |item: &&Item| {
        item.stream_id.aggregate() == kind
            && item.undone.iter().any(|what| ["assets", "deleted"].contains(what))
    };
    items.iter().filter(shows).filter_map(|item| item.stream_id.key().parse().ok()).collect()
}

fn parse(body: &Bytes, now: DateTime<Utc>) -> Result<(Wish, bool), Problem> {
    let mut fields = Fields::json(body)?;
    let ways = ["commandId", "sessionId", "apiKeyId"];
    let named: Vec<&str> = ways.into_iter().filter(|name| fields.has(name)).collect();
    let name = match named.as_slice() {
        [name] => *name,
        [] => "commandId",
        [_, more, ..] => {
            fields.issue(json!({
                "code": "custom", "path": [more],
                "message": "Only one of commandId, sessionId and apiKeyId can be given"
            }));
            "commandId"
        }
    };
    // Ids of requests are of version 7, which clients of Immich know nothing of.
    let text = fields.required_string(name);
    let id = Uuid::parse_str(&text);
    if fields.issues().is_empty() && id.is_err() {
        fields.issue(json!({
            "origin": "string", "code": "invalid_format", "format": "uuid",
            "path": [name], "message": "Invalid UUID"
        }));
    }
    let id = id.unwrap_or_default();
    let dry_run = fields.boolean("dryRun").unwrap_or_default();
    let wish = if name == "commandId" {
        Wish::Command(id)
    } else {
        let from = fields.required_datetime("from").map(|from| from.to_utc());
        let to = fields.datetime("to").map(|to| dates::end_of_millisecond(to.to_utc()));
        let kind = if name == "sessionId" { ActorKind::User } else { ActorKind::ApiKey };
        Wish::Span(Span { kind, id, from: from.unwrap_or_default(), to: to.unwrap_or(now) })
    };
    fields.finish()?;
    Ok((wish, dry_run))
}

fn told(
    wish: &Wish,
    correlation_id: Option<Uuid>,
    dry_run: bool,
    items: Vec<Item>,
) -> UndoResponseDto {
    let command_id = match wish {
        Wish::Command(id) => Some(*id),
        Wish::Span(_) | Wish::Since(_) => None,
    };
    let mut answer = UndoResponseDto {
        command_id,
        correlation_id,
        dry_run,
        undone: Vec::new(),
        left_alone: Vec::new(),
        cannot_be_undone: Vec::new(),
    };
    for item in items {
        let kind = item.stream_id.aggregate().to_owned();
        let id = item.stream_id.key().to_owned();
        let part = |what| UndoneDto { kind: kind.clone(), id: id.clone(), what };
        if !item.undone.is_empty() {
            answer.undone.push(part(item.undone));
        }
        if !item.impossible.is_empty() {
            let (what, why): (Vec<_>, Vec<_>) =
                item.impossible.into_iter().map(|Impossible { what, why }| (what, why)).unzip();
            let (kind, id) = (kind.clone(), id.clone());
            answer.cannot_be_undone.push(ImpossibleDto { kind, id, what, why });
        }
        if !item.changed_since.is_empty() {
            let changed_by = item.later.map(ChangedByDto::from);
            answer.left_alone.push(LeftAloneDto { kind, id, what: item.changed_since, changed_by });
        }
    }
    answer
}

impl From<CommandError<UndoError>> for Problem {
    fn from(error: CommandError<UndoError>) -> Self {
        Self::command(error, |refusal| match refusal {
            UndoError::NotFound => Self::no_access(Permission::AssetUpdate),
            UndoError::Denied { denied, permission } => Self::denied(denied, permission),
            UndoError::TooLarge => Self::bad_request("This is too much to be undone at once"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(body: &'static [u8]) -> Option<(Wish, bool)> {
        parse(&Bytes::from_static(body), DateTime::UNIX_EPOCH).ok()
    }

    #[test]
    fn id_may_be_of_any_version() {
        let id = "018f0000-0000-7000-8000-000000000000".parse().unwrap();
        let body = br#"{"commandId":"018f0000-0000-7000-8000-000000000000","dryRun":true}"#;
        assert_eq!(wish(body), Some((Wish::Command(id), true)));
        assert!(wish(br#"{"commandId":"x"}"#).is_none());
        assert!(wish(b"{}").is_none());
    }

    #[test]
    fn a_span_is_of_one_session_or_key_and_ends_now_where_nothing_else_is_said() {
        let body = br#"{"sessionId":"018f0000-0000-7000-8000-000000000000","from":"1969-01-01T00:00:00Z"}"#;
        let Some((Wish::Span(span), false)) = wish(body) else { panic!("no span") };
        assert_eq!((span.kind, span.to), (ActorKind::User, DateTime::UNIX_EPOCH));
        assert!(wish(br#"{"apiKeyId":"018f0000-0000-7000-8000-000000000000"}"#).is_none());
        let both = br#"{"apiKeyId":"018f0000-0000-7000-8000-000000000000","commandId":"018f0000-0000-7000-8000-000000000000","from":"1969-01-01T00:00:00Z"}"#;
        assert!(wish(both).is_none());
    }
}
