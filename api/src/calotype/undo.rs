//! `POST /calotype/undo`: takes back what one of the caller's requests did, checked for what has changed
//! since.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_commands::CommandError;
use calotype_commands::undo::{Item, Later, UndoError};
use calotype_domain::AlbumId;
use calotype_domain::access::{Denied, Grant, Viewer};
use calotype_domain::permission::Permission;
use calotype_domain::undo::Impossible;
use calotype_projections::shared_links::SharedLinkRow;
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

/// What is to be taken back.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct UndoDto {
    /// The correlation id of a request, as histories show it, or the id of one command.
    command_id: Uuid,
    /// Only says what would be done.
    dry_run: Option<bool>,
}

/// What became of it. The answer's `correlationId` takes this back in turn.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UndoResponseDto {
    command_id: Uuid,
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

/// Takes back what the caller's request or command did, as far as nothing else has changed since.
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
    // What is needed depends on what was done; the use case asks for each.
    if matches!(caller.viewer().grant, Grant::SharedLink { .. }) {
        return Err(Problem::denied(Denied::NotForLinks, Permission::All));
    }
    let (command_id, dry_run) = parse(&body)?;
    let viewer = caller.viewer();
    let context = caller.context();
    let (items, correlation_id) = if dry_run {
        (api.commands.preview_undo(viewer, command_id).await?, None)
    } else {
        let links = links_to_albums_of(&api, viewer, command_id).await?;
        let (items, outcome) = api.commands.undo(&context, viewer, command_id).await?;
        // A deleted album ends its links, which come back when this is taken back in turn.
        for (album_id, links) in &links {
            if items.iter().any(|item| deletes(item, *album_id)) {
                links::revoke(&api, &caller, links).await?;
            }
        }
        // Of taking back something may have been taken away from somebody.
        api.surely_seen_of(&outcome, items.len()).await?;
        let albums = given_back(&items, "album");
        leave_what_is_locked(&api, &context, &albums).await?;
        let links = given_back(&items, "shared_link");
        unshow_what_is_locked(&api, &context, &links).await?;
        (items, outcome.written().map(|_| context.correlation_id))
    };
    Ok((StatusCode::OK, Json(told(command_id, correlation_id, dry_run, items))))
}

/// The links to the albums that a command made or brought back, whosever they are.
async fn links_to_albums_of(
    api: &Api,
    viewer: &Viewer,
    command_id: Uuid,
) -> Result<Vec<(AlbumId, Vec<SharedLinkRow>)>, Problem> {
    let mut found = Vec::new();
    for album_id in api.commands.albums_begun_by(viewer, command_id).await? {
        found.push((album_id, api.queries.links_to_album(album_id.uuid()).await?));
    }
    Ok(found)
}

/// Whether an album goes because its making or its return was taken back.
fn deletes(item: &Item, album_id: AlbumId) -> bool {
    let stream_id = &item.stream_id;
    stream_id.aggregate() == "album"
        && stream_id.key().parse::<AlbumId>().is_ok_and(|key| key == album_id)
        && item.undone.contains(&"created")
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

fn parse(body: &Bytes) -> Result<(Uuid, bool), Problem> {
    let mut fields = Fields::json(body)?;
    let text = fields.required_string("commandId");
    let command_id = Uuid::parse_str(&text);
    if fields.issues().is_empty() && command_id.is_err() {
        fields.issue(json!({
            "origin": "string", "code": "invalid_format", "format": "uuid",
            "path": ["commandId"], "message": "Invalid UUID"
        }));
    }
    let dry_run = fields.boolean("dryRun").unwrap_or_default();
    fields.finish()?;
    Ok((command_id.unwrap_or_default(), dry_run))
}

fn told(
    command_id: Uuid,
    correlation_id: Option<Uuid>,
    dry_run: bool,
    items: Vec<Item>,
) -> UndoResponseDto {
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
            UndoError::TooLarge => Self::bad_request("This did too much to be undone at once"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_may_be_of_any_version() {
        let body = br#"{"commandId":"018f0000-0000-7000-8000-000000000000","dryRun":true}"#;
        assert!(parse(&Bytes::from_static(body)).unwrap().1);
        assert!(parse(&Bytes::from_static(br#"{"commandId":"x"}"#)).is_err());
        assert!(parse(&Bytes::from_static(b"{}")).is_err());
    }
}
