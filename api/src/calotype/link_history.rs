//! `GET /calotype/links/{id}/history`: what happened to a shared link, and who saw it, when, from where. Also of a
//! link that has ended: that is when it is asked.

use axum::Json;
use axum::extract::{Path, State};
use calotype_domain::SharedLinkId;
use calotype_domain::permission::Permission;
use calotype_projections::link_views::LinkViewRow;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::history::HistoryEvent;
use crate::caller::Caller;
use crate::dates;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// Views in one answer, the newest.
const VIEWS_MAX: i64 = 1_000;

/// What happened to a link, oldest first, and who saw it, last first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LinkHistory {
    shared_link_id: Uuid,
    events: Vec<HistoryEvent>,
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

/// Tells who made a link what happened to it and who saw it: one entry for each address and hour.
#[utoipa::path(
    get,
    path = "/calotype/links/{id}/history",
    operation_id = "getLinkHistory",
    tag = "Calotype",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = LinkHistory)),
)]
pub(super) async fn get_link_history(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<LinkHistory>, Problem> {
    caller.require(Permission::SharedLinkRead)?;
    let shared_link_id = path_uuid("id", &id)?;
    let history = api.queries.history_of_link(SharedLinkId::new(shared_link_id)).await?;
    let (owner_id, events) =
        history.ok_or_else(|| Problem::no_access(Permission::SharedLinkRead))?;
    caller.require_owned(Permission::SharedLinkRead, Some(owner_id.uuid()))?;
    let events = events.into_iter().map(HistoryEvent::from).collect();
    let views = api.queries.views_of_link(shared_link_id, VIEWS_MAX).await?;
    let views = views.into_iter().map(LinkViewDto::from).collect();
    Ok(Json(LinkHistory { shared_link_id, events, views }))
}
