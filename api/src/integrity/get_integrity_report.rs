//! `GET /admin/integrity/summary` and `/admin/integrity/report`.

use axum::Json;
use axum::extract::{RawQuery, State};
use calotype_domain::admin_view::AdminView;
use calotype_domain::permission::Permission;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::dto::{CHECKS, IntegrityReportItemDto, check};
use crate::admin_views;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// Findings on a page when nothing is said, and at most.
const PAGE_DEFAULT: i64 = 500;
const PAGE_MAX: i64 = 10_000;
/// The largest whole number that JavaScript is sure of.
const SAFE_INTEGER_MAX: i64 = 9_007_199_254_740_991;

/// How much each check found.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct IntegrityReportSummaryResponseDto {
    untracked_file: i64,
    missing_file: i64,
    checksum_mismatch: i64,
}

/// One page of what a check found.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IntegrityReportResponseDto {
    items: Vec<IntegrityReportItemDto>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Says how much each check found.
#[utoipa::path(
    get, path = "/admin/integrity/summary", tag = "Maintenance (admin)",
    operation_id = "getIntegrityReportSummary",
    responses((status = 200, body = IntegrityReportSummaryResponseDto))
)]
pub(super) async fn get_integrity_report_summary(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<IntegrityReportSummaryResponseDto>, Problem> {
    caller.require_admin(Permission::Maintenance)?;
    let counts = api.findings.counts().await.map_err(|error| Problem::internal(&error))?;
    let mut summary = IntegrityReportSummaryResponseDto::default();
    for (name, count) in counts {
        match name.as_str() {
            "untracked_file" => summary.untracked_file = count,
            "missing_file" => summary.missing_file = count,
            _ => summary.checksum_mismatch = count,
        }
    }
    Ok(Json(summary))
}

/// Lists what a check found, oldest first.
#[utoipa::path(
    get, path = "/admin/integrity/report", tag = "Maintenance (admin)",
    operation_id = "getIntegrityReport",
    params(
        ("type" = String, Query), ("cursor" = Option<String>, Query),
        ("limit" = Option<i64>, Query)
    ),
    responses((status = 200, body = IntegrityReportResponseDto))
)]
pub(super) async fn get_integrity_report(
    State(api): State<Api>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<IntegrityReportResponseDto>, Problem> {
    caller.require_admin(Permission::Maintenance)?;
    let mut fields = Fields::query(query.as_deref());
    let name = fields.required_option("type", &CHECKS);
    let limit = fields.integer("limit", 1, SAFE_INTEGER_MAX).unwrap_or(PAGE_DEFAULT);
    let cursor = fields.string("cursor");
    let after = match cursor.as_deref().map(Uuid::try_parse) {
        Some(Ok(after)) => after,
        Some(Err(_)) => {
            fields.issue(json!({
                "code": "custom", "path": ["cursor"], "message": "Invalid cursor"
            }));
            Uuid::nil()
        }
        None => Uuid::nil(),
    };
    fields.finish()?;
    // Keys of files may hold people's words.
    admin_views::note(&api, &caller, None, AdminView::File).await?;
    let limit = limit.min(PAGE_MAX);
    // One more tells whether there is another page.
    let mut found = api
        .findings
        .after(check(&name)?, after, limit + 1)
        .await
        .map_err(|error| Problem::internal(&error))?;
    let page = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = found.len() > page;
    found.truncate(page);
    let next_cursor = found.last().filter(|_| has_more).map(|last| last.id.to_string());
    let items = found.into_iter().map(Into::into).collect();
    Ok(Json(IntegrityReportResponseDto { items, next_cursor }))
}
