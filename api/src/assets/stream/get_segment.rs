//! `GET /assets/{id}/video/stream/{sessionId}/{variantIndex}/{filename}`: `init.mp4` or `seg_N.m4s`.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use calotype_domain::permission::Permission;
use calotype_media::hls::Piece;
use serde_json::json;

use super::{NO_CACHE, film, problem, said, source, whole};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// The segment that the player plays.
const PLAYING: &str = "x-immich-hls-msn";

/// A part of a stream, made now if it is not there yet.
#[utoipa::path(
    get, path = "/assets/{id}/video/stream/{sessionId}/{variantIndex}/{filename}",
    tag = "Assets", operation_id = "getSegment",
    params(
        ("filename" = String, Path), ("id" = uuid::Uuid, Path),
        ("key" = Option<String>, Query), ("sessionId" = uuid::Uuid, Path),
        ("slug" = Option<String>, Query), ("variantIndex" = i64, Path),
        ("x-immich-hls-msn" = Option<i64>, Header)
    ),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>))
)]
pub(crate) async fn get_segment(
    State(api): State<Api>,
    caller: Caller,
    Path((id, session, variant, file_name)): Path<(String, String, String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.require_shared(Permission::AssetView)?;
    let id = path_uuid("id", &id)?;
    let session = path_uuid("sessionId", &session)?;
    let variant = whole("variantIndex", &variant)?;
    let piece = piece(&file_name)?;
    let playing = said(&headers, PLAYING).map(|text| whole(PLAYING, text)).transpose()?;
    let files = film(&api, &caller, id).await?;
    let source = source(&api, &files).await?;
    let variant = usize::try_from(variant).map_err(|error| Problem::internal(&error))?;
    let bytes = api
        .streams
        .piece(session, (id, source), variant, piece, playing)
        .await
        .map_err(|error| problem(&error))?;
    let mime = match piece {
        Piece::Init => "video/mp4",
        Piece::Segment(_) => "video/iso.segment",
    };
    Ok(([(header::CONTENT_TYPE, mime)], [(header::CACHE_CONTROL, NO_CACHE)], bytes).into_response())
}

fn piece(file_name: &str) -> Result<Piece, Problem> {
    if file_name == "init.mp4" {
        return Ok(Piece::Init);
    }
    let digits = file_name.strip_prefix("seg_").and_then(|rest| rest.strip_suffix(".m4s"));
    let number = digits
        .filter(|digits| !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit()))
        // A number too large for any film names no segment.
        .map(|digits| digits.parse().unwrap_or(u64::MAX));
    number.map(Piece::Segment).ok_or_else(|| {
        let pattern = "/^(init\\.mp4|seg_\\d+\\.m4s)$/";
        Problem::validation(vec![json!({
            "origin": "string", "code": "invalid_format", "format": "regex", "pattern": pattern,
            "path": ["filename"],
            "message": format!("Invalid string: must match pattern {pattern}")
        })])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_parts_of_a_stream_have_names() {
        assert_eq!(piece("init.mp4").unwrap(), Piece::Init);
        assert_eq!(piece("seg_12.m4s").unwrap(), Piece::Segment(12));
        for name in ["seg_.m4s", "seg_-1.m4s", "seg_+1.m4s", "list.m3u8", "../init.mp4", ""] {
            assert!(piece(name).is_err(), "{name}");
        }
    }
}
