//! `GET /admin/users/{id}/calendar-heatmap`.

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use calotype_domain::admin_view::AdminView;
use calotype_domain::permission::Permission;

use super::load;
use crate::admin_views;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::users::heatmap::{Asked, CalendarHeatmapDto, CalendarHeatmapResponseDto, heatmap};
use crate::validate::path_uuid;

/// How much a person uploaded or took on each day.
#[utoipa::path(
    get,
    path = "/admin/users/{id}/calendar-heatmap",
    operation_id = "getUserCalendarHeatmapAdmin",
    tag = "Users (admin)",
    params(("id" = Uuid, Path), CalendarHeatmapDto),
    responses((status = 200, body = CalendarHeatmapResponseDto)),
)]
pub(super) async fn get_user_calendar_heatmap_admin(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<CalendarHeatmapResponseDto>, Problem> {
    caller.require_admin(Permission::AdminUserRead)?;
    path_uuid("id", &id)?;
    let asked = Asked::parse(query.as_deref())?;
    let row = load(&api, &id).await?;
    admin_views::note(&api, &caller, Some(row.user_id), AdminView::Calendar).await?;
    heatmap(&api, row.user_id, asked).await.map(Json)
}
