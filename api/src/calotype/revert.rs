//! `POST /calotype/revert`: brings a photo, an album or the caller's library back to what it was.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_commands::undo::{Since, Whole, Wish};
use calotype_domain::permission::Permission;
use calotype_domain::{AlbumId, AssetId, UserId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::as_of::{At, MomentDto, required_at};
use super::undo::{UndoResponseDto, take_back};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// What can be brought back.
const KINDS: &[&str] = &["asset", "album", "user"];

/// What is to be as it was, and when.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct RevertDto {
    /// `asset`, `album`, or `user` for everything that is theirs.
    kind: String,
    /// The photo or film, the album, or the caller.
    id: Uuid,
    /// An instant (ISO 8601) or a position in the log.
    at: String,
    /// Only says what would be done.
    dry_run: Option<bool>,
}

/// To which moment, and what became of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct RevertResponseDto {
    at: MomentDto,
    #[serde(flatten)]
    done: UndoResponseDto,
}

/// Brings something back to what it was, by new events; the answer's `correlationId` takes that back in turn.
#[utoipa::path(
    post,
    path = "/calotype/revert",
    operation_id = "revert",
    tag = "Calotype",
    request_body = RevertDto,
    responses((status = 200, body = RevertResponseDto)),
)]
pub(super) async fn revert(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<(StatusCode, Json<RevertResponseDto>), Problem> {
    let (whole, at, dry_run) = parse(&body)?;
    caller.require(match whole {
        Whole::Asset(_) => Permission::AssetUpdate,
        Whole::Album(_) => Permission::AlbumUpdate,
        Whole::Library(_) => Permission::UserUpdate,
    })?;
    let moment = at.find(&api, &caller).await?;
    let wish = Wish::Since(Since { whole, position: moment.position() });
    let done = take_back(&api, &caller, &wish, dry_run).await?;
    Ok((StatusCode::OK, Json(RevertResponseDto { at: moment, done })))
}

fn parse(body: &Bytes) -> Result<(Whole, At, bool), Problem> {
    let mut fields = Fields::json(body)?;
    let kind = fields.required_option("kind", KINDS);
    let id = fields.required_uuid("id");
    let at = required_at(&mut fields);
    let dry_run = fields.boolean("dryRun").unwrap_or_default();
    fields.finish()?;
    let whole = match kind.as_str() {
        "asset" => Whole::Asset(AssetId::new(id)),
        "album" => Whole::Album(AlbumId::new(id)),
        _ => Whole::Library(UserId::new(id)),
    };
    Ok((whole, at, dry_run))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_brought_back_and_when_must_be_said() {
        let id = "a5a5a5a5-0000-4000-8000-000000000000";
        let parsed = |body: String| parse(&Bytes::from(body)).ok();
        let whole = parsed(format!(r#"{{"kind":"asset","id":"{id}","at":"12","dryRun":true}}"#));
        assert_eq!(whole, Some((Whole::Asset(id.parse().unwrap()), At::Position(12), true)));
        assert!(parsed(format!(r#"{{"kind":"album","id":"{id}"}}"#)).is_none());
        assert!(parsed(format!(r#"{{"kind":"tag","id":"{id}","at":"12"}}"#)).is_none());
        assert!(parsed(r#"{"kind":"user","at":"12"}"#.to_owned()).is_none());
    }
}
