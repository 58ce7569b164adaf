//! `GET /calotype/links/{id}/history`: what happened to a shared link, and who saw it, when, from where. Also of a
//! link that has ended: that is when it is asked.

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use calotype_domain::permission::Permission;
use calotype_projections::link_views::LinkViewRow;
use serde::Serialize;
use utoipa::ToSchema;

use super::asked::{Asked, HistoryQuery, Source};
use super::{History, as_auditor};
use crate::caller::Caller;
use crate::dates;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// Views in one answer, the newest.
const VIEWS_MAX: i64 = 1_000;
/// What links are called in the log.
const KIND: &str = "shared_link";

/// What happened to a link, oldest first, and who saw it, last first.
#[derive(Serialize, ToSchema)]
pub(crate) struct LinkHistory {
    #[serde(flatten)]
    history: History,
    views: Vec<LinkViewDto>,
}

/// One visitor's hour.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LinkViewDto {
    /// When they came first in that hour.
    viewed_at: String,
    /// The hour, by its first instant.
    hour: String,
    /// The address they came from; `null` when it was not known.
    #[schema(required)]
    address: Option<String>,
    /// Browser or model.
    device_type: String,
    /// Operating system.
    #[serde(rename = "deviceOS")]
    device_os: String,
}

impl From<LinkViewRow> for LinkViewDto {
    fn from(row: LinkViewRow) -> Self {
        Self {
            viewed_at: dates::iso(row.viewed_at),
            hour: dates::iso(row.hour),
            address: row.address,
            device_type: row.device_type,
            device_os: row.device_os,
        }
    }
}

/// Tells who made a link what happened to it and who saw it: one entry for each address and hour. As lines, only what
/// happened to it.
#[utoipa::path(
    get,
    path = "/calotype/links/{id}/history",
    operation_id = "getLinkHistory",
    tag = "Calotype",
    params(("id" = Uuid, Path), HistoryQuery),
    responses((status = 200, body = LinkHistory)),
)]
pub(super) async fn get_link_history(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let id = path_uuid("id", &id)?;
    let owner_id = api.queries.owner_of(KIND, id).await?.map(|id| id.uuid());
    if !as_auditor(&api, &caller, owner_id).await? {
        caller.require(Permission::SharedLinkRead)?;
        caller.require_owned(Permission::SharedLinkRead, owner_id)?;
    }
    let asked = Asked::parse(query.as_deref())?;
    if owner_id.is_none() {
        return Err(Problem::no_access(Permission::SharedLinkRead));
    }
    let source = Source::Object(api.queries.history_of(KIND, id));
    if !asked.is_page() {
        return asked.answer(api, source, (headers, query)).await;
    }
    let history = History::of(KIND, id, asked.page(&api.queries, source).await?);
    let views = api.queries.views_of_link(id, VIEWS_MAX).await?;
    let views = views.into_iter().map(LinkViewDto::from).collect();
    Ok(Json(LinkHistory { history, views }).into_response())
}
