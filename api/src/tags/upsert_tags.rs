//! `PUT /tags`: tags by path, made where they are not there yet.

use std::collections::{HashMap, HashSet};

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use calotype_domain::permission::Permission;
use calotype_projections::tags::TagRow;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::dto::TagResponseDto;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, wrong_type};

/// Most paths of one request.
const PATHS_MAX: usize = 1_000;

/// Paths.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct TagUpsertDto {
    tags: Vec<String>,
}

/// Finds tags by path; makes those that are not there, and those above them.
#[utoipa::path(
    put, path = "/tags", tag = "Tags", operation_id = "upsertTags",
    request_body = TagUpsertDto, responses((status = 200, body = Vec<TagResponseDto>))
)]
pub(super) async fn upsert_tags(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<Json<Vec<TagResponseDto>>, Problem> {
    caller.require(Permission::TagCreate)?;
    let paths = paths(&body)?;
    let mut tag_ids: Vec<Uuid> = Vec::with_capacity(paths.len());
    let mut outcomes = Vec::new();
    for path in paths {
        let context = caller.next_context(&api);
        let upserted = api.commands.upsert_tag(&context, caller.user_id(), &path).await?;
        if let Some((tag_id, outcome)) = upserted {
            tag_ids.push(tag_id.uuid());
            outcomes.push(outcome);
        }
    }
    for outcome in &outcomes {
        api.seen(outcome).await;
    }
    let rows: HashMap<Uuid, TagRow> =
        api.queries.tags(&tag_ids).await?.into_iter().map(|row| (row.tag_id, row)).collect();
    Ok(Json(tag_ids.iter().filter_map(|id| rows.get(id).cloned()).map(Into::into).collect()))
}

fn paths(body: &Bytes) -> Result<Vec<String>, Problem> {
    let mut fields = Fields::json(body)?;
    let mut paths: Vec<String> = Vec::new();
    let mut seen: HashSet<String> = HashSet::new();
    match fields.take("tags") {
        Some(Value::Array(values)) => {
            for (index, value) in values.into_iter().enumerate() {
                match value {
                    Value::String(path) => {
                        if seen.insert(path.clone()) {
                            paths.push(path);
                        }
                    }
                    other => {
                        let index = index.to_string();
                        fields.issue(wrong_type("string", Some(&other), &["tags", &index]));
                    }
                }
            }
        }
        None => fields.missing("array", "tags"),
        Some(other) => fields.issue(wrong_type("array", Some(&other), &["tags"])),
    }
    fields.finish()?;
    if paths.len() > PATHS_MAX {
        return Err(Problem::bad_request(format!("At most {PATHS_MAX} tags at once")));
    }
    Ok(paths)
}
