//! `POST /calotype/undo`: takes back what one of the caller's requests did, checked for what has changed
//! since.

use std::collections::BTreeSet;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_commands::CommandError;
use calotype_commands::undo::{Item, Later, UndoError};
use calotype_domain::AssetId;
use calotype_domain::permission::Permission;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::require_assets;
use crate::caller::Caller;
use crate::dates;
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
    cannot_be_undone: Vec<UndoneDto>,
}

/// What of one object.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UndoneDto {
    /// `asset`, `stack`, `tag`, `memory`, …
    kind: String,
    id: String,
    /// `favorite`, `trashed`, `tag`, …
    what: Vec<&'static str>,
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
    caller.require(Permission::AssetUpdate)?;
    let (command_id, dry_run) = parse(&body)?;
    let by = caller.user_id();
    let planned = api.commands.preview_undo(by, command_id).await?;
    require_each(&api, &caller, &planned).await?;
    let context = caller.context();
    let (items, correlation_id) = if dry_run {
        (planned, None)
    } else {
        let (items, outcome) = api.commands.undo(&context, by, command_id).await?;
        api.seen(&outcome).await;
        (items, outcome.written().map(|_| context.correlation_id))
    };
    Ok((StatusCode::OK, Json(told(command_id, correlation_id, dry_run, items))))
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

/// Whether the caller may change everything that would go back.
async fn require_each(api: &Api, caller: &Caller, items: &[Item]) -> Result<(), Problem> {
    let changed = |item: &&Item| !item.undone.is_empty();
    let mut asset_ids: Vec<AssetId> = Vec::new();
    let mut others: BTreeSet<&str> = BTreeSet::new();
    for item in items.iter().filter(changed) {
        match (item.stream_id.aggregate(), item.stream_id.key().parse()) {
            ("asset", Ok(asset_id)) => asset_ids.push(asset_id),
            (other, _) => {
                others.insert(other);
            }
        }
    }
    let assets = require_assets(api, caller, Permission::AssetUpdate, &asset_ids).await?;
    api.caches.owners.learn(&assets);
    for aggregate in others {
        let permission = match aggregate {
            "memory" => Permission::MemoryUpdate,
            "stack" => Permission::StackUpdate,
            "tag" => Permission::TagUpdate,
            _ => Permission::All,
        };
        caller.require(permission)?;
        // The use case plans only what is the caller's own.
        caller.require_owned(permission, Some(caller.user_id().uuid()))?;
    }
    Ok(())
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
            answer.cannot_be_undone.push(part(item.impossible));
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
