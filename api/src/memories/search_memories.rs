//! `GET /memories` and `GET /memories/statistics`.

use axum::Json;
use axum::extract::{RawQuery, State};
use calotype_domain::permission::Permission;
use calotype_projections::memories::{MemoryFilter, MemoryOrder};
use chrono::NaiveDate;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::dto::{MemoryResponseDto, TYPES, shown};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// Most memories of one answer.
const MEMORIES_MAX: i64 = 1_000;
/// The largest whole number that JavaScript is sure of.
const SAFE_INTEGER_MAX: i64 = 9_007_199_254_740_991;

/// How many memories there are.
#[derive(Serialize, ToSchema)]
pub(crate) struct MemoryStatisticsResponseDto {
    total: i64,
}

/// What is asked for.
struct Asked {
    filter: MemoryFilter,
    /// A deleted memory is gone: nothing is in the trash.
    only_trashed: bool,
    order: MemoryOrder,
    size: i64,
}

fn read(query: Option<&str>) -> Result<Asked, Problem> {
    let mut fields = Fields::query(query);
    let shown_at = fields.string("for").and_then(|text| {
        let date = text.parse::<NaiveDate>().ok().filter(|_| text.len() == 10);
        if date.is_none() {
            fields.issue(json!({
                "origin": "string", "code": "invalid_format", "format": "date", "path": ["for"],
                "message": "Invalid input: expected ISO 8601 date string, received string"
            }));
        }
        date.and_then(|date| date.and_hms_opt(0, 0, 0)).map(|midnight| midnight.and_utc())
    });
    let is_saved = fields.boolean("isSaved");
    let only_trashed = fields.boolean("isTrashed").unwrap_or_default();
    let order = fields.option("order", &["asc", "desc", "random"]);
    let size = fields.integer("size", 1, SAFE_INTEGER_MAX);
    fields.option("type", TYPES);
    fields.finish()?;
    Ok(Asked {
        filter: MemoryFilter { shown_at, is_saved },
        only_trashed,
        order: match order.as_deref() {
            Some("asc") => MemoryOrder::Ascending,
            Some("random") => MemoryOrder::Random,
            _ => MemoryOrder::Descending,
        },
        size: size.unwrap_or(MEMORIES_MAX).min(MEMORIES_MAX),
    })
}

/// The caller's memories.
#[utoipa::path(
    get, path = "/memories", tag = "Memories", operation_id = "searchMemories",
    params(
        ("for" = Option<String>, Query), ("isSaved" = Option<bool>, Query),
        ("isTrashed" = Option<bool>, Query), ("order" = Option<String>, Query),
        ("size" = Option<i64>, Query), ("type" = Option<String>, Query)
    ),
    responses((status = 200, body = Vec<MemoryResponseDto>))
)]
pub(super) async fn search_memories(
    State(api): State<Api>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<MemoryResponseDto>>, Problem> {
    caller.require(Permission::MemoryRead)?;
    let asked = read(query.as_deref())?;
    if asked.only_trashed {
        return Ok(Json(Vec::new()));
    }
    let owner_id = caller.user_id().uuid();
    let memories = api.queries.memories_of(owner_id, asked.filter, asked.order, asked.size).await?;
    Ok(Json(shown(&api, &caller, memories).await?))
}

/// How many memories the caller has.
#[utoipa::path(
    get, path = "/memories/statistics", tag = "Memories", operation_id = "memoriesStatistics",
    params(
        ("for" = Option<String>, Query), ("isSaved" = Option<bool>, Query),
        ("isTrashed" = Option<bool>, Query), ("order" = Option<String>, Query),
        ("size" = Option<i64>, Query), ("type" = Option<String>, Query)
    ),
    responses((status = 200, body = MemoryStatisticsResponseDto))
)]
pub(super) async fn memories_statistics(
    State(api): State<Api>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<MemoryStatisticsResponseDto>, Problem> {
    caller.require(Permission::MemoryStatistics)?;
    let asked = read(query.as_deref())?;
    let total = if asked.only_trashed {
        0
    } else {
        api.queries.count_memories(caller.user_id().uuid(), asked.filter).await?
    };
    Ok(Json(MemoryStatisticsResponseDto { total }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn day_is_a_date_without_a_time() {
        let asked = read(Some("for=2024-02-29&order=asc&size=3")).unwrap();
        assert_eq!(asked.filter.shown_at, "2024-02-29T00:00:00Z".parse().ok());
        assert_eq!((asked.order, asked.size), (MemoryOrder::Ascending, 3));
        for bad in ["for=2023-02-29", "for=today", "size=0", "order=up", "isSaved=yes"] {
            assert!(read(Some(bad)).is_err(), "{bad}");
        }
    }
}
