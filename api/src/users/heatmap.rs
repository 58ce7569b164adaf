//! `GET /users/me/calendar-heatmap`, and the same for administrators: how much there was on each day.

use axum::Json;
use axum::extract::{RawQuery, State};
use calotype_domain::permission::Permission;
use calotype_projections::heatmap::HeatmapKind;
use chrono::{Days, Months, NaiveDate};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// Days of one answer.
const DAYS_MAX: usize = 3_660;
/// Immich's words for the day that counts.
const TYPES: [&str; 2] = ["Upload", "Taken"];

/// Which days.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes a query that is checked field by field")]
pub(crate) struct CalendarHeatmapDto {
    /// The first day, UTC; a year before the last when left out.
    from: Option<NaiveDate>,
    /// The last day, UTC; today when left out.
    to: Option<NaiveDate>,
    #[param(rename = "type", default = "Upload")]
    kind: Option<CalendarHeatmapType>,
}

/// By which day assets are counted.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a word of a query")]
pub(crate) enum CalendarHeatmapType {
    Upload,
    Taken,
}

/// One day.
#[derive(Serialize, ToSchema)]
pub(crate) struct CalendarHeatmapDay {
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    count: i64,
    date: String,
}

/// How much there was on each day.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CalendarHeatmapResponseDto {
    from: String,
    #[schema(inline)]
    series: Vec<CalendarHeatmapDay>,
    to: String,
    total_count: i64,
}

/// A day, when it is there.
fn date(fields: &mut Fields, name: &str) -> Option<NaiveDate> {
    let text = fields.string(name)?;
    let day = NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok().filter(|_| text.len() == 10);
    if day.is_none() {
        fields.issue(json!({
            "origin": "string", "code": "invalid_format", "format": "date",
            "path": [name], "message": "Invalid ISO date"
        }));
    }
    day
}

/// How much the caller uploaded or took on each day.
#[utoipa::path(
    get,
    path = "/users/me/calendar-heatmap",
    operation_id = "getMyCalendarHeatmap",
    tag = "Users",
    params(CalendarHeatmapDto),
    responses((status = 200, body = CalendarHeatmapResponseDto)),
)]
pub(super) async fn get_my_calendar_heatmap(
    State(api): State<Api>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<CalendarHeatmapResponseDto>, Problem> {
    caller.require(Permission::UserRead)?;
    let asked = Asked::parse(query.as_deref())?;
    heatmap(&api, caller.user_id().uuid(), asked).await.map(Json)
}

/// A query that was checked.
pub(crate) struct Asked {
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
    kind: Option<String>,
}

impl Asked {
    /// Reads a query.
    ///
    /// # Errors
    /// 400 with every issue.
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, Problem> {
        let mut fields = Fields::query(query);
        let (from, to) = (date(&mut fields, "from"), date(&mut fields, "to"));
        let kind = fields.option("type", &TYPES);
        fields.finish()?;
        Ok(Self { from, to, kind })
    }
}

/// How much a person uploaded or took on each day of a query.
pub(crate) async fn heatmap(
    api: &Api,
    owner_id: Uuid,
    Asked { from, to, kind }: Asked,
) -> Result<CalendarHeatmapResponseDto, Problem> {
    let to = to.unwrap_or_else(|| api.commands.clock().now().date_naive());
    let from = from
        .or_else(|| to.checked_sub_months(Months::new(12))?.checked_add_days(Days::new(1)))
        .unwrap_or(to);
    let kind = match kind.as_deref() {
        Some("Taken") => HeatmapKind::Taken,
        _ => HeatmapKind::Upload,
    };
    if (to - from).num_days() >= i64::try_from(DAYS_MAX).unwrap_or(i64::MAX) {
        return Err(Problem::bad_request("The period is too long"));
    }
    let days = api.queries.heatmap(owner_id, kind, from, to).await?;
    Ok(CalendarHeatmapResponseDto {
        from: from.to_string(),
        to: to.to_string(),
        total_count: days.iter().map(|(_, count)| count).sum(),
        series: days
            .into_iter()
            .map(|(day, count)| CalendarHeatmapDay { count, date: day.to_string() })
            .collect(),
    })
}
