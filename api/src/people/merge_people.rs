//! `POST /people/merge`, of release 3.2.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_domain::permission::Permission;
use serde_json::json;

use super::dto::{DoneDto, own_person};
use super::merge_person::{MergePersonDto, merge_each};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// Makes people one: the first of the list stays, and takes over what they lack from the next who has it.
#[utoipa::path(
    post, path = "/people/merge", tag = "People", operation_id = "mergePeople",
    request_body = MergePersonDto, responses((status = 200, body = Vec<DoneDto>))
)]
pub(super) async fn merge_people(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<(StatusCode, Json<Vec<DoneDto>>), Problem> {
    caller.require(Permission::PersonMerge)?;
    let mut fields = Fields::json(&body)?;
    if !fields.has("ids") {
        fields.missing("array", "ids");
    }
    let ids = fields.uuids("ids").unwrap_or_default();
    if fields.issues().is_empty() && ids.len() < 2 {
        fields.issue(json!({
            "origin": "array", "code": "too_small", "minimum": 2, "inclusive": true,
            "path": ["ids"], "message": "Too small: expected array to have >=2 items"
        }));
    }
    fields.finish()?;
    let mut others = Vec::with_capacity(ids.len());
    for id in &ids {
        if !others.contains(id) {
            others.push(*id);
        }
    }
    let into_id = others.remove(0);
    own_person(&api, &caller, Permission::PersonMerge, into_id).await?;
    let mut done = vec![DoneDto::done(into_id)];
    done.extend(merge_each(&api, &caller, into_id, others).await?);
    Ok((StatusCode::OK, Json(done)))
}
