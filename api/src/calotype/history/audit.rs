//! `GET /calotype/audit`: everything that ever happened, for who may audit.

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use calotype_domain::admin_view::AdminView;
use calotype_domain::permission::Permission;

use super::asked::{Asked, HistoryPage, HistoryQuery, Source};
use crate::admin_views;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// Tells what happened on the server, in the order of the log, a page at a time or as one stream of lines. A page may
/// be empty although there are more: ask on as long as there is a `next`.
#[utoipa::path(
    get,
    path = "/calotype/audit",
    operation_id = "getAudit",
    tag = "Calotype",
    params(HistoryQuery),
    responses((status = 200, body = HistoryPage)),
)]
pub(super) async fn get_audit(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    caller.require_admin(Permission::CalotypeAudit)?;
    let asked = Asked::parse(query.as_deref())?;
    admin_views::note(&api, &caller, None, AdminView::Audit).await?;
    asked.answer(api, Source::Log, (headers, query)).await
}
