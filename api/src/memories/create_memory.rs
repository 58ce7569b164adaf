//! `POST /memories`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_domain::AssetId;
use calotype_domain::UserId;
use calotype_domain::memory::{MemoryCreated, OnThisDay};
use calotype_domain::permission::Permission;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::dto::{MemoryResponseDto, OnThisDayDto, TYPES, shown_one};
use crate::access::allowed_assets;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, wrong_type};

/// A new memory.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct MemoryCreateDto {
    asset_ids: Option<Vec<Uuid>>,
    data: OnThisDayDto,
    hide_at: Option<String>,
    is_saved: Option<bool>,
    memory_at: String,
    seen_at: Option<String>,
    show_at: Option<String>,
    r#type: String,
}

/// Makes a memory. Assets that the caller may not use are left out.
#[utoipa::path(
    post, path = "/memories", tag = "Memories", operation_id = "createMemory",
    request_body = MemoryCreateDto, responses((status = 201, body = MemoryResponseDto))
)]
pub(super) async fn create_memory(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<(StatusCode, Json<MemoryResponseDto>), Problem> {
    caller.require(Permission::MemoryCreate)?;
    let mut created = parse(&body, caller.user_id())?;
    let asked: Vec<Uuid> = created.asset_ids.iter().map(|asset_id| asset_id.uuid()).collect();
    let allowed: Vec<AssetId> = allowed_assets(&api, &caller, Permission::AssetShare, &asked)
        .await?
        .into_iter()
        .map(|row| AssetId::new(row.asset_id))
        .collect();
    let mut once = std::collections::HashSet::new();
    created.asset_ids.retain(|asset_id| allowed.contains(asset_id) && once.insert(*asset_id));
    let (memory_id, outcome) =
        api.commands.create_memory(&caller.keyed_context("createMemory")?, created).await?;
    api.made(&outcome).await?;
    let memory = shown_one(&api, &caller, Permission::MemoryRead, memory_id.uuid()).await?;
    Ok((StatusCode::CREATED, Json(memory)))
}

fn parse(body: &Bytes, owner_id: UserId) -> Result<MemoryCreated, Problem> {
    let mut fields = Fields::json(body)?;
    let asset_ids = fields.uuids("assetIds").unwrap_or_default();
    let year = year(&mut fields);
    let hide_at = fields.datetime("hideAt");
    let is_saved = fields.boolean("isSaved").unwrap_or_default();
    let memory_at = fields.required_datetime("memoryAt");
    let seen_at = fields.datetime("seenAt");
    let show_at = fields.datetime("showAt");
    fields.required_option("type", TYPES);
    fields.finish()?;
    Ok(MemoryCreated {
        owner_id,
        on_this_day: OnThisDay { year },
        memory_at: memory_at.unwrap_or_default().to_utc(),
        show_at: show_at.map(|date| date.to_utc()),
        hide_at: hide_at.map(|date| date.to_utc()),
        seen_at: seen_at.map(|date| date.to_utc()),
        is_saved,
        asset_ids: asset_ids.into_iter().map(AssetId::new).collect(),
    })
}

/// The year in `data`, 1000 to 9999.
fn year(fields: &mut Fields) -> u16 {
    let data = match fields.take("data") {
        Some(Value::Object(data)) => data,
        other => {
            fields.issue(wrong_type("object", other.as_ref(), &["data"]));
            return 0;
        }
    };
    let mut inner = Fields::object(data);
    if !inner.has("year") {
        inner.missing("number", "year");
    }
    let year = inner.integer("year", 1_000, 9_999).and_then(|year| u16::try_from(year).ok());
    for mut issue in inner.issues() {
        if let Some(issue) = issue.as_object_mut() {
            issue.insert("path".into(), json!(["data", "year"]));
        }
        fields.issue(issue);
    }
    year.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(body: &str) -> Result<MemoryCreated, Problem> {
        parse(&Bytes::copy_from_slice(body.as_bytes()), UserId::default())
    }

    #[test]
    fn year_is_needed_and_has_four_digits() {
        let body =
            r#"{"type":"on_this_day","memoryAt":"2021-01-01T00:00:00.000Z","data":{"year":2021}}"#;
        assert_eq!(checked(body).unwrap().on_this_day.year, 2021);
        checked(&body.replace("2021}", "20}")).unwrap_err();
        checked(&body.replace("\"year\":2021", "")).unwrap_err();
        checked(&body.replace("on_this_day", "birthday")).unwrap_err();
    }
}
