//! `POST /shared-links/login`: a link's password for a cookie that opens the link for a day.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Response};
use calotype_commands::password;
use utoipa::ToSchema;

use super::dto::{SharedLinkResponseDto, whole};
use crate::assets::linked::LinkedDetail;
use crate::caller::AtTheDoor;
use crate::links::remember;
use crate::peer::Peer;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// The password.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct SharedLinkLoginDto {
    password: String,
}

/// Opens a link that asks for a password.
#[utoipa::path(
    post, path = "/shared-links/login", tag = "Shared links", operation_id = "sharedLinkLogin",
    params(("key" = Option<String>, Query), ("slug" = Option<String>, Query)),
    request_body = SharedLinkLoginDto, responses((status = 201, body = SharedLinkResponseDto))
)]
pub(super) async fn shared_link_login(
    State(api): State<Api>,
    AtTheDoor(caller): AtTheDoor,
    Ok(peer): Result<Peer, std::convert::Infallible>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let mut fields = Fields::json(&body)?;
    let given = fields.required_string("password");
    fields.finish()?;
    let link = caller.link().ok_or_else(|| Problem::forbidden("Forbidden"))?.clone();
    if !link.has_password {
        return Err(Problem::bad_request("Shared link is not password protected"));
    }
    let attempt = api.logins.begin_link(peer.address, link.shared_link_id)?;
    let is_right = password::verify(given, link.password_hash.clone()).await;
    attempt.end(is_right)?;
    if !is_right {
        return Err(Problem::unauthorized("Invalid password"));
    }
    let cookie = remember(&link, &headers, peer.is_https, caller.context().now)
        .map_err(|error| Problem::internal(&error))?;
    let detail = if link.show_metadata { LinkedDetail::WithExif } else { LinkedDetail::Hidden };
    let answer = whole(&api, link, detail).await?;
    Ok((StatusCode::CREATED, AppendHeaders(cookie), Json(answer)).into_response())
}
