//! `POST /activities`: a comment, or a like; a like that is there already is answered with 200.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_commands::activities::Liked;
use calotype_domain::access::{Object, check};
use calotype_domain::activity::{ActivityCommented, ActivityLiked, ActivityTarget};
use calotype_domain::permission::Permission;
use calotype_domain::{AlbumId, AssetId};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::dto::ActivityResponseDto;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// A comment or a like.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct ActivityCreateDto {
    album_id: Uuid,
    asset_id: Option<Uuid>,
    comment: Option<String>,
    r#type: String,
}

/// What was asked for.
struct Wish {
    target: ActivityTarget,
    /// What is said; nothing for a like.
    comment: Option<String>,
}

fn parse(body: &Bytes) -> Result<Wish, Problem> {
    let mut fields = Fields::json(body)?;
    let album_id = AlbumId::new(fields.required_uuid("albumId"));
    let asset_id = fields.uuid("assetId").map(AssetId::new);
    let kind = fields.required_option("type", &["comment", "like"]);
    let comment = fields.string("comment");
    let is_comment = kind == "comment";
    let is_said = comment.as_ref().is_some_and(|comment| !comment.is_empty());
    if is_comment && !is_said {
        fields.issue(json!({
            "code": "custom", "path": ["comment"], "message": "Comment is required when type is COMMENT"
        }));
    } else if kind == "like" && is_said {
        fields.issue(json!({
            "code": "custom", "path": ["comment"],
            "message": "Comment must not be provided when type is not COMMENT"
        }));
    }
    fields.finish()?;
    let target = ActivityTarget { album_id, asset_id };
    Ok(Wish { target, comment: comment.filter(|_| is_comment) })
}

/// Comments or likes.
#[utoipa::path(
    post, path = "/activities", tag = "Activities", operation_id = "createActivity",
    request_body = ActivityCreateDto, responses((status = 201, body = ActivityResponseDto))
)]
pub(super) async fn create_activity(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<(StatusCode, Json<ActivityResponseDto>), Problem> {
    const NEEDED: Permission = Permission::ActivityCreate;
    caller.require(NEEDED)?;
    let Wish { target, comment } = parse(&body)?;
    let album_id = target.album_id.uuid();
    let part = api.queries.album_parts(caller.user_id().uuid(), &[album_id]).await?.pop();
    let object = Object::Activity {
        author_id: None,
        role: part.as_ref().and_then(|part| part.role.parse().ok()),
        is_enabled: part.is_some_and(|part| part.is_activity_enabled),
    };
    check(caller.person(), NEEDED, object).map_err(|denied| Problem::denied(denied, NEEDED))?;
    if let Some(asset_id) = target.asset_id
        && api.queries.inside_album(album_id, &[asset_id.uuid()]).await?.is_empty()
    {
        return Err(Problem::bad_request("Asset not found in album"));
    }
    let (user_id, context) = (caller.user_id(), caller.keyed_context("createActivity")?);
    let (status, activity_id) = if let Some(comment) = comment {
        let commented = ActivityCommented { target, user_id, comment: comment.into() };
        let (activity_id, outcome) = api.commands.comment(&context, commented).await?;
        api.made(&outcome).await?;
        (StatusCode::CREATED, activity_id)
    } else {
        let liked = ActivityLiked { target, user_id };
        match api.commands.like(&context, liked).await? {
            Liked::Created(activity_id, outcome) => {
                api.made(&outcome).await?;
                (StatusCode::CREATED, activity_id)
            }
            Liked::Before(activity_id, outcome) => {
                api.made(&outcome).await?;
                (StatusCode::OK, activity_id)
            }
        }
    };
    let row = api.queries.activity(activity_id.uuid()).await?;
    let answer = ActivityResponseDto::list(&api, row.into_iter().collect()).await?.pop();
    Ok((status, Json(answer.ok_or_else(|| Problem::no_access(NEEDED))?)))
}
