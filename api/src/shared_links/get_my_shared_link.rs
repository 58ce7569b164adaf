//! `GET /shared-links/me`: the link that the caller holds.

use axum::Json;
use axum::extract::State;

use super::dto::{SharedLinkResponseDto, whole};
use crate::assets::linked::LinkedDetail;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// What the link that the request carries shows and allows.
#[utoipa::path(
    get, path = "/shared-links/me", tag = "Shared links", operation_id = "getMySharedLink",
    params(("key" = Option<String>, Query), ("slug" = Option<String>, Query)),
    responses((status = 200, body = SharedLinkResponseDto))
)]
pub(super) async fn get_my_shared_link(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<SharedLinkResponseDto>, Problem> {
    let link = caller.link().ok_or_else(|| Problem::forbidden("Forbidden"))?.clone();
    let detail = if link.show_metadata { LinkedDetail::WithExif } else { LinkedDetail::Hidden };
    Ok(Json(whole(&api, link, detail).await?))
}
