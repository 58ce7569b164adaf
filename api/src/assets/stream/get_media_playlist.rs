//! `GET /assets/{id}/video/stream/{sessionId}/{variantIndex}/playlist.m3u8`.

use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use calotype_domain::permission::Permission;
use calotype_media::hls::media_playlist;

use super::{credentials, film, playlist, problem, said, whole};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// Where the player is, in seconds.
const POSITION: &str = "x-immich-hls-pos";
/// The latest place that is believed, in seconds.
const POSITION_S_MAX: f64 = 2_000_000.0;

/// The segments of one variant of a session.
#[utoipa::path(
    get, path = "/assets/{id}/video/stream/{sessionId}/{variantIndex}/playlist.m3u8",
    tag = "Assets", operation_id = "getMediaPlaylist",
    params(
        ("id" = uuid::Uuid, Path), ("key" = Option<String>, Query),
        ("sessionId" = uuid::Uuid, Path), ("slug" = Option<String>, Query),
        ("variantIndex" = i64, Path), ("x-immich-hls-pos" = Option<f64>, Header)
    ),
    responses((status = 200, content_type = "application/vnd.apple.mpegurl", body = String))
)]
pub(crate) async fn get_media_playlist(
    State(api): State<Api>,
    caller: Caller,
    Path((id, session, variant)): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.require_shared(Permission::AssetView)?;
    let id = path_uuid("id", &id)?;
    let session = path_uuid("sessionId", &session)?;
    let variant = whole("variantIndex", &variant)?;
    let position_ms = said(&headers, POSITION).map(position_ms).transpose()?;
    film(&api, &caller, id).await?;
    let streamed = usize::try_from(variant).map_err(|error| Problem::internal(&error)).and_then(
        |variant| {
            let found = api.streams.look_up(session, id, variant, position_ms);
            found.map_err(|error| problem(&error))
        },
    )?;
    let query = credentials(query.as_deref());
    Ok(playlist(media_playlist(streamed.duration_ms, query.as_deref())))
}

fn position_ms(text: &str) -> Result<u64, Problem> {
    let mut fields = Fields::query(Some(&format!("{POSITION}={text}")));
    let seconds = fields.number(POSITION, 0.0, f64::MAX);
    fields.finish()?;
    let seconds = seconds.unwrap_or_default().clamp(0.0, POSITION_S_MAX);
    let position = std::time::Duration::from_secs_f64(seconds);
    Ok(u64::try_from(position.as_millis()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn position_is_in_seconds_and_not_below_zero() {
        assert_eq!(position_ms("12.5").unwrap(), 12_500);
        assert_eq!(position_ms("1e300").unwrap(), 2_000_000_000);
        assert!(position_ms("-1").is_err() && position_ms("x").is_err());
    }
}
