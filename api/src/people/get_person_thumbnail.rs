//! `GET /people/{id}/thumbnail`.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use calotype_domain::permission::Permission;

use super::dto::own_person;
use crate::caller::Caller;
use crate::files::{Served, serve};
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// Asked for anew each time: the face that stands for somebody changes under the same address.
const CACHE_CONTROL: HeaderValue = HeaderValue::from_static("private, no-cache, no-transform");

/// The picture of a person; none while it is cut from a photo that is behind the PIN.
#[utoipa::path(
    get, path = "/people/{id}/thumbnail", tag = "People", operation_id = "getPersonThumbnail",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>))
)]
pub(super) async fn get_person_thumbnail(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.require(Permission::PersonRead)?;
    let person_id = path_uuid("id", &id)?;
    let person = own_person(&api, &caller, Permission::PersonRead, person_id).await?;
    let not_there = || Problem::not_found("Not Found");
    let key = person.thumbnail_key.as_deref().ok_or_else(not_there)?;
    // It opens without a PIN, so it does not show what needs one; a picture of another face is on its way.
    if api.queries.is_picture_locked(person.person_id).await? {
        return Err(not_there());
    }
    let file_name = format!("{person_id}.jpeg");
    let served =
        Served { key, mime: "image/jpeg", file_name: &file_name, modified: None, bare: None };
    let mut response = serve(&api.blobs, served, &headers).await?.ok_or_else(not_there)?;
    response.headers_mut().insert(header::CACHE_CONTROL, CACHE_CONTROL);
    Ok(response)
}
