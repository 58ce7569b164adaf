//! `GET /admin/integrity/report/{id}/file`.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use calotype_domain::admin_view::AdminView;
use calotype_domain::permission::Permission;

use super::dto::load;
use crate::admin_views;
use crate::caller::Caller;
use crate::files::{Served, serve};
use crate::problem::Problem;
use crate::state::Api;

/// The file that was found, if there is one.
#[utoipa::path(
    get, path = "/admin/integrity/report/{id}/file", tag = "Maintenance (admin)",
    operation_id = "getIntegrityReportFile", params(("id" = Uuid, Path)),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>))
)]
pub(super) async fn get_integrity_report_file(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.require_admin(Permission::Maintenance)?;
    let finding = load(&api, &id).await?;
    let owner_id = match finding.asset_id {
        Some(asset_id) => api.queries.owner_of_asset(asset_id.into()).await?,
        None => None,
    };
    admin_views::note(&api, &caller, owner_id.map(|id| id.uuid()), AdminView::File).await?;
    let file_name = finding.key.rsplit('/').next().unwrap_or_default();
    let served = Served {
        key: &finding.key,
        // Whatever it is, nobody's browser shall run it.
        mime: "application/octet-stream",
        file_name,
        modified: None,
        bare: None,
    };
    let sent = serve(&api.blobs, served, &headers).await?;
    sent.ok_or_else(|| Problem::not_found("Not Found"))
}
